/**
 * A directory of its own for each test, removed when the test ends.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** @param files  texts by path within the directory */
export function scratch(t: Pick<TestContext, 'after'>, files: Readonly<Record<string, string>> = {}): string {
	const directory = mkdtempSync(join(tmpdir(), 'meridian-'));
	// What a test has just closed may still have a write under way, which makes a file anew.
	t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));
	write(directory, files);
	return directory;
}

export function write(directory: string, files: Readonly<Record<string, string>>): void {
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(dirname(join(directory, path)), { recursive: true });
		writeFileSync(join(directory, path), text);
	}
}

/** A zone without a mistake. */
export const GOOD_ZONE = `$TTL 1h
@    IN SOA ns1 hostmaster 1 2h 30m 14d 5m
     IN NS  ns1
ns1  IN A   192.0.2.53
www  IN A   192.0.2.80
`;

/**
 * The load generator beside a test: a process of its own, whose result is waited for.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pinned } from '../peers/servers.ts';
import type { LoadResult } from './load.ts';

const SCRIPT = fileURLToPath(new URL('./load.ts', import.meta.url));

/**
 * @param options  as of load.ts
 * @throws Error when it could not run; wrong answers are in the result
 */
export function runLoad(port: number, ...options: readonly string[]): Promise<LoadResult> {
	return runLoadOn(undefined, port, ...options);
}

/** The same on some cores, as taskset lists them. */
export async function runLoadOn(
	cpus: string | undefined,
	port: number,
	...options: readonly string[]
): Promise<LoadResult> {
	const child = spawn(...pinned(cpus, process.execPath, [SCRIPT, `127.0.0.1:${port}`, ...options]), {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	let stdout = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
	});
	await once(child, 'close');
	if (stdout === '') throw new Error('Cannot make load: the generator has ended without a result');
	return JSON.parse(stdout);
}

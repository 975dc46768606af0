/**
 * The first token: made where nobody could make one otherwise, written once for whoever may read the state directory.
 *
 *     admin-token.new, then its hash to the store, then renamed: a crash between leaves what the next start goes on with
 *
 * | admin.token | the store has a token that may make others | then                |
 * |-------------|--------------------------------------------|---------------------|
 * | set         | either                                     | nothing is made     |
 * | empty       | yes                                        | nothing is made     |
 * | empty       | no                                         | one is made         |
 */

import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashOfToken, makeToken } from '../admin/auth-tokens.ts';
import { isKey } from '../admin/token-routes.ts';
import type { Log } from '../lib/ports.ts';
import type { Store } from '../store/ports.ts';
import { ADMIN_TOKEN_FILE } from './api-client.ts';

/** Why it is there, in the history. */
const REASON = { author: 'meridian', reason: 'the first token' };

export interface FirstTokenParts {
	readonly store: Store;
	readonly stateDir: string;
	/** Of the settings; empty for none. */
	readonly settingToken: string;
	readonly log: Log;
}

/**
 * @returns the path of the file, when one was made
 * @throws StoreError, or the runtime's error when the file cannot be written
 */
export async function ensureFirstToken({
	store,
	stateDir,
	settingToken,
	log,
}: FirstTokenParts): Promise<string | undefined> {
	const path = join(stateDir, ADMIN_TOKEN_FILE);
	const fresh = `${path}.new`;
	const left = readText(fresh);
	if (left !== undefined && isStored(store, left)) {
		renameSync(fresh, path);
		return path;
	}
	if (settingToken !== '' || hasKey(store)) {
		rmSync(fresh, { force: true });
		return undefined;
	}
	const token = left ?? makeToken();
	writeFileSync(fresh, `${token}\n`, { mode: 0o600 });
	while (!hasKey(store)) {
		const content = {
			...{ hash: hashOfToken(token), role: 'admin' as const, zones: undefined },
			...{ createdMs: store.nowMs(), createdBy: REASON.author, expiresMs: undefined },
		};
		const change = { kind: 'token' as const, name: nameIn(store), content };
		const { kind } = await store.commit({ expected: store.configuration.head, changes: [change], ...REASON });
		// Another process of the fleet may have made one.
		if (kind === 'conflict') continue;
		renameSync(fresh, path);
		log.info({ path }, 'the first token of the admin API was made');
		return path;
	}
	rmSync(fresh, { force: true });
	return undefined;
}

/** A name that no token has: an older one of the same may have expired. */
function nameIn(store: Store): string {
	const { items } = store.configuration;
	return items.has('token:first') ? `first-${randomBytes(4).toString('hex')}` : 'first';
}

function hasKey(store: Store): boolean {
	return [...store.configuration.items.values()].some((item) => item.kind === 'token' && isKey(item, store.nowMs()));
}

function isStored(store: Store, token: string): boolean {
	const hash = hashOfToken(token);
	return [...store.configuration.items.values()].some((item) => item.kind === 'token' && item.content.hash === hash);
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8').trim();
	} catch {
		return undefined;
	}
}

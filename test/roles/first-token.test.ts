import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { TokenBook } from '../../src/admin/auth-tokens.ts';
import { ensureFirstToken } from '../../src/roles/first-token.ts';
import { openEmbeddedStore } from '../../src/store/embedded-store.ts';
import { tokenChange } from '../admin/operating-parts.ts';
import { commitTo, memoryLog } from '../contract/store-parts.ts';
import { scratch } from './scratch.ts';

async function open(t: TestContext, settingToken = '') {
	const stateDir = scratch(t);
	const log = memoryLog();
	const store = await openEmbeddedStore(stateDir, log);
	t.after(() => store.close());
	const path = join(stateDir, 'admin-token');
	return {
		store,
		log,
		path,
		ensure: () => ensureFirstToken({ store, stateDir, settingToken, log }),
		roleOfFile: () => new TokenBook(store, '').check(readFileSync(path, 'utf8').trim()),
	};
}

describe('ensureFirstToken()', () => {
	it('makes one, for its owner alone to read, and says where but not which', async (t) => {
		const { ensure, path, roleOfFile, log } = await open(t);
		assert.equal(await ensure(), path);
		assert.equal(statSync(path).mode & 0o777, 0o600);
		const caller = { name: 'first', role: 'admin', zones: undefined };
		assert.deepEqual(roleOfFile(), { kind: 'known', caller });
		assert.doesNotMatch(JSON.stringify(log.lines), /mrd_/);
	});

	it('makes none where there is one', async (t) => {
		const { ensure, path, store } = await open(t);
		await ensure();
		const before = readFileSync(path, 'utf8');
		assert.equal(await ensure(), undefined);
		assert.equal(readFileSync(path, 'utf8'), before);
		assert.equal(store.configuration.head?.generation, 1);
	});

	it('makes none where the settings have one', async (t) => {
		const { ensure, path } = await open(t, 'a-token-of-the-settings');
		assert.equal(await ensure(), undefined);
		assert(!existsSync(path));
	});

	for (const { what, change } of [
		{ what: 'have expired', change: tokenChange('first', 'x', { expiresMs: 1 }) },
		{ what: 'are for some zones', change: tokenChange('first', 'x', { zones: ['a.'] }) },
		{ what: 'may not make others', change: tokenChange('first', 'x', { role: 'editor' }) },
	]) {
		it(`makes one beside those that ${what}`, async (t) => {
			const { ensure, store, roleOfFile } = await open(t);
			await commitTo(store, [change]);
			await ensure();
			assert.equal(roleOfFile().kind, 'known');
			assert.equal(store.configuration.items.size, 2);
		});
	}

	it('makes another one when it was revoked, and never brings that back', async (t) => {
		const { ensure, store, path, roleOfFile } = await open(t);
		await ensure();
		const revoked = readFileSync(path, 'utf8');
		await commitTo(store, [{ kind: 'token', name: 'first', content: undefined }]);
		await ensure();
		assert.notEqual(readFileSync(path, 'utf8'), revoked);
		assert.equal(roleOfFile().kind, 'known');
	});

	it('goes on after a crash before the commit, and after one behind it', async (t) => {
		const { ensure, store, path, roleOfFile } = await open(t);
		writeFileSync(`${path}.new`, 'mrd_left-by-a-crash\n');
		await ensure();
		assert.equal(readFileSync(path, 'utf8'), 'mrd_left-by-a-crash\n');
		assert.equal(roleOfFile().kind, 'known');
		writeFileSync(`${path}.new`, 'mrd_left-by-a-crash\n');
		assert.equal(await ensure(), path);
		assert(!existsSync(`${path}.new`));
		assert.equal(store.configuration.items.size, 1);
	});
});

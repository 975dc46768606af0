import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { applyChanges } from '../../src/store/apply.ts';
import type { Change } from '../../src/store/item.ts';
import { KnownConfiguration } from '../../src/store/known-configuration.ts';
import type { Configuration } from '../../src/store/ports.ts';
import { memoryLog, put } from '../contract/store-parts.ts';
import { until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';

const NOTHING: Configuration = { head: undefined, items: new Map() };

function after(before: Configuration, ...changes: readonly Change[]): Configuration {
	const { head, items } = applyChanges(before, changes) ?? assert.fail('nothing changes');
	return { head, items };
}

function setUp(t: TestContext) {
	const stateDir = scratch(t);
	const log = memoryLog();
	const open = (store = 'redis://a meridian:') => new KnownConfiguration(stateDir, store, log);
	return { open, log, folder: join(stateDir, 'known') };
}

const first = after(NOTHING, put('a.', '1'), put('b.', '1'));

describe('KnownConfiguration', () => {
	it('gives back what was kept last, and keeps no more than that', (t) => {
		const { open, folder } = setUp(t);
		assert.equal(open().load(), undefined);
		const known = open();
		known.save(first);
		assert.deepEqual(open().load(), first);
		const second = after(first, put('a.', '2'), { kind: 'unit', name: 'b.', content: undefined });
		known.save(second);
		assert.deepEqual(open().load(), second);
		assert.equal(readdirSync(folder).length, 2);
	});

	it('keeps a large one while other things go on, and the newest of several', async (t) => {
		const { open, folder } = setUp(t);
		const names = Array.from({ length: 5000 }, (_, i) => `z${i}.`);
		const large = after(NOTHING, ...names.map((name) => put(name, name)));
		const newer = after(large, put('z0.', '2'));
		const known = open();
		known.save(large);
		// Differences of so many items would take minutes to print.
		assert(open().load() === undefined);
		known.save(newer);
		await until('all of it', 60_000, () => readdirSync(folder).length === newer.items.size + 1);
		assert(isDeepStrictEqual(open().load(), newer));
	});

	it('keeps nothing of a store that holds nothing', (t) => {
		const { open, folder } = setUp(t);
		open().save(NOTHING);
		assert.deepEqual(readdirSync(folder), []);
	});

	it('knows nothing of another store', (t) => {
		const { open, log } = setUp(t);
		open().save(first);
		assert.equal(open('redis://b meridian:').load(), undefined);
		assert.deepEqual(log.lines, []);
	});

	for (const { name, damage } of [
		{ name: 'an item that is gone', damage: (folder: string, etag: string) => rmSync(join(folder, etag)) },
		{
			name: 'an item that is another',
			damage: (folder: string, etag: string) => writeFileSync(join(folder, etag), '{}'),
		},
		{ name: 'an index that is another', damage: (folder: string) => writeFileSync(join(folder, 'index'), 'x\n{}') },
		{ name: 'an index without an end', damage: (folder: string) => writeFileSync(join(folder, 'index'), '') },
	]) {
		it(`passes over what has ${name}, says so, and is whole with the next generation`, (t) => {
			const { open, log, folder } = setUp(t);
			open().save(first);
			damage(folder, first.items.get('unit:a.')?.etag ?? '');
			const known = open();
			assert.equal(known.load(), undefined);
			assert.deepEqual(
				log.lines.map(({ level }) => level),
				['warn'],
			);
			known.save(first);
			assert.deepEqual(open().load(), first);
		});
	}

	it('tells once that it cannot keep anything, and goes on', (t) => {
		const { open, log, folder } = setUp(t);
		const known = open();
		rmSync(folder, { recursive: true });
		known.save(first);
		known.save(first);
		assert.deepEqual(
			log.lines.map(({ level }) => level),
			['error'],
		);
	});
});

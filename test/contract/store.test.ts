/**
 * What every store promises, tried on each: the embedded one, and the one in Redis.
 */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { openEmbeddedStore } from '../../src/store/embedded-store.ts';
import { isHeadOf } from '../../src/store/head.ts';
import type { Change, Override, Token, Trip, Unit } from '../../src/store/item.ts';
import type { Store, WatchHint } from '../../src/store/ports.ts';
import { until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { BY_TEST, commitTo, memoryLog, NOTE, openRedis, publication, put, unit, zoneOf } from './store-parts.ts';

/** A place that a store can be opened on again and again. */
interface Ground {
	open(): Promise<Store>;
}

interface Twin {
	readonly name: string;
	readonly skip: string | false;
	readonly ground: (t: TestContext) => Promise<Ground>;
}

const TWINS: readonly Twin[] = [
	{
		name: 'embedded',
		skip: false,
		ground: async (t) => {
			const stateDir = scratch(t);
			return { open: async () => closing(t, await openEmbeddedStore(stateDir, memoryLog())) };
		},
	},
	{
		name: 'Redis',
		skip: WITHOUT_REDIS,
		ground: async (t) => {
			const redis = await startRedis(t);
			return { open: async () => closing(t, await openRedis(redis.url)) };
		},
	},
];

function closing(t: TestContext, store: Store): Store {
	t.after(() => store.close());
	return store;
}

const override: Override = {
	state: 'drain',
	target: { kind: 'pool', unit: 'example.org.', pool: 'eu' },
	reason: 'a new kernel',
	author: 'ci',
	createdMs: 1,
	untilMs: 2,
};
const token: Token = {
	hash: 'ab'.repeat(32),
	role: 'operator',
	zones: ['example.org.'],
	createdMs: 1,
	createdBy: 'bootstrap',
	expiresMs: undefined,
};
const trip: Trip = { unit: 'example.org.', pool: 'eu', trippedMs: 1, reason: 'it went down' };
const document: Unit = unit('@ NS ns1\n', {
	steering: { kind: 'document', document: { pools: { eu: [1, 'x', null] } } },
});
/** A master file may hold any octet, and stands as one character for each. */
const octets: Unit = unit(String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i)), {
	includes: { 'a/b': 'ü\0' },
});

for (const { name, skip, ground } of TWINS) {
	describe(`${name} store`, { skip, concurrency: 4 }, () => {
		it('holds nothing at first', async (t) => {
			const store = await (await ground(t)).open();
			assert.deepEqual(store.condition, { kind: 'ready' });
			assert.deepEqual(store.configuration, { head: undefined, items: new Map() });
			assert.deepEqual(await store.history(10), []);
			assert.deepEqual(store.probers(), []);
		});

		it('commits several items as one generation, and has them after it was opened again', async (t) => {
			const place = await ground(t);
			const store = await place.open();
			const changes: readonly Change[] = [
				{ kind: 'unit', name: 'example.org.', content: document },
				{ kind: 'unit', name: 'xn--a.\\000\\.b.', content: octets },
				{ kind: 'unit', name: 'common', content: unit('', { zone: undefined, owner: 'directory' }) },
				{ kind: 'override', name: '1', content: override },
				{ kind: 'token', name: 'ci', content: token },
				{ kind: 'trip', name: 'ab', content: trip },
			];
			await commitTo(store, changes);
			const { head, items } = store.configuration;
			assert.deepEqual([head?.epoch, head?.generation, head?.parent], [1, 1, '']);
			assert(head !== undefined && isHeadOf(head, items));
			for (const { kind, name: own, content } of changes)
				assert.deepEqual(items.get(`${kind}:${own}`)?.content, content);
			await store.close();
			const again = await place.open();
			assert.deepEqual(again.configuration, { head, items });
		});

		it('counts generations without a gap, each the child of the one before', async (t) => {
			const store = await (await ground(t)).open();
			for (let i = 1; i <= 5; i++) await commitTo(store, [put('example.org.', `v${i}`)], { reason: `change ${i}` });
			const history = await store.history(10);
			assert.deepEqual(
				history.map(({ head, author, reason }) => [head.generation, author, reason]),
				[5, 4, 3, 2, 1].map((i) => [i, 'tester', `change ${i}`]),
			);
			for (const [i, { head }] of history.entries()) assert.equal(head.parent, history[i + 1]?.head.hash ?? '');
			assert.equal((await store.history(2)).length, 2);
			assert(history.every(({ atMs }) => Math.abs(atMs - Date.now()) < 60_000));
		});

		it('refuses a commit on another head, and changes nothing', async (t) => {
			const store = await (await ground(t)).open();
			await commitTo(store, [put('a.', '1')]);
			const first = store.configuration.head;
			await commitTo(store, [put('a.', '2')]);
			for (const expected of [undefined, first]) {
				const result = await store.commit({ expected, changes: [put('a.', '3')], ...BY_TEST });
				assert.deepEqual(result, { kind: 'conflict', head: store.configuration.head });
			}
			assert.equal(zoneOf(store, 'a.'), '2');
		});

		it('takes one of many commits on the same head', async (t) => {
			const store = await (await ground(t)).open();
			const racing = Array.from({ length: 10 }, (_, i) =>
				store.commit({ expected: undefined, changes: [put('a.', String(i))], ...BY_TEST }),
			);
			const results = await Promise.all(racing);
			const winner = results.findIndex(({ kind }) => kind === 'committed');
			assert.equal(results.filter(({ kind }) => kind === 'committed').length, 1);
			assert.equal(zoneOf(store, 'a.'), String(winner));
			assert.equal(store.configuration.head?.generation, 1);
		});

		it('makes no generation of what changes nothing', async (t) => {
			const store = await (await ground(t)).open();
			await commitTo(store, [put('a.', '1')]);
			const { head } = store.configuration;
			await commitTo(store, [put('a.', '1'), { kind: 'unit', name: 'b.', content: undefined }]);
			assert.deepEqual(store.configuration.head, head);
		});

		it('removes items', async (t) => {
			const place = await ground(t);
			const store = await place.open();
			await commitTo(store, [put('a.', '1'), put('b.', '1')]);
			await commitTo(store, [{ kind: 'unit', name: 'a.', content: undefined }]);
			await store.close();
			assert.deepEqual([...(await place.open()).configuration.items.keys()], ['unit:b.']);
		});

		it('gives back all items of a former generation', async (t) => {
			const place = await ground(t);
			const store = await place.open();
			await commitTo(store, [put('a.', '1'), put('b.', '1')]);
			const before = store.configuration.items;
			await commitTo(store, [put('a.', '2'), put('c.', '2')]);
			await commitTo(store, [put('a.', '3'), { kind: 'unit', name: 'b.', content: undefined }]);
			await store.close();
			const again = await place.open();
			assert.deepEqual(sorted(await again.itemsAt(1)), sorted(before));
			assert.deepEqual(sorted(await again.itemsAt(3)), sorted(again.configuration.items));
			assert.deepEqual([...((await again.itemsAt(0)) ?? []).keys()], []);
			assert.equal(await again.itemsAt(4), undefined);
		});

		it('forgets the oldest generations, and what they had replaced', async (t) => {
			const place = await ground(t);
			const store = await place.open();
			for (let i = 1; i <= 300; i++) await commitTo(store, [put('a.', `v${i}`)]);
			const history = await store.history(1000);
			assert.equal(history.length, 256);
			assert.equal(history.at(-1)?.head.generation, 45);
			assert.equal(await store.itemsAt(43), undefined);
			const oldest = (await store.itemsAt(44))?.get('unit:a.');
			assert(oldest?.kind === 'unit');
			assert.equal(oldest.content.zone, 'v44');
		});

		it('knows what time it is', async (t) => {
			const store = await (await ground(t)).open();
			assert(Math.abs(store.nowMs() - Date.now()) < 5000);
		});

		it('starts a new epoch when it is restored', async (t) => {
			const store = await (await ground(t)).open();
			await commitTo(store, [put('a.', '1')]);
			const { head: before, items } = store.configuration;
			const head = await store.restore({ author: 'operator', reason: 'to be sure' });
			assert.deepEqual([head.epoch, head.generation, head.parent], [2, 2, before?.hash]);
			assert.deepEqual(store.configuration, { head, items });
			await commitTo(store, [put('a.', '2')]);
			assert.deepEqual([store.configuration.head?.epoch, store.configuration.head?.generation], [2, 3]);
		});

		for (const { what, change } of [
			{ what: 'an empty name', change: put('', 'x') },
			{ what: 'a name with a blank', change: put('a b.', 'x') },
			{ what: 'a token that is no hash', change: { kind: 'token', name: 't', content: { ...token, hash: 'secret' } } },
			{
				what: 'a key with a meaning of its own',
				change: {
					kind: 'unit',
					name: 'a.',
					content: unit('', { steering: { kind: 'document', document: JSON.parse('{"a":{"__proto__":{}}}') } }),
				},
			},
		] as { what: string; change: Change }[]) {
			it(`refuses ${what}`, async (t) => {
				const store = await (await ground(t)).open();
				await assert.rejects(store.commit({ expected: undefined, changes: [change], ...BY_TEST }), {
					code: 'STORE_CONTENT',
				});
				assert.equal(store.configuration.head, undefined);
			});
		}

		it('is what its commits make it, whatever they are', { timeout: 120_000 }, async (t) => {
			const place = await ground(t);
			const store = await place.open();
			const steps = fc.array(
				fc.uniqueArray(fc.record({ name: fc.constantFrom('a.', 'b.', 'c.', 'common'), zone: fc.option(fc.string()) }), {
					selector: ({ name: own }) => own,
					minLength: 1,
				}),
				{ minLength: 1, maxLength: 5 },
			);
			const model = new Map<string, string>();
			const runs = fc.asyncProperty(steps, async (all) => {
				for (const step of all) {
					for (const { name: own, zone } of step) {
						if (zone === null) model.delete(own);
						else model.set(own, zone);
					}
					await commitTo(
						store,
						step.map(
							({ name: own, zone }): Change =>
								zone === null ? { kind: 'unit', name: own, content: undefined } : put(own, zone),
						),
					);
				}
				for (const own of ['a.', 'b.', 'c.', 'common']) assert.equal(zoneOf(store, own), model.get(own));
			});
			await fc.assert(runs, { numRuns: 20 });
			const { head, items } = store.configuration;
			await store.close();
			const again = (await place.open()).configuration;
			assert.deepEqual([again.head, sorted(again.items)], [head, sorted(items)]);
		});

		it('tells what probers have published last', async (t) => {
			const store = await (await ground(t)).open();
			const session = await store.join({ instance: 'eu-1', region: 'eu-west' });
			await session.publish(publication('up', 'k1'));
			await session.publish(publication('down', 'k1', 'k2'));
			await until('the second record', 5000, () => store.probers()[0]?.sequence === 2);
			await until('the lease', 5000, () => store.probers()[0]?.report.isAlive === true);
			const [view] = store.probers();
			assert(view !== undefined);
			assert.deepEqual([view.instance, view.report.region, view.incarnation], ['eu-1', 'eu-west', session.incarnation]);
			assert.deepEqual([...view.report.votes.keys()], ['k1', 'k2']);
			const ageMs = performance.now() - (view.report.votes.get('k1')?.sinceMs ?? 0);
			assert(ageMs > 4900 && ageMs < 15_000, `${ageMs} ms`);
			assert.deepEqual([...view.roundTripMs], [['192.0.2.1', 12.5]]);
		});

		it('tells since when a prober is cut off, and that it is no more', async (t) => {
			const store = await (await ground(t)).open();
			const session = await store.join({ instance: 'eu-1', region: 'eu-west' });
			await session.publish({ ...publication('down', 'k'), cutOffMs: performance.now() - 3000 });
			await until('the mark', 5000, () => store.probers()[0]?.report.cutOffMs !== undefined);
			const ageMs = performance.now() - (store.probers()[0]?.report.cutOffMs ?? 0);
			assert(ageMs > 2900 && ageMs < 13_000, `${ageMs} ms`);
			await session.publish(publication('up', 'k'));
			await until('its end', 5000, () => store.probers()[0]?.sequence === 2);
			assert.equal(store.probers()[0]?.report.cutOffMs, undefined);
		});

		it('refuses a second live prober of the same name', async (t) => {
			const store = await (await ground(t)).open();
			const session = await store.join({ instance: 'eu-1', region: 'eu-west' });
			await assert.rejects(store.join({ instance: 'eu-1', region: 'elsewhere' }), { code: 'STORE_INSTANCE_TAKEN' });
			await store.join({ instance: 'eu-2', region: 'eu-west' });
			await session.publish(publication('up', 'k'));
		});

		it('lets a prober come back as a greater incarnation; what was published stands meanwhile', async (t) => {
			const store = await (await ground(t)).open();
			const first = await store.join({ instance: 'eu-1', region: 'eu-west' });
			await first.publish(publication('down', 'k'));
			await until('the record', 5000, () => store.probers()[0]?.report.isAlive === true);
			await first.leave();
			await until('the end of the lease', 5000, () => store.probers()[0]?.report.isAlive === false);
			assert.equal(store.probers()[0]?.report.votes.get('k')?.vote, 'down');
			await assert.rejects(first.publish(publication('up', 'k')), { code: 'STORE_CLOSED' });
			const second = await store.join({ instance: 'eu-1', region: 'eu-west' });
			assert(second.incarnation > first.incarnation);
			await second.publish(publication('up', 'k'));
			await until('the vote of the second', 5000, () => store.probers()[0]?.report.votes.get('k')?.vote === 'up');
		});

		it('refuses names that no prober may have', async (t) => {
			const store = await (await ground(t)).open();
			for (const instance of ['', 'a b', 'ü', 'a\n', 'x'.repeat(256)])
				await assert.rejects(store.join({ instance, region: 'r' }), { code: 'STORE_CONTENT' });
			await assert.rejects(store.join({ instance: 'a', region: '' }), { code: 'STORE_CONTENT' });
		});

		it('tells which instances live, and what each said last', async (t) => {
			const store = await (await ground(t)).open();
			assert.deepEqual(await store.instances(), []);
			await store.announce(NOTE);
			await store.announce({ ...NOTE, instance: 'dns-0', role: 'start' });
			await store.announce({ ...NOTE, generation: 8 });
			const [other, view, ...more] = await store.instances();
			assert(view !== undefined);
			const { seenMs, isAlive, ...note } = view;
			assert.deepEqual([other?.instance, note, isAlive, more], ['dns-0', { ...NOTE, generation: 8 }, true, []]);
			const ageMs = performance.now() - seenMs;
			assert(ageMs >= 0 && ageMs < 10_000, `${ageMs} ms`);
		});

		it('refuses notes that no instance may write', async (t) => {
			const store = await (await ground(t)).open();
			for (const wrong of [{ instance: 'a b' }, { role: '' }, { version: 'x'.repeat(256) }, { generation: -1 }])
				await assert.rejects(store.announce({ ...NOTE, ...wrong }), { code: 'STORE_CONTENT' });
			assert.deepEqual(await store.instances(), []);
		});

		it('tells those that watch, until they have heard enough', async (t) => {
			const store = await (await ground(t)).open();
			const heard: WatchHint[] = [];
			const stop = store.watch((hint) => heard.push(hint));
			await commitTo(store, [put('a.', '1')]);
			await until('the hint of a commit', 5000, () => heard.includes('configuration'));
			await (await store.join({ instance: 'eu-1', region: 'r' })).publish(publication('up', 'k'));
			await until('the hint of a record', 5000, () => heard.includes('probers'));
			stop();
			const { length } = heard;
			await commitTo(store, [put('a.', '2')]);
			assert.equal(heard.length, length);
		});

		it('does nothing once it is closed', async (t) => {
			const store = await (await ground(t)).open();
			await store.close();
			const closed = { code: 'STORE_CLOSED' };
			await assert.rejects(store.commit({ expected: undefined, changes: [put('a.', '1')], ...BY_TEST }), closed);
			await assert.rejects(store.restore(BY_TEST), closed);
			await assert.rejects(store.history(1), closed);
			await assert.rejects(store.join({ instance: 'a', region: 'r' }), closed);
			await assert.rejects(store.announce(NOTE), closed);
			await assert.rejects(store.instances(), closed);
		});
	});
}

function sorted(items: ReadonlyMap<string, unknown> | undefined): readonly (readonly [string, unknown])[] {
	return [...(items ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
}

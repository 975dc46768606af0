import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Switch } from '../../src/config/overrides.ts';
import { SwitchFeed } from '../../src/roles/switches.ts';
import { openEmbeddedStore } from '../../src/store/embedded-store.ts';
import type { Override } from '../../src/store/item.ts';
import type { Condition, Configuration, Store } from '../../src/store/ports.ts';
import { commitTo, memoryLog } from '../contract/store-parts.ts';
import { until } from './meridian-process.ts';
import { scratch } from './scratch.ts';

const pool = { kind: 'pool', unit: 'a.', pool: 'eu' } as const;

function override(lastingMs: number, nowMs: number): Override {
	return { state: 'down', target: pool, reason: 'r', author: 'a', createdMs: nowMs, untilMs: nowMs + lastingMs };
}

async function open(t: TestContext, stateDir = scratch(t)) {
	const log = memoryLog();
	const store = await openEmbeddedStore(scratch(t), log);
	t.after(() => store.close());
	return { stateDir, store, feed: feedOf(t, store, stateDir) };
}

function feedOf(t: TestContext, store: Store, stateDir: string) {
	const feed = new SwitchFeed({ store, stateDir, log: memoryLog() });
	t.after(() => feed.close());
	const told: (readonly Switch[])[] = [];
	feed.onChange((active) => told.push(active));
	return { feed, told };
}

/** A store that never answered in this life. */
function silentStore(nowMs = () => Date.now()): Store {
	const condition: Condition = { kind: 'unreachable', reason: 'gone' };
	const configuration: Configuration = { head: undefined, items: new Map() };
	return { condition, configuration, nowMs, watch: () => () => {} } as unknown as Store;
}

describe('SwitchFeed', () => {
	it('tells of an override when it is set, and when it ends by itself', async (t) => {
		const { store, feed } = await open(t);
		await commitTo(store, [{ kind: 'override', name: 'x', content: override(300, store.nowMs()) }]);
		await until('it to count', 1000, () => feed.told.length === 1);
		assert.partialDeepStrictEqual(feed.told[0], [{ state: 'down', target: pool }]);
		const tookMs = await until('it to end', 2000, () => feed.told.length === 2);
		assert.deepEqual(feed.told[1], []);
		assert(tookMs > 150, `${tookMs} ms`);
	});

	it('tells of what an operator ends, and of trips, and of nothing else', async (t) => {
		const { store, feed } = await open(t);
		await commitTo(store, [{ kind: 'override', name: 'x', content: override(60_000, store.nowMs()) }]);
		await commitTo(store, [{ kind: 'override', name: 'y', content: override(-1, store.nowMs()) }]);
		await commitTo(store, [{ kind: 'override', name: 'x', content: undefined }]);
		const trip = { unit: 'a.', pool: 'eu', trippedMs: 1, reason: 'it went down' };
		await commitTo(store, [{ kind: 'trip', name: 'z', content: trip }]);
		await until('three', 1000, () => feed.told.length === 3);
		assert.deepEqual(feed.told[1], []);
		assert.deepEqual(feed.told[2], [{ state: 'down', target: pool, untilMs: undefined }]);
	});

	it('goes on over a restart without the store, until the override ends', async (t) => {
		const { store, stateDir, feed } = await open(t);
		await commitTo(store, [{ kind: 'override', name: 'x', content: override(1500, store.nowMs()) }]);
		await until('it to count', 1000, () => feed.told.length === 1);
		feed.feed.close();
		const restarted = feedOf(t, silentStore(), stateDir);
		assert.partialDeepStrictEqual(restarted.told, [[{ state: 'down', target: pool }]]);
		await until('it to end', 3000, () => restarted.told.length === 2);
		assert.deepEqual(restarted.told[1], []);
		const later = feedOf(
			t,
			silentStore(() => Date.now() + 10_000),
			stateDir,
		);
		assert.deepEqual(later.told, []);
	});

	it('takes what the store says over what it kept', async (t) => {
		const { store, stateDir, feed } = await open(t);
		await commitTo(store, [{ kind: 'override', name: 'x', content: override(60_000, store.nowMs()) }]);
		await until('it to count', 1000, () => feed.told.length === 1);
		const other = await open(t, stateDir);
		assert.deepEqual(other.feed.told, []);
	});
});

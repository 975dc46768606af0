/** Instances whose zones come from a store: Redis for a fleet, the embedded one for a process of its own. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseRedisAddress } from '../../src/lib/redis-address.ts';
import { openEmbeddedStore } from '../../src/store/embedded-store.ts';
import type { Change, Unit } from '../../src/store/item.ts';
import type { Store } from '../../src/store/ports.ts';
import { openRedisStore } from '../../src/store/redis-store.ts';
import { tokenChange } from '../admin/operating-parts.ts';
import { freePort } from '../setup/free-port.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { askUdp, fetchJson, type Instance, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch, write } from './scratch.ts';

const LIMIT_MS = 10_000;
const BOOT_MS_MAX = 5000;
const www = { name: 'www.a.example' };
const log = { info: () => {}, warn: () => {}, error: () => {} };

const zoneWith = (address: string) => GOOD_ZONE.replace('192.0.2.80', address);

function unit(name: string, content: Partial<Unit> = {}): Change {
	const whole: Unit = { zone: GOOD_ZONE, includes: undefined, steering: undefined, owner: 'store', ...content };
	return { kind: 'unit', name, content: whole };
}

async function commit(store: Store, ...changes: readonly Change[]): Promise<void> {
	const { head } = store.configuration;
	const result = await store.commit({ expected: head, changes, author: 'test', reason: 'a test' });
	assert.equal(result.kind, 'committed');
}

async function redisStore(t: TestContext) {
	const redis = await startRedis(t);
	const address = parseRedisAddress(redis.url);
	assert(address !== undefined);
	const store = await openRedisStore({ address, ca: undefined, prefix: 'meridian:', fleetKeys: [], log });
	t.after(() => store.close());
	return { redis, store };
}

const serve = (t: TestContext, url: string, stateDir: string) =>
	startInstance(t, { zonesDir: '/nowhere', stateDir, command: 'serve', more: ['--redis-url', url] });

const addressOf = async ({ port }: Instance) => (await askUdp(port, www)).answer[0]?.rdataText;
const ready = async ({ admin }: Instance) =>
	(await fetchJson(`${admin}/readyz`)).body as { generation: number; degraded: string[]; refusedUnits: string[] };

describe('an instance with Redis', { skip: WITHOUT_REDIS, concurrency: 3 }, () => {
	it('refuses every query while the store is empty, says so, and serves what comes', async (t) => {
		const { redis, store } = await redisStore(t);
		const instance = await serve(t, redis.url, scratch(t));
		assert.match(instance.stderr, /"msg":"the store is empty: every query is refused/);
		assert.equal((await askUdp(instance.port, www)).rcode, 'REFUSED');
		assert.deepEqual((await ready(instance)).degraded, []);
		await commit(store, unit('a.example.'));
		await until('the zone', LIMIT_MS, async () => (await addressOf(instance)) === '192.0.2.80');
	});

	it('keeps the old version of a unit that cannot be built, and takes the others', async (t) => {
		const { redis, store } = await redisStore(t);
		await commit(store, unit('a.example.'), unit('b.example.'), unit('bad.example.', { zone: 'x A 1' }));
		const instance = await serve(t, redis.url, scratch(t));
		assert.match(instance.stderr, /"unit":"bad\.example\.","msg":"starting without this unit/);
		assert.match(instance.stderr, /"file":"store:\/bad\.example\.zone","line":1/);
		assert.deepEqual((await ready(instance)).refusedUnits, ['bad.example.']);
		await commit(store, unit('a.example.', { zone: zoneWith('192.0.2.81') }), unit('b.example.', { zone: 'x A 1' }));
		await until('the change', LIMIT_MS, async () => (await addressOf(instance)) === '192.0.2.81');
		assert.equal((await askUdp(instance.port, { name: 'www.b.example' })).answer[0]?.rdataText, '192.0.2.80');
		assert.deepEqual((await ready(instance)).refusedUnits.toSorted(), ['b.example.', 'bad.example.']);
		await commit(store, unit('b.example.'), { kind: 'unit', name: 'bad.example.', content: undefined });
		await until('all is well', LIMIT_MS, async () => (await ready(instance)).refusedUnits.length === 0);
	});

	it('builds a burst of commits a few times, the last of them always', async (t) => {
		const { redis, store } = await redisStore(t);
		await commit(store, unit('a.example.'));
		const instance = await serve(t, redis.url, scratch(t));
		for (let i = 1; i <= 100; i++) await commit(store, unit('a.example.', { zone: zoneWith(`192.0.2.${i}`) }));
		await until('the last one', LIMIT_MS, async () => (await addressOf(instance)) === '192.0.2.100');
		const { generation } = await ready(instance);
		assert(generation < 60, `${generation} generations of 100 commits`);
		// Tokens are no reason to build.
		await commit(store, tokenChange('one', 'a token'));
		await commit(store, unit('b.example.'));
		await until('the next one', LIMIT_MS, async () => (await ready(instance)).generation > generation);
		assert.equal((await ready(instance)).generation, generation + 1);
	});

	it('starts from what it knew while Redis is away, and takes what is there when it is back', async (t) => {
		const { redis, store } = await redisStore(t);
		await commit(store, unit('a.example.'));
		const stateDir = scratch(t);
		const firstMs = performance.now();
		const first = await serve(t, redis.url, stateDir);
		// What a start takes here while other tests run.
		const usualMs = performance.now() - firstMs;
		await until('the zone', LIMIT_MS, async () => (await addressOf(first)) === '192.0.2.80');
		first.signal('SIGTERM');
		await first.exit;
		redis.signal('SIGSTOP');
		t.after(() => redis.signal('SIGCONT'));
		const startMs = performance.now();
		const second = await serve(t, redis.url, stateDir);
		assert.equal(await addressOf(second), '192.0.2.80');
		const tookMs = performance.now() - startMs;
		assert(tookMs < Math.max(BOOT_MS_MAX, 2 * usualMs), `${tookMs} ms, usually ${usualMs} ms`);
		assert.match((await ready(second)).degraded.join('\n'), /^the store is unreachable: [^\n]*$/);
		redis.signal('SIGCONT');
		await until('the store', LIMIT_MS, async () => (await ready(second)).degraded.length === 0);
		await until('our own connection', LIMIT_MS, () => store.condition.kind === 'ready');
		await commit(store, unit('a.example.', { zone: zoneWith('192.0.2.82') }));
		await until('the change', LIMIT_MS, async () => (await addressOf(second)) === '192.0.2.82');
	});

	it('starts with nothing while Redis is away and nothing is known, and goes on once it is there', async (t) => {
		const port = await freePort();
		const instance = await serve(t, `redis://127.0.0.1:${port}`, scratch(t));
		assert.match(instance.stderr, /"msg":"starting with nothing, and refusing every query"/);
		assert.equal((await askUdp(instance.port, www)).rcode, 'REFUSED');
	});

	it('starts from its last good zones when Redis has been emptied meanwhile, and does not take that for its word', async (t) => {
		const { redis, store } = await redisStore(t);
		await commit(store, unit('a.example.'));
		const stateDir = scratch(t);
		const first = await serve(t, redis.url, stateDir);
		assert.equal(await addressOf(first), '192.0.2.80');
		first.signal('SIGTERM');
		await first.exit;
		await redis.ask('FLUSHALL');
		const second = await serve(t, redis.url, stateDir);
		assert.equal(await addressOf(second), '192.0.2.80');
		assert.match((await ready(second)).degraded.join('\n'), /^the store is lost: /);
		await until('our own alarm', LIMIT_MS, () => store.condition.kind === 'lost');
		await store.restore({ author: 'test', reason: 'a test' });
		await commit(store, unit('a.example.', { zone: zoneWith('192.0.2.83') }));
		await until('the change', LIMIT_MS, async () => (await addressOf(second)) === '192.0.2.83');
		assert.deepEqual((await ready(second)).degraded, []);
	});

	it('goes on when Redis goes away or is emptied', async (t) => {
		const { redis, store } = await redisStore(t);
		await commit(store, unit('a.example.'));
		const instance = await serve(t, redis.url, scratch(t));
		await redis.ask('FLUSHALL');
		await until('the alarm', LIMIT_MS, async () => /^the store is lost/.test((await ready(instance)).degraded.join()));
		assert.equal(await addressOf(instance), '192.0.2.80');
		await redis.kill();
		await until('the alarm', LIMIT_MS, async () =>
			/^the store is unreach/.test((await ready(instance)).degraded.join()),
		);
		assert.equal(await addressOf(instance), '192.0.2.80');
		assert.equal((await ready(instance)).generation, 1);
	});
});

describe('an instance with a store of its own', { concurrency: 2 }, () => {
	it('serves the units that the store owns over those of the directory, and says which files differ', async (t) => {
		const stateDir = scratch(t);
		const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'b.example.zone': GOOD_ZONE });
		const store = await openEmbeddedStore(stateDir, log);
		await commit(store, unit('a.example.', { zone: zoneWith('192.0.2.90') }), unit('new.example.'));
		await store.close();
		const instance = await startInstance(t, { zonesDir, stateDir });
		const differs = /"units":\["a\.example\."\],"count":1,"msg":"[^"]*`meridian plan`[^"]*`apply`[^"]*`export`/g;
		assert.equal(instance.stderr.match(differs)?.length, 1, instance.stderr);
		assert.equal(await addressOf(instance), '192.0.2.90');
		for (const name of ['www.b.example', 'www.new.example'])
			assert.equal((await askUdp(instance.port, { name })).answer[0]?.rdataText, '192.0.2.80');
		write(zonesDir, { 'b.example.zone': zoneWith('192.0.2.91') });
		instance.signal('SIGHUP');
		await until('the reload', LIMIT_MS, async () => (await ready(instance)).generation === 2);
		assert.equal((await askUdp(instance.port, { name: 'www.b.example' })).answer[0]?.rdataText, '192.0.2.91');
		assert.equal(await addressOf(instance), '192.0.2.90');
		assert.equal(instance.stderr.match(differs)?.length, 2);
	});

	it('starts without a good version of a unit that only the store has', async (t) => {
		const stateDir = scratch(t);
		const store = await openEmbeddedStore(stateDir, log);
		await commit(store, unit('bad.example.', { zone: 'x A 1' }));
		await store.close();
		const instance = await startInstance(t, { zonesDir: scratch(t, { 'a.example.zone': GOOD_ZONE }), stateDir });
		assert.equal(await addressOf(instance), '192.0.2.80');
		assert.deepEqual((await ready(instance)).refusedUnits, ['bad.example.']);
	});
});

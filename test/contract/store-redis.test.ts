/**
 * What the store in Redis promises beyond the contract: it believes nothing it cannot check, and outlives whatever
 * happens to Redis.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Seal } from '../../src/store/envelope.ts';
import type { Refusal, Store } from '../../src/store/ports.ts';
import type { RedisStoreParts } from '../../src/store/redis-store.ts';
import { TIMING } from '../../src/store/timing.ts';
import { createAuthority } from '../probe/certificates.ts';
import { until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import { freePort } from '../setup/free-port.ts';
import {
	askRedis,
	type RedisServer,
	startRedis,
	startSentinel,
	WITHOUT_REDIS,
	WITHOUT_SENTINEL,
} from '../setup/redis.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import {
	BY_TEST,
	commitTo,
	FAST,
	FLEET_KEY,
	memoryLog,
	NOTE,
	openRedis,
	PREFIX,
	publication,
	put,
	zoneOf,
} from './store-parts.ts';

const HEAD = `${PREFIX}head`;
const RECORD = `${PREFIX}prober:eu-1`;
const HEAL_MS_MAX = 5000;

async function opened(t: TestContext, url: string, parts: Partial<RedisStoreParts> = {}): Promise<Store> {
	const store = await openRedis(url, parts);
	t.after(() => store.close());
	return store;
}

/** A store with one generation, and a live prober that has published a vote down. */
async function living(t: TestContext, url: string) {
	const store = await opened(t, url);
	await commitTo(store, [put('a.', '1'), put('b.', '1')]);
	const session = await store.join({ instance: 'eu-1', region: 'eu-west' });
	await session.publish(publication('down', 'k'));
	await until('the record', HEAL_MS_MAX, () => store.probers()[0]?.report.isAlive === true);
	return { store, session };
}

function becomes(store: Store, kind: Store['condition']['kind']): Promise<number> {
	return until(`the store to be ${kind}`, HEAL_MS_MAX, () => store.condition.kind === kind);
}

function assertStands(store: Store): void {
	assert.deepEqual([zoneOf(store, 'a.'), zoneOf(store, 'b.')], ['1', '1']);
	assert.equal(store.probers()[0]?.report.votes.get('k')?.vote, 'down');
}

interface Poison {
	readonly name: string;
	readonly octets: (key: string) => string | Uint8Array;
	readonly refusal: Refusal;
}

const seal = new Seal([FLEET_KEY]);
const POISONS: readonly Poison[] = [
	{ name: 'text', octets: () => 'up', refusal: 'malformed' },
	{
		name: 'octets that are no text',
		octets: () => Uint8Array.from({ length: 200 }, (_, i) => 255 - i),
		refusal: 'malformed',
	},
	{ name: 'a value without a signature', octets: () => 'meridian/1 - {}', refusal: 'forged' },
	{
		name: 'a value signed by another key',
		octets: (key) => new Seal(['another key altogether']).close(key, {}),
		refusal: 'forged',
	},
	{ name: 'a value signed for another place', octets: () => seal.close('meridian:elsewhere', {}), refusal: 'forged' },
	{ name: 'a value of a future schema', octets: () => `meridian/2 ${'0'.repeat(64)} {}`, refusal: 'schema' },
	{ name: 'signed JSON of another shape', octets: (key) => seal.close(key, { a: [1] }), refusal: 'malformed' },
	{
		name: 'signed JSON with __proto__',
		octets: (key) => seal.close(key, JSON.parse('{"__proto__":{"a":1}}')),
		refusal: 'malformed',
	},
	{
		name: 'signed JSON that is too deep',
		octets: (key) => seal.close(key, JSON.parse(`${'['.repeat(99)}${']'.repeat(99)}`)),
		refusal: 'malformed',
	},
];

describe('store in Redis', { skip: WITHOUT_REDIS, concurrency: 6 }, () => {
	for (const { name, octets, refusal } of [
		...POISONS,
		{ name: 'a head that is too long', octets: () => 'x'.repeat(2000), refusal: 'oversized' } satisfies Poison,
	]) {
		it(`takes ${name} for no head, and is lost until it is restored`, async (t) => {
			const redis = await startRedis(t);
			const { store } = await living(t, redis.url);
			await redis.ask('SET', HEAD, octets(HEAD));
			await becomes(store, 'lost');
			assert.equal(store.refused[refusal], 1);
			assertStands(store);
			const attempt = store.commit({ expected: store.configuration.head, changes: [put('a.', '2')], ...BY_TEST });
			await assert.rejects(attempt, { code: 'STORE_LOST' });
			const stranger = await opened(t, redis.url);
			assert.equal(stranger.condition.kind, 'lost');
			await store.restore(BY_TEST);
			await becomes(stranger, 'ready');
			assertStands(stranger);
			assert.equal(store.refused[refusal], 1);
		});
	}

	for (const { name, octets, refusal } of [
		...POISONS,
		{
			name: 'a record of another prober',
			octets: (key: string) => seal.close(key, { instance: 'eu-2' }),
			refusal: 'malformed',
		} satisfies Poison,
		{
			name: 'a record that is too long',
			octets: () => Buffer.alloc(9_000_000, 'x'),
			refusal: 'oversized',
		} satisfies Poison,
	]) {
		it(`takes ${name} for no record`, async (t) => {
			const redis = await startRedis(t);
			const { store, session } = await living(t, redis.url);
			await redis.ask('SET', RECORD, octets(RECORD));
			await until('the refusal', HEAL_MS_MAX, () => store.refused[refusal] === 1);
			assertStands(store);
			await session.publish(publication('up', 'k'));
			await until('the next record', HEAL_MS_MAX, () => store.probers()[0]?.report.votes.get('k')?.vote === 'up');
			assert.deepEqual(store.condition, { kind: 'ready' });
		});
	}

	for (const { name, octets, refusal } of POISONS) {
		it(`takes ${name} for no instance`, async (t) => {
			const redis = await startRedis(t);
			const store = await opened(t, redis.url);
			await store.announce(NOTE);
			await store.announce({ ...NOTE, instance: 'dns-2' });
			await redis.ask('SET', `${PREFIX}instance:dns-1`, octets(`${PREFIX}instance:dns-1`));
			assert.deepEqual(
				(await store.instances()).map(({ instance }) => instance),
				['dns-2'],
			);
			assert.equal(store.refused[refusal], 1);
		});
	}

	it('sees at a look what another process has committed, and no look finds a store that is away', async (t) => {
		const redis = await startRedis(t);
		const [one, two] = [await opened(t, redis.url), await opened(t, redis.url)];
		for (let number = 1; number <= 5; number++) {
			await commitTo(one, [put('a.', String(number))]);
			await two.look();
			assert.deepEqual([zoneOf(two, 'a.'), two.configuration.head], [String(number), one.configuration.head]);
		}
		await redis.kill();
		await becomes(two, 'unreachable');
		await assert.rejects(two.look(), { code: 'STORE_UNREACHABLE' });
	});

	it('forgets an instance that was not heard of for a day', async (t) => {
		const redis = await startRedis(t);
		const store = await opened(t, redis.url);
		await store.announce(NOTE);
		await redis.ask('ZADD', `${PREFIX}instances`, '1', 'dns-1');
		await redis.ask('DEL', `${PREFIX}instance:dns-1`);
		await store.announce({ ...NOTE, instance: 'dns-2' });
		assert.deepEqual(await redis.ask('ZRANGE', `${PREFIX}instances`, '0', '-1'), ['dns-2']);
		assert.equal((await store.instances()).length, 1);
	});

	it('takes a record that was replayed for none', async (t) => {
		const redis = await startRedis(t);
		const { store, session } = await living(t, redis.url);
		await redis.ask('COPY', RECORD, 'stash');
		await session.publish(publication('up', 'k'));
		await until('the next record', HEAL_MS_MAX, () => store.probers()[0]?.report.votes.get('k')?.vote === 'up');
		await redis.ask('COPY', 'stash', RECORD, 'REPLACE');
		await until('the refusal', HEAL_MS_MAX, () => store.refused.replayed === 1);
		assert.equal(store.probers()[0]?.report.votes.get('k')?.vote, 'up');
	});

	it('takes a value of another type for none, and goes on with the others', async (t) => {
		const redis = await startRedis(t);
		const { store } = await living(t, redis.url);
		const other = await store.join({ instance: 'us-1', region: 'us-east' });
		await redis.ask('DEL', RECORD);
		await redis.ask('LPUSH', RECORD, 'x');
		await until('the refusal', HEAL_MS_MAX, () => store.refused.malformed === 1);
		await other.publish(publication('up', 'k'));
		await until('the record of the other', HEAL_MS_MAX, () => store.probers().length === 2);
		assertStands(store);
		assert.deepEqual(store.condition, { kind: 'ready' });
	});

	for (const { key, condition } of [
		{ key: 'head', condition: 'lost' },
		{ key: 'probers', condition: 'ready' },
		{ key: 'lease:eu-1', condition: 'ready' },
	] as const) {
		it(`outlives a value of another type at ${key}`, async (t) => {
			const redis = await startRedis(t);
			const { store } = await living(t, redis.url);
			await redis.ask('DEL', PREFIX + key);
			await redis.ask('HSET', PREFIX + key, 'x', 'y');
			await until('the refusal', HEAL_MS_MAX, () => store.refused.malformed === 1);
			await becomes(store, condition);
			assertStands(store);
		});
	}

	it('writes over what stands for the probers and is no such list', async (t) => {
		const redis = await startRedis(t);
		const { session } = await living(t, redis.url);
		await redis.ask('DEL', `${PREFIX}probers`);
		await redis.ask('SET', `${PREFIX}probers`, 'x');
		await session.publish(publication('up', 'k'));
		assert.deepEqual(await redis.ask('ZRANGE', `${PREFIX}probers`, '0', '-1'), ['eu-1']);
	});

	for (const { name, spoil } of [
		{ name: 'a lease that never lapses', spoil: ['SET', `${PREFIX}lease:us-1`, 'x'] },
		{ name: 'a lease of a year', spoil: ['SET', `${PREFIX}lease:us-1`, 'x', 'EX', '31536000'] },
		{ name: 'a list for a lease', spoil: ['LPUSH', `${PREFIX}lease:us-1`, 'x'] },
		{ name: 'a text for an incarnation', spoil: ['SET', `${PREFIX}incarnation:us-1`, 'x'] },
		{ name: 'an incarnation beyond counting', spoil: ['SET', `${PREFIX}incarnation:us-1`, '9223372036854775807'] },
		{ name: 'a list for an incarnation', spoil: ['LPUSH', `${PREFIX}incarnation:us-1`, 'x'] },
	]) {
		it(`lets no prober be kept out by ${name}`, async (t) => {
			const redis = await startRedis(t);
			const store = await opened(t, redis.url);
			await redis.ask(...spoil);
			const session = await store.join({ instance: 'us-1', region: 'us-east' });
			await session.publish(publication('up', 'k'));
			await until('its vote', HEAL_MS_MAX, () => store.probers()[0]?.report.isAlive === true);
			assert(session.incarnation > 1e9 && session.incarnation < 2 ** 52);
		});
	}

	it('hears a new prober among thousands that are gone', async (t) => {
		const redis = await startRedis(t);
		const names = Array.from({ length: 1200 }, (_, i) => [String(Date.now()), `gone-${i}`]);
		const store = await opened(t, redis.url, { timing: TIMING });
		await redis.ask('ZADD', `${PREFIX}probers`, ...names.flat());
		const session = await store.join({ instance: 'us-1', region: 'us-east' });
		await session.publish(publication('up', 'k'));
		const stranger = await opened(t, redis.url, { timing: TIMING });
		await until('its vote', HEAL_MS_MAX, () => stranger.probers()[0]?.instance === 'us-1');
	});

	it('takes a replica for no store, and goes on when it is a master', async (t) => {
		const redis = await startRedis(t);
		const { store } = await living(t, redis.url);
		await redis.ask('REPLICAOF', '127.0.0.1', '1');
		await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal');
		await becomes(store, 'unreachable');
		assertStands(store);
		await redis.ask('REPLICAOF', 'NO', 'ONE');
		await becomes(store, 'ready');
	});

	it('takes no lease for alive that nobody signed, or that is of another incarnation', async (t) => {
		const redis = await startRedis(t);
		const { store, session } = await living(t, redis.url);
		await session.leave();
		await until('the end of the lease', HEAL_MS_MAX, () => store.probers()[0]?.report.isAlive === false);
		await redis.ask('SET', `${PREFIX}lease:eu-1`, 'meridian/1 - {"instance":"eu-1","incarnation":1}');
		await until('the refusal', HEAL_MS_MAX, () => store.refused.forged === 1);
		assert.equal(store.probers()[0]?.report.isAlive, false);
		const key = `${PREFIX}lease:eu-1`;
		await redis.ask('SET', key, seal.close(key, { instance: 'eu-1', incarnation: 1 }));
		const { sequence } = store.probers()[0] ?? {};
		await new Promise((resolve) => setTimeout(resolve, 300));
		assert.deepEqual([store.probers()[0]?.report.isAlive, store.probers()[0]?.sequence], [false, sequence]);
	});

	it('does not serve an item that is not the one of the head', async (t) => {
		const redis = await startRedis(t);
		const { store } = await living(t, redis.url);
		const keys = (await redis.ask('KEYS', `${PREFIX}item:unit:a.@*`)) as string[];
		assert.equal(keys.length, 1);
		await redis.ask('SET', keys[0] ?? '', JSON.stringify({ zone: 'evil', owner: 'store' }));
		const stranger = await opened(t, redis.url);
		assert.equal(stranger.condition.kind, 'lost');
		assert.equal(stranger.refused.forged, 1);
		assert.equal(stranger.configuration.items.size, 0);
		assertStands(store);
	});

	it('does not serve an index that is not the one of the head', async (t) => {
		const redis = await startRedis(t);
		await living(t, redis.url);
		await redis.ask('HDEL', `${PREFIX}index`, 'unit:a.');
		const stranger = await opened(t, redis.url);
		assert.equal(stranger.condition.kind, 'lost');
		assert.equal(stranger.configuration.items.size, 0);
	});

	it('is lost when Redis is flushed, and drops nothing; probers publish again, and a restore brings all back', async (t) => {
		const redis = await startRedis(t);
		const { store } = await living(t, redis.url);
		const other = await opened(t, redis.url);
		const before = store.configuration.head;
		await redis.ask('FLUSHALL');
		await Promise.all([becomes(store, 'lost'), becomes(other, 'lost')]);
		assertStands(store);
		assertStands(other);
		const attempt = store.commit({ expected: before, changes: [put('a.', '2')], ...BY_TEST });
		await assert.rejects(attempt, { code: 'STORE_LOST' });
		await until('the record', HEAL_MS_MAX, async () => (await redis.ask('EXISTS', RECORD)) === 1);
		const head = await store.restore(BY_TEST);
		assert.deepEqual([head.epoch, head.generation, head.parent], [2, 2, before?.hash]);
		await becomes(other, 'ready');
		assertStands(other);
		assert.deepEqual(other.configuration.head, head);
		await commitTo(store, [put('a.', '2')]);
		await until('the other to follow', HEAL_MS_MAX, () => zoneOf(other, 'a.') === '2');
		assert.equal(other.probers()[0]?.report.isAlive, true);
	});

	it('is lost when Redis comes back with an older state', async (t) => {
		const redis = await startRedis(t, ['dbfilename old.rdb']);
		const { store } = await living(t, redis.url);
		await redis.ask('SAVE');
		await commitTo(store, [put('c.', '2')]);
		await redis.kill();
		await becomes(store, 'unreachable');
		await redis.start();
		await becomes(store, 'lost');
		assert.match(store.condition.kind === 'lost' ? store.condition.reason : '', /it is at 1\.1, and was at 1\.2/);
		assert.equal(zoneOf(store, 'c.'), '2');
		assertStands(store);
	});

	it('is lost when somebody began anew, even if that has come further', async (t) => {
		const redis = await startRedis(t);
		const { store } = await living(t, redis.url);
		await redis.ask('CLIENT', 'PAUSE', '1');
		await redis.ask('FLUSHALL');
		const stranger = await opened(t, redis.url);
		for (const zone of ['x', 'y', 'z']) await commitTo(stranger, [put('a.', zone)]);
		await becomes(store, 'lost');
		await new Promise((resolve) => setTimeout(resolve, 300));
		assert.equal(store.condition.kind, 'lost');
		assertStands(store);
	});

	it('is lost when somebody began anew, and goes on while it is looked at', async (t) => {
		const redis = await startRedis(t);
		const proxy = await startFaultyProxy(t, redis.port);
		const { store } = await living(t, `redis://127.0.0.1:${proxy.port}`);
		proxy.delayMs = 20;
		await redis.ask('FLUSHALL');
		const stranger = await opened(t, redis.url);
		for (let zone = 0; zone < 50; zone++) await commitTo(stranger, [put('a.', String(zone))]);
		await becomes(store, 'lost');
		await commitTo(stranger, [put('a.', 'z')]);
		await new Promise((resolve) => setTimeout(resolve, 300));
		assert.equal(store.condition.kind, 'lost');
		assertStands(store);
	});

	it('knows across a restart what it has seen', async (t) => {
		const redis = await startRedis(t);
		const { store } = await living(t, redis.url);
		const known = store.configuration;
		await redis.ask('FLUSHALL');
		const restarted = await opened(t, redis.url, { known });
		assert.equal(restarted.condition.kind, 'lost');
		assert.deepEqual(restarted.configuration, known);
		await restarted.restore(BY_TEST);
		const again = await opened(t, redis.url, { known });
		assert.deepEqual([again.condition.kind, again.configuration.head?.epoch], ['ready', 2]);
	});

	it('outlives Redis, fails fast meanwhile, and comes back with it', async (t) => {
		const redis = await startRedis(t, ['appendonly yes', 'appendfsync always']);
		const log = memoryLog();
		const { store: writer, session } = await living(t, redis.url);
		const store = await opened(t, redis.url, { log });
		await redis.kill();
		await Promise.all([becomes(store, 'unreachable'), becomes(writer, 'unreachable')]);
		const startMs = performance.now();
		await assert.rejects(session.publish(publication('up', 'k')), { code: 'STORE_UNREACHABLE' });
		const attempt = writer.commit({ expected: writer.configuration.head, changes: [put('a.', '2')], ...BY_TEST });
		await assert.rejects(attempt, { code: 'STORE_UNREACHABLE' });
		assert(performance.now() - startMs < 200);
		assertStands(store);
		await until('the lease to run out', HEAL_MS_MAX, () => store.probers()[0]?.report.isAlive === false);
		await redis.start();
		await Promise.all([becomes(store, 'ready'), becomes(writer, 'ready')]);
		await until(
			'the vote that could not be published',
			HEAL_MS_MAX,
			() => store.probers()[0]?.report.votes.get('k')?.vote === 'up',
		);
		await until('the lease', HEAL_MS_MAX, () => store.probers()[0]?.report.isAlive === true);
		await commitTo(writer, [put('a.', '2')]);
		const warnings = log.lines.filter(({ level }) => level === 'warn');
		assert.deepEqual(
			warnings.map(({ message }) => message),
			['the store is unreachable: what is known stands'],
		);
	});

	it('comes back when its connections are killed, and hears hints again', async (t) => {
		const redis = await startRedis(t);
		const { store: writer } = await living(t, redis.url);
		const reader = await opened(t, redis.url, { timing: slowBeat });
		for (let round = 1; round <= 3; round++) {
			for (const type of ['normal', 'pubsub']) await redis.ask('CLIENT', 'KILL', 'TYPE', type);
			await Promise.all([becomes(writer, 'ready'), becomes(reader, 'ready')]);
			await until('the listener', HEAL_MS_MAX, async () =>
				String(await redis.ask('PUBSUB', 'NUMSUB', `${PREFIX}hints`)).endsWith(',2'),
			);
			await until('a commit', HEAL_MS_MAX, async () => {
				await commitTo(writer, [put('c.', String(round))]);
				return true;
			});
			const tookMs = await until('the hint', HEAL_MS_MAX, () => zoneOf(reader, 'c.') === String(round));
			assert(tookMs < 1500, `${tookMs} ms`);
		}
	});

	it('holds what it has while Redis is frozen, and goes on after it', async (t) => {
		const redis = await startRedis(t);
		const { store, session } = await living(t, redis.url);
		redis.signal('SIGSTOP');
		await becomes(store, 'unreachable');
		await assert.rejects(session.publish(publication('up', 'k')));
		assertStands(store);
		redis.signal('SIGCONT');
		await becomes(store, 'ready');
		await until('the vote', HEAL_MS_MAX, () => store.probers()[0]?.report.votes.get('k')?.vote === 'up');
	});

	it('works slowly where Redis is slow, and heals when the way is cut or goes deaf', async (t) => {
		const redis = await startRedis(t);
		const { store: near } = await living(t, redis.url);
		const proxy = await startFaultyProxy(t, redis.port);
		const far = await opened(t, `redis://127.0.0.1:${proxy.port}`);
		const followed = (zone: string) => until(`zone ${zone}`, HEAL_MS_MAX, () => zoneOf(far, 'c.') === zone);
		proxy.delayMs = 100;
		await commitTo(near, [put('c.', 'slow')]);
		await followed('slow');
		proxy.delayMs = 0;
		proxy.isCut = true;
		proxy.cut();
		await becomes(far, 'unreachable');
		await commitTo(near, [put('c.', 'cut')]);
		proxy.isCut = false;
		await followed('cut');
		proxy.isDeaf = true;
		await becomes(far, 'unreachable');
		await commitTo(near, [put('c.', 'deaf')]);
		proxy.isDeaf = false;
		await followed('deaf');
		assertStands(far);
	});

	it('lets another take the name of a prober that was cut off, which cannot write over it then', async (t) => {
		const redis = await startRedis(t);
		const proxy = await startFaultyProxy(t, redis.port);
		const { store: far, session: cutOff } = await living(t, `redis://127.0.0.1:${proxy.port}`);
		proxy.isDeaf = true;
		const near = await opened(t, redis.url);
		const session = await near.join({ instance: 'eu-1', region: 'eu-west' });
		assert(session.incarnation > cutOff.incarnation);
		await session.publish(publication('up', 'k'));
		await becomes(far, 'unreachable');
		proxy.isDeaf = false;
		await becomes(far, 'ready');
		await assert.rejects(cutOff.publish(publication('down', 'k')), { code: 'STORE_INSTANCE_TAKEN' });
		await until('the vote of the other', HEAL_MS_MAX, () => far.probers()[0]?.report.votes.get('k')?.vote === 'up');
		await session.leave();
		await until('the name to be free', HEAL_MS_MAX, () => far.probers()[0]?.incarnation === cutOff.incarnation);
		assert.equal(far.probers()[0]?.report.votes.get('k')?.vote, 'down');
	});

	it('changes nothing where Redis is full, and takes commits when it is not any more', async (t) => {
		const redis = await startRedis(t, ['maxmemory-policy noeviction']);
		const { store } = await living(t, redis.url);
		await redis.ask('CONFIG', 'SET', 'maxmemory', '1mb');
		const before = store.configuration;
		const attempt = store.commit({ expected: before.head, changes: [put('a.', '2')], ...BY_TEST });
		await assert.rejects(attempt, { code: 'STORE_REFUSED' });
		assert.equal(store.configuration, before);
		assert.deepEqual(store.condition, { kind: 'ready' });
		await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
		await commitTo(store, [put('a.', '2')]);
		assert.equal(store.configuration.head?.generation, 2);
	});

	it('lives with a wrong password until it is right', async (t) => {
		const redis = await startRedis(t);
		await redis.ask('CONFIG', 'SET', 'requirepass', 'right');
		const store = await opened(t, `redis://:wrong@127.0.0.1:${redis.port}`);
		assert.equal(store.condition.kind, 'unreachable');
		const right = await opened(t, `redis://:right@127.0.0.1:${redis.port}`);
		assert.deepEqual(right.condition, { kind: 'ready' });
		await commitTo(right, [put('a.', '1')]);
	});

	for (const { name, reply } of [
		{ name: 'another protocol', reply: 'HTTP/1.1 400 Bad Request\r\n\r\n' },
		{ name: 'a reply that is cut in half', reply: '$100\r\nabc' },
		{ name: 'octets of no meaning', reply: '\xff\0\xfe*-1\r\n' },
		{ name: 'a reply of an absurd length', reply: '*999999999\r\n' },
	]) {
		it(`survives ${name} where Redis should be`, async (t) => {
			const server = createServer((socket) => {
				socket.on('error', () => {});
				socket.on('data', () => socket.write(reply, 'latin1'));
			});
			server.listen(0, '127.0.0.1');
			await once(server, 'listening');
			t.after(() => server.close());
			const store = await opened(t, `redis://127.0.0.1:${(server.address() as { port: number }).port}`);
			assert.equal(store.condition.kind, 'unreachable');
			await new Promise((resolve) => setTimeout(resolve, 500));
			assert.equal(store.condition.kind, 'unreachable');
		});
	}

	it('speaks TLS with a server whose certificate is of redis.ca, and with no other', async (t) => {
		const authority = createAuthority();
		const { key, cert } = authority.sign({ names: ['127.0.0.1'] });
		const folder = scratch(t, { key, cert, ca: authority.cert });
		const tlsPort = await freePort();
		const files = ['key-file key', 'cert-file cert', 'ca-cert-file ca'].map(
			(one) => `tls-${one.replace(' ', ` ${folder}/`)}`,
		);
		const redis = await startRedis(t, [`tls-port ${tlsPort}`, 'tls-auth-clients no', ...files]);
		await living(t, redis.url);
		const url = `rediss://127.0.0.1:${tlsPort}`;
		const trusting = await opened(t, url, { ca: authority.cert });
		assert.deepEqual(trusting.condition, { kind: 'ready' });
		assertStands(trusting);
		for (const ca of [undefined, createAuthority().cert]) {
			const doubting = await opened(t, url, { ca });
			assert.equal(doubting.condition.kind, 'unreachable');
		}
	});

	it('warns once when nothing is signed, and believes both then', async (t) => {
		const redis = await startRedis(t);
		const log = memoryLog();
		const { store: signed } = await living(t, redis.url);
		const unsigned = await opened(t, redis.url, { fleetKeys: [], log });
		assertStands(unsigned);
		assert.equal(log.lines.filter(({ message }) => message.includes('fleet.key')).length, 1);
		await commitTo(unsigned, [put('a.', 'unsigned')]);
		await becomes(signed, 'lost');
		assertStands(signed);
	});

	it('believes the keys of before while they are told', async (t) => {
		const redis = await startRedis(t);
		await living(t, redis.url);
		const next = await opened(t, redis.url, { fleetKeys: ['the key that comes next', FLEET_KEY] });
		assertStands(next);
		await commitTo(next, [put('c.', 'next')]);
		const last = await opened(t, redis.url, { fleetKeys: ['the key that comes next'] });
		assert.equal(zoneOf(last, 'c.'), 'next');
	});

	it('lets a prober write its own keys only, with the users of deploy/redis-users.acl', async (t) => {
		const users = readFileSync(new URL('../../deploy/redis-users.acl', import.meta.url), 'utf8');
		// The test itself goes on as the default user.
		const lines = users.replaceAll('SECRET', 'secret').replace('user default off', 'user default on nopass');
		const aclfile = join(scratch(t, { 'users.acl': lines }), 'users.acl');
		const redis = await startRedis(t, [`aclfile ${aclfile}`]);
		await commitTo(await opened(t, redis.url), [put('a.', '1'), put('b.', '1')]);
		const as = (user: string) => opened(t, `redis://${user}:secret@127.0.0.1:${redis.port}`);
		const [prober, reader, admin] = await Promise.all([as('eu-1'), as('meridian-serve'), as('meridian-admin')]);
		for (const store of [prober, reader, admin]) assert.deepEqual(store.condition, { kind: 'ready' });
		const session = await prober.join({ instance: 'eu-1', region: 'eu-west' });
		await session.publish(publication('down', 'k'));
		await until('the record', HEAL_MS_MAX, () => reader.probers()[0]?.report.isAlive === true);
		assertStands(reader);
		await assert.rejects(prober.join({ instance: 'eu-2', region: 'r' }), { code: 'STORE_REFUSED' });
		for (const store of [prober, reader]) {
			const attempt = store.commit({ expected: store.configuration.head, changes: [put('a.', '2')], ...BY_TEST });
			await assert.rejects(attempt, { code: 'STORE_REFUSED' });
		}
		await reader.announce(NOTE);
		assert.equal((await admin.instances()).length, 1);
		await assert.rejects(prober.announce(NOTE), { code: 'STORE_REFUSED' });
		await assert.rejects(reader.join({ instance: 'eu-1', region: 'r' }), { code: 'STORE_REFUSED' });
		await commitTo(admin, [put('c.', '2')]);
		await until('the commit', HEAL_MS_MAX, () => zoneOf(reader, 'c.') === '2');
		assert.equal((await admin.history(1)).length, 1);
		await session.leave();
	});

	it('finds all of it after a crash of Redis, with the users of deploy/redis-users.acl', async (t) => {
		const users = readFileSync(new URL('../../deploy/redis-users.acl', import.meta.url), 'utf8');
		const aclfile = join(scratch(t, { 'users.acl': users.replaceAll('SECRET', 'secret') }), 'users.acl');
		const redis = await startRedis(t, [`aclfile ${aclfile}`, 'appendonly yes', 'appendfsync always']);
		const as = (user: string) => opened(t, `redis://${user}:secret@127.0.0.1:${redis.port}`);
		const [reader, admin] = await Promise.all([as('meridian-serve'), as('meridian-admin')]);
		await commitTo(admin, [put('a.', '1'), put('b.', '1')]);
		await redis.kill();
		await becomes(reader, 'unreachable');
		await redis.start();
		await until('the store', HEAL_MS_MAX, () => reader.condition.kind !== 'unreachable');
		assert.deepEqual(reader.condition, { kind: 'ready' });
		await becomes(admin, 'ready');
		await commitTo(admin, [put('c.', '2')]);
		await until('the commit', HEAL_MS_MAX, () => zoneOf(reader, 'c.') === '2');
		assert.equal(zoneOf(await as('meridian-serve'), 'a.'), '1');
	});

	it('keeps no more in Redis than the history needs', async (t) => {
		const redis = await startRedis(t);
		const store = await opened(t, redis.url);
		for (let i = 1; i <= 300; i++) await commitTo(store, [put('a.', `v${i}`)]);
		assert.equal(await countKeys(redis, `${PREFIX}item:*`), 257);
		await store.restore(BY_TEST);
		assert.equal(await countKeys(redis, `${PREFIX}item:*`), 1);
		assert.equal((await store.history(10)).length, 1);
	});
});

/** Slow enough that whatever is seen soon was hinted at. */
const slowBeat = { ...FAST, leaseMs: 10_000, beatMs: 2000, resyncMs: 10_000 };

async function countKeys(redis: RedisServer, pattern: string): Promise<number> {
	return ((await redis.ask('KEYS', pattern)) as string[]).length;
}

describe('store behind Sentinels', { skip: WITHOUT_REDIS || WITHOUT_SENTINEL }, () => {
	it('follows them to another master', { timeout: 90_000 }, async (t) => {
		const master = await startRedis(t);
		const replica = await startRedis(t, [`replicaof 127.0.0.1 ${master.port}`]);
		const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(t, master.port, 2)));
		const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
		const { store, session } = await living(t, `redis+sentinel://${hosts}/mymaster`);

		await until('a quorum', 40_000, async () => {
			const said = await Promise.all(sentinels.map(({ port }) => askRedis(port, ['SENTINEL', 'CKQUORUM', 'mymaster'])));
			const replicas = await askRedis(sentinels[0]?.port ?? 0, ['SENTINEL', 'REPLICAS', 'mymaster']);
			return said.every((one) => String(one).startsWith('OK 3')) && (replicas as unknown[]).length === 1;
		});
		await until('the replica to have it all', 10_000, async () => (await replica.ask('EXISTS', RECORD)) === 1);
		await master.kill();
		await becomes(store, 'unreachable');
		await until('the new master', 30_000, () => store.condition.kind === 'ready');
		assertStands(store);
		await session.publish(publication('up', 'k'));
		await commitTo(store, [put('c.', '2')]);
		assert.equal(String(await replica.ask('ROLE')).split(',')[0], 'master');
	});
});

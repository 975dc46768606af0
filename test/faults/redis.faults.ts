/**
 * What a Redis can do to a fleet beside dying: stand still, refuse, become a replica, forget keys, lose its users.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { TIMING } from '../../src/store/timing.ts';
import { estimate } from '../bench/median.ts';
import { runLoad } from '../bench/run-load.ts';
import { BY_TEST, commitTo, openRedis, put } from '../contract/store-parts.ts';
import { createAuthority } from '../probe/certificates.ts';
import { fetchJson, until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import { freePort } from '../setup/free-port.ts';
import { type RedisServer, startRedis, startSentinel, WITHOUT_REDIS, WITHOUT_SENTINEL } from '../setup/redis.ts';
import { Fleet, HEAL_MS_MAX, NAME, pause, REGIONS } from './fleet.ts';

const RATE = Number(process.env['FAULTS_RATE'] ?? 2000);
const STALE_NAMES = 10_000;
/** What a busy machine makes of any query now and then. */
const P99_US_FLOOR = 20_000;

/** Instances have the store, and hear every prober. */
async function isWhole(fleet: Fleet): Promise<void> {
	await until('the fleet to be whole', HEAL_MS_MAX, async () =>
		(await fleet.reports()).every(
			({ store, probers }) => store.kind === 'ready' && probers.every(({ alive, lagSec }) => alive && lagSec < 2),
		),
	);
}

/** Lines in the logs of all processes that speak of the store, since the last look. */
function linesOfStore(fleet: Fleet, since: ReadonlyMap<number, number> = new Map()): Map<number, number> {
	const counts = new Map<number, number>();
	for (const { pid, stderr } of [...fleet.instances, ...fleet.probers.values()])
		counts.set(pid, (stderr.match(/^.*(?:store|votes|announce).*$/gm) ?? []).length - (since.get(pid) ?? 0));
	return counts;
}

describe('a fleet', { skip: WITHOUT_REDIS, concurrency: 1 }, () => {
	for (const { what, freeze, thaw } of [
		{
			what: 'is stopped for half a minute',
			freeze: (redis: RedisServer) => redis.signal('SIGSTOP'),
			thaw: (redis: RedisServer) => redis.signal('SIGCONT'),
		},
		{
			what: 'pauses its clients for half a minute',
			freeze: (redis: RedisServer) => redis.ask('CLIENT', 'PAUSE', '30000', 'ALL'),
			thaw: () => {},
		},
		{
			what: 'sleeps for half a minute',
			freeze: (redis: RedisServer) => void redis.ask('DEBUG', 'SLEEP', '30').catch(() => {}),
			thaw: () => {},
		},
	]) {
		it(`goes on while Redis ${what}`, async (t) => {
			const redis = await startRedis(t);
			const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
			const before = linesOfStore(fleet);
			await freeze(redis);
			await fleet.assertServes(fleet.addresses, 30_000);
			await thaw(redis);
			await isWhole(fleet);
			// Once when it goes, once when it is back, of the store and of what could not be said to it.
			for (const [pid, lines] of linesOfStore(fleet, before)) assert(lines <= 6, `${pid} wrote ${lines} lines`);
			await fleet.assertWorks();
			await fleet.assertNothingLost();
		});
	}

	it('answers as fast as ever while Redis is stopped', async (t) => {
		const redis = await startRedis(t);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		const [instance] = fleet.instances;
		assert(instance !== undefined);
		const p99Us = async () => {
			const { lost, wrong, p99Us } = await runLoad(
				instance.port,
				'--name',
				`${NAME} A`,
				'--rate',
				'2000',
				'--seconds',
				'3',
			);
			assert.deepEqual({ lost, wrong }, { lost: 0, wrong: 0 });
			return p99Us;
		};
		const quiet = [await p99Us(), await p99Us(), await p99Us()];
		redis.signal('SIGSTOP');
		const frozen = [await p99Us(), await p99Us(), await p99Us(), await p99Us()];
		redis.signal('SIGCONT');
		t.diagnostic(`p99 in us: ${quiet.join()}, while Redis is stopped ${frozen.join()}`);
		const boundUs = Math.max(3 * estimate(quiet).median, P99_US_FLOOR);
		assert(estimate(frozen).median < boundUs, `${frozen.join()} us, expected ${boundUs} us`);
		await isWhole(fleet);
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	it('goes on while a script keeps Redis busy', async (t) => {
		const redis = await startRedis(t, ['busy-reply-threshold 200']);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		const before = linesOfStore(fleet);
		void redis.ask('EVAL', 'while true do end', '0').catch(() => {});
		await fleet.untilStoreIs('unreachable');
		await fleet.assertServes(fleet.addresses, 10_000);
		await redis.ask('SCRIPT', 'KILL');
		await isWhole(fleet);
		for (const [pid, lines] of linesOfStore(fleet, before)) assert(lines <= 6, `${pid} wrote ${lines} lines`);
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	for (const { what, stale } of [
		{ what: 'a replica that can only be read', stale: 'yes' },
		{ what: 'a replica without its master', stale: 'no' },
	]) {
		it(`goes on while Redis is ${what}`, async (t) => {
			const redis = await startRedis(t, [`replica-serve-stale-data ${stale}`]);
			const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
			const before = linesOfStore(fleet);
			await redis.ask('REPLICAOF', '127.0.0.1', '1');
			await fleet.assertServes(fleet.addresses, 12_000);
			for (const [pid, lines] of linesOfStore(fleet, before)) assert(lines <= 4, `${pid} wrote ${lines} lines`);
			await redis.ask('REPLICAOF', 'NO', 'ONE');
			await isWhole(fleet);
			await fleet.assertWorks();
			await fleet.assertNothingLost();
		});
	}

	it('outlives a Redis that forgets keys to make room', async (t) => {
		const redis = await startRedis(t, ['maxmemory-policy allkeys-random']);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		await redis.ask('CONFIG', 'SET', 'maxmemory', '1mb');
		await fleet.untilStoreIs('lost');
		await fleet.assertServes(fleet.addresses, 5000);
		await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
		await until('probers to be heard', HEAL_MS_MAX, async () =>
			(await fleet.reports()).every(({ probers }) => probers.every(({ alive, lagSec }) => alive && lagSec < 2)),
		);
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	it('finds its own among ten thousand names of long ago', async (t) => {
		const redis = await startRedis(t);
		const names = Array.from({ length: STALE_NAMES }, (_, i) => `gone-${i}`);
		const nowMs = Date.now();
		for (let at = 0; at < STALE_NAMES; at += 1000) {
			const some = names.slice(at, at + 1000);
			await redis.ask('ZADD', 'meridian:probers', ...some.flatMap((name) => [String(nowMs - 86_400_000), name]));
			await redis.ask('ZADD', 'meridian:instances', ...some.flatMap((name) => [String(nowMs), name]));
			await redis.ask('MSET', ...some.flatMap((name) => [`meridian:prober:${name}`, 'meridian/1 - {}']));
			await redis.ask('MSET', ...some.flatMap((name) => [`meridian:instance:${name}`, 'meridian/1 - {}']));
		}
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		await fleet.assertWorks();
		await fleet.restartInstance(0);
		await isWhole(fleet);
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	it('brings back a store of 70,000 zones that was flushed', async (t) => {
		const redis = await startRedis(t);
		const store = await openRedis(redis.url, { timing: TIMING });
		t.after(() => store.close());
		const zones = Array.from({ length: 70_000 }, (_, i) => put(`z${i}.`, '1'));
		await commitTo(store, zones);
		await redis.ask('FLUSHALL');
		await until('the loss', HEAL_MS_MAX, () => store.condition.kind === 'lost');
		await store.restore(BY_TEST);
		const other = await openRedis(redis.url, { timing: TIMING });
		t.after(() => other.close());
		await until('all of it', 60_000, () => other.configuration.items.size === zones.length);
	});

	it('does all it does as the users of deploy/, and outlives what becomes of them', async (t) => {
		const redis = await startRedis(t, [`aclfile ${join(scratch(t, { acl: deployedUsers() }), 'acl')}`]);
		const as = (user: string) => `redis://${user}:secret@127.0.0.1:${redis.port}`;
		const proberUrls = Object.fromEntries(REGIONS.map((region) => [region, as(`${region}-1`)]));
		const fleet = await Fleet.start(t, {
			...{ url: redis.url, serveUrl: as('meridian-serve'), adminUrl: as('meridian-admin'), proberUrls, rate: RATE },
		});
		await fleet.assertWorks();
		assert.deepEqual(await redis.ask('ACL', 'LOG'), []);
		for (const [taken, given] of [
			[
				['resetpass', '>another'],
				['resetpass', '>secret'],
			],
			[['off'], ['on']],
			[['-@all'], undefined],
			[['resetkeys'], undefined],
		] as const) {
			for (const user of ['meridian-serve', 'eu-1', 'us-1', 'ap-1']) {
				await redis.ask('ACL', 'SETUSER', user, ...taken);
				await redis.ask('CLIENT', 'KILL', 'USER', user);
			}
			await fleet.untilStoreIs('unreachable');
			await fleet.assertServes(fleet.addresses, 2000);
			if (given === undefined) await redis.ask('ACL', 'LOAD');
			else
				for (const user of ['meridian-serve', 'eu-1', 'us-1', 'ap-1'])
					await redis.ask('ACL', 'SETUSER', user, ...given);
			await isWhole(fleet);
			await fleet.assertWorks();
		}
		await fleet.assertNothingLost();
	});

	it('speaks TLS throughout, and a prober that trusts another authority is none of it', async (t) => {
		const authority = createAuthority();
		const { key, cert } = authority.sign({ names: ['127.0.0.1'] });
		const folder = scratch(t, { key, cert, ca: authority.cert, other: createAuthority().cert });
		const port = await freePort();
		const files = ['key-file key', 'cert-file cert', 'ca-cert-file ca'].map(
			(one) => `tls-${one.replace(' ', ` ${folder}/`)}`,
		);
		const redis = await startRedis(t, [`tls-port ${port}`, 'tls-auth-clients no', ...files]);
		const env = { MERIDIAN_REDIS_CA: join(folder, 'ca') };
		const fleet = await Fleet.start(t, { url: `rediss://127.0.0.1:${port}`, rate: RATE, env });
		await redis.kill();
		await fleet.untilStoreIs('unreachable');
		await redis.start();
		await fleet.assertWorks();
		await fleet.killProber('ap');
		await fleet.startProber('ap', { MERIDIAN_REDIS_CA: join(folder, 'other') });
		await fleet.assertServes(fleet.addresses, 5000);
		const { status, body } = await fetchJson(`${fleet.prober('ap').admin}/readyz`);
		assert.equal(status, 503);
		assert.match(JSON.stringify(body), /the store is unreachable: .*(?:certificate|verify)/);
		await fleet.assertNothingLost();
	});

	it('lives with Sentinels of which one is dead and one says nothing', { skip: WITHOUT_SENTINEL }, async (t) => {
		const master = await startRedis(t, ['appendonly yes', 'appendfsync always']);
		const sentinel = await startSentinel(t, master.port, 1);
		const mute = await startRedis(t);
		mute.signal('SIGSTOP');
		const hosts = [await freePort(), mute.port, sentinel.port].map((port) => `127.0.0.1:${port}`).join(',');
		const fleet = await Fleet.start(t, { url: `redis+sentinel://${hosts}/mymaster`, rate: RATE });
		await fleet.assertWorks();
		await redisGone(master, fleet);
		await isWhole(fleet);
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});
});

async function redisGone(redis: RedisServer, fleet: Fleet): Promise<void> {
	await redis.kill();
	await fleet.untilStoreIs('unreachable');
	await pause(1000);
	await redis.start();
}

/** Those of deploy/redis-users.acl with the probers that deploy/compose.yaml makes of its eu-1; the test is the default user. */
function deployedUsers(): string {
	const read = (name: string) => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
	assert.match(parse(read('compose.yaml')).services.redis.command[2], /for name in us-1 ap-1/);
	const lines = read('redis-users.acl').trim().replaceAll('SECRET', 'secret').split('\n');
	const prober = lines.find((line) => line.startsWith('user eu-1 ')) ?? '';
	const others = ['us-1', 'ap-1'].map((name) => prober.replaceAll('eu-1', name));
	return [...lines, ...others, ''].join('\n').replace('user default off', 'user default on nopass ~* &* +@all');
}

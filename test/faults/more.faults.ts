/**
 * Faults that take longer than a run of all tests has for them; `npm run faults` has the time.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRedisAddress } from '../../src/lib/redis-address.ts';
import type { Store } from '../../src/store/ports.ts';
import { openRedisStore } from '../../src/store/redis-store.ts';
import { startFaultyProxy } from '../contract/faulty-proxy.ts';
import { fetchJson, runMeridian, until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import { askRedis, startRedis, startSentinel, WITHOUT_REDIS, WITHOUT_SENTINEL } from '../setup/redis.ts';
import {
	FAKETIME,
	FALL,
	FLEET_KEY,
	Fleet,
	GUARD_HOLD_MS,
	HEAL_MS_MAX,
	INTERVAL_MS,
	LEASE_MS,
	LEAVE_MS,
	pause,
	REGIONS,
} from './fleet.ts';

const RATE = Number(process.env['FAULTS_RATE'] ?? 2000);
/** What Sentinels take is theirs. */
const SWITCH_MS_MAX = 40_000;
const FOLLOW_MS_MAX = 10_000;
const APPEND = ['appendonly yes', 'appendfsync always'];
const WITHOUT_FAKETIME = FAKETIME === undefined ? 'faketime is not installed' : false;

describe('a fleet', { skip: WITHOUT_REDIS, concurrency: 1 }, () => {
	it('outlives a Redis that is out of memory', async (t) => {
		const redis = await startRedis(t, ['maxmemory-policy noeviction']);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		await redis.ask('CONFIG', 'SET', 'maxmemory', '1mb');
		await fleet.assertServes(fleet.addresses, 5000);
		const prober = await fetchJson(`${fleet.prober('eu').admin}/readyz`);
		assert.equal(prober.status, 503);
		assert.match(JSON.stringify(prober.body), /OOM/);
		await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
		await until('the prober to be well', HEAL_MS_MAX, async () => {
			return (await fetchJson(`${fleet.prober('eu').admin}/readyz`)).status === 200;
		});
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	it('outlives a password that is wrong', async (t) => {
		const redis = await startRedis(t);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		await redis.ask('CONFIG', 'SET', 'requirepass', 'another');
		// Connections that stand go on; new ones are refused.
		const authed = async (...command: string[]) => askRedisAs(redis.port, 'another', command);
		await authed('CLIENT', 'KILL', 'TYPE', 'normal');
		await fleet.untilStoreIs('unreachable');
		await fleet.assertServes(fleet.addresses, 3000);
		await authed('CONFIG', 'SET', 'requirepass', '');
		await fleet.untilStoreIs('ready');
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	it('takes a Redis that was set back for lost, and serves what it had', async (t) => {
		const redis = await startRedis(t, ['dbfilename old.rdb']);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		await redis.ask('SAVE');
		await fleet.apply({ ttl: '7s' });
		await until('the next generation', HEAL_MS_MAX, async () =>
			(await fleet.reports()).every(({ instances }) => instances.every(({ generation }) => generation === 2)),
		);
		await redis.kill();
		await fleet.untilStoreIs('unreachable');
		await redis.start();
		await fleet.untilStoreIs('lost');
		await fleet.assertWorks();
		const [report] = await fleet.reports();
		assert.equal(report?.generation, 2);
		await fleet.assertNothingLost();
	});

	it('follows Sentinels to another master', { skip: WITHOUT_SENTINEL }, async (t) => {
		const master = await startRedis(t, APPEND);
		const replica = await startRedis(t, [`replicaof 127.0.0.1 ${master.port}`]);
		const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(t, master.port, 2)));
		const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
		await until('a quorum', 40_000, async () => {
			const said = await Promise.all(sentinels.map(({ port }) => askRedis(port, ['SENTINEL', 'CKQUORUM', 'mymaster'])));
			return said.every((one) => String(one).startsWith('OK 3'));
		});
		const fleet = await Fleet.start(t, { url: `redis+sentinel://${hosts}/mymaster`, rate: RATE });
		await until('the replica to have it all', HEAL_MS_MAX, async () => {
			return (await replica.ask('EXISTS', 'meridian:head')) === 1;
		});
		await master.kill();
		const switchMs = await until('Sentinels to switch', SWITCH_MS_MAX, async () => {
			const said = await Promise.all(
				sentinels.map(({ port }) => askRedis(port, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster'])),
			);
			const [role] = (await replica.ask('ROLE')) as readonly unknown[];
			return role === 'master' && said.every((one) => (one as readonly string[])[1] === String(replica.port));
		});
		const followMs = await until('all processes to follow', FOLLOW_MS_MAX, async () => {
			const reports = await fleet.reports();
			const probers = await Promise.all(REGIONS.map((region) => fetchJson(`${fleet.prober(region).admin}/readyz`)));
			return (
				probers.every(({ status }) => status === 200) &&
				reports.every(
					({ store, probers }) => store.kind === 'ready' && probers.every(({ alive, lagSec }) => alive && lagSec < 2),
				)
			);
		});
		t.diagnostic(`Sentinels switched after ${Math.round(switchMs)} ms, all followed ${Math.round(followMs)} ms later`);
		await fleet.assertServes(fleet.addresses, 3000);
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	it('goes on while a prober is frozen, which is believed again when it goes on', async (t) => {
		const redis = await startRedis(t);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		const [, , third = ''] = fleet.addresses;
		fleet.prober('ap').signal('SIGSTOP');
		await fleet.assertServes(fleet.addresses, LEASE_MS + 2000);
		await fleet.die(third);
		await fleet.assertLeaves([third], LEAVE_MS);
		fleet.prober('ap').signal('SIGCONT');
		await until('its lease', HEAL_MS_MAX, async () =>
			(await fleet.reports()).every(({ probers }) => probers.every(({ alive, lagSec }) => alive && lagSec < 2)),
		);
		await fleet.revive(third);
		await fleet.untilServed(fleet.addresses);
		assert.doesNotMatch(fleet.prober('ap').stderr, /target is down.*target is down.*target is down/);
		await fleet.assertNothingLost();
	});

	it('goes on while a prober is cut off from Redis, and hears what it has seen meanwhile', async (t) => {
		const redis = await startRedis(t);
		const proxy = await startFaultyProxy(t, redis.port);
		const proberUrls = { us: `redis://127.0.0.1:${proxy.port}` };
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE, proberUrls });
		for (const cut of ['cut', 'deaf'] as const) {
			proxy.isCut = cut === 'cut';
			proxy.isDeaf = cut === 'deaf';
			proxy.cut();
			await fleet.assertServes(fleet.addresses, 2000);
			await fleet.assertWorks();
			proxy.isCut = false;
			proxy.isDeaf = false;
			await until('its lease', HEAL_MS_MAX, async () =>
				(await fleet.reports()).every(({ probers }) => probers.every(({ alive, lagSec }) => alive && lagSec < 2)),
			);
		}
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	it('takes a region that dies together with its prober out in time', async (t) => {
		const redis = await startRedis(t);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		const dead = fleet.addressesOf('us');
		await Promise.all([fleet.die(...dead), fleet.killProber('us')]);
		await fleet.assertLeaves(dead, LEASE_MS + GUARD_HOLD_MS + 2000);
		await fleet.revive(...dead);
		await fleet.untilServed(fleet.addresses);
		await fleet.assertNothingLost();
	});

	it('takes most endpoints out in time where the one of two regions that could see them dies with them', async (t) => {
		const redis = await startRedis(t);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE, regions: ['eu', 'us'] });
		const dead = [...fleet.addressesOf('us'), ...fleet.addressesOf('ap')];
		await Promise.all([fleet.die(...dead), fleet.killProber('us')]);
		await fleet.assertLeaves(dead, LEASE_MS + GUARD_HOLD_MS + 2000);
		await fleet.assertNothingLost();
	});

	it('holds back when one region alone sees most endpoints die, and lets go after the hold', async (t) => {
		const redis = await startRedis(t);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE, regions: ['eu'] });
		// Another region belongs to the fleet, and has no voice on any of them.
		const store = await openFleetStore(t, redis.url);
		const session = await store.join({ instance: 'us-1', region: 'us' });
		await session.publish({ votes: new Map(), roundTripMs: new Map() });
		await until('the other region', HEAL_MS_MAX, async () => {
			return (await fleet.reports()).every(({ probers }) => probers.length === 2);
		});
		const dead = fleet.addresses.slice(0, 4);
		await fleet.die(...dead);
		const tookMs = await fleet.assertLeaves(dead, LEAVE_MS + GUARD_HOLD_MS);
		// The first failure may come at once, the vote not before two more.
		assert(tookMs > (FALL - 1) * INTERVAL_MS + GUARD_HOLD_MS - 100, `it let go after ${tookMs} ms`);
		await fleet.assertNothingLost();
	});

	it('lets no second prober of a name in, and the first one goes on', async (t) => {
		const redis = await startRedis(t);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		const args = ['probe', '--region', 'eu', '--instance', 'eu-1', '--redis-url', redis.url];
		const second = runMeridian(t, [...args, '--state-dir', scratch(t), '--admin-listen', '127.0.0.1:0'], {
			env: { MERIDIAN_FLEET_KEY: FLEET_KEY },
		});
		assert.equal((await second.exit).code, 1);
		assert.match(second.stderr, /^Cannot join as "eu-1": a live prober goes by this name/m);
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});

	it('restarts all of it at once, with Redis down, and answers as before', async (t) => {
		const redis = await startRedis(t, APPEND);
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
		const [first = ''] = fleet.addresses;
		await fleet.die(first);
		await fleet.assertLeaves([first], LEAVE_MS);
		await pause(1500);
		await redis.kill();
		await fleet.restartInstance(0);
		await fleet.restartInstance(1);
		await fleet.assertServes(
			fleet.addresses.filter((address) => address !== first),
			2000,
		);
		for (const region of ['eu', 'us', 'ap'] as const) {
			await fleet.killProber(region);
			await fleet.startProber(region);
		}
		await redis.start();
		await fleet.revive(first);
		await fleet.untilServed(fleet.addresses, HEAL_MS_MAX);
		await fleet.assertNothingLost();
	});

	it('is not moved by a clock that jumps an hour, or differs by minutes from the others', {
		skip: WITHOUT_FAKETIME,
	}, async (t) => {
		const redis = await startRedis(t);
		const clockFile = join(scratch(t, { clock: '+0' }), 'clock');
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE, clockFile });
		const [first = ''] = fleet.addresses;
		for (const jump of ['+300', '-300', '+3600', '-3600', '+0']) {
			writeFileSync(clockFile, jump);
			await fleet.assertServes(fleet.addresses, 3000);
			await sameVerdicts(fleet, []);
			await fleet.die(first);
			await fleet.assertLeaves([first], LEAVE_MS);
			await sameVerdicts(fleet, [first]);
			await fleet.revive(first);
			await fleet.untilServed(fleet.addresses);
		}
		await fleet.assertNothingLost();
	});
});

interface Judged {
	readonly address: string;
	readonly verdict: string;
	readonly stale: boolean;
	readonly frozen: boolean;
	readonly freshVotes: number;
}

/** Every instance hears every prober, takes no vote for an old one, and has these targets alone for down. */
async function sameVerdicts(fleet: Fleet, down: readonly string[]): Promise<void> {
	for (const { probers } of await fleet.reports())
		for (const { instance, alive, isolated, lagSec } of probers)
			assert(alive && !isolated && lagSec < 2, `${instance}: ${JSON.stringify({ alive, isolated, lagSec })}`);
	const bodies = await Promise.all(fleet.instances.map(({ admin }) => fetchJson(`${admin}/v1/health`)));
	for (const { body } of bodies) {
		const { targets } = body as { targets: readonly Judged[] };
		assert.equal(targets.length, fleet.addresses.length);
		for (const { address, verdict, stale, frozen, freshVotes } of targets) {
			const is = down.includes(address) ? 'down' : 'up';
			const wanted = { verdict: is, stale: false, frozen: false, freshVotes: REGIONS.length };
			assert.deepEqual({ verdict, stale, frozen, freshVotes }, wanted, address);
		}
	}
}

async function askRedisAs(port: number, password: string, command: readonly string[]): Promise<void> {
	const socket = connect({ port, host: '127.0.0.1' });
	await once(socket, 'connect');
	socket.write(`AUTH ${password}\r\n${command.map((part) => (part === '' ? '""' : part)).join(' ')}\r\n`);
	// Two answers, of which the second may be a count.
	for (let text = ''; (text.match(/\r\n/g) ?? []).length < 2; ) text += String((await once(socket, 'data'))[0]);
	socket.destroy();
}

async function openFleetStore(t: TestContext, url: string): Promise<Store> {
	const address = parseRedisAddress(url);
	assert(address !== undefined);
	const log = { info() {}, warn() {}, error() {} };
	const store = await openRedisStore({ address, ca: undefined, prefix: 'meridian:', fleetKeys: [FLEET_KEY], log });
	t.after(() => store.close());
	return store;
}

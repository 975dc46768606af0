/**
 * Faults of a fleet, one after the other, under load: no query is lost, no answer is emptied, what is dead leaves in
 * time, and nothing else does. `npm run faults` adds those of more.faults.ts.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseRedisAddress } from '../../src/lib/redis-address.ts';
import { openRedisStore } from '../../src/store/redis-store.ts';
import { fetchJson, until } from '../roles/meridian-process.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { FLEET_KEY, Fleet, HEAL_MS_MAX, LEAVE_MS, pause } from './fleet.ts';

const RATE = Number(process.env['FAULTS_RATE'] ?? 500);

it('a fleet answers on through faults of Redis, of probers and of its own', { skip: WITHOUT_REDIS }, async (t) => {
	const redis = await startRedis(t, ['appendonly yes', 'appendfsync always']);
	const fleet = await Fleet.start(t, { url: redis.url, rate: RATE });
	const [first = '', second = '', third = ''] = fleet.addresses;
	const all = fleet.addresses;
	const without = (...gone: readonly string[]) => all.filter((address) => !gone.includes(address));

	await t.test('an endpoint that dies leaves every answer in time, and comes back', async () => {
		await fleet.die(first);
		await fleet.assertLeaves([first], LEAVE_MS);
		await fleet.revive(first);
		await fleet.untilServed(all);
	});

	await t.test('Redis that is frozen changes nothing', async () => {
		redis.signal('SIGSTOP');
		await fleet.assertServes(all, 4000);
		redis.signal('SIGCONT');
	});

	await t.test('while Redis is gone verdicts stand, also for an instance that starts anew', async () => {
		await fleet.die(first);
		await fleet.assertLeaves([first], LEAVE_MS + HEAL_MS_MAX);
		// What has turned is kept within a second.
		await pause(1500);
		await redis.kill();
		await fleet.restartInstance(1);
		await fleet.assertServes(without(first), 1000);
		const [, restarted] = fleet.instances;
		const { body } = await fetchJson(`${restarted?.admin}/readyz`);
		const { degraded } = body as { degraded: readonly string[] };
		assert.match(degraded.join('\n'), /^the store is unreachable/m);
		assert.match(degraded.join('\n'), /^the prober eu-1 has no lease; it published \d+ s ago, and its votes stand$/m);
	});

	await t.test('when Redis is back so is everything', async () => {
		await redis.start();
		await fleet.revive(first);
		await fleet.untilServed(all, HEAL_MS_MAX);
		await fleet.die(second);
		await fleet.assertLeaves([second], LEAVE_MS);
	});

	await t.test('Redis that was emptied loses nothing, and probers go on', async () => {
		await redis.ask('FLUSHALL');
		await until('the alarm', HEAL_MS_MAX, async () =>
			(await fleet.reports()).every(({ store }) => store.kind === 'lost'),
		);
		await fleet.assertServes(without(second), 1000);
		await fleet.revive(second);
		await fleet.untilServed(all, HEAL_MS_MAX);
	});

	await t.test('a prober that dies turns nothing, and the others decide', async () => {
		await fleet.killProber('ap');
		await fleet.assertServes(all, 1000);
		await fleet.die(third);
		await fleet.assertLeaves([third], LEAVE_MS);
		await fleet.revive(third);
		await fleet.untilServed(all);
	});

	await t.test('a prober that sees everything down is outvoted, and loses its vote', async () => {
		const address = parseRedisAddress(redis.url);
		assert(address !== undefined);
		const log = { info() {}, warn() {}, error() {} };
		const parts = { address, ca: undefined, prefix: 'meridian:', fleetKeys: [FLEET_KEY], log };
		const store = await openRedisStore(parts);
		t.after(() => store.close());
		const keys = [...(store.probers()[0]?.report.votes.keys() ?? [])];
		assert.equal(keys.length, all.length);
		// Its lease has to run out first.
		const session = await store.join({ instance: 'ap-1', region: 'ap' });
		const sinceMs = performance.now();
		const lie = () => {
			const vote = { vote: 'down', sinceMs, checkedMs: performance.now() } as const;
			return session.publish({ votes: new Map(keys.map((key) => [key, vote])), roundTripMs: new Map() });
		};
		await lie();
		const lies = setInterval(() => void lie().catch(() => {}), 100);
		t.after(() => clearInterval(lies));
		await fleet.assertServes(all, 3000);
		await until('its isolation', HEAL_MS_MAX, async () =>
			(await fleet.reports()).every(({ probers }) =>
				probers.some(({ instance, isolated }) => instance === 'ap-1' && isolated),
			),
		);
		await fleet.die(first);
		await fleet.assertLeaves([first], LEAVE_MS);
	});

	await t.test('nothing was lost, and no answer was empty', () => fleet.assertNothingLost());
});

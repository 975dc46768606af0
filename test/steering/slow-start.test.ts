/**
 * Slow start: what an endpoint that has come up gets as time goes on, which clients it takes, and when it is not held
 * back at all.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createChance } from '../../src/lib/chance.ts';
import { compile, failover, pool, steer, type World } from './steer.ts';

type Keys = Readonly<Record<string, unknown>>;

const RAMP_UP_MS = 60_000;
const DRAWS = 20_000;
const CLIENTS = Array.from({ length: 4000 }, (_, i) => `${4 + (i % 200)}.${(i >>> 8) & 255}.${(7 * i) & 255}.9`);

function worldOf(endpoints: string, keys: Keys = {}, byName: Readonly<Record<string, Keys>> = {}): World {
	const names = { www: { policy: 'p' } };
	const world = steer({
		zone: { pools: { p: pool(endpoints, { rampUp: '60s', ...keys }, byName) }, names },
		chance: createChance(7),
	});
	for (const text of endpoints.split(' ')) world.set(text.split(':')[0] ?? '', 'up');
	return world;
}

/** Share of the queries that an endpoint gets. */
const shareOf = (world: World, name: string) => (world.count('www', DRAWS)[name] ?? 0) / DRAWS;

function assertShare(share: number, expected: number, note = ''): void {
	const deviation = Math.sqrt((expected * (1 - expected)) / DRAWS);
	assert.ok(Math.abs(share - expected) <= 5 * deviation + 1e-9, `${note} ${share}, expected ${expected}`);
}

describe('a pool with rampUp, by query', () => {
	for (const { does, ramped, name, weight } of [
		{ does: 'gives one that has just come up a tenth of its weight', ramped: { b: 0 }, name: 'b', weight: 0.1 },
		{ does: 'gives it more as time goes on', ramped: { b: 30_000 }, name: 'b', weight: 0.55 },
		{ does: 'gives it all but a little just before the end', ramped: { b: 59_900 }, name: 'b', weight: 0.99 },
		{ does: 'gives it all at the end', ramped: { b: 60_000 }, name: 'b', weight: 1 },
		{ does: 'gives it all long after, when a longer ramp holds the word', ramped: { b: 9e6 }, name: 'b', weight: 1 },
	]) {
		it(does, () => {
			const world = worldOf('a b c');
			for (const [endpoint, upForMs] of Object.entries(ramped)) world.ramp(endpoint, upForMs);
			assertShare(shareOf(world, name), weight / (2 + weight));
		});
	}

	it('counts in weights', () => {
		const world = worldOf('a b', {}, { a: { weight: 30 }, b: { weight: 100 } }).ramp('b', 0);
		assertShare(shareOf(world, 'b'), 10 / 40);
	});

	it('gives equal newcomers equal shares', () => {
		const world = worldOf('a b c d').ramp('c', 12_000).ramp('d', 12_000);
		const counts = world.count('www', DRAWS);
		const weight = 0.1 + 0.9 * 0.2;
		for (const name of ['c', 'd']) assertShare((counts[name] ?? 0) / DRAWS, weight / (2 + 2 * weight), name);
	});

	it('spreads evenly over endpoints that have all just come up', () => {
		const world = worldOf('a b c').ramp('a', 0).ramp('b', 0).ramp('c', 0);
		for (const name of ['a', 'b', 'c']) assertShare(shareOf(world, name), 1 / 3, name);
	});

	it('does not hold back the last one that is healthy', () => {
		const world = worldOf('a b').ramp('b', 0).set('a', 'down');
		assert.deepEqual(world.count('www', 100), { b: 100 });
	});

	it('holds back what nobody has judged yet beside what is known to be up', () => {
		const world = worldOf('a b').set('b', 'unknown');
		assertShare(shareOf(world, 'b'), 0.1 / 1.1);
		world.set('a', 'unknown');
		assertShare(shareOf(world, 'b'), 0.5);
	});

	it('keeps a newcomer waiting, and then starts it slowly', () => {
		const world = worldOf('a b').set('b', 'waiting');
		assert.deepEqual(world.count('www', 100), { a: 100 });
		assertShare(shareOf(world.ramp('b', 0), 'b'), 0.1 / 1.1);
	});

	it('leaves what an operator holds up, and what nothing probes, at its whole weight', () => {
		const held = worldOf('a b', {}, { b: { state: 'up' } }).ramp('b', 0);
		assertShare(shareOf(held, 'b'), 0.5);
		const unprobed = steer({
			zone: {
				pools: { p: { ...pool('a b', { rampUp: '60s' }), monitor: undefined } },
				names: { www: { policy: 'p' } },
			},
		});
		assertShare(shareOf(unprobed, 'b'), 0.5);
	});

	it('keeps weight 0 a reserve', () => {
		const world = worldOf('a b', {}, { a: { weight: 0 } }).ramp('b', 0);
		assert.deepEqual(world.count('www', 100), { b: 100 });
	});

	it('takes the best of its addresses, and the worst of its monitors', () => {
		const world = worldOf('a:4 b:44', { monitor: ['m', 'n'] });
		world.ramp('b.0', 0);
		assertShare(shareOf(world, 'a'), 0.5, 'one address long up');
		world.ramp('b', 0).set('b', 'up', 'm');
		assertShare(shareOf(world, 'a'), 1 / 1.1, 'one monitor long up');
	});

	it('fails open over all alike', () => {
		const world = worldOf('a b').set('a', 'down').set('b', 'down');
		assertShare(shareOf(world, 'b'), 0.5);
	});

	it('holds nothing back in a pool without it, whatever its targets are for others', () => {
		const world = steer({
			zone: {
				pools: { p: pool('a b'), q: pool('a b', { rampUp: '60s' }) },
				names: { www: { policy: 'p' }, slow: { policy: 'q' } },
			},
			chance: createChance(7),
		});
		world.set('a', 'up').ramp('b', 0);
		assertShare(shareOf(world, 'b'), 0.5);
		assertShare((world.count('slow', DRAWS)['b'] ?? 0) / DRAWS, 0.1 / 1.1);
	});
});

describe('a pool with rampUp, by client', () => {
	const choices = (world: World) => CLIENTS.map((client) => world.ask('www', { client }));
	const stepsMs = Array.from({ length: 13 }, (_, i) => 5000 * i);

	it('moves a client at most once while others start, and leaves it where it was before they fell', () => {
		const names = ['a', 'b', 'c', 'd', 'e'];
		const weights = fc.tuple(...names.map(() => fc.integer({ min: 1, max: 9 })));
		const rising = fc.subarray(names, { minLength: 1, maxLength: 4 });
		fc.assert(
			fc.property(weights, rising, (weightOf, risers) => {
				const byName = Object.fromEntries(names.map((name, i) => [name, { weight: weightOf[i] }]));
				const world = worldOf(names.join(' '), { by: 'client' }, byName);
				const home = choices(world);
				for (const name of risers) world.set(name, 'down');
				let last = choices(world);
				const moves = CLIENTS.map(() => 0);
				for (const upForMs of stepsMs) {
					for (const name of risers) world.ramp(name, upForMs);
					const now = choices(world);
					for (const [i, name] of now.entries()) {
						if (name === last[i]) continue;
						moves[i] = (moves[i] ?? 0) + 1;
						assert.ok(risers.includes(name), `${CLIENTS[i]} went to ${name}, which does not start`);
						assert.equal(name, home[i], `${CLIENTS[i]} is not at home`);
					}
					last = now;
				}
				assert.ok(Math.max(...moves) <= 1);
				assert.deepEqual(last, home);
			}),
			{ numRuns: 12 },
		);
	});

	it('gives it the same share of clients as of queries', () => {
		const world = worldOf('a b c', { by: 'client' });
		for (const upForMs of stepsMs) {
			const weight = Math.min(1, 0.1 + Math.floor((90 * upForMs) / RAMP_UP_MS) / 100);
			const share = choices(world.ramp('c', upForMs)).filter((name) => name === 'c').length / CLIENTS.length;
			assert.ok(Math.abs(share - weight / (2 + weight)) < 0.035, `${share} after ${upForMs} ms`);
		}
	});
});

describe('targets of pools with rampUp', () => {
	const targetsOf = (zone: Keys) =>
		compile({ zone: { ...zone, names: { www: { policy: failover('p', 'q') } } } }).targets.map(
			({ rampUpMs }) => rampUpMs,
		);

	it('know the longest one that is asked of them', () => {
		const pools = { p: pool('a:4', { rampUp: '30s' }), q: pool('a:4 b:4', { rampUp: '5m' }) };
		assert.deepEqual(targetsOf({ pools }), [300_000, 300_000]);
		assert.deepEqual(targetsOf({ pools: { p: pools.q, q: pools.p } }), [300_000, 300_000]);
	});

	it('know none without', () => {
		assert.deepEqual(targetsOf({ pools: { p: pool('a:4'), q: pool('b:4', { rampUp: '0s' }) } }), [
			undefined,
			undefined,
		]);
	});
});

/**
 * Weights over 100,000 draws, and over the networks of 100,000 clients, by chi-square. Seeds are fixed, so a row
 * passes or fails for good.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChance } from '../../src/lib/chance.ts';
import { geoDataOf } from '../geo/oracle.ts';
import { surprise } from './chi-square.ts';
import { failover, pool, proximity, steer, sticky, type World, weighted } from './steer.ts';

const TIMES = 100_000;

type Weights = readonly number[];

const VECTORS: readonly { name: string; weights: Weights }[] = [
	{ name: 'two alike', weights: [1, 1] },
	{ name: '95 to 5', weights: [95, 5] },
	{ name: '999 to 1', weights: [999, 1] },
	{ name: '1 to 2 to 3 to 4', weights: [1, 2, 3, 4] },
	{ name: 'three of the largest', weights: [65535, 65535, 65535] },
	{ name: 'a reserve beside others', weights: [10, 0, 30, 60] },
	{ name: '20 alike', weights: Array.from({ length: 20 }, () => 7) },
	{ name: '64 of 1 to 64', weights: Array.from({ length: 64 }, (_, i) => i + 1) },
];

const names = (weights: Weights) => weights.map((_, i) => `e${i}`);

function sharesOf(weights: Weights): Readonly<Record<string, number>> {
	return Object.fromEntries(names(weights).flatMap((name, i) => (weights[i] === 0 ? [] : [[name, weights[i] ?? 0]])));
}

function policyWorld(weights: Weights, kind: typeof weighted, seed: number): World {
	const pools = Object.fromEntries(names(weights).map((name) => [name, pool(name)]));
	const policy = kind(...names(weights).map((name, i) => [name, weights[i] ?? 0] as const));
	return steer({ zone: { pools, names: { www: { policy } } }, chance: createChance(seed) });
}

function poolWorld(weights: Weights, by: 'query' | 'client', seed: number): World {
	const byName = Object.fromEntries(names(weights).map((name, i) => [name, { weight: weights[i] }]));
	const pools = { p: pool(names(weights).join(' '), { by }, byName) };
	return steer({ zone: { pools, names: { www: { policy: 'p' } } }, chance: createChance(seed) });
}

/** Networks side by side, as those of one provider are, from 4.0.0.0/24 or 2a00::/56 on. */
const clients = {
	4: (i: number) => `${4 + (i >>> 16)}.${(i >>> 8) & 255}.${i & 255}.1`,
	6: (i: number) => `2a00:0:${(i >>> 8).toString(16)}:${((i & 255) << 8).toString(16)}::1`,
};

function countClients(world: World, family: 4 | 6): Readonly<Record<string, number>> {
	const counts: Record<string, number> = {};
	for (let i = 0; i < TIMES; i++) {
		const answer = world.ask('www', { client: clients[family](i) });
		counts[answer] = (counts[answer] ?? 0) + 1;
	}
	return counts;
}

function assertShares(counts: Readonly<Record<string, number>>, shares: Readonly<Record<string, number>>): void {
	const sigmas = surprise(counts, shares);
	assert.ok(sigmas < 5, `${sigmas} standard deviations: ${JSON.stringify(counts)}`);
}

describe('weights by query', () => {
	for (const [i, { name, weights }] of VECTORS.entries()) {
		it(`of a policy: ${name}`, () =>
			assertShares(policyWorld(weights, weighted, i).count('www', TIMES), sharesOf(weights)));
		it(`of a pool: ${name}`, () => assertShares(poolWorld(weights, 'query', i).count('www', TIMES), sharesOf(weights)));
	}

	it('of what is up keep their proportions', () => {
		const world = policyWorld([5, 3, 2], weighted, 1).set('e0', 'down');
		assertShares(world.count('www', TIMES), { e1: 3, e2: 2 });
	});

	it('inside weights multiply', () => {
		const pools = Object.fromEntries('abcd'.split('').map((name) => [name, pool(name)]));
		const policy = weighted([weighted(['a', 1], ['b', 3]), 3], [weighted(['c', 4], ['d', 1]), 1]);
		const world = steer({ zone: { pools, names: { www: { policy } } } });
		assertShares(world.count('www', TIMES), { a: 3 / 16, b: 9 / 16, c: 4 / 20, d: 1 / 20 });
	});

	it('break a tie of proximity', () => {
		const pools = Object.fromEntries('abc'.split('').map((name) => [name, pool(name)]));
		const at = (use: string, weight: number) => ({ use, weight, region: use });
		const regions = Object.fromEntries('abc'.split('').map((name) => [name, { latitude: 0, longitude: 0 }]));
		const zone = { regions, pools, names: { www: { policy: proximity(at('a', 1), at('b', 2), at('c', 7)) } } };
		const here = { coordinates: { latitude: 0, longitude: 9, precision: 'database' as const } };
		const geo = geoDataOf({ '8.0.0.0/8': here });
		assertShares(steer({ zone, geo }).count('www', TIMES), { a: 1, b: 2, c: 7 });
	});

	for (const { share, counts } of [
		{ share: '1%', counts: { a: 99, b: 1 } },
		{ share: '0.5%', counts: { a: 199, b: 1 } },
		{ share: '33.3333%', counts: { a: 666667, b: 333333 } },
		{ share: '99%', counts: { a: 1, b: 99 } },
	]) {
		it(`of a trickle of ${share}`, () => {
			const policy = { ...failover('a', 'b'), trickle: share };
			const world = steer({ zone: { pools: { a: pool('a'), b: pool('b') }, names: { www: { policy } } } });
			assertShares(world.count('www', TIMES), counts);
		});
	}
});

describe('weights by client', () => {
	for (const { name, weights } of VECTORS) {
		it(`of a policy, networks of IPv4: ${name}`, () =>
			assertShares(countClients(policyWorld(weights, sticky, 1), 4), sharesOf(weights)));
		it(`of a pool, networks of IPv6: ${name}`, () =>
			assertShares(countClients(poolWorld(weights, 'client', 1), 6), sharesOf(weights)));
	}

	it('of what is up keep their proportions', () => {
		const world = policyWorld([5, 3, 2], sticky, 1).set('e0', 'down');
		assertShares(countClients(world, 4), { e1: 3, e2: 2 });
	});

	it('are drawn anew by a sticky policy inside', () => {
		const pools = Object.fromEntries('abcd'.split('').map((name) => [name, pool(name)]));
		const policy = sticky([sticky(['a', 1], ['b', 3]), 3], [sticky(['c', 4], ['d', 1]), 1]);
		const world = steer({ zone: { pools, names: { www: { policy } } } });
		assertShares(countClients(world, 4), { a: 3 / 16, b: 9 / 16, c: 4 / 20, d: 1 / 20 });
	});

	it('are drawn anew by a sticky policy of the same members inside', () => {
		const pools = { a: pool('a'), b: pool('b') };
		const policy = sticky(['a', 1], [sticky(['a', 1], ['b', 1]), 1]);
		const world = steer({ zone: { pools, names: { www: { policy } } } });
		assertShares(countClients(world, 4), { a: 3, b: 1 });
	});

	it('are drawn anew by a sticky pool inside, and again among the addresses of an endpoint', () => {
		const pools = { p: pool('a:44 b', { by: 'client' }), q: pool('c d', { by: 'client' }) };
		const world = steer({ zone: { pools, names: { www: { policy: sticky(['p', 1], ['q', 1]) } } } });
		assertShares(countClients(world, 4), { a: 1, 'a.1': 1, b: 2, c: 2, d: 2 });
	});

	it('of two names with their own policies hang not together', () => {
		const pools = { a: pool('a'), b: pool('b') };
		const policy = sticky(['a', 1], ['b', 1]);
		const world = steer({ zone: { pools, names: { www: { policy }, api: { policy } } } });
		const counts: Record<string, number> = {};
		for (let i = 0; i < TIMES; i++) {
			const pair = `${world.ask('www', { client: clients[4](i) })}${world.ask('api', { client: clients[4](i) })}`;
			counts[pair] = (counts[pair] ?? 0) + 1;
		}
		assertShares(counts, { aa: 1, ab: 1, ba: 1, bb: 1 });
	});
});

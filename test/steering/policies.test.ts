import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChance } from '../../src/lib/chance.ts';
import { surprise } from './chi-square.ts';
import { failover, geo, latency, pool, steer, type World, weighted } from './steer.ts';

type Keys = Readonly<Record<string, unknown>>;

/** Pools `a`, `b`, `c`, `d` of one endpoint each, and what the test adds. */
function worldOf(policy: unknown, pools: Keys = {}, ttl = '30s', seed = 1): World {
	const zone = {
		pools: { a: pool('a'), b: pool('b'), c: pool('c'), d: pool('d'), off: pool('x', { state: 'drain' }), ...pools },
		names: { www: { policy, ttl } },
	};
	return steer({ zone, chance: createChance(seed) });
}

function withDown(world: World, down: string): World {
	for (const name of down.split(' ')) if (name !== '') world.set(name, 'down');
	return world;
}

/** Two endpoints of which one is healthy where two are asked for: down, with a healthy last resort. */
const half = (name: string) => pool(`${name}1 ${name}2`, { minHealthy: 2 });

describe('failover', () => {
	for (const { name, policy, down = '', gives } of [
		{ name: 'picks the first', policy: failover('a', 'b', 'c'), gives: 'a' },
		{ name: 'picks the second when the first is down', policy: failover('a', 'b', 'c'), down: 'a', gives: 'b' },
		{ name: 'picks the last', policy: failover('a', 'b', 'c'), down: 'a b', gives: 'c' },
		{ name: 'does not look behind the first that is up', policy: failover('a', 'b'), down: 'b', gives: 'a' },
		{ name: 'steps over none', policy: failover('off', 'b'), gives: 'b' },
		{ name: 'gives the first last resort when all are down', policy: failover('a', 'b'), down: 'a b', gives: 'a' },
		{ name: 'steps over none to a last resort', policy: failover('off', 'b'), down: 'b', gives: 'b' },
		{ name: 'is none when all are', policy: failover('off', 'off'), gives: 'nodata' },
		{
			name: 'prefers a last resort with a healthy endpoint',
			policy: failover('a', 'half', 'b'),
			down: 'a b h1',
			gives: 'h2',
		},
		{ name: 'prefers the first such', policy: failover('a', 'half', 'half2'), down: 'a h1 g1', gives: 'h2' },
	] as const) {
		it(name, () => {
			const world = withDown(worldOf(policy, { half: half('h'), half2: half('g') }), down);
			assert.deepEqual(Object.keys(world.count('www', 20)), [gives]);
		});
	}
});

describe('weighted', () => {
	const members = weighted(['a', 70], ['b', 25], ['c', 5], ['d', 0]);
	for (const { name, policy = members, down = '', shares } of [
		{ name: 'draws by weight', shares: { a: 70, b: 25, c: 5 } },
		{ name: 'leaves the others their proportions', down: 'b', shares: { a: 70, c: 5 } },
		{ name: 'leaves a single one all', down: 'a b', shares: { c: 1 } },
		{ name: 'takes weight 0 when every other is down', down: 'a b c', shares: { d: 1 } },
		{ name: 'takes weight 0 when every other is none', policy: weighted(['off', 5], ['d', 0]), shares: { d: 1 } },
		{
			name: 'draws evenly among several of weight 0',
			policy: weighted(['a', 5], ['b', 0], ['c', 0]),
			down: 'a',
			shares: { b: 1, c: 1 },
		},
		{ name: 'draws evenly when all have weight 0', policy: weighted(['a', 0], ['b', 0]), shares: { a: 1, b: 1 } },
		{ name: 'steps over none', policy: weighted(['off', 50], ['a', 1], ['b', 1]), shares: { a: 1, b: 1 } },
		{
			name: 'draws by the largest weights',
			policy: weighted(['a', 65535], ['b', 65535], ['c', 65535]),
			shares: { a: 1, b: 1, c: 1 },
		},
		{
			name: 'gives a last resort by weight when all are down',
			policy: weighted(['a', 3], ['b', 1]),
			down: 'a b',
			shares: { a: 3, b: 1 },
		},
		{
			name: 'adds the weights of one member that is there twice',
			policy: weighted(['a', 1], ['b', 1], ['a', 2]),
			shares: { a: 3, b: 1 },
		},
		{
			name: 'draws each policy on its own',
			policy: weighted([weighted(['a', 1], ['b', 3]), 1], [weighted(['c', 1], ['d', 3]), 1]),
			shares: { a: 1, b: 3, c: 1, d: 3 },
		},
		{
			name: 'prefers a last resort with a healthy endpoint, whatever the draw',
			policy: weighted(['a', 99], ['half', 1]),
			down: 'a h1',
			shares: { h2: 1 },
		},
	] as readonly { name: string; policy?: unknown; down?: string; shares: Record<string, number> }[]) {
		it(name, () => {
			const world = withDown(worldOf(policy, { half: half('h') }), down);
			const sigmas = surprise(world.count('www', 100_000), shares);
			assert.ok(Math.abs(sigmas) < 5, `${sigmas} standard deviations`);
		});
	}

	it('is none when all are', () => assert.equal(worldOf(weighted(['off', 1], ['off', 0])).ask('www'), 'nodata'));
});

describe('latency', () => {
	const three = latency('a', 'b', 'c');
	for (const { name, policy = three, rtt = {}, down = '', gives } of [
		{ name: 'keeps the order without data', gives: 'a' },
		{ name: 'keeps the order without data, down ones left out', down: 'a', gives: 'b' },
		{ name: 'picks the nearest', rtt: { a: 80, b: 20, c: 50 }, gives: 'b' },
		{ name: 'puts those without data last', rtt: { c: 500 }, gives: 'c' },
		{ name: 'does not pick what is down, however near', rtt: { a: 80, b: 20, c: 50 }, down: 'b', gives: 'c' },
		{ name: 'steps over none', policy: latency('off', 'b'), gives: 'b' },
		{ name: 'is none when all are', policy: latency('off'), gives: 'nodata' },
		{ name: 'picks the nearest within a tie at first', rtt: { a: 30, b: 25, c: 28 }, gives: 'b' },
		{
			name: 'gives the first last resort when all are down, for then nothing is measured',
			rtt: { a: 80, b: 20, c: 50 },
			down: 'a b c',
			gives: 'a',
		},
		{
			name: 'gives the one with a healthy endpoint, however far',
			policy: latency('a', 'half'),
			rtt: { h2: 500 },
			down: 'a h1',
			gives: 'h2',
		},
		{
			name: 'takes the median of a pool of three',
			policy: latency('p', 'a'),
			rtt: { p1: 1, p2: 60, p3: 70, a: 50 },
			gives: 'a',
		},
		{
			name: 'is not moved by one that is far',
			policy: latency('a', 'p'),
			rtt: { p1: 10, p2: 20, p3: 900, a: 50 },
			gives: 'p1|p2|p3',
		},
		{
			name: 'takes the median over those that are up',
			policy: latency('p', 'a'),
			rtt: { p1: 1, p2: 60, p3: 70, a: 65 },
			down: 'p1',
			gives: 'a',
		},
		{
			name: 'takes the median over those that are measured',
			policy: latency('p', 'a'),
			rtt: { p1: 10, a: 50 },
			gives: 'p1|p2|p3',
		},
		{
			name: 'measures a policy by the pool that it picks',
			policy: latency(failover('a', 'b'), 'c'),
			rtt: { a: 90, b: 10, c: 50 },
			gives: 'c',
		},
		{
			name: 'measures a policy by its pick when another is down',
			policy: latency(failover('a', 'b'), 'c'),
			rtt: { a: 90, b: 10, c: 50 },
			down: 'a',
			gives: 'b',
		},
	] as readonly { name: string; policy?: unknown; rtt?: Record<string, number>; down?: string; gives: string }[]) {
		it(name, () => {
			const world = worldOf(policy, { half: half('h'), p: pool('p1 p2 p3') });
			for (const [endpoint, ms] of Object.entries(rtt)) world.rtt(endpoint, ms);
			withDown(world, down);
			assert.equal(Object.keys(world.count('www', 50)).sort().join('|'), gives);
		});
	}

	for (const { name, steps } of [
		{
			name: 'keeps the last winner within 10 ms, and not beyond',
			steps: [
				{ rtt: { a: 30, b: 25 }, gives: 'b' },
				{ rtt: { a: 20, b: 25 }, gives: 'b' },
				{ rtt: { a: 15, b: 25 }, gives: 'b' },
				{ rtt: { a: 14.9, b: 25 }, gives: 'a' },
				{ rtt: { a: 24, b: 15 }, gives: 'a' },
			],
		},
		{
			name: 'leaves a winner that went down, and stays with the next',
			steps: [
				{ rtt: { a: 20, b: 22 }, gives: 'a' },
				{ down: 'a', gives: 'b' },
				{ up: 'a', gives: 'b' },
			],
		},
		{
			name: 'leaves a winner that has no data any more',
			steps: [
				{ rtt: { a: 20, b: 22 }, gives: 'a' },
				{ rtt: { a: 0 }, gives: 'b' },
			],
		},
	] as readonly {
		name: string;
		steps: readonly { rtt?: Record<string, number>; down?: string; up?: string; gives: string }[];
	}[]) {
		it(name, () => {
			const world = worldOf(latency('a', 'b'));
			for (const { rtt = {}, down = '', up, gives } of steps) {
				for (const [endpoint, ms] of Object.entries(rtt)) world.rtt(endpoint, ms);
				withDown(world, down);
				if (up !== undefined) world.set(up, 'up');
				assert.equal(world.ask('www'), gives);
			}
		});
	}

	it('remembers a winner for each family', () => {
		const world = worldOf(latency('a', 'b'));
		world.rtt('a/4', 20).rtt('b/4', 25).rtt('a/6', 25).rtt('b/6', 20);
		for (let i = 0; i < 3; i++) {
			assert.equal(world.ask('www', { family: 4 }), 'a');
			assert.equal(world.ask('www', { family: 6 }), 'b');
		}
	});
});

describe('policies in one another', () => {
	const regional = geo([{ match: { networks: ['eu'] }, use: weighted(['a', 1], ['b', 1]) }], 'c');
	const zone = (policy: unknown) => ({
		networks: { eu: ['8.8.0.0/16'] },
		pools: {
			a: pool('a'),
			b: pool('b'),
			c: pool('c'),
			d: pool('d'),
			off: pool('x', { state: 'drain' }),
			half: half('h'),
		},
		names: { www: { policy } },
	});
	for (const { name, policy, down = '', client = '8.8.8.8', gives } of [
		{ name: 'draw in a region', policy: failover(regional, 'd'), gives: 'a|b' },
		{ name: 'keep to the region while one is up', policy: failover(regional, 'd'), down: 'a', gives: 'b' },
		{ name: 'leave the region for the default', policy: failover(regional, 'd'), down: 'a b', gives: 'c' },
		{ name: 'leave the policy for the next', policy: failover(regional, 'd'), down: 'a b c', gives: 'd' },
		{ name: 'take the default for others', policy: failover(regional, 'd'), client: '9.9.9.9', gives: 'c' },
		{
			name: 'give a last resort of the first when all is down',
			policy: failover(regional, 'd'),
			down: 'a b c d',
			gives: 'a|b',
		},
		{
			name: 'step over a geo that knows no place',
			policy: failover(geo([{ match: { networks: ['eu'] }, use: 'a' }]), 'd'),
			client: '9.9.9.9',
			gives: 'd',
		},
		{
			name: 'hand up a last resort with a healthy endpoint',
			policy: failover(failover('a', weighted(['b', 1], ['half', 1])), 'c'),
			down: 'a b c h1',
			gives: 'h2',
		},
		{
			name: 'hand up the first such in order',
			policy: failover(failover('a', 'b'), latency('c', 'half'), 'd'),
			down: 'a b c d h1',
			gives: 'h2',
		},
		{
			name: 'are none when all below is',
			policy: failover(weighted(['off', 1]), latency('off'), geo([], 'off')),
			gives: 'nodata',
		},
		{ name: 'share a member', policy: weighted([failover('a', 'b'), 1], [failover('b', 'a'), 1]), gives: 'a|b' },
		{
			name: 'go 16 deep',
			policy: Array.from({ length: 15 }).reduce((inner) => failover(inner), weighted(['a', 1], ['b', 1])),
			gives: 'a|b',
		},
	] as readonly { name: string; policy: unknown; down?: string; client?: string; gives: string }[]) {
		it(name, () => {
			const world = withDown(steer({ zone: zone(policy) }), down);
			assert.equal(
				Object.keys(world.count('www', 100, { client }))
					.sort()
					.join('|'),
				gives,
			);
		});
	}

	it('do not disturb each other’s rows, each kind at each depth', () => {
		const inner = (name: string) => weighted([latency(name, 'd'), 1], [latency(name, 'd'), 1]);
		const world = steer({ zone: zone(weighted([inner('a'), 1], [latency(inner('b'), 'd'), 1], [inner('c'), 1])) });
		assert.deepEqual(Object.keys(world.count('www', 200)).sort(), ['a', 'b', 'c']);
		withDown(world, 'b');
		assert.deepEqual(Object.keys(world.count('www', 200)).sort(), ['a', 'c', 'd']);
	});
});

describe('the TTL', () => {
	for (const { name, policy, pools = {}, ttl = '30s', down = '', family = 4, gives } of [
		{ name: 'is that of the name', policy: 'a', gives: 30 },
		{ name: 'is halved while an endpoint is down', policy: 'two', down: 'e1', gives: 15 },
		{ name: 'is halved once, however many are down', policy: failover('a', 'b', 'c'), down: 'a b', gives: 15 },
		{ name: 'is halved on a last resort', policy: 'a', down: 'a', gives: 15 },
		{ name: 'is not halved for what was not visited', policy: failover('a', 'b'), down: 'b', gives: 30 },
		{ name: 'is not halved for the other family', policy: 'a', down: 'a/6', gives: 30 },
		{ name: 'is not halved while one address of an endpoint is up', policy: 'both', down: 'f.1', gives: 30 },
		{ name: 'is not halved by a drained endpoint', policy: failover('off', 'a'), gives: 30 },
		{
			name: 'is not halved by a pool that operators put down',
			policy: failover('put', 'a'),
			pools: { put: pool('y', { state: 'down' }) },
			gives: 30,
		},
		{
			name: 'is not halved by one that operators hold up',
			policy: 'held',
			pools: { held: pool('z', { state: 'up' }) },
			down: 'z',
			gives: 30,
		},
		{
			name: 'is halved on NODATA of a pool that is down',
			policy: 'quiet',
			pools: { quiet: pool('q', { onAllDown: 'nodata' }) },
			down: 'q',
			gives: 15,
		},
		{ name: 'is that of the name on NODATA of none', policy: 'off', gives: 30 },
		{ name: 'rounds down', policy: 'a', ttl: '31s', down: 'a', gives: 15 },
		{ name: 'is not halved below 5 s', policy: 'a', ttl: '8s', down: 'a', gives: 5 },
		{ name: 'stays as it is below 5 s', policy: 'a', ttl: '3s', down: 'a', gives: 3 },
		{ name: 'stays 0', policy: 'a', ttl: '0s', down: 'a', gives: 0 },
		{ name: 'is halved in minutes', policy: 'a', ttl: '5m', down: 'a', gives: 150 },
	] as readonly {
		name: string;
		policy: unknown;
		pools?: Keys;
		ttl?: string;
		down?: string;
		family?: 4 | 6;
		gives: number;
	}[]) {
		it(name, () => {
			const world = worldOf(policy, { two: pool('e1 e2'), both: pool('f:44'), ...pools }, ttl);
			assert.equal(withDown(world, down).ttlSec('www', { family }), gives);
		});
	}
});

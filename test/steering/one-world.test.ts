/**
 * One query, one world. The draws of a walk come from outside, so a draw is where a test can change the world
 * in the middle of it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choose, setWalkClient } from '../../src/steering/choose.ts';
import { scope } from '../../src/steering/scope.ts';
import { geoDataOf } from '../geo/oracle.ts';
import { addressOf } from '../mmdb-writer.ts';
import { all, failover, geo, latency, pool, proximity, steer, sticky, type World, weighted } from './steer.ts';

/** A world whose words change at the nth draw; each draw takes the first that is left. */
function flipping(policy: unknown, atDraw: number, flip: (world: World) => void): World {
	let draws = 0;
	const chance = {
		below: () => {
			if (++draws === atDraw) flip(world);
			return 0;
		},
	};
	const pools = { p: pool('a'), q: pool('a'), r: pool('r'), two: pool('a r'), s: pool('s') };
	const world: World = steer({ zone: { pools, names: { www: { policy } } }, chance });
	return world;
}

describe('a walk sees a health word once', () => {
	it('when it goes down between the verdict and the draw of an address', () => {
		const world = flipping('two', 1, (one) => one.set('a', 'down'));
		assert.equal(world.ask('www'), 'a');
		assert.equal(world.ask('www'), 'r', 'the next query sees it');
	});

	it('when it comes up between two pools that share a check', () => {
		// The draw of the second member is the second one; by then p was seen down.
		const policy = failover(weighted(['p', 1], ['r', 1]), 'q', 's');
		const world = flipping(policy, 2, (one) => one.set('a', 'up'));
		world.set('a', 'down').set('r', 'down');
		assert.equal(world.ask('www'), 's');
		assert.equal(world.ask('www'), 'a', 'the next query sees it');
	});

	it('when one pool is visited twice', () => {
		const policy = failover(weighted(['p', 1], ['r', 1]), 'p', 's');
		const world = flipping(policy, 2, (one) => one.set('a', 'up'));
		world.set('a', 'down').set('r', 'down');
		assert.equal(world.ask('www'), 's');
	});
});

describe('a node is drawn once in a query', () => {
	it('so that two parents of a shared policy get the same pick', () => {
		const zone = {
			pools: { a: pool('a'), b: pool('b'), c: pool('c') },
			policies: { shared: weighted(['a', 1], ['b', 1]) },
			names: { www: { policy: latency('shared', failover('shared', 'c')) } },
		};
		const world = steer({ zone });
		world.rtt('a', 20).rtt('b', 60);
		// Were it drawn twice, the nearer of two draws would win and `a` come three times out of four.
		const { a = 0, b = 0 } = world.count('www', 4000);
		assert.ok(Math.abs(a - b) < 5 * Math.sqrt(4000), `${a} and ${b}`);
	});
});

describe('a geo policy whose member another one has visited in the same query', () => {
	const shared = geo([], failover('a', 'b'));
	const zone = {
		pools: { a: pool('a'), b: pool('b') },
		policies: { shared },
		names: { first: { policy: all('a', 'shared') }, www: { policy: 'shared' } },
	};
	for (const { name, order } of [
		{ name: 'before it', order: ['first', 'www'] },
		{ name: 'after it', order: ['www', 'first'] },
	]) {
		it(`still tells that something is down, ${name}`, () => {
			const world = steer({ zone });
			world.set('a', 'down');
			for (const owner of [...order, ...order]) assert.equal(world.ttlSec(owner), 15, owner);
			world.set('a', 'up');
			for (const owner of [...order, ...order]) assert.equal(world.ttlSec(owner), 30, owner);
		});
	}
});

describe('a walk forgets the query before', () => {
	const zone = {
		networks: { one: ['1.0.0.0/8'] },
		pools: { a: pool('a'), b: pool('b'), all: pool('c d', { answers: 2 }) },
		names: { www: { policy: geo([{ match: { networks: ['one'] }, use: 'a' }], 'b') }, all: { policy: 'all' } },
	};

	it('its client, family, addresses and health', () => {
		const world = steer({ zone });
		assert.equal(world.ask('all').length, 'c d'.length);
		assert.equal(world.ask('www', { client: '1.1.1.1' }), 'a');
		assert.equal(world.ask('www', { client: '2.2.2.2' }), 'b');
		world.set('a/6', 'down');
		assert.equal(world.ask('www', { client: '1.1.1.1', family: 6 }), 'b');
		assert.equal(world.ttlSec('www', { client: '1.1.1.1', family: 6 }), 15);
		assert.equal(world.ttlSec('www', { client: '1.1.1.1', family: 4 }), 30);
	});

	for (const epoch of [0x7ffffffe, 0x7fffffff, -2, -1]) {
		it(`also when the count of queries passes ${epoch}`, () => {
			const world = steer({ zone });
			world.walk.epoch = epoch;
			for (let i = 0; i < 4; i++) {
				assert.equal(world.ask('www', { client: '1.1.1.1' }), 'a');
				assert.equal(world.scope('www', { client: '1.1.1.1' }), 8);
				assert.equal(world.ask('www', { client: '2.2.2.2' }), 'b');
				world.set('a', i % 2 === 0 ? 'down' : 'up');
				assert.equal(world.ask('www', { client: '1.1.1.1' }), i % 2 === 0 ? 'b' : 'a');
				world.set('a', 'up');
			}
			assert.ok(world.walk.epoch !== 0);
		});
	}
});

/** Asks many times, for clients of both families in turn, the bare way that a worker does. */
function walker({ walk, compiled }: World): (times: number) => void {
	const clients = ['1.2.3.4', '2.3.4.5', '9.9.9.9', '2a00::1', '2002:102:304::', '10.1.2.3'].map(addressOf);
	const resolver = addressOf('8.8.8.8');
	const root = compiled.table.names[0]?.root ?? -1;
	return (times) => {
		for (let i = 0; i < times; i++) {
			const client = clients[i % clients.length] ?? resolver;
			setWalkClient(walk, client.family, client.words, resolver.family, resolver.words);
			choose(walk, 0, i % 2 === 0 ? 4 : 6, true);
			scope(walk, root);
		}
	};
}

describe('a walk allocates nothing', () => {
	const at = (latitude: number, longitude: number) => ({
		coordinates: { latitude, longitude, precision: 'database' as const },
	});
	const data = geoDataOf({ '1.0.0.0/8': at(50, 8), '2.0.0.0/8': at(38, -77), '2a00::/16': at(50, 8) });
	const zone = {
		regions: { eu: { latitude: 53, longitude: -6 }, us: { latitude: 39, longitude: -77 } },
		networks: { one: ['1.0.0.0/8'], two: ['2.0.0.0/8'] },
		pools: {
			a: pool('a b c', { answers: 2, region: 'eu' }),
			b: pool('d:44 e', { minHealthy: 2, region: 'us' }),
			c: pool('f g h', { region: 'us' }),
			sticky: pool('i:44 j k', { by: 'client', answers: 2 }),
			cdn: pool('l:c m:c'),
		},
		policies: {
			inner: geo([{ match: { networks: ['one'] }, use: weighted(['a', 3], ['b', 1]) }], latency('b', 'c')),
		},
	};
	for (const { name, policy } of [
		{ name: 'for a failover of geo, weights and latency', policy: failover('inner', weighted(['c', 1], ['a', 0])) },
		{ name: 'for sticky weights', policy: sticky(['a', 3], ['b', 1], ['c', 2]) },
		{ name: 'for sticky weights in one another', policy: sticky([sticky(['a', 3], ['b', 1]), 1], ['c', 2]) },
		{ name: 'for a sticky pool', policy: 'sticky' },
		{ name: 'for proximity with a tie', policy: proximity('b', { use: 'c', weight: 5 }, { use: 'a', bias: -20 }) },
		{ name: 'for latency from two vantages', policy: latency('a', 'b', 'c') },
		{ name: 'for a union', policy: all('a', 'c', failover('b', 'sticky')) },
		{ name: 'for a trickle', policy: { ...failover('b', 'inner', 'c'), trickle: '30%' } },
		{ name: 'for CNAMEs', policy: weighted(['cdn', 1], ['a', 1]) },
	]) {
		it(name, () => {
			const spec = { ...zone, names: { www: { policy } } };
			const world = steer({ zone: spec, geo: data, vantages: ['eu', 'us'] });
			world.rtt('d', 10).rtt('f', 20).rtt('g', 30, 1).set('a', 'down').set('e', 'down').set('j', 'waiting');
			const ask = walker(world);
			ask(50_000);
			// The least of several, because whatever else runs in this process allocates too.
			let leastOctets = Number.POSITIVE_INFINITY;
			for (let i = 0; i < 5; i++) {
				const before = process.memoryUsage().heapUsed;
				ask(100_000);
				const grown = process.memoryUsage().heapUsed - before;
				if (grown >= 0) leastOctets = Math.min(leastOctets, grown);
			}
			assert.ok(leastOctets < 200_000, `${leastOctets} octets in 100,000 queries`);
		});
	}
});

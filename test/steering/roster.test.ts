import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { EndpointEntry } from '../../src/steering/nodes.ts';
import { Roster } from '../../src/steering/roster.ts';
import { pool, steer } from './steer.ts';

function endpointOf(weight: number, index: number): EndpointEntry {
	const address = { octetsAt: 4 * index, targets: [], seed: 0 };
	return { name: `e${index}`, weight, seed: 0, isForcedUp: false, addresses: [address], index };
}

function rosterWith(weights: readonly number[]): Roster {
	const endpoints = weights.map(endpointOf);
	const roster = new Roster(endpoints);
	roster.begin(1, false);
	for (const endpoint of endpoints) {
		for (const address of endpoint.addresses) roster.addAddress(address);
		roster.addEndpoint(endpoint, endpoint.weight);
	}
	return roster;
}

describe('Roster.endpointAt()', () => {
	it('gives each endpoint as many parts as it weighs, in their order', () => {
		const weights = fc.array(fc.nat(9), { minLength: 1, maxLength: 255 });
		fc.assert(
			fc.property(weights, (some) => {
				const roster = rosterWith(some);
				const expected = some.flatMap((weight, i) => new Array<number>(weight).fill(i));
				assert.equal(roster.weight, expected.length);
				assert.deepEqual(
					expected.map((_, part) => roster.endpointAt(part)),
					expected,
				);
			}),
		);
	});
});

describe('a roster', () => {
	it('holds the largest pool of the largest weights, each a hundredfold', () => {
		const roster = rosterWith(new Array<number>(255).fill(65_535 * 100));
		assert.equal(roster.weight, 255 * 65_535 * 100);
		assert.equal(roster.endpointAt(roster.weight - 1), 254);
	});

	it('leaves out an endpoint without addresses', () => {
		const roster = rosterWith([1]);
		roster.addEndpoint(endpointOf(5, 1), 5);
		assert.deepEqual([roster.count, roster.weight], [1, 1]);
	});

	it('follows each change of health, in each family by itself', () => {
		const world = steer({ zone: { pools: { p: pool('a b') }, names: { www: { policy: 'p' } } } });
		const drawn = (family: 4 | 6) => {
			const seen = new Set<string>();
			for (let i = 0; i < 64; i++) seen.add(world.ask('www', { family }));
			return [...seen].sort().join(' ');
		};
		assert.deepEqual([drawn(4), drawn(6)], ['a b', 'a b']);
		world.set('a/6', 'down');
		assert.deepEqual([drawn(4), drawn(6)], ['a b', 'b']);
		world.set('b', 'down');
		assert.deepEqual([drawn(4), drawn(6)], ['a', 'a b']);
		world.set('a', 'up');
		assert.deepEqual([drawn(4), drawn(6)], ['a', 'a']);
	});
});

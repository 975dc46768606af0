import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { combineRoundTrips, type RoundTrip, smoothed } from '../../src/health/round-trips.ts';

/** `region address ms measured [silent]` for each prober. */
function trips(...texts: readonly string[]): readonly RoundTrip[] {
	return texts.map((text) => {
		const [region = '', address = '', ms, measuredMs, silent] = text.split(' ');
		return { region, address, ms: Number(ms), measuredMs: Number(measuredMs), isAlive: silent === undefined };
	});
}

const cellsOf = (all: readonly RoundTrip[]) =>
	combineRoundTrips(all)
		.map(({ region, address, ms, measuredMs }) => `${region} ${address} ${ms} ${measuredMs}`)
		.sort();

describe('combineRoundTrips()', () => {
	for (const { name, published, cells } of [
		{ name: 'gives nothing for nothing', published: [], cells: [] },
		{ name: 'keeps the time of a single prober', published: ['eu a 12.5 1000'], cells: ['eu a 12.5 1000'] },
		{
			name: 'keeps regions and addresses apart',
			published: ['eu a 10 1', 'us a 90 2', 'eu b 20 3'],
			cells: ['eu a 10 1', 'eu b 20 3', 'us a 90 2'],
		},
		{ name: 'takes the median of three', published: ['eu a 10 1', 'eu a 900 7', 'eu a 12 3'], cells: ['eu a 12 7'] },
		{ name: 'takes the middle of two', published: ['eu a 10 1', 'eu a 20 2'], cells: ['eu a 15 2'] },
		{
			name: 'does not listen to the silent beside one that lives',
			published: ['eu a 10 1', 'eu a 90 900 silent', 'eu a 91 900 silent'],
			cells: ['eu a 10 1'],
		},
		{
			name: 'keeps the last times when all have fallen silent',
			published: ['eu a 10 5 silent', 'eu a 30 4 silent'],
			cells: ['eu a 20 5'],
		},
	]) {
		it(name, () => assert.deepEqual(cellsOf(trips(...published)), cells));
	}

	it('is the same in any order, and lies among the times that it is made of', () => {
		const trip = fc.record({
			region: fc.constantFrom('eu', 'us'),
			address: fc.constantFrom('a', 'b'),
			ms: fc.integer({ min: 0, max: 1000 }),
			measuredMs: fc.integer({ min: 0, max: 1000 }),
			isAlive: fc.boolean(),
		});
		const shuffled = fc
			.array(trip)
			.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
		fc.assert(
			fc.property(shuffled, ([all, other]) => {
				assert.deepEqual(cellsOf(all), cellsOf(other));
				for (const { region, address, ms } of combineRoundTrips(all)) {
					const own = all.filter((one) => one.region === region && one.address === address).map((one) => one.ms);
					assert.ok(Math.min(...own) <= ms && ms <= Math.max(...own));
				}
			}),
		);
	});
});

describe('smoothed()', () => {
	it('is the first sample, and then moves an eighth of the way to each', () => {
		assert.equal(smoothed(undefined, 20), 20);
		assert.equal(smoothed(20, 100), 30);
		assert.equal(smoothed(20, 4), 18);
	});
});

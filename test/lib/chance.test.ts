import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createChance } from '../../src/lib/chance.ts';
import type { Chance } from '../../src/lib/ports.ts';

/** How far counts are from even, in standard deviations of the chi-square sum. */
function surprise(counts: readonly number[]): number {
	const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
	const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
	const freedom = counts.length - 1;
	return (chiSquare - freedom) / Math.sqrt(2 * freedom);
}

function countsOf(buckets: number, draws: number, draw: () => number): number[] {
	const counts = new Array<number>(buckets).fill(0);
	for (let i = 0; i < draws; i++) {
		const bucket = draw();
		counts[bucket] = (counts[bucket] ?? 0) + 1;
	}
	return counts;
}

function numbersOf(seed: number): readonly number[] {
	const chance = createChance(seed);
	return Array.from({ length: 50 }, () => chance.below(1000));
}

describe('createChance()', () => {
	for (const { name, buckets, draw } of [
		{ name: 'draws two evenly', buckets: 2, draw: (chance: Chance) => chance.below(2) },
		{ name: 'draws ten evenly', buckets: 10, draw: (chance: Chance) => chance.below(10) },
		{ name: 'draws 256 evenly', buckets: 256, draw: (chance: Chance) => chance.below(256) },
		{
			name: 'favours no third of a bound that does not divide 2^31',
			buckets: 3,
			draw: (chance: Chance) => Math.floor(chance.below(3 * 2 ** 29) / 2 ** 29),
		},
		{
			name: 'draws a second time without regard to the first',
			buckets: 16,
			draw: (chance: Chance) => 4 * chance.below(4) + chance.below(4),
		},
		{
			name: 'draws a third time without regard to the first',
			buckets: 16,
			draw: (chance: Chance) => 4 * chance.below(4) + 0 * chance.below(7) + chance.below(4),
		},
	]) {
		it(name, () => {
			const chance = createChance(42);
			const sigmas = surprise(countsOf(buckets, 100_000, () => draw(chance)));
			assert.ok(Math.abs(sigmas) < 5, `${sigmas} standard deviations`);
		});
	}

	it('draws first numbers evenly over seeds side by side', () => {
		let seed = 0;
		const sigmas = surprise(countsOf(10, 10_000, () => createChance(seed++).below(10)));
		assert.ok(sigmas < 5, `${sigmas} standard deviations`);
	});

	it('stays below any bound, from any seed', () => {
		fc.assert(
			fc.property(fc.double(), fc.integer({ min: 1, max: 2 ** 31 - 1 }), (seed, bound) => {
				const chance = createChance(seed);
				for (let i = 0; i < 20; i++) {
					const drawn = chance.below(bound);
					assert.ok(Number.isInteger(drawn) && drawn >= 0 && drawn < bound, `${drawn}`);
				}
			}),
		);
	});

	it('draws alike from one seed, and otherwise from another', () => {
		assert.deepEqual(numbersOf(7), numbersOf(7));
		assert.notDeepEqual(numbersOf(7), numbersOf(8));
	});

	it('never gets stuck, not even where the seed mixes to nothing', () => {
		for (const seed of [0, -1, 0x5bd1e995]) assert.ok(new Set(numbersOf(seed)).size > 40);
	});
});

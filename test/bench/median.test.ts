import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estimate, printEstimate } from './median.ts';

/** 1, 2, ... n in another order. */
function upTo(n: number): readonly number[] {
	return Array.from({ length: n }, (_, i) => ((7 * i) % n) + 1);
}

describe('estimate()', () => {
	// The ranks of the sign test at 95 %, as tables of order statistics give them.
	for (const [count, median, low, high] of [
		[1, 1, 1, 1],
		[2, 1.5, 1, 2],
		[5, 3, 1, 5],
		[6, 3.5, 1, 6],
		[8, 4.5, 1, 8],
		[9, 5, 2, 8],
		[11, 6, 2, 10],
		[12, 6.5, 3, 10],
		[15, 8, 4, 12],
		[20, 10.5, 6, 15],
		[25, 13, 8, 18],
		[30, 15.5, 10, 21],
	] as const) {
		it(`of ${count} values takes ranks ${low} to ${high}`, () => {
			assert.deepEqual(estimate(upTo(count)), { median, low, high, count });
		});
	}

	it('prints the interval behind the median', () => {
		assert.equal(printEstimate(estimate([0.5, 1, 1.25])), '1.00 (0.50–1.25)');
	});
});

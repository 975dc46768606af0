import assert from 'node:assert/strict';

/** How unlikely counts are under shares, in standard deviations of the chi-square sum. */
export function surprise(counts: Readonly<Record<string, number>>, shares: Readonly<Record<string, number>>): number {
	const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
	const whole = Object.values(shares).reduce((sum, share) => sum + share, 0);
	assert.deepEqual(Object.keys(counts).sort(), Object.keys(shares).sort());
	let chiSquare = 0;
	for (const [name, share] of Object.entries(shares)) {
		const expected = (total * share) / whole;
		chiSquare += ((counts[name] ?? 0) - expected) ** 2 / expected;
	}
	const freedom = Object.keys(shares).length - 1;
	return freedom === 0 ? 0 : (chiSquare - freedom) / Math.sqrt(2 * freedom);
}

/**
 * The middle of a few measurements and how sure it is, without a word on how they are spread.
 */

export interface Estimate {
	readonly median: number;
	/** Holds the true median with at least 95 % (sign test); the extremes when they are too few for that. */
	readonly low: number;
	readonly high: number;
	readonly count: number;
}

const CHANCE_OUTSIDE_MAX = 0.05;

export function estimate(values: readonly number[]): Estimate {
	const sorted = values.toSorted((a, b) => a - b);
	const count = sorted.length;
	const outer = leftOut(count);
	return {
		median: ((sorted[(count - 1) >> 1] ?? 0) + (sorted[count >> 1] ?? 0)) / 2,
		low: sorted[outer] ?? 0,
		high: sorted[count - 1 - outer] ?? 0,
		count,
	};
}

/** How many values of either end the interval can do without: each falls below the true median as a coin falls. */
function leftOut(count: number): number {
	let outer = 0;
	let ways = 1;
	let chance = 2 * 0.5 ** count;
	while (chance <= CHANCE_OUTSIDE_MAX) {
		outer++;
		ways = (ways * (count - outer + 1)) / outer;
		chance += 2 * ways * 0.5 ** count;
	}
	return Math.max(0, outer - 1);
}

export function printEstimate({ median, low, high }: Estimate, digits = 2): string {
	return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

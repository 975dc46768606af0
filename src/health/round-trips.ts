/**
 * Round-trip times: each smoothed where it is measured, and those of several probers of a region made one.
 *
 *     samples -> smoothed, by prober and address -> median of the region's probers -> a cell of the matrix
 *
 * | probers of the region that have measured the address | its time is                                   |
 * |------------------------------------------------------|-----------------------------------------------|
 * | some alive                                           | the median of theirs                          |
 * | all silent                                           | the median of their last ones, which grow old |
 * | none                                                 | unknown                                       |
 */

/** A new sample weighs an eighth, as TCP's own smoothed time does (RFC 6298 §2). */
const NEW_SHARE = 8;

/** What one prober has published of one address. */
export interface RoundTrip {
	readonly region: string;
	readonly address: string;
	readonly ms: number;
	/** By the reader's monotonic clock. */
	readonly measuredMs: number;
	/** Its prober lives. */
	readonly isAlive: boolean;
}

/** What is known of an address in a region. */
export interface RegionRoundTrip {
	readonly region: string;
	readonly address: string;
	readonly ms: number;
	/** When the latest of the times in it was measured. */
	readonly measuredMs: number;
}

/** @param before  undefined ahead of the first sample */
export function smoothed(before: number | undefined, sample: number): number {
	return before === undefined ? sample : before + (sample - before) / NEW_SHARE;
}

/** One for each region and address; the order of what is given does not count. */
export function combineRoundTrips(roundTrips: Iterable<RoundTrip>): readonly RegionRoundTrip[] {
	const cells = new Map<string, RoundTrip[]>();
	for (const one of roundTrips) {
		const key = JSON.stringify([one.region, one.address]);
		const cell = cells.get(key);
		if (cell === undefined) cells.set(key, [one]);
		else cell.push(one);
	}
	return [...cells.values()].map(combined);
}

function combined(all: readonly RoundTrip[]): RegionRoundTrip {
	const alive = all.filter(({ isAlive }) => isAlive);
	const counted = alive.length > 0 ? alive : all;
	const [{ region, address } = { region: '', address: '' }] = counted;
	const measuredMs = counted.reduce((latest, one) => Math.max(latest, one.measuredMs), Number.NEGATIVE_INFINITY);
	return { region, address, ms: median(counted.map(({ ms }) => ms)), measuredMs };
}

/** Of an even number the mean of the two in the middle. */
function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >>> 1;
	const upper = sorted[middle] ?? 0;
	return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

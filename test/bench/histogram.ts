/**
 * Latencies by size, to within 3 %: each doubling is cut into 32 steps.
 */

const STEP_BITS = 5;
const STEPS = 1 << STEP_BITS;
const BUCKETS = 32 * STEPS;

export class Histogram {
	readonly counts = new Float64Array(BUCKETS);

	add(us: number): void {
		const bucket = bucketOf(us);
		this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
	}

	addAll(counts: Float64Array): void {
		for (const [bucket, count] of counts.entries()) this.counts[bucket] = (this.counts[bucket] ?? 0) + count;
	}

	/** What a share of them does not exceed, in microseconds; 0 when there are none. */
	quantile(share: number): number {
		const total = this.counts.reduce((sum, count) => sum + count, 0);
		let seen = 0;
		for (const [bucket, count] of this.counts.entries()) {
			seen += count;
			if (count > 0 && seen >= share * total) return leastOf(bucket);
		}
		return 0;
	}
}

/** Below 32 exactly; above, the five bits behind the highest one count. */
function bucketOf(us: number): number {
	const whole = Math.max(0, Math.min(us, 0x7fffffff)) | 0;
	if (whole < STEPS) return whole;
	const shift = 31 - Math.clz32(whole) - STEP_BITS;
	return (shift + 1) * STEPS + ((whole >>> shift) & (STEPS - 1));
}

function leastOf(bucket: number): number {
	if (bucket < STEPS) return bucket;
	const shift = (bucket >>> STEP_BITS) - 1;
	return (STEPS + (bucket & (STEPS - 1))) * 2 ** shift;
}

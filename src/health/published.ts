/**
 * What a prober has published, as an instance reads it. Times are of the reader's monotonic clock; across machines
 * they travel as ages.
 */

export interface PublishedVote {
	readonly vote: 'up' | 'down';
	/** When the vote last turned. */
	readonly sinceMs: number;
	/** When the target was last checked. */
	readonly checkedMs: number;
}

export interface ProberReport {
	/** Unique in the fleet. */
	readonly prober: string;
	readonly region: string;
	/** Its lease lives. */
	readonly isAlive: boolean;
	/** Since when it says that it is cut off (anchors.ts); absent while it is not. */
	readonly cutOffMs?: number;
	/** By target key; a target that it has not judged yet is absent. */
	readonly votes: ReadonlyMap<string, PublishedVote>;
}

/** A vote counts as fresh up to this many intervals after the check that it rests on. */
const FRESH_INTERVALS = 3;

export function isFresh({ isAlive }: ProberReport, vote: PublishedVote, intervalMs: number, nowMs: number): boolean {
	return isAlive && nowMs - vote.checkedMs <= FRESH_INTERVALS * intervalMs;
}

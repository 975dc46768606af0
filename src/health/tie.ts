/**
 * A tie of regions where those that say up have fallen silent. A tie is up; but a region may die together with its
 * prober, whose last word would then keep it in answers for ever.
 *
 * | those that say up            | looked last                        | the tie is |
 * |------------------------------|------------------------------------|------------|
 * | some are fresh               | any time                           | up         |
 * | all are silent               | after the last of the others turned down: they saw it up all the same | up |
 * | all are silent               | before that: they never saw what that one saw | down |
 *
 * Those that say down may be silent too: losing one of them must not turn the tie.
 */

import { type RegionVotes, saysDown } from './consensus.ts';
import type { RegionVote } from './up-since.ts';

/** A vote that counts, and whether it is of late. */
export interface PolledVote extends RegionVote {
	readonly isFresh: boolean;
}

export function isTieDown(votes: readonly PolledVote[], regions: ReadonlyMap<string, RegionVotes>): boolean {
	const downs = new Set([...regions].filter(([, counts]) => saysDown(counts)).map(([region]) => region));
	if (2 * downs.size !== regions.size) return false;
	const turnedMs = Math.max(
		...votes.filter(({ region, vote }) => vote.vote === 'down' && downs.has(region)).map(({ vote }) => vote.sinceMs),
	);
	return votes.every(({ region, vote, isFresh }) => downs.has(region) || (!isFresh && vote.checkedMs < turnedMs));
}

/**
 * Since when the votes on a target say up: what a slow start counts from.
 *
 * Each vote was the opposite before it turned, so the past is read off the votes as they stand, latest turn first, up
 * to the turn before which they said down. Nothing but votes goes in: instances agree without talking, and one that
 * starts in the middle of a slow start goes on with it.
 *
 *     votes now      up (90 s)  up (20 s)  up (5 s)
 *     before  5 s    up         up         down      up by majority
 *     before 20 s    up         down       down      down: up since 20 s
 */

import type { Consensus } from '../model/monitor-voting.ts';
import { isVotedDown, type RegionVotes } from './consensus.ts';
import type { PublishedVote } from './published.ts';

/** A vote that counts, with the region of its prober. */
export interface RegionVote {
	readonly region: string;
	readonly vote: PublishedVote;
}

/** @returns undefined when they say down, or have never said anything but up */
export function upSinceMs(votes: readonly RegionVote[], consensus: Consensus): number | undefined {
	if (votes.length === 0 || isDown(votes, consensus, Number.POSITIVE_INFINITY)) return undefined;
	const turnsMs = new Set(votes.map(({ vote }) => vote.sinceMs).sort((a, b) => b - a));
	for (const turnMs of turnsMs) if (isDown(votes, consensus, turnMs)) return turnMs;
	return undefined;
}

/** Whether they said down just before a moment. */
function isDown(votes: readonly RegionVote[], consensus: Consensus, beforeMs: number): boolean {
	const regions = new Map<string, RegionVotes>();
	for (const { region, vote } of votes) {
		const counts = regions.get(region) ?? { up: 0, down: 0 };
		regions.set(region, counts);
		const hasTurned = vote.sinceMs < beforeMs;
		counts[(vote.vote === 'up') === hasTurned ? 'up' : 'down']++;
	}
	return isVotedDown(regions.values(), consensus);
}

/**
 * Rise/fall damping: turns the raw results of one target at one prober into its vote.
 * Pure: no clock, no other target, no other prober.
 *
 * | vote    | a success                  | a failure                  |
 * | unknown | up                         | `fall` of them in a row: down |
 * | up      | stays, forgets failures    | `fall` of them in a row: down |
 * | down    | `rise` of them in a row: up | stays, forgets successes   |
 *
 * One success is enough at the start, because nobody should wait `rise` intervals for a healthy endpoint.
 */

import type { Vote } from './target.ts';

export interface RiseFall {
	readonly vote: Vote;
	/** Results in a row that speak against the vote; back to 0 with each one that speaks for it. */
	readonly run: number;
}

export interface Thresholds {
	/** Failures in a row until the vote is down. */
	readonly fall: number;
	/** Successes in a row until a down vote is up. */
	readonly rise: number;
}

export const NEVER_CHECKED: RiseFall = { vote: 'unknown', run: 0 };

/** The state after one more result. */
export function nextRiseFall(state: RiseFall, isSuccess: boolean, { fall, rise }: Thresholds): RiseFall {
	if (isSuccess && state.vote !== 'down') return { vote: 'up', run: 0 };
	if (!isSuccess && state.vote === 'down') return { vote: 'down', run: 0 };
	const run = state.run + 1;
	if (run < (isSuccess ? rise : fall)) return { vote: state.vote, run };
	return { vote: isSuccess ? 'up' : 'down', run: 0 };
}

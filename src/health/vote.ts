/**
 * A prober's vote on one target: rise and fall, then flap damping.
 * Pure: one target, one prober; times are arguments.
 *
 *     result -> rise/fall -> steady vote -> damping -> vote that is published
 *
 * | steady vote | published before | turns in `flapWindow`          | published                                  |
 * |-------------|------------------|--------------------------------|--------------------------------------------|
 * | unknown     | any              | any                            | unknown                                    |
 * | down        | any              | any                            | down: what fails leaves at once            |
 * | up          | unknown, up      | any                            | up                                         |
 * | up          | down             | leave room for this and one more | up                                       |
 * | up          | down             | else                           | down, held for `flapWindow`                |
 * | up          | down, held       | any                            | down until the hold ends                   |
 *
 * A turn up is held back while the turn down that may follow it would be one too many: so within any `flapWindow` the
 * vote turns at most `maxFlips` times, and a turn down never waits. Each hold that follows another soon is twice as long.
 */

import { NEVER_CHECKED, nextRiseFall, type RiseFall, type Thresholds } from './rise-fall.ts';
import type { Vote } from './target.ts';

export interface VoteState {
	/** What is published. */
	readonly vote: Vote;
	/** When it last changed; while it is unknown, when the target was added. */
	readonly sinceMs: number;
	/** The vote without damping. */
	readonly steady: RiseFall;
	/** Turns of the steady vote, and ends of holds, within the window; oldest first. */
	readonly turnsMs: readonly number[];
	/** End of the last hold; undefined when there was none. */
	readonly heldUntilMs: number | undefined;
	/** Holds in a row, each soon after the one before. */
	readonly holds: number;
}

export interface Damping extends Thresholds {
	/** Turns of the vote within the window; one turn down and up again is always allowed. */
	readonly maxFlips: number;
	readonly flapWindowMs: number;
}

const FLIPS_LEAST = 2;
/** The longest hold is so many windows. */
const HOLD_WINDOWS_MAX = 8;

export function neverVoted(nowMs: number): VoteState {
	return {
		vote: 'unknown',
		sinceMs: nowMs,
		steady: NEVER_CHECKED,
		turnsMs: [],
		heldUntilMs: undefined,
		holds: 0,
	};
}

/** The state after one more result. */
export function nextVote(state: VoteState, isSuccess: boolean, damping: Damping, nowMs: number): VoteState {
	const steady = nextRiseFall(state.steady, isSuccess, damping);
	const hasTurned = state.steady.vote !== 'unknown' && steady.vote !== state.steady.vote;
	const recentMs = state.turnsMs.filter((turnMs) => turnMs > nowMs - damping.flapWindowMs);
	const turnsMs = hasTurned ? [...recentMs, nowMs].slice(-damping.maxFlips - 1) : recentMs;
	const next: VoteState = { ...state, steady, turnsMs };
	if (steady.vote !== 'up' || state.vote !== 'down') return turnedTo(next, steady.vote, nowMs);
	if (isHeld(state, nowMs)) return next;
	// The end of a hold is a turn of its own.
	const releasedMs = hasTurned ? turnsMs : [...turnsMs, nowMs];
	if (releasedMs.length + 1 > Math.max(damping.maxFlips, FLIPS_LEAST)) return held(next, damping, nowMs);
	return turnedTo({ ...next, turnsMs: releasedMs }, 'up', nowMs);
}

/** Whether the vote is down only because it flaps, or would be. */
export function isHeld({ heldUntilMs }: VoteState, nowMs: number): boolean {
	return heldUntilMs !== undefined && nowMs < heldUntilMs;
}

function turnedTo(state: VoteState, vote: Vote, nowMs: number): VoteState {
	return vote === state.vote ? state : { ...state, vote, sinceMs: nowMs };
}

function held(state: VoteState, { flapWindowMs }: Damping, nowMs: number): VoteState {
	const lastHoldMs = holdMs(flapWindowMs, state.holds);
	// As much quiet as the last hold took, and the next one is short again.
	const isSoon = state.heldUntilMs !== undefined && nowMs < state.heldUntilMs + lastHoldMs;
	const holds = isSoon ? state.holds + 1 : 1;
	return { ...state, holds, heldUntilMs: nowMs + holdMs(flapWindowMs, holds) };
}

function holdMs(flapWindowMs: number, holds: number): number {
	return flapWindowMs * Math.min(2 ** Math.max(0, holds - 1), HOLD_WINDOWS_MAX);
}

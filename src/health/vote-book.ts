/**
 * The votes of one prober on all its targets: each result is counted here, each turn remembered.
 * Knows no clock and no schedule; what a check found beside its success is carried along unread.
 *
 *     result -> take() -> vote -> report() -> consensus
 *                          |
 *                          '-> save() -> kept over a restart -> restore()
 *
 * A monitor that was edited makes another check of the same place: it goes on from the vote that was there, since
 * nothing better is known and forgetting would put back into answers what is down.
 */

import type { ProberReport, PublishedVote } from './published.ts';
import type { Target, Vote } from './target.ts';
import { isHeld, neverVoted, nextVote, type VoteState } from './vote.ts';

/** What the book reads of a check's result. */
export interface Finding {
	/** undefined when the check could not be made, which is no word on the target. */
	readonly isUp: boolean | undefined;
	readonly reason: string;
}

export interface Transition {
	readonly atMs: number;
	readonly vote: Vote;
	readonly reason: string;
}

/** A target and what is known of it. Times are of the prober's monotonic clock. */
export interface TargetVote<F extends Finding> {
	readonly target: Target;
	readonly state: VoteState;
	/** When it became a target. */
	readonly addedMs: number;
	/** It came to a prober that knew others already. */
	readonly isNew: boolean;
	/** The last result that was a word on the target; undefined before the first. */
	readonly checkedMs: number | undefined;
	/** Of the last result, or why there is none. */
	readonly reason: string | undefined;
	/** Of this process; undefined before the first. */
	readonly last: F | undefined;
	/** The latest ones, oldest first. */
	readonly history: readonly Transition[];
	/** Turns since the process started. */
	readonly turns: number;
}

/** What a result has changed. */
export type Change = 'nothing' | 'turned' | 'held';

/** A vote as it is kept: all times are ages, which survive a restart of the clock. */
export interface SavedVote {
	readonly key: string;
	/** For a check that comes back edited, or made by another version of this program. */
	readonly place: string;
	readonly vote: Vote;
	readonly sinceAgeMs: number;
	readonly steadyVote: Vote;
	readonly turnAgesMs: readonly number[];
	readonly heldForMs?: number;
	readonly holds: number;
	readonly checkedAgeMs?: number;
	readonly reason?: string;
	/** Smoothed round-trip time; the book does not have it. */
	readonly rttMs?: number;
	readonly history: readonly { readonly ageMs: number; readonly vote: Vote; readonly reason: string }[];
}

const HISTORY_MAX = 16;

export class VoteBook<F extends Finding> {
	readonly #entries = new Map<string, TargetVote<F>>();
	/** From the state directory, until the first targets are there. */
	#restored: ReadonlyMap<string, Past> = new Map();
	#knowsOthers = false;

	/**
	 * Take back what was saved; for the targets that are set next.
	 * @param elapsedMs  between saving and now
	 */
	restore(saved: readonly SavedVote[], elapsedMs: number, nowMs: number): void {
		this.#restored = new Map(saved.map((vote) => [vote.key, read(vote, nowMs - elapsedMs)]));
		this.#knowsOthers = saved.length > 0;
	}

	/** These are the targets from now on. One that was there before keeps its vote. */
	setTargets(targets: readonly Target[], nowMs: number): void {
		const before = new Map(this.#entries);
		const keys = new Set(targets.map(({ key }) => key));
		const pasts = [...this.#restored, ...[...before].map(([key, entry]) => [key, pastOf(entry)] as const)];
		const left = byPlace(pasts.filter(([key]) => !keys.has(key)).map(([, past]) => past));
		this.#entries.clear();
		for (const target of targets) {
			const past = this.#restored.get(target.key) ?? left.get(placeOf(target));
			this.#entries.set(target.key, before.get(target.key) ?? this.#added(target, past, nowMs));
		}
		this.#restored = new Map();
		if (targets.length > 0) this.#knowsOthers = true;
	}

	#added(target: Target, past: Past | undefined, nowMs: number): TargetVote<F> {
		return {
			target,
			state: past?.state ?? neverVoted(nowMs),
			addedMs: nowMs,
			isNew: past === undefined && this.#knowsOthers,
			checkedMs: past?.checkedMs,
			reason: past?.reason,
			last: undefined,
			history: past?.history ?? [],
			turns: 0,
		};
	}

	/** Count a result; one on what is no target any more changes nothing. */
	take(key: string, finding: F, nowMs: number): Change {
		const entry = this.#entries.get(key);
		if (entry === undefined) return 'nothing';
		const { reason, isUp } = finding;
		if (isUp === undefined) {
			this.#entries.set(key, { ...entry, reason, last: finding });
			return 'nothing';
		}
		const before = entry.state;
		const state = nextVote(before, isUp, entry.target.monitor, nowMs);
		const next: TargetVote<F> = { ...entry, state, checkedMs: nowMs, reason, last: finding };
		const hasTurned = state.vote !== before.vote;
		const isHeldAnew = state.heldUntilMs !== before.heldUntilMs;
		if (!hasTurned && !isHeldAnew) {
			this.#entries.set(key, next);
			return 'nothing';
		}
		const why = isHeldAnew ? `flaps: held down for ${Math.round(((state.heldUntilMs ?? 0) - nowMs) / 1000)} s` : reason;
		const history = [...entry.history, { atMs: nowMs, vote: state.vote, reason: why }].slice(-HISTORY_MAX);
		this.#entries.set(key, { ...next, history, turns: entry.turns + (hasTurned ? 1 : 0) });
		return hasTurned ? 'turned' : 'held';
	}

	/** A target that is never checked, and why. */
	refuse(key: string, reason: string): void {
		const entry = this.#entries.get(key);
		if (entry !== undefined) this.#entries.set(key, { ...entry, reason });
	}

	get(key: string): TargetVote<F> | undefined {
		return this.#entries.get(key);
	}

	list(): readonly TargetVote<F>[] {
		return [...this.#entries.values()];
	}

	/** The book as others may read it. */
	report(prober: string, region: string): ProberReport {
		const votes = new Map<string, PublishedVote>();
		for (const [key, { state, checkedMs }] of this.#entries) {
			if (state.vote === 'unknown' || checkedMs === undefined) continue;
			votes.set(key, { vote: state.vote, sinceMs: state.sinceMs, checkedMs });
		}
		return { prober, region, isAlive: true, votes };
	}

	/** Every target that has a vote. */
	save(nowMs: number): readonly SavedVote[] {
		return this.list()
			.filter(({ state }) => state.vote !== 'unknown')
			.map((entry) => write(entry, nowMs));
	}
}

/** Where a check looks, whatever it asks there. */
function placeOf({ address, port, monitor }: Target): string {
	return `${monitor.kind} ${address} ${port}`;
}

/** What is known of a check that is made no more, or not yet again. */
interface Past extends Pick<TargetVote<Finding>, 'state' | 'checkedMs' | 'reason' | 'history'> {
	readonly place: string;
}

function pastOf({ target, state, checkedMs, reason, history }: TargetVote<Finding>): Past {
	return { place: placeOf(target), state, checkedMs, reason, history };
}

/** By place; of several in one place, one that is down, for it must not be forgotten. */
function byPlace(pasts: readonly Past[]): ReadonlyMap<string, Past> {
	const ups = pasts.filter(({ state }) => state.vote === 'up');
	const downs = pasts.filter(({ state }) => state.vote === 'down');
	return new Map([...ups, ...downs].map((past) => [past.place, past]));
}

function write<F extends Finding>(entry: TargetVote<F>, nowMs: number): SavedVote {
	const { target, state, checkedMs, reason, history } = entry;
	return {
		key: target.key,
		place: placeOf(target),
		vote: state.vote,
		sinceAgeMs: nowMs - state.sinceMs,
		steadyVote: state.steady.vote,
		turnAgesMs: state.turnsMs.map((turnMs) => nowMs - turnMs),
		...(state.heldUntilMs === undefined ? {} : { heldForMs: state.heldUntilMs - nowMs }),
		holds: state.holds,
		...(checkedMs === undefined ? {} : { checkedAgeMs: nowMs - checkedMs }),
		...(reason === undefined ? {} : { reason }),
		history: history.map(({ atMs, ...rest }) => ({ ageMs: nowMs - atMs, ...rest })),
	};
}

/** @param savedMs  when it was saved, on the present clock */
function read(saved: SavedVote, savedMs: number): Past {
	const state: VoteState = {
		vote: saved.vote,
		sinceMs: savedMs - saved.sinceAgeMs,
		// Results in a row are counted anew: what came between is not known.
		steady: { vote: saved.steadyVote, run: 0 },
		turnsMs: saved.turnAgesMs.map((ageMs) => savedMs - ageMs),
		heldUntilMs: saved.heldForMs === undefined ? undefined : savedMs + saved.heldForMs,
		holds: saved.holds,
	};
	const history = saved.history.map(({ ageMs, ...rest }) => ({ atMs: savedMs - ageMs, ...rest }));
	return {
		place: saved.place,
		state,
		checkedMs: saved.checkedAgeMs === undefined ? undefined : savedMs - saved.checkedAgeMs,
		reason: saved.reason,
		history,
	};
}

/** Why the vote is what it is, for people. */
export function reasonOf<F extends Finding>({ state, reason }: TargetVote<F>, nowMs: number): string | undefined {
	if (!isHeld(state, nowMs)) return reason;
	const leftSec = Math.ceil(((state.heldUntilMs ?? nowMs) - nowMs) / 1000);
	return `flaps: held down for ${leftSec} s more; last result: ${reason}`;
}

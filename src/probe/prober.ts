/**
 * Checks targets on their schedules and turns results into votes. Knows no pool, no store and no other prober; how a
 * check is made is passed in.
 *
 *   timer -> slot -> waiting (at most `concurrencyMax` run) -> check -> rise/fall -> onObservation
 *
 * After a pause of the whole process, deadlines and timers fire together before any answer is read: failures then say
 * nothing about the target. The first one is not believed, the target is checked again at once.
 */

import { NEVER_CHECKED, nextRiseFall, type RiseFall } from '../health/rise-fall.ts';
import type { Target, Vote } from '../health/target.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Check } from './check.ts';
import type { CheckResult } from './check-result.ts';
import type { Guard } from './guard.ts';
import { firstCheckDelayMs, isAfterPause, nextSlotMs, type Rhythm, rhythmOf } from './schedule.ts';

/** One result that counted, and the vote after it. Times are of the prober's monotonic clock. */
export interface Observation {
	readonly key: string;
	readonly vote: Vote;
	/** The raw result. */
	readonly isUp: boolean;
	readonly reason: string;
	readonly rttMs: number | undefined;
	readonly atMs: number;
	/** When the vote last changed. */
	readonly sinceMs: number;
	/** This result changed the vote. */
	readonly changed: boolean;
}

export interface TargetState extends RiseFall {
	readonly key: string;
	readonly target: Target;
	/** When the vote last changed; while it is unknown, when the target was added. */
	readonly sinceMs: number;
	/** undefined until the first result. */
	readonly lastCheckMs: number | undefined;
	/** Of the last result, or why the target is never checked; undefined until then. */
	readonly lastReason: string | undefined;
	readonly lastRttMs: number | undefined;
}

interface ProberParts {
	readonly clock: Clock;
	readonly log: Log;
	readonly guard: Guard;
	readonly check: Check;
	readonly onObservation: (observation: Observation) => void;
	/** Checks under way at one time. */
	readonly concurrencyMax?: number;
}

interface Entry {
	readonly rhythm: Rhythm;
	state: TargetState;
	/** The slot that `timer` waits for. */
	plannedMs: number;
	timer: NodeJS.Timeout | undefined;
	/** Stops the check under way; undefined while there is none. */
	stop: AbortController | undefined;
	/** A slot came so late that the next failure is not believed. */
	isAfterPause: boolean;
}

const CONCURRENCY_MAX = 256;

export class Prober {
	readonly #parts: ProberParts;
	readonly #entries = new Map<string, Entry>();
	/** In the order in which their slots came. */
	readonly #waiting = new Set<Entry>();
	readonly #underWay = new Set<Promise<void>>();
	#isClosed = false;

	constructor(parts: ProberParts) {
		this.#parts = parts;
	}

	/** Check these from now on and no others. A target that was there before keeps its vote and its schedule. */
	setTargets(targets: readonly Target[]): void {
		if (this.#isClosed) return;
		const keys = new Set(targets.map(({ key }) => key));
		for (const [key, entry] of this.#entries) {
			if (!keys.has(key)) this.#remove(entry);
		}
		for (const target of targets) {
			if (!this.#entries.has(target.key)) this.#add(target);
		}
	}

	states(): readonly TargetState[] {
		return [...this.#entries.values()].map(({ state }) => state);
	}

	/** Ends every check under way and leaves no timer and no socket. Observations end at once. */
	async close(): Promise<void> {
		this.setTargets([]);
		this.#isClosed = true;
		await Promise.all(this.#underWay);
	}

	#add(target: Target): void {
		const { clock, guard, log } = this.#parts;
		const nowMs = clock.nowMs();
		const denial = guard(target.address);
		const entry: Entry = {
			rhythm: rhythmOf(target.key, target.monitor.intervalMs),
			state: {
				...NEVER_CHECKED,
				key: target.key,
				target,
				sinceMs: nowMs,
				lastCheckMs: undefined,
				lastReason: denial === undefined ? undefined : `denied: ${denial}`,
				lastRttMs: undefined,
			},
			plannedMs: nowMs,
			timer: undefined,
			stop: undefined,
			isAfterPause: false,
		};
		this.#entries.set(target.key, entry);
		if (denial === undefined) this.#plan(entry, nowMs + firstCheckDelayMs(entry.rhythm));
		else log.warn(describe(entry.state), 'target is never probed');
	}

	#remove(entry: Entry): void {
		clearTimeout(entry.timer);
		this.#waiting.delete(entry);
		entry.stop?.abort();
		this.#entries.delete(entry.state.key);
	}

	#plan(entry: Entry, atMs: number): void {
		clearTimeout(entry.timer);
		entry.plannedMs = atMs;
		entry.timer = setTimeout(() => this.#onSlot(entry), Math.max(0, atMs - this.#parts.clock.nowMs()));
	}

	#onSlot(entry: Entry): void {
		const nowMs = this.#parts.clock.nowMs();
		if (isAfterPause(entry.rhythm, entry.plannedMs, nowMs)) entry.isAfterPause = true;
		// Timers may fire a fraction of a millisecond early: the slot just served is not the next one.
		this.#plan(entry, nextSlotMs(entry.rhythm, Math.max(nowMs, entry.plannedMs)));
		// Never two checks of one target at once: the one under way stands for this slot.
		if (entry.stop !== undefined) return;
		this.#waiting.add(entry);
		this.#startWaiting();
	}

	#startWaiting(): void {
		const { concurrencyMax = CONCURRENCY_MAX } = this.#parts;
		for (const entry of this.#waiting) {
			if (this.#underWay.size >= concurrencyMax) return;
			this.#waiting.delete(entry);
			const running = this.#run(entry).finally(() => {
				this.#underWay.delete(running);
				this.#startWaiting();
			});
			this.#underWay.add(running);
		}
	}

	async #run(entry: Entry): Promise<void> {
		const stop = new AbortController();
		entry.stop = stop;
		const result = await this.#parts.check(entry.state.target, stop.signal);
		entry.stop = undefined;
		if (!stop.signal.aborted) this.#take(entry, result);
	}

	#take(entry: Entry, result: CheckResult): void {
		const nowMs = this.#parts.clock.nowMs();
		// A deadline fires before the slot that follows it, so that slot is looked at here as well.
		const isDoubtful = entry.isAfterPause || isAfterPause(entry.rhythm, entry.plannedMs, nowMs);
		entry.isAfterPause = false;
		if (isDoubtful && !result.isUp) {
			// Anew, or the overdue slot would cast doubt on the second check too.
			this.#plan(entry, nextSlotMs(entry.rhythm, nowMs));
			this.#waiting.add(entry); // started when #run ends
			return;
		}
		this.#count(entry, result, nowMs);
	}

	#count(entry: Entry, { isUp, reason, rttMs }: CheckResult, atMs: number): void {
		const { log, onObservation } = this.#parts;
		const before = entry.state;
		const { vote, run } = nextRiseFall(before, isUp, before.target.monitor);
		const changed = vote !== before.vote;
		const sinceMs = changed ? atMs : before.sinceMs;
		entry.state = { ...before, vote, run, sinceMs, lastCheckMs: atMs, lastReason: reason, lastRttMs: rttMs };
		if (changed && vote === 'up') log.info(describe(entry.state), 'target is up');
		if (changed && vote === 'down') log.warn(describe(entry.state), 'target is down');
		onObservation({ key: before.key, vote, isUp, reason, rttMs, atMs, sinceMs, changed });
	}
}

function describe({ target, lastReason }: TargetState): Readonly<Record<string, unknown>> {
	return { address: target.address, port: target.port, kind: target.monitor.kind, reason: lastReason };
}

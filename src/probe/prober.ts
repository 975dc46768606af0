/**
 * Checks targets on their schedules and hands over the results. Knows no vote, no pool, no store and no other prober;
 * how a check is made is passed in.
 *
 *   timer -> slot -> waiting -> check under way: brisk, then slow -> onObservation
 *
 * At most `briskMax` checks are brisk. One that has not ended after BRISK_MS counts as slow and makes room for another,
 * so that hundreds of targets which hang, each until its deadline, do not hold up the others. At most `slowMax` are slow;
 * past that, checks stay brisk, and the sockets of the process are bounded by the sum of both.
 *
 * After a pause of the whole process, deadlines and timers fire together before any answer is read: failures then say
 * nothing about the target. The first one is not believed, the target is checked again at once.
 */

import { isIP } from 'node:net';
import type { Target } from '../health/target.ts';
import type { Clock } from '../lib/ports.ts';
import type { Check } from './check.ts';
import type { CheckResult } from './check-result.ts';
import type { Guard } from './guard.ts';
import { firstCheckDelayMs, isAfterPause, nextSlotMs, type Rhythm, rhythmOf } from './schedule.ts';

/** One result that counts. */
export interface Observation {
	readonly key: string;
	readonly result: CheckResult;
	/** When it came, on the prober's monotonic clock. */
	readonly atMs: number;
	/** How long the check took. */
	readonly tookMs: number;
	/** How long after its moment it began. */
	readonly lagMs: number;
}

interface ProberParts {
	/** Tells probers apart, so that several do not check a target at the same moments. */
	readonly identity?: string;
	readonly clock: Clock;
	readonly guard: Guard;
	readonly check: Check;
	readonly onObservation: (observation: Observation) => void;
	/** A target is never checked, for this reason. */
	readonly onDenied: (key: string, reason: string) => void;
	/** Checks under way at one time, beside those that are slow. */
	readonly briskMax?: number;
	readonly slowMax?: number;
}

interface Entry {
	readonly rhythm: Rhythm;
	readonly target: Target;
	/** The slot that `timer` waits for. */
	plannedMs: number;
	/** The slot that came last, or when a second check was asked for. */
	dueMs: number;
	timer: NodeJS.Timeout | undefined;
	/** Stops the check under way; undefined while there is none. */
	stop: AbortController | undefined;
	/** A slot came so late that the next failure is not believed. */
	isAfterPause: boolean;
	/** The check under way, or about to be, is made because the one before was not believed. */
	isSecondTry: boolean;
}

const BRISK_MAX = 1024;
const SLOW_MAX = 4096;
/** Most healthy targets have answered by then, over any distance. */
const BRISK_MS = 500;
/** A check that ends so long after its deadline was not held up by its target. */
const OVERDUE_MS = 200;

export class Prober {
	readonly #parts: ProberParts;
	readonly #entries = new Map<string, Entry>();
	/** In the order in which their slots came. */
	readonly #waiting = new Set<Entry>();
	readonly #underWay = new Set<Promise<void>>();
	/** Checks that have been brisk for too long. */
	readonly #overdue = new Set<{ isSlow: boolean }>();
	#slow = 0;
	#isClosed = false;

	constructor(parts: ProberParts) {
		this.#parts = parts;
	}

	/** Check these from now on and no others. A target that was there before keeps its schedule. */
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

	/** Ends every check under way and leaves no timer and no socket. Observations end at once. */
	async close(): Promise<void> {
		this.setTargets([]);
		this.#isClosed = true;
		await Promise.all(this.#underWay);
	}

	#add(target: Target): void {
		const { clock, guard, onDenied, identity = '' } = this.#parts;
		const nowMs = clock.nowMs();
		// What a host name stands for is asked, and judged, with each check.
		const denial = isIP(target.address) === 0 ? undefined : guard(target.address);
		const entry: Entry = {
			rhythm: rhythmOf(identity + target.key, target.monitor.intervalMs),
			target,
			plannedMs: nowMs,
			dueMs: nowMs,
			timer: undefined,
			stop: undefined,
			isAfterPause: false,
			isSecondTry: false,
		};
		this.#entries.set(target.key, entry);
		if (denial === undefined) this.#plan(entry, nowMs + firstCheckDelayMs(entry.rhythm));
		else onDenied(target.key, `denied: ${denial}`);
	}

	#remove(entry: Entry): void {
		clearTimeout(entry.timer);
		this.#waiting.delete(entry);
		entry.stop?.abort();
		this.#entries.delete(entry.target.key);
	}

	#plan(entry: Entry, atMs: number): void {
		clearTimeout(entry.timer);
		entry.plannedMs = atMs;
		entry.timer = setTimeout(() => this.#onSlot(entry), Math.max(0, atMs - this.#parts.clock.nowMs()));
	}

	#onSlot(entry: Entry): void {
		const nowMs = this.#parts.clock.nowMs();
		const slotMs = entry.plannedMs;
		if (isAfterPause(entry.rhythm, slotMs, nowMs)) entry.isAfterPause = true;
		// Timers may fire a fraction of a millisecond early: the slot just served is not the next one.
		this.#plan(entry, nextSlotMs(entry.rhythm, Math.max(nowMs, slotMs)));
		// Never two checks of one target at once: the one under way stands for this slot.
		if (entry.stop !== undefined) return;
		entry.dueMs = slotMs;
		this.#waiting.add(entry);
		this.#startWaiting();
	}

	#startWaiting(): void {
		const { briskMax = BRISK_MAX } = this.#parts;
		for (const entry of this.#waiting) {
			if (this.#underWay.size - this.#slow >= briskMax) return;
			this.#waiting.delete(entry);
			const running = this.#run(entry).finally(() => {
				this.#underWay.delete(running);
				this.#startWaiting();
			});
			this.#underWay.add(running);
		}
	}

	async #run(entry: Entry): Promise<void> {
		const { clock, check } = this.#parts;
		const stop = new AbortController();
		entry.stop = stop;
		const startMs = clock.nowMs();
		const lagMs = Math.max(0, startMs - entry.dueMs);
		const endSlow = this.#watchForSlow();
		const result = await check(entry.target, stop.signal);
		endSlow();
		entry.stop = undefined;
		if (!stop.signal.aborted) this.#take(entry, result, clock.nowMs() - startMs, lagMs);
	}

	/** @returns what to call when the check has ended */
	#watchForSlow(): () => void {
		const check = { isSlow: false };
		const timer = setTimeout(() => {
			this.#overdue.add(check);
			this.#makeRoom();
		}, BRISK_MS);
		return () => {
			clearTimeout(timer);
			this.#overdue.delete(check);
			if (check.isSlow) this.#slow--;
			this.#makeRoom();
		};
	}

	/** Count brisk checks that are slow by now as such, as far as that may be. */
	#makeRoom(): void {
		const { slowMax = SLOW_MAX } = this.#parts;
		for (const check of this.#overdue) {
			if (this.#slow >= slowMax) return;
			this.#overdue.delete(check);
			check.isSlow = true;
			this.#slow++;
		}
		this.#startWaiting();
	}

	#take(entry: Entry, result: CheckResult, tookMs: number, lagMs: number): void {
		const { clock, onObservation } = this.#parts;
		const nowMs = clock.nowMs();
		const { timeoutMs } = entry.target.monitor;
		// A deadline fires before the slot that follows it, so that slot is looked at here as well.
		const isDoubtful =
			entry.isAfterPause ||
			isAfterPause(entry.rhythm, entry.plannedMs, nowMs) ||
			(tookMs > timeoutMs + OVERDUE_MS && !entry.isSecondTry);
		entry.isAfterPause = false;
		entry.isSecondTry = isDoubtful && result.isUp !== true;
		if (entry.isSecondTry) {
			// Anew, or the overdue slot would cast doubt on the second check too.
			this.#plan(entry, nextSlotMs(entry.rhythm, nowMs));
			entry.dueMs = nowMs;
			this.#waiting.add(entry); // started when #run ends
			return;
		}
		onObservation({ key: entry.target.key, result, atMs: nowMs, tookMs, lagMs });
	}
}

/**
 * From reports of probers to the words that queries read.
 *
 *     reports -> judge -> verdict table -> workers
 *
 * Judged soon after something has turned, and each second: verdicts age without news. A hold ends, a vote grows stale.
 */

import { type Judged, type Judgement, judge, type Verdict } from '../health/judge.ts';
import type { ProberReport } from '../health/published.ts';
import type { Target } from '../health/target.ts';
import type { VerdictTable } from '../health/verdict-table.ts';
import { waitEndMs, wordOf } from '../health/verdict-word.ts';
import type { Clock } from '../lib/ports.ts';

const JUDGE_EVERY_MS = 1000;
/** Turns that come together are judged together. */
const JUDGE_AFTER_MS = 20;

/** A target that may have to wait for its first verdict. */
export interface Newcomer {
	readonly target: Target;
	readonly addedMs: number;
	/** It came beside others that were known already. */
	readonly isNew: boolean;
}

interface JudgingParts {
	readonly clock: Clock;
	readonly verdicts: VerdictTable;
	/** The last report of every prober that there is. */
	readonly reports: () => readonly ProberReport[];
	/** Undefined for a target that waits for nothing. */
	readonly newcomerOf: (key: string) => Newcomer | undefined;
	readonly maxStaleMs?: number;
	readonly guardHoldMs?: number;
	/** Verdicts that have turned, after their words stand. */
	readonly onTurns?: (turns: readonly VerdictTurn[]) => void;
}

export interface VerdictTurn {
	readonly target: Target;
	readonly was: Verdict;
	readonly verdict: Verdict;
}

const NOTHING_JUDGED: Judged = { byKey: new Map(), isolated: new Set() };

export class Judging {
	readonly #parts: JudgingParts;
	readonly #ticker: NodeJS.Timeout;
	/** Before the next tick: something has turned, or a wait ends. */
	#soon: NodeJS.Timeout | undefined;
	#isSoon = false;
	#targets: readonly Target[] = [];
	#judged: Judged = NOTHING_JUDGED;
	#verdicts: ReadonlyMap<string, Verdict> = new Map();

	constructor(parts: JudgingParts) {
		this.#parts = parts;
		this.#ticker = setInterval(() => this.judge(), JUDGE_EVERY_MS);
	}

	/** These are judged from now on; not before the next judgement. An edited check goes on from the verdict that was there. */
	setTargets(targets: readonly Target[]): void {
		const keys = new Set(targets.map(({ key }) => key));
		const left = new Map<string, Verdict>();
		for (const target of this.#targets) {
			const verdict = this.#verdicts.get(target.key);
			// Of several in one place, one that is down: it must not be forgotten.
			if (verdict === undefined || verdict === 'unknown' || keys.has(target.key)) continue;
			if (left.get(placeOf(target)) !== 'down') left.set(placeOf(target), verdict);
		}
		const verdicts = new Map<string, Verdict>();
		for (const target of targets) {
			const verdict = this.#verdicts.get(target.key) ?? left.get(placeOf(target));
			if (verdict !== undefined) verdicts.set(target.key, verdict);
		}
		this.#verdicts = verdicts;
		this.#targets = targets;
	}

	get targets(): readonly Target[] {
		return this.#targets;
	}

	get judged(): Judged {
		return this.#judged;
	}

	get(key: string): Judgement | undefined {
		return this.#judged.byKey.get(key);
	}

	/** A few milliseconds from now, with whatever else turns until then. */
	judgeSoon(): void {
		if (this.#isSoon) return;
		this.#isSoon = true;
		clearTimeout(this.#soon);
		this.#soon = setTimeout(() => this.judge(), JUDGE_AFTER_MS);
	}

	/** Now: the words stand when it returns. */
	judge(): void {
		clearTimeout(this.#soon);
		this.#isSoon = false;
		const { clock, reports, newcomerOf, verdicts, maxStaleMs, guardHoldMs, onTurns } = this.#parts;
		const nowMs = clock.nowMs();
		const before = this.#verdicts;
		const limits = {
			...(maxStaleMs === undefined ? {} : { maxStaleMs }),
			...(guardHoldMs === undefined ? {} : { guardHoldMs }),
		};
		this.#judged = judge({ targets: this.#targets, reports: reports(), before, nowMs, ...limits });
		const { byKey } = this.#judged;
		this.#verdicts = new Map([...byKey].map(([key, { verdict }]) => [key, verdict]));
		let nextMs = nowMs + JUDGE_EVERY_MS;
		for (const [key, judgement] of byKey) {
			const { verdict } = judgement;
			const newcomer = newcomerOf(key);
			const word = newcomer === undefined ? verdict : wordOf(verdict, newcomer, nowMs);
			verdicts.set(key, word, judgement);
			if (newcomer !== undefined && word === 'waiting') nextMs = Math.min(nextMs, waitEndMs(newcomer));
		}
		if (nextMs < nowMs + JUDGE_EVERY_MS) this.#soon = setTimeout(() => this.judge(), nextMs - nowMs);
		if (onTurns !== undefined) onTurns(turnsOf(this.#targets, before, this.#verdicts));
	}

	summary(): { readonly stale: number; readonly short: number } {
		const judgements = [...this.#judged.byKey.values()];
		return {
			stale: judgements.filter(({ isStale }) => isStale).length,
			short: judgements.filter(({ isFrozen, verdict }) => isFrozen && verdict === 'unknown').length,
		};
	}

	close(): void {
		clearInterval(this.#ticker);
		clearTimeout(this.#soon);
		// Whoever still speaks is not listened to.
		this.#isSoon = true;
	}
}

/** Where a check looks, whatever it asks there. */
function placeOf({ address, port, monitor }: Target): string {
	return `${monitor.kind} ${address} ${port}`;
}

function turnsOf(
	targets: readonly Target[],
	before: ReadonlyMap<string, Verdict>,
	now: ReadonlyMap<string, Verdict>,
): readonly VerdictTurn[] {
	return targets.flatMap((target) => {
		const was = before.get(target.key) ?? 'unknown';
		const verdict = now.get(target.key) ?? 'unknown';
		return was === verdict ? [] : [{ target, was, verdict }];
	});
}

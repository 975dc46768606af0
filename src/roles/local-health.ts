/**
 * The health of a process that probes for itself: what its prober finds, the votes that makes, the verdicts that the
 * consensus of this one voter gives, and the words that queries read.
 *
 *     prober -> book of votes -> judge -> verdict table -> workers
 *                    |  ^
 *                    v  |
 *               stateDir/votes.json
 */

import { hostname } from 'node:os';
import { type Judgement, judge, type Verdict } from '../health/judge.ts';
import type { RoundTrip } from '../health/round-trips.ts';
import type { Target } from '../health/target.ts';
import type { VerdictTable } from '../health/verdict-table.ts';
import { waitEndMs, wordOf } from '../health/verdict-word.ts';
import { isHeld } from '../health/vote.ts';
import { type SavedVote, type TargetVote, VoteBook } from '../health/vote-book.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Check } from '../probe/check.ts';
import type { CheckResult } from '../probe/check-result.ts';
import type { Guard } from '../probe/guard.ts';
import { type Observation, Prober } from '../probe/prober.ts';
import { VotesFile } from '../store/votes-file.ts';
import { HistogramCounts } from '../telemetry/histogram.ts';

/** Verdicts age without news: a hold ends, a vote grows stale. */
const JUDGE_EVERY_MS = 1000;
/** Turns that come together are judged together. */
const JUDGE_AFTER_MS = 20;
const DURATION_BOUNDS_SEC = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** The only prober of its fleet needs no name of its own. */
const PROBER = 'local';

interface LocalHealthParts {
	readonly clock: Clock;
	/** Milliseconds since 1970. */
	readonly wallMs: () => number;
	readonly log: Log;
	readonly region: string;
	readonly stateDir: string;
	readonly verdicts: VerdictTable;
	readonly guard: Guard;
	readonly check: Check;
}

/** A target that this process votes on. */
export interface TargetHealth {
	readonly vote: TargetVote<CheckResult>;
	readonly judgement: Judgement;
	readonly isHeld: boolean;
}

export interface HealthSummary {
	/** Why votes cannot be kept for the next start. */
	readonly unsaved: string | undefined;
	/** Targets whose votes have been too old for long. */
	readonly stale: number;
	/** Targets with votes, but fewer than a verdict needs. */
	readonly short: number;
}

/** Checks made, by kind and by what they found. */
export type CheckCounts = ReadonlyMap<string, { up: number; down: number; none: number }>;

export class LocalHealth {
	readonly #parts: LocalHealthParts;
	readonly #book = new VoteBook<CheckResult>();
	readonly #prober: Prober;
	readonly #file: VotesFile;
	readonly #ticker: NodeJS.Timeout;
	/** Before the next tick: something has turned, or a wait ends. */
	#soon: NodeJS.Timeout | undefined;
	#isJudgingSoon = false;
	#targets: readonly Target[] = [];
	#judgements: ReadonlyMap<string, Judgement> = new Map();
	#verdicts: ReadonlyMap<string, Verdict> = new Map();
	/** Round-trip times of the last run, until there are targets that have them. */
	#savedRtts: ReadonlyMap<string, number>;
	/** By target: when its round-trip time was last measured, in this run. */
	readonly #measuredMs = new Map<string, number>();
	readonly durations = new HistogramCounts('kind', DURATION_BOUNDS_SEC);
	readonly #counts = new Map<string, { up: number; down: number; none: number }>();

	constructor(parts: LocalHealthParts) {
		this.#parts = parts;
		const { clock, wallMs, log, guard, check, stateDir, verdicts, region } = parts;
		verdicts.addVantage(region);
		this.#prober = new Prober({
			identity: hostname(),
			clock,
			guard,
			check,
			onObservation: (observation) => this.#take(observation),
			onDenied: (key, reason) => this.#deny(key, reason),
		});
		this.#file = new VotesFile(stateDir, { log, wallMs, collect: () => this.#collect() });
		const { votes, elapsedMs } = this.#file.load();
		this.#savedRtts = new Map(votes.flatMap(({ key, rttMs }) => (rttMs === undefined ? [] : [[key, rttMs]])));
		this.#book.restore(votes, elapsedMs, clock.nowMs());
		this.#ticker = setInterval(() => this.#judge(), JUDGE_EVERY_MS);
	}

	/** These are the targets from now on. Their words stand when it returns: a generation that is served after it starts from what is known. */
	setTargets(targets: readonly Target[]): void {
		this.#targets = targets;
		const keys = new Set(targets.map(({ key }) => key));
		for (const key of this.#measuredMs.keys()) if (!keys.has(key)) this.#measuredMs.delete(key);
		this.#book.setTargets(
			targets.filter((target) => this.#votesOn(target)),
			this.#parts.clock.nowMs(),
		);
		for (const [key, rttMs] of this.#savedRtts) this.#parts.verdicts.setRtt(this.#parts.region, key, rttMs);
		this.#savedRtts = new Map();
		this.#judge();
	}

	/** Check the targets that have been set, and those that went before them no more. */
	probe(): void {
		this.#prober.setTargets(this.#targets.filter((target) => this.#votesOn(target)));
	}

	summary(): HealthSummary {
		const judgements = [...this.#judgements.values()];
		return {
			unsaved: this.#file.problem,
			stale: judgements.filter(({ isStale }) => isStale).length,
			short: judgements.filter(({ isFrozen, verdict }) => isFrozen && verdict === 'unknown').length,
		};
	}

	get counts(): CheckCounts {
		return this.#counts;
	}

	/** Every target that this process votes on. */
	list(): readonly TargetHealth[] {
		const nowMs = this.#parts.clock.nowMs();
		return this.#book.list().flatMap((vote) => {
			const judgement = this.#judgements.get(vote.target.key);
			return judgement === undefined ? [] : [{ vote, judgement, isHeld: isHeld(vote.state, nowMs) }];
		});
	}

	/** By address, as measured in this run. */
	roundTrips(): readonly RoundTrip[] {
		const { verdicts, region } = this.#parts;
		return this.#targets.flatMap(({ key, address }) => {
			const ms = verdicts.rttMs(region, key);
			const measuredMs = this.#measuredMs.get(key);
			return ms === undefined || measuredMs === undefined ? [] : [{ region, address, ms, measuredMs, isAlive: true }];
		});
	}

	/** Ends every check under way, and keeps the votes for the next start. */
	async close(): Promise<void> {
		clearInterval(this.#ticker);
		clearTimeout(this.#soon);
		await this.#prober.close();
		await this.#file.flush();
	}

	#votesOn({ monitor: { from } }: Target): boolean {
		return from === undefined || from.includes(this.#parts.region);
	}

	#take({ key, result, atMs, tookMs }: Observation): void {
		const { verdicts, region } = this.#parts;
		const before = this.#book.get(key);
		if (before === undefined) return;
		this.#tally(before.target.monitor.kind, result.isUp, tookMs);
		const change = this.#book.take(key, result, atMs);
		// The time of a check that failed says nothing about the distance.
		if (result.isUp && result.rttMs !== undefined) {
			verdicts.addRtt(region, key, result.rttMs);
			this.#measuredMs.set(key, atMs);
		}
		this.#tellNews(before, result);
		if (change === 'nothing') return;
		this.#tell(before, change, atMs);
		this.#file.touch();
		if (this.#isJudgingSoon) return;
		this.#isJudgingSoon = true;
		clearTimeout(this.#soon);
		this.#soon = setTimeout(() => this.#judge(), JUDGE_AFTER_MS);
	}

	#tally(kind: string, isUp: boolean | undefined, tookMs: number): void {
		const counts = this.#counts.get(kind) ?? { up: 0, down: 0, none: 0 };
		this.#counts.set(kind, counts);
		counts[isUp === undefined ? 'none' : isUp ? 'up' : 'down']++;
		this.durations.observe(kind, tookMs / 1000);
	}

	/** What is no turn, when it was not so the last time. */
	#tellNews({ target, last }: TargetVote<CheckResult>, { isUp, reason, warning }: CheckResult): void {
		const { log } = this.#parts;
		// There is no new evidence: the vote stands as it is.
		if (isUp === undefined && (last?.isUp !== undefined || last?.reason !== reason))
			log.warn({ ...nameOf(target), reason }, 'target cannot be probed from here');
		if (warning !== undefined && last?.warning === undefined)
			log.warn({ ...nameOf(target), warning }, 'target will fail soon');
	}

	/** One line for each turn, and for each hold. */
	#tell(before: TargetVote<CheckResult>, change: 'turned' | 'held', nowMs: number): void {
		const { log } = this.#parts;
		const now = this.#book.get(before.target.key);
		if (now === undefined) return;
		const { vote: was, sinceMs } = before.state;
		const fields = { ...nameOf(now.target), reason: now.reason, was, wasForSec: secondsSince(sinceMs, nowMs) };
		if (change === 'held') {
			const heldSec = secondsSince(nowMs, now.state.heldUntilMs ?? nowMs);
			log.warn({ ...fields, heldSec }, 'target flaps: held down');
		} else if (now.state.vote === 'up') log.info(fields, 'target is up');
		else log.warn(fields, 'target is down');
	}

	#collect(): readonly SavedVote[] {
		const { clock, verdicts, region } = this.#parts;
		return this.#book.save(clock.nowMs()).map((vote) => {
			const rttMs = verdicts.rttMs(region, vote.key);
			return rttMs === undefined ? vote : { ...vote, rttMs };
		});
	}

	#deny(key: string, reason: string): void {
		this.#book.refuse(key, reason);
		const target = this.#book.get(key)?.target;
		if (target !== undefined) this.#parts.log.warn({ ...nameOf(target), reason }, 'target is never probed');
	}

	#judge(): void {
		clearTimeout(this.#soon);
		this.#isJudgingSoon = false;
		const { clock, region, verdicts } = this.#parts;
		const nowMs = clock.nowMs();
		const reports = [this.#book.report(PROBER, region)];
		const { byKey } = judge({ targets: this.#targets, reports, before: this.#verdicts, nowMs });
		this.#judgements = byKey;
		this.#verdicts = new Map([...byKey].map(([key, { verdict }]) => [key, verdict]));
		let nextMs = nowMs + JUDGE_EVERY_MS;
		for (const [key, judgement] of byKey) {
			const { verdict } = judgement;
			const vote = this.#book.get(key);
			const word = vote === undefined ? verdict : wordOf(verdict, vote, nowMs);
			verdicts.set(key, word, judgement);
			if (vote !== undefined && word === 'waiting') nextMs = Math.min(nextMs, waitEndMs(vote));
		}
		if (nextMs < nowMs + JUDGE_EVERY_MS) this.#soon = setTimeout(() => this.#judge(), nextMs - nowMs);
	}
}

function nameOf({ address, port, monitor }: Target): Readonly<Record<string, unknown>> {
	return { address, port, kind: monitor.kind };
}

function secondsSince(thenMs: number, nowMs: number): number {
	return Math.round((nowMs - thenMs) / 1000);
}

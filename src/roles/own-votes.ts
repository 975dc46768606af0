/**
 * The prober of this process and its book of votes, kept in the state directory.
 *
 *     prober -> book of votes -> report()        one voter among those that are judged here
 *                    |  ^    '-> publication()   for the fleet
 *                    v  |
 *               stateDir/votes.json
 */

import type { ProberReport } from '../health/published.ts';
import type { RoundTrip } from '../health/round-trips.ts';
import type { Target } from '../health/target.ts';
import { isHeld } from '../health/vote.ts';
import { type SavedVote, type TargetVote, VoteBook } from '../health/vote-book.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Check } from '../probe/check.ts';
import type { CheckResult } from '../probe/check-result.ts';
import type { Guard } from '../probe/guard.ts';
import { type Observation, Prober } from '../probe/prober.ts';
import type { Publication } from '../store/ports.ts';
import { VotesFile } from '../store/votes-file.ts';
import { HistogramCounts } from '../telemetry/histogram.ts';
import { Anchors } from './anchors.ts';
import type { CheckCounts, CheckFigures, OwnVote } from './health.ts';
import { RoundTrips } from './round-trips.ts';

const DURATION_BOUNDS_SEC = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface OwnVotesParts {
	readonly clock: Clock;
	/** Milliseconds since 1970. */
	readonly wallMs: () => number;
	readonly log: Log;
	/** Tells probers apart, so that several do not check a target at the same moments. */
	readonly identity: string;
	readonly region: string;
	readonly stateDir: string;
	readonly guard: Guard;
	readonly check: Check;
	/** What this prober reaches as long as it reaches anything; none to do without. */
	readonly anchors: readonly ListenAddress[];
	/** A vote has turned. */
	readonly onTurn: () => void;
	/** A check has measured the way to its target. */
	readonly onRoundTrip?: (key: string, rttMs: number) => void;
}

export class OwnVotes implements CheckFigures {
	readonly #parts: OwnVotesParts;
	readonly #book = new VoteBook<CheckResult>();
	readonly #prober: Prober;
	readonly #file: VotesFile<readonly SavedVote[]>;
	readonly #counts = new Map<string, { up: number; down: number; none: number }>();
	readonly #roundTrips = new RoundTrips();
	readonly durations = new HistogramCounts('kind', DURATION_BOUNDS_SEC);
	readonly lags = new HistogramCounts('kind', DURATION_BOUNDS_SEC);
	readonly #anchors: Anchors | undefined;
	/** Those that this process votes on. */
	#targets: readonly Target[] = [];

	constructor(parts: OwnVotesParts) {
		this.#parts = parts;
		const { identity, clock, wallMs, log, guard, check, stateDir } = parts;
		this.#prober = new Prober({
			...{ identity, clock, guard, check },
			onObservation: (observation) => this.#take(observation),
			onDenied: (key, reason) => this.#deny(key, reason),
		});
		const { anchors } = parts;
		if (anchors.length > 0)
			this.#anchors = new Anchors({ ...{ addresses: anchors, clock, log, guard, check }, onChange: parts.onTurn });
		this.#file = new VotesFile(stateDir, { name: 'votes', none: [], log, wallMs, collect: () => this.#collect() });
		const { votes, elapsedMs } = this.#file.load();
		for (const { key, rttMs } of votes) if (rttMs !== undefined) this.#roundTrips.restore(key, rttMs);
		this.#book.restore(votes, elapsedMs, clock.nowMs());
	}

	/** Those among these whose monitors let this region vote are the targets from now on. */
	setTargets(targets: readonly Target[]): void {
		const { region, clock } = this.#parts;
		this.#targets = targets.filter(({ monitor: { from } }) => from === undefined || from.includes(region));
		this.#book.setTargets(this.#targets, clock.nowMs());
		this.#roundTrips.keep(new Set(this.#targets.map(({ key }) => key)));
	}

	/** Check the targets that have been set, and those that went before them no more. */
	probe(): void {
		this.#prober.setTargets(this.#targets);
	}

	get targets(): readonly Target[] {
		return this.#targets;
	}

	get counts(): CheckCounts {
		return this.#counts;
	}

	/** Why votes cannot be kept for the next start. */
	get unsaved(): string | undefined {
		return this.#file.problem;
	}

	get(key: string): TargetVote<CheckResult> | undefined {
		return this.#book.get(key);
	}

	list(): readonly OwnVote[] {
		const nowMs = this.#parts.clock.nowMs();
		return this.#book.list().map((vote) => ({ vote, isHeld: isHeld(vote.state, nowMs) }));
	}

	/** Smoothed; undefined while it is unknown. */
	roundTripMs(key: string): number | undefined {
		return this.#roundTrips.ofTarget(key);
	}

	/** Round-trip times of targets that have been checked in this run. */
	measured(): readonly RoundTrip[] {
		return this.#targets.flatMap(({ key, address }) => {
			const ms = this.#roundTrips.ofTarget(key);
			const { last, checkedMs } = this.#book.get(key) ?? {};
			if (ms === undefined || last === undefined || checkedMs === undefined) return [];
			return [{ region: this.#parts.region, address, ms, measuredMs: checkedMs, isAlive: true }];
		});
	}

	report(prober: string): ProberReport {
		const report = this.#book.report(prober, this.#parts.region);
		const cutOffMs = this.#anchors?.cutOffMs;
		return cutOffMs === undefined ? report : { ...report, cutOffMs };
	}

	publication(): Publication {
		const { votes, cutOffMs } = this.report('');
		const marks = cutOffMs === undefined ? {} : { cutOffMs };
		return { ...marks, votes, roundTripMs: this.#roundTrips.byAddress(this.#targets) };
	}

	/** Ends every check under way, and keeps the votes for the next start. */
	async close(): Promise<void> {
		await this.#anchors?.close();
		await this.#prober.close();
		await this.#file.flush();
	}

	#take({ key, result, atMs, tookMs, lagMs }: Observation): void {
		const before = this.#book.get(key);
		if (before === undefined) return;
		const { kind } = before.target.monitor;
		this.#tally(kind, result.isUp);
		this.durations.observe(kind, tookMs / 1000);
		this.lags.observe(kind, lagMs / 1000);
		const change = this.#book.take(key, result, atMs);
		// The time of a check that failed says nothing about the distance.
		if (result.isUp && result.rttMs !== undefined) {
			this.#roundTrips.add(key, result.rttMs);
			this.#parts.onRoundTrip?.(key, result.rttMs);
		}
		this.#tellNews(before, result);
		if (change === 'nothing') return;
		this.#tell(before, change, atMs);
		this.#file.touch();
		this.#parts.onTurn();
	}

	#tally(kind: string, isUp: boolean | undefined): void {
		const counts = this.#counts.get(kind) ?? { up: 0, down: 0, none: 0 };
		this.#counts.set(kind, counts);
		counts[isUp === undefined ? 'none' : isUp ? 'up' : 'down']++;
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
		return this.#book.save(this.#parts.clock.nowMs()).map((vote) => {
			const rttMs = this.#roundTrips.ofTarget(vote.key);
			return rttMs === undefined ? vote : { ...vote, rttMs };
		});
	}

	#deny(key: string, reason: string): void {
		this.#book.refuse(key, reason);
		const target = this.#book.get(key)?.target;
		if (target !== undefined) this.#parts.log.warn({ ...nameOf(target), reason }, 'target is never probed');
	}
}

/** A target in a line of the log; behind one address many sites may be checked. */
export function nameOf({ address, port, monitor }: Target): Readonly<Record<string, unknown>> {
	const { kind } = monitor;
	if (kind !== 'http' && kind !== 'https') return { address, port, kind };
	return { address, port, kind, ...(monitor.host === undefined ? {} : { host: monitor.host }), path: monitor.path };
}

function secondsSince(thenMs: number, nowMs: number): number {
	return Math.round((nowMs - thenMs) / 1000);
}

/**
 * The health of an instance in a fleet: what all probers have published, judged here as every other instance judges it,
 * and the words that queries read. Nothing is asked of the store: what it holds is looked at.
 *
 *     store.probers() ---.
 *                        +-> the later of both -> judge -> verdict table -> workers
 *     stateDir/fleet.json'
 */

import { isFresh } from '../health/published.ts';
import { combineRoundTrips, type RoundTrip } from '../health/round-trips.ts';
import type { Target } from '../health/target.ts';
import type { VerdictTable } from '../health/verdict-table.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { ProberView, Store } from '../store/ports.ts';
import { VotesFile } from '../store/votes-file.ts';
import { laterOf, readFleet, type SavedFleet, writeFleet } from './fleet-votes.ts';
import type { CastVote, Health, HealthSummary, TargetHealth } from './health.ts';
import { Judging, type Newcomer, type VerdictTurn } from './judging.ts';
import { nameOf, type OwnVotes } from './own-votes.ts';

/** What was published is kept so often, whatever has turned. */
const SAVE_EVERY_MS = 30_000;
/** Round-trip times change slowly, and there are many. */
const ROUND_TRIPS_EVERY_MS = 2000;
const SAVE_AFTER_TURN_MS = 1000;
/** Probers that have said nothing for so long are no part of the fleet. */
const FORGOTTEN_MS = 30 * 86_400_000;

interface FleetHealthParts {
	readonly clock: Clock;
	/** Milliseconds since 1970. */
	readonly wallMs: () => number;
	readonly log: Log;
	readonly store: Store;
	readonly stateDir: string;
	readonly verdicts: VerdictTable;
	readonly maxStaleMs: number;
	readonly guardHoldMs: number;
	/** The prober of this process; it publishes by itself. */
	readonly own?: OwnVotes;
}

export class FleetHealth implements Health {
	readonly #parts: FleetHealthParts;
	readonly #judging: Judging;
	readonly #file: VotesFile<SavedFleet>;
	readonly #unwatch: () => void;
	/** Of the last run, as far as nobody has said more since. */
	readonly #saved: readonly ProberView[];
	readonly #newcomers = new Map<string, Newcomer>();
	#knowsOthers: boolean;
	#isolated: ReadonlySet<string> = new Set();
	/** When round-trip times were written down last. */
	#notedMs = Number.NEGATIVE_INFINITY;

	constructor(parts: FleetHealthParts) {
		this.#parts = parts;
		const { clock, wallMs, log, store, stateDir } = parts;
		this.#file = new VotesFile<SavedFleet>(stateDir, {
			...{ name: 'fleet', none: { keys: [], probers: [] }, log, wallMs },
			collect: () => writeFleet(this.probers(), clock.nowMs()),
		});
		const { votes, elapsedMs } = this.#file.load();
		this.#saved = readFleet(votes, clock.nowMs() - elapsedMs);
		this.#knowsOthers = this.#saved.length > 0;
		this.#judging = new Judging({
			...parts,
			reports: () => this.probers().map(({ report }) => report),
			newcomerOf: (key) => this.#newcomers.get(key),
			onTurns: (turns) => this.#onTurns(turns),
		});
		this.#unwatch = store.watch((hint) => {
			if (hint === 'configuration') return;
			this.#file.touch(SAVE_EVERY_MS);
			this.#judging.judgeSoon();
		});
	}

	/** What every prober of the fleet has published last, as far as this process knows, by instance. */
	probers(): readonly ProberView[] {
		const nowMs = this.#parts.clock.nowMs();
		return laterOf(this.#parts.store.probers(), this.#saved).filter(
			({ publishedMs }) => nowMs - publishedMs < FORGOTTEN_MS,
		);
	}

	/** Probers that have lost their vote. */
	get isolated(): ReadonlySet<string> {
		return this.#judging.judged.isolated;
	}

	get checks(): OwnVotes | undefined {
		return this.#parts.own;
	}

	setTargets(targets: readonly Target[]): void {
		const addedMs = this.#parts.clock.nowMs();
		const before = new Map(this.#newcomers);
		this.#newcomers.clear();
		for (const target of targets) {
			const newcomer = before.get(target.key) ?? { target, addedMs, isNew: this.#knowsOthers };
			this.#newcomers.set(target.key, newcomer);
		}
		if (targets.length > 0) this.#knowsOthers = true;
		this.#parts.own?.setTargets(targets);
		this.#judging.setTargets(targets);
		this.#noteRoundTrips();
		this.#judging.judge();
	}

	probe(): void {
		this.#parts.own?.probe();
	}

	roundTrips(): readonly RoundTrip[] {
		return this.probers().flatMap(({ publishedMs, report: { region, isAlive }, roundTripMs }) =>
			[...roundTripMs].map(([address, ms]) => ({ region, address, ms, measuredMs: publishedMs, isAlive })),
		);
	}

	/** What each region has measured, for queries to read. */
	#noteRoundTrips(): void {
		const { verdicts, clock } = this.#parts;
		this.#notedMs = clock.nowMs();
		for (const { report } of this.probers()) verdicts.addVantage(report.region);
		const keys = new Map<string, string[]>();
		for (const { key, address } of this.#judging.targets) keys.set(address, [...(keys.get(address) ?? []), key]);
		for (const { region, address, ms } of combineRoundTrips(this.roundTrips()))
			for (const key of keys.get(address) ?? []) verdicts.setRtt(region, key, ms);
	}

	summary(): HealthSummary {
		const { own, clock } = this.#parts;
		const nowMs = clock.nowMs();
		const problems: string[] = [];
		if (this.#judging.targets.length > 0) problems.push(...fleetProblems(this.probers(), this.isolated, nowMs));
		return { ...this.#judging.summary(), unsaved: this.#file.problem ?? own?.unsaved, problems };
	}

	list(): readonly TargetHealth[] {
		const nowMs = this.#parts.clock.nowMs();
		const own = new Map((this.#parts.own?.list() ?? []).map((one) => [one.vote.target.key, one]));
		const probers = this.probers();
		return this.#judging.targets.flatMap((target) => {
			const judgement = this.#judging.get(target.key);
			if (judgement === undefined) return [];
			const votes = probers.flatMap(({ report }) => castVote(report, target, this.isolated, nowMs));
			return [{ target, judgement, own: own.get(target.key), votes }];
		});
	}

	async close(): Promise<void> {
		this.#unwatch();
		this.#judging.close();
		await this.#file.flush();
		await this.#parts.own?.close();
	}

	#onTurns(turns: readonly VerdictTurn[]): void {
		const { log, clock } = this.#parts;
		if (clock.nowMs() - this.#notedMs >= ROUND_TRIPS_EVERY_MS) this.#noteRoundTrips();
		for (const { target, was, verdict } of turns) {
			const fields = { ...nameOf(target), was };
			if (verdict === 'down') log.warn(fields, 'target is down for the fleet');
			else log.info(fields, 'target is up for the fleet');
		}
		if (turns.length > 0) this.#file.touch(SAVE_AFTER_TURN_MS);
		const { isolated } = this;
		for (const prober of isolated) {
			if (!this.#isolated.has(prober))
				log.warn({ prober }, 'a prober contradicts the others on most targets, and has no vote');
		}
		for (const prober of this.#isolated) if (!isolated.has(prober)) log.info({ prober }, 'a prober has its vote again');
		this.#isolated = isolated;
	}
}

function castVote(
	report: ProberView['report'],
	{ key, monitor }: Target,
	isolated: ReadonlySet<string>,
	nowMs: number,
): readonly CastVote[] {
	const vote = report.votes.get(key);
	const { prober, region } = report;
	if (vote === undefined || (monitor.from !== undefined && !monitor.from.includes(region))) return [];
	const isFreshVote = isFresh(report, vote, monitor.intervalMs, nowMs);
	return [{ prober, region, vote, isFresh: isFreshVote, isIsolated: isolated.has(prober) }];
}

function fleetProblems(
	probers: readonly ProberView[],
	isolated: ReadonlySet<string>,
	nowMs: number,
): readonly string[] {
	if (probers.length === 0) return ['no prober has published anything: targets are unknown, which counts as up'];
	return probers.flatMap(({ instance, publishedMs, report }) => {
		const ageSec = Math.round((nowMs - publishedMs) / 1000);
		if (!report.isAlive)
			return [`the prober ${instance} has no lease; it published ${ageSec} s ago, and its votes stand`];
		return isolated.has(instance)
			? [`the prober ${instance} contradicts the others on most targets, and has no vote`]
			: [];
	});
}

/**
 * The health of a process that probes for itself: what its prober finds, the votes that makes, the verdicts that the
 * consensus of this one voter gives, and the words that queries read.
 *
 *     prober -> book of votes -> judge -> verdict table -> workers
 */

import { hostname } from 'node:os';
import { isFresh } from '../health/published.ts';
import type { RoundTrip } from '../health/round-trips.ts';
import type { Target } from '../health/target.ts';
import type { VerdictTable } from '../health/verdict-table.ts';
import type { Health, HealthSummary, TargetHealth } from './health.ts';
import { Judging } from './judging.ts';
import { OwnVotes, type OwnVotesParts } from './own-votes.ts';

/** The only prober of its fleet needs no name of its own. */
const PROBER = 'local';

interface LocalHealthParts extends Omit<OwnVotesParts, 'onTurn' | 'onRoundTrip' | 'identity'> {
	readonly verdicts: VerdictTable;
	readonly maxStaleMs?: number;
	readonly guardHoldMs?: number;
}

export class LocalHealth implements Health {
	readonly #parts: LocalHealthParts;
	readonly #judging: Judging;
	/** What its prober counts. */
	readonly checks: OwnVotes;
	/** Round-trip times of the last run stand in the table. */
	#isRestored = false;

	constructor(parts: LocalHealthParts) {
		this.#parts = parts;
		const { verdicts, region } = parts;
		verdicts.addVantage(region);
		const votes = new OwnVotes({
			...parts,
			identity: hostname(),
			onTurn: () => this.#judging.judgeSoon(),
			onRoundTrip: (key, rttMs) => verdicts.addRtt(region, key, rttMs),
		});
		this.checks = votes;
		this.#judging = new Judging({
			...parts,
			reports: () => [votes.report(PROBER)],
			newcomerOf: (key) => votes.get(key),
		});
	}

	setTargets(targets: readonly Target[]): void {
		this.checks.setTargets(targets);
		this.#judging.setTargets(targets);
		if (!this.#isRestored) {
			for (const { key } of targets) {
				const rttMs = this.checks.roundTripMs(key);
				if (rttMs !== undefined) this.#parts.verdicts.setRtt(this.#parts.region, key, rttMs);
			}
			this.#isRestored = true;
		}
		this.#judging.judge();
	}

	probe(): void {
		this.checks.probe();
	}

	summary(): HealthSummary {
		return { ...this.#judging.summary(), unsaved: this.checks.unsaved, problems: [] };
	}

	/** Every target that this process votes on. */
	list(): readonly TargetHealth[] {
		const nowMs = this.#parts.clock.nowMs();
		const report = this.checks.report(PROBER);
		return this.checks.list().flatMap((own) => {
			const { target } = own.vote;
			const judgement = this.#judging.get(target.key);
			if (judgement === undefined) return [];
			const vote = report.votes.get(target.key);
			const { intervalMs } = target.monitor;
			const cast = vote === undefined ? [] : [{ vote, isFresh: isFresh(report, vote, intervalMs, nowMs) }];
			const voter = { prober: PROBER, region: report.region, isIsolated: false };
			return [{ target, judgement, own, votes: cast.map((one) => ({ ...voter, ...one })) }];
		});
	}

	roundTrips(): readonly RoundTrip[] {
		return this.checks.measured();
	}

	async close(): Promise<void> {
		this.#judging.close();
		await this.checks.close();
	}
}

/**
 * What an instance asks of its health, wherever votes come from: its own prober alone (local-health.ts), or all probers
 * of a fleet (fleet-health.ts).
 */

import type { Judgement } from '../health/judge.ts';
import type { PublishedVote } from '../health/published.ts';
import type { RoundTrip } from '../health/round-trips.ts';
import type { Target } from '../health/target.ts';
import type { TargetVote } from '../health/vote-book.ts';
import type { CheckResult } from '../probe/check-result.ts';
import type { HistogramCounts } from '../telemetry/histogram.ts';

export interface Health {
	/** These are the targets from now on. Their words stand when it returns: a generation that is served after it starts from what is known. */
	setTargets(targets: readonly Target[]): void;
	/** Check the targets that have been set, as far as this process checks any, and those that went before them no more. */
	probe(): void;
	summary(): HealthSummary;
	/** Every target that a verdict may be about, in the order of the generation. */
	list(): readonly TargetHealth[];
	/** As probers have measured them, by address. */
	roundTrips(): readonly RoundTrip[];
	/** Of the prober of this process; undefined where it has none. */
	readonly checks: CheckFigures | undefined;
	/** Ends every check under way, and keeps the votes for the next start. */
	close(): Promise<void>;
}

export interface TargetHealth {
	readonly target: Target;
	readonly judgement: Judgement;
	/** What the prober of this process knows of it; undefined where it does not probe it. */
	readonly own: OwnVote | undefined;
	/** Of every prober that has voted on it. */
	readonly votes: readonly CastVote[];
}

export interface OwnVote {
	readonly vote: TargetVote<CheckResult>;
	readonly isHeld: boolean;
}

export interface CastVote {
	readonly prober: string;
	readonly region: string;
	readonly vote: PublishedVote;
	readonly isFresh: boolean;
	/** The prober has lost its vote. */
	readonly isIsolated: boolean;
}

export interface HealthSummary {
	/** Why votes cannot be kept for the next start. */
	readonly unsaved: string | undefined;
	/** Targets whose votes have been too old for long. */
	readonly stale: number;
	/** Targets with votes, but fewer than a verdict needs. */
	readonly short: number;
	/** What else is not as it should be, as sentences. */
	readonly problems: readonly string[];
}

export interface CheckFigures {
	/** Checks made, by kind and by what they found. */
	readonly counts: CheckCounts;
	/** Seconds that checks took, by kind. */
	readonly durations: HistogramCounts;
	/** Seconds that checks began after their moment, by kind. */
	readonly lags: HistogramCounts;
}

export type CheckCounts = ReadonlyMap<string, { up: number; down: number; none: number }>;

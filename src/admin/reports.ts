/**
 * What the admin surface tells, as plain data.
 */

import type { Vote } from '../health/target.ts';

export interface ReadyReport {
	/** The process can answer queries. */
	readonly ready: boolean;
	/** Sentences on what is not as it should be; empty when all is well. */
	readonly degraded: readonly string[];
	readonly generation: number;
	readonly zones: number;
	/** Problems of the last load, as file:line:column: message. */
	readonly problems: readonly string[];
	/** Units whose new version was refused, so that the last good one is served. */
	readonly refusedUnits: readonly string[];
	readonly geo: readonly {
		readonly path: string;
		readonly type: string;
		readonly builtAt: string | undefined;
		readonly ageDays: number | undefined;
	}[];
	readonly workers: { readonly wanted: number; readonly running: number };
	readonly loadedSecAgo: number;
}

/** Of a prober that stands alone. */
export interface ProberReadyReport {
	/** It has joined its fleet, and what it has published arrived. */
	readonly ready: boolean;
	/** Sentences on what is not as it should be; empty when all is well. */
	readonly degraded: readonly string[];
	readonly instance: string;
	readonly region: string;
	/** Absent before it has joined. */
	readonly incarnation: number | undefined;
	/** Of the configuration that its targets are from. */
	readonly epoch: number;
	readonly generation: number;
	readonly targets: number;
	/** Absent before the first publication. */
	readonly publishedSecAgo: number | undefined;
	/** Problems of the last load, as file:line:column: message. */
	readonly problems: readonly string[];
}

/** What the last check learnt, as far as it came. */
export interface FactsReport {
	/** Until it was connected, or a datagram was answered. */
	readonly rttMs: number | undefined;
	/** Of the TLS handshake. */
	readonly tlsMs: number | undefined;
	/** From the request to the first octet of the answer. */
	readonly firstByteMs: number | undefined;
	/** Where it went, when the target is a host name. */
	readonly resolvedAddress: string | undefined;
	readonly tlsProtocol: string | undefined;
	/** ISO 8601. */
	readonly certificateExpiresAt: string | undefined;
	/** Whole days; negative when it has expired. */
	readonly certificateDaysLeft: number | undefined;
	/** What will be a failure soon. */
	readonly warning: string | undefined;
}

/** What the prober of this process knows; nothing of a target that it does not probe. */
export interface OwnReport extends FactsReport {
	/** What this prober says. */
	readonly vote: Vote;
	/** Results in a row that speak against the vote, were it not for flapping. */
	readonly run: number | undefined;
	/** Seconds since the vote last changed. */
	readonly sinceSec: number | undefined;
	/** Seconds since the last check; absent before the first. */
	readonly checkedSecAgo: number | undefined;
	readonly reason: string | undefined;
	readonly flapping: { readonly held: boolean; readonly heldSec: number | undefined } | undefined;
	/** The latest transitions, oldest first. */
	readonly history: readonly { readonly secAgo: number; readonly vote: Vote; readonly reason: string }[];
}

/** A target as a prober that stands alone knows it. */
export interface OwnTargetReport extends OwnReport {
	/** Pools that use it, with their zones. */
	readonly pools: readonly string[];
	readonly address: string;
	readonly port: number;
	readonly kind: string;
}

export interface TargetReport extends OwnTargetReport {
	/** What answers go by. */
	readonly verdict: Vote;
	/** What each prober says of it. */
	readonly votes: readonly VoteReport[];
	/** Fewer fresh votes than needed: the verdict stands as it was. */
	readonly frozen: boolean;
	/** Frozen for longer than `health.maxStale`. */
	readonly stale: boolean;
	/** Held by the mass-down guard. */
	readonly guarded: boolean;
	readonly freshVotes: number;
	readonly votesNeeded: number;
}

export interface VoteReport {
	readonly prober: string;
	readonly region: string;
	readonly vote: Vote;
	/** Seconds since it turned. */
	readonly sinceSec: number;
	readonly checkedSecAgo: number;
	/** The prober lives, and has looked lately. */
	readonly fresh: boolean;
	/** The prober contradicts the majority of the others on most targets, and has lost its vote. */
	readonly isolated: boolean;
}

export interface GeoReport {
	/** The best first; later ones fill what earlier ones lack. */
	readonly databases: readonly {
		readonly path: string;
		readonly type: string;
		/** Absent when the file does not say, like its age. */
		readonly builtAt: string | undefined;
		readonly ageDays: number | undefined;
		readonly isOld: boolean;
		readonly ipVersion: 4 | 6;
		readonly networks: number;
		/** Of country, continent, subdivision, coordinates, asn. */
		readonly knows: readonly string[];
		readonly lacks: readonly string[];
		/** Why the version on disk is not the one that is used; absent while it is. */
		readonly refused: string | undefined;
	}[];
	/** What none of them knows. */
	readonly lacks: readonly string[];
	/** Parts of policies that suffer from it. */
	readonly suffering: readonly {
		readonly unit: string;
		readonly path: string;
		readonly needs: string;
		/** What it means. */
		readonly effect: string;
	}[];
}

/** Round-trip times as probers measure them, by address and region. */
export interface LatencyReport {
	/** That have had a prober, measured something or not. */
	readonly regions: readonly string[];
	readonly addresses: readonly {
		readonly address: string;
		/** Pools that probe it, with their zones. */
		readonly pools: readonly string[];
		/** A region that has never measured it is absent. */
		readonly roundTrips: readonly {
			readonly region: string;
			/** Smoothed; the median of the region's probers. */
			readonly ms: number;
			readonly ageSec: number;
		}[];
	}[];
}

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

export interface TargetReport {
	/** Pools that use it, with their zones. */
	readonly pools: readonly string[];
	readonly address: string;
	readonly port: number;
	readonly kind: string;
	readonly vote: Vote;
	/** Results in a row that speak against the vote. */
	readonly run: number;
	/** Seconds since the vote last changed. */
	readonly sinceSec: number;
	/** Seconds since the last check; absent before the first. */
	readonly checkedSecAgo: number | undefined;
	readonly reason: string | undefined;
	readonly rttMs: number | undefined;
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

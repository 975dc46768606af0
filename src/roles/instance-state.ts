/**
 * What an instance serves now, for reports and metrics.
 */

import type { FileProblem } from '../config/zones-directory.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Condition } from '../store/ports.ts';
import type { GeoFileFacts } from './builder-messages.ts';
import type { HealthSummary } from './health.ts';

export interface InstanceState {
	readonly generation: number;
	readonly snapshot: Snapshot;
	readonly problems: readonly FileProblem[];
	readonly refused: ReadonlySet<string>;
	/** Why the source of the zones was refused as a whole. */
	readonly refusal: string | undefined;
	/** Undefined for a process without a store. */
	readonly store: Condition | undefined;
	/** Why the state directory is not locked, and nothing can be kept there; undefined when all is well. */
	readonly unlocked: string | undefined;
	/** Why addresses of `dns.listen` are not served, one sentence each. */
	readonly unserved: readonly string[];
	/** Why the zones could not be kept for the next start. */
	readonly unsaved: string | undefined;
	/** undefined for a process that does not probe. */
	readonly health: HealthSummary | undefined;
	readonly geoFiles: readonly GeoFileFacts[];
	/** By path, why the newer version of a geo database is not used. */
	readonly geoRefused: ReadonlyMap<string, string>;
	/** Why there is nobody who builds. */
	readonly fault: string | undefined;
	readonly loadedMsAgo: number;
	readonly workersWanted: number;
	readonly workersRunning: number;
	/** Seats whose workers die again and again. */
	readonly workersCrashLooping: number;
	/** Memory of the generations in use, and what waits for the next one. */
	readonly snapshotOctets: number;
}

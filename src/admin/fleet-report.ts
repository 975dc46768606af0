/**
 * What the admin surface tells of a fleet, as plain data.
 */

import type { Condition } from '../store/ports.ts';

export interface FleetReport {
	/** Absent for a process without a store. */
	readonly store: Condition | undefined;
	/** Of the configuration that the store has. */
	readonly epoch: number;
	readonly generation: number;
	/** Values of the store that were not believed, by reason. */
	readonly refused: Readonly<Record<string, number>>;
	readonly instances: readonly InstanceReport[];
	readonly probers: readonly ProberReport[];
}

export interface InstanceReport {
	readonly instance: string;
	readonly role: string;
	readonly version: string;
	readonly region: string;
	readonly alive: boolean;
	/** Of what it serves. */
	readonly epoch: number;
	readonly generation: number;
	/** How far that lies behind the store. */
	readonly generationsBehind: number;
	readonly seenSecAgo: number;
}

export interface ProberReport {
	readonly instance: string;
	readonly region: string;
	/** Its lease lives. */
	readonly alive: boolean;
	/** It contradicts the majority of the others on most targets, and has lost its vote; by this process's reckoning. */
	readonly isolated: boolean;
	readonly incarnation: number;
	readonly sequence: number;
	readonly leaseLeftSec: number;
	/** Since it published last. */
	readonly lagSec: number;
	/** Since its latest check; absent without votes. */
	readonly checkedSecAgo: number | undefined;
	readonly votes: number;
	readonly down: number;
	/** Addresses that it has measured the way to. */
	readonly roundTrips: number;
}

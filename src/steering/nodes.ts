/**
 * Policies as they are walked: plain data told apart by `kind`, so that they cross to workers by structured
 * clone. Nodes refer to each other by index; names, rules and geography were resolved when they were compiled.
 *
 *     name -> root node -> ... -> pool -> endpoints of the family asked for -> addresses
 */

import type { Ranges } from '../geo/ranges.ts';

export interface AddressEntry {
	/** Where its 4 or 16 octets stand in `SteeringTable.addressOctets`. */
	readonly octetsAt: number;
	/** Indexes of the targets that must all be up; empty when nothing is probed. */
	readonly targets: readonly number[];
}

export interface EndpointEntry {
	readonly name: string;
	readonly weight: number;
	/** An operator's `up`: healthy whatever the probes say. */
	readonly isForcedUp: boolean;
	readonly addresses: readonly AddressEntry[];
}

/** A pool as a query of one address family sees it. */
export interface PoolFamily {
	/** Endpoints with an address of the family that operators have not switched off. */
	readonly endpoints: readonly EndpointEntry[];
	/** Fewer healthy endpoints than this, and the pool is down. */
	readonly requiredHealthy: number;
	/** Whether any endpoint, switched off or not, has an address of the family. */
	readonly hasAddresses: boolean;
}

export interface PoolNode {
	readonly kind: 'pool';
	readonly name: string;
	readonly looksAtClient: boolean;
	readonly onAllDown: 'all' | 'nodata' | 'servfail';
	readonly noAddress: 'nodata' | 'pass';
	readonly answers: number;
	readonly ipv4: PoolFamily;
	readonly ipv6: PoolFamily;
}

export interface GeoNode {
	readonly kind: 'geo';
	readonly name: string;
	readonly looksAtClient: true;
	/** Values are indexes into `rankings`, or special (geo/decide.ts). */
	readonly decisions: Ranges;
	/** Nodes in the order in which they are tried: most specific match first, the default last. */
	readonly rankings: readonly (readonly number[])[];
	/** For an address that nothing is known of. */
	readonly unknownRanking: number;
}

export interface WeightedNode {
	readonly kind: 'weighted';
	readonly name: string;
	readonly looksAtClient: boolean;
	readonly members: readonly number[];
	readonly weights: readonly number[];
}

export interface FailoverNode {
	readonly kind: 'failover';
	readonly name: string;
	readonly looksAtClient: boolean;
	readonly members: readonly number[];
}

export interface LatencyNode {
	readonly kind: 'latency';
	readonly name: string;
	readonly looksAtClient: boolean;
	readonly members: readonly number[];
	/** Where its last winners are remembered, one word per family. */
	readonly memoryAt: number;
}

export type SteeringNode = PoolNode | GeoNode | WeightedNode | FailoverNode | LatencyNode;

export interface SteeredName {
	/** As in the steering file, for people. */
	readonly name: string;
	readonly root: number;
	readonly ttlSec: number;
}

export interface SteeringTable {
	readonly nodes: readonly SteeringNode[];
	readonly names: readonly SteeredName[];
	readonly addressOctets: Uint8Array;
	/** Last winner of each latency node and family as the member's position + 1; shared, so that workers agree. */
	readonly latencyMemory: Int32Array;
	readonly targetCount: number;
}

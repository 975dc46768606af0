/**
 * Policies as they are walked: plain data told apart by `kind`, so that they cross to workers as JSON. Nodes refer to each other by index; names, rules and geography were resolved when they were compiled.
 *
 *     name -> root node -> ... -> pool -> endpoints of the family asked for -> addresses
 */

import type { Ranges } from '../geo/ranges.ts';

/** An address, or in a pool of CNAMEs the target. */
export interface AddressEntry {
	/** Where its 4 or 16 octets, or its name in wire form, stand in `SteeringTable.rdata`; equal for equal ones. */
	readonly octetsAt: number;
	/** Indexes of the targets that must all be up; empty when nothing is probed. */
	readonly targets: readonly number[];
	/** What a client's choice among an endpoint's addresses hangs on. */
	readonly seed: number;
}

export interface EndpointEntry {
	readonly name: string;
	readonly weight: number;
	/** What a client's choice hangs on when the pool is sticky (rendezvous.ts). */
	readonly seed: number;
	/** An operator's `up`: healthy whatever the probes say. */
	readonly isForcedUp: boolean;
	readonly addresses: readonly AddressEntry[];
	/** Index into `SteeringTable.endpoints`, the same in both families. */
	readonly index: number;
}

/** A pool as a query of one address family sees it; both families see all of a pool of CNAMEs. */
export interface PoolFamily {
	/** Endpoints with an address of the family that operators have not switched off. */
	readonly endpoints: readonly EndpointEntry[];
	/** Fewer healthy endpoints than this, and the pool is down. */
	readonly requiredHealthy: number;
	/** Whether any endpoint, switched off or not, has an address of the family. */
	readonly hasAddresses: boolean;
}

/** An endpoint that operators keep from new answers; told by explanations alone. */
export interface IdleEndpoint {
	readonly name: string;
	readonly state: 'down' | 'drain';
}

export interface PoolNode {
	readonly kind: 'pool';
	readonly name: string;
	/** Sticky, or the verdicts of its targets hang on where the client is. */
	readonly looksAtClient: boolean;
	/** The client decides which endpoint it gets. */
	readonly isSticky: boolean;
	/** Of a pool with regional targets: the client's vantage. Absent where there is one for all. */
	readonly vantages?: Placed<number>;
	readonly holds: 'addresses' | 'aliases';
	readonly region: string | undefined;
	readonly idle: readonly IdleEndpoint[];
	readonly onAllDown: 'all' | 'nodata' | 'servfail';
	readonly noAddress: 'nodata' | 'pass';
	readonly answers: number;
	/** Tenths of a second until an endpoint that has come up has its whole weight; 0 for at once. */
	readonly rampUpTenths: number;
	readonly ipv4: PoolFamily;
	readonly ipv6: PoolFamily;
}

/** What a node may pick for a client, by where the client is. */
interface Placed<R> {
	/** Values are indexes into `rankings`, or special (geo/decide.ts). */
	readonly decisions: Ranges;
	readonly rankings: readonly R[];
	/** For an address that nothing is known of. */
	readonly unknownRanking: number;
}

export interface GeoNode extends Placed<readonly number[]> {
	readonly kind: 'geo';
	readonly name: string;
	readonly looksAtClient: true;
	/** Of all its rules and the default, also those that no place of the databases leads to. */
	readonly members: readonly number[];
	/** Nodes in the order in which they are tried: most specific match first, the default last. */
	readonly rankings: readonly (readonly number[])[];
}

export interface WeightedNode {
	readonly kind: 'weighted';
	readonly name: string;
	readonly looksAtClient: boolean;
	readonly members: readonly number[];
	readonly weights: readonly number[];
	/** By member; undefined where each query draws anew. */
	readonly seeds: readonly number[] | undefined;
}

export interface FailoverNode {
	readonly kind: 'failover';
	readonly name: string;
	readonly looksAtClient: boolean;
	readonly members: readonly number[];
	/** Those of them that have not tripped. */
	readonly tried: readonly number[];
	/** How many of a million queries go to the next member that is up. */
	readonly trickle: number;
	/** Present with manual failback: what each member trips by, and whether it has. */
	readonly trips?: readonly MemberTrip[];
}

export interface MemberTrip {
	/** Names the member among those of its policy (memberName, lib/member-name.ts). */
	readonly member: string;
	readonly hasTripped: boolean;
}

/** Positions of members from the nearest on. */
export interface ProximityRanking {
	readonly order: readonly number[];
	/** For each place in `order`, the last place that is as near as this one. */
	readonly tieEnds: readonly number[];
}

export interface ProximityNode extends Placed<ProximityRanking> {
	readonly kind: 'proximity';
	readonly name: string;
	readonly looksAtClient: true;
	readonly members: readonly number[];
	readonly weights: readonly number[];
	/** Where members are and how their distances are bent; told by explanations alone. */
	readonly points: readonly { readonly latitude: number; readonly longitude: number }[];
	readonly biases: readonly number[];
}

export interface LatencyRanking {
	/** Number of the nearest region that has had a prober. */
	readonly vantage: number;
	/** Positions of members from the nearest on, for when no round-trip times are known. */
	readonly order: readonly number[];
}

export interface LatencyNode extends Placed<LatencyRanking> {
	readonly kind: 'latency';
	readonly name: string;
	readonly looksAtClient: boolean;
	/** One vantage and no place that differs: no client is looked at. */
	readonly isPlaced: boolean;
	readonly members: readonly number[];
	/** Where its last winners are remembered, one word per vantage and family. */
	readonly memoryAt: number;
}

export interface AllNode {
	readonly kind: 'all';
	readonly name: string;
	readonly looksAtClient: boolean;
	readonly members: readonly number[];
}

export type PolicyNode = GeoNode | WeightedNode | FailoverNode | ProximityNode | LatencyNode | AllNode;
export type SteeringNode = PoolNode | PolicyNode;

export interface SteeredName {
	/** As in the steering file, for people. */
	readonly name: string;
	readonly root: number;
	readonly ttlSec: number;
}

/** An endpoint by its names, as its answers are counted and logged. */
export interface EndpointName {
	/** The name of its pool's node. */
	readonly pool: string;
	readonly name: string;
}

export interface SteeringTable {
	readonly nodes: readonly SteeringNode[];
	readonly names: readonly SteeredName[];
	/** Of all pools. */
	readonly endpoints: readonly EndpointName[];
	/** RDATA of all that may be picked. */
	readonly rdata: Uint8Array;
	/** Last winner of each latency node as the member's position + 1; shared, so that workers agree. */
	readonly latencyMemory: Int32Array;
	readonly targetCount: number;
	/** The most addresses of one family that any pick has. */
	readonly addressesMax: number;
	/** Where names and nodes are read when they are first needed: fills in those of one name, undefined when there is none. */
	readonly load?: (name: number) => SteeredName | undefined;
}

/** How a geo policy came by its rankings; for explanations, so it stays out of what workers get. */
export interface GeoNotes {
	/** Each prefix with the name of its networks and the rule that claims it. */
	readonly networks: readonly { readonly prefix: string; readonly name: string; readonly rule: number }[];
	/** `country DE` and so on, with the rule that claims it. */
	readonly places: ReadonlyMap<string, number>;
	/** By rule: the node that it uses, and whether it is a fence. */
	readonly rules: readonly { readonly member: number; readonly isFence: boolean }[];
	readonly fallback: number | undefined;
}

/** Nodes that a policy may hand on to. */
export function membersOf(node: SteeringNode): readonly number[] {
	return node.kind === 'pool' ? [] : node.members;
}

/** The most addresses of one family that any pick has: those of all pools when there are unions. */
export function mostAddresses(nodes: readonly SteeringNode[]): number {
	let most = 1;
	let sum = 0;
	for (const node of nodes) {
		if (node.kind !== 'pool') continue;
		const counts = [node.ipv4, node.ipv6].map(({ endpoints }) =>
			endpoints.reduce((count, endpoint) => count + endpoint.addresses.length, 0),
		);
		most = Math.max(most, ...counts);
		sum += Math.max(...counts);
	}
	return nodes.some(({ kind }) => kind === 'all') ? Math.max(1, sum) : most;
}

/**
 * What has `failback: manual`, as it is watched: a pool, or a failover policy. What is down once stays out of service
 * until it is cleared.
 *
 * A pool is down when no address family that it has is up: one that has lost one family alone serves the other. A member
 * of a policy is down when all pools under it are. It trips when another one takes over from it, that is when one behind
 * it is up: the last resort never trips, nor does a member that nobody was sent to.
 */

import type { UnitDocument } from '../config/drain.ts';
import { VERDICT_WORD } from '../health/verdict-table.ts';
import { type FailoverNode, membersOf, type PoolFamily, type PoolNode, type SteeringNode } from '../steering/nodes.ts';

interface WatchedFamily {
	readonly requiredHealthy: number;
	/** Targets of each address of each endpoint, as positions in those of the generation; an operator's `up` has none. */
	readonly endpoints: readonly (readonly (readonly number[])[])[];
}

/** Those with an endpoint that operators have not switched off. */
type WatchedPool = readonly WatchedFamily[];

interface ManualPool {
	readonly kind: 'pool';
	readonly unit: string;
	readonly pool: string;
	readonly families: WatchedPool;
}

export interface ManualFailover {
	readonly kind: 'failover';
	readonly unit: string;
	readonly policy: string;
	/** Those that have not tripped, in their order. */
	readonly members: readonly { readonly member: string; readonly pools: readonly WatchedPool[] }[];
}

export type Manual = ManualPool | ManualFailover;

/** By the position of a target: the verdict on it. */
export type WordOf = (target: number) => number;

interface Nodes {
	readonly nodes: readonly SteeringNode[];
}

/** @param steering  with what operators have switched, and what has tripped */
export function manualOf(documents: readonly UnitDocument[], steering: Nodes): readonly Manual[] {
	return [...manualPools(documents, steering), ...manualFailovers(steering)];
}

function manualPools(documents: readonly UnitDocument[], { nodes }: Nodes): readonly ManualPool[] {
	const wanted = documents.flatMap(({ unit, document }) =>
		[...document.pools].flatMap(([pool, { failback }]) => (failback === 'manual' ? [{ unit, pool }] : [])),
	);
	if (wanted.length === 0) return [];
	const byName = new Map(nodes.flatMap((node) => (node.kind === 'pool' ? [[node.name, node] as const] : [])));
	return wanted.flatMap(({ unit, pool }) => {
		const node = byName.get(`${unit} ${pool}`);
		if (node === undefined) return [];
		const families = familiesOf(node);
		return families.length === 0 ? [] : [{ kind: 'pool', unit, pool, families }];
	});
}

function manualFailovers({ nodes }: Nodes): readonly ManualFailover[] {
	return nodes.flatMap((node) => {
		if (node.kind !== 'failover' || node.trips === undefined) return [];
		const [unit = '', ...words] = node.name.split(' ');
		return [{ kind: 'failover', unit, policy: words.join(' '), members: watchedMembers(node, node.trips, nodes) }];
	});
}

function watchedMembers({ members }: FailoverNode, trips: NonNullable<FailoverNode['trips']>, nodes: Nodes['nodes']) {
	return trips.flatMap(({ member, hasTripped }, i) => {
		if (hasTripped) return [];
		return [{ member, pools: poolsUnder(nodes, members[i] ?? -1).map(familiesOf) }];
	});
}

/** @returns the members that are down while one behind them is up; those that have been switched off are neither */
export function trippedMembers({ members }: ManualFailover, wordOf: WordOf): readonly string[] {
	const down: string[] = [];
	for (const { member, pools } of members) {
		const inService = pools.filter((families) => families.length > 0);
		if (inService.length === 0) continue;
		if (!inService.every((families) => isDown(families, wordOf))) return down;
		down.push(member);
	}
	return [];
}

export function isDown(families: WatchedPool, wordOf: WordOf): boolean {
	return families.every(({ requiredHealthy, endpoints }) => {
		const healthy = endpoints.filter((addresses) =>
			addresses.some((targets) => targets.every((target) => wordOf(target) !== VERDICT_WORD.down)),
		);
		return healthy.length < requiredHealthy;
	});
}

function poolsUnder(nodes: Nodes['nodes'], root: number): readonly PoolNode[] {
	const seen = new Set([root]);
	const pools: PoolNode[] = [];
	// What is added while the set is gone through is gone through too.
	for (const index of seen) {
		const node = nodes[index];
		if (node?.kind === 'pool') pools.push(node);
		else if (node !== undefined) for (const member of membersOf(node)) seen.add(member);
	}
	return pools;
}

function familiesOf(node: PoolNode): WatchedPool {
	return [node.ipv4, node.ipv6].filter(({ endpoints }) => endpoints.length > 0).map(watchedFamily);
}

function watchedFamily({ requiredHealthy, endpoints }: PoolFamily): WatchedFamily {
	return {
		requiredHealthy,
		endpoints: endpoints.map(({ isForcedUp, addresses }) =>
			addresses.map(({ targets }) => (isForcedUp ? [] : [...targets])),
		),
	};
}

/**
 * Pools with `failback: manual`, as they are watched: once one is down it stays out of service until it is cleared.
 *
 * Down means that no address family that the pool has is up: a pool that has lost one family alone serves the other.
 */

import type { UnitDocument } from '../config/drain.ts';
import { VERDICT_WORD } from '../health/verdict-table.ts';
import type { PoolFamily, PoolNode } from '../steering/nodes.ts';

interface WatchedFamily {
	readonly requiredHealthy: number;
	/** Targets of each address of each endpoint, as positions in those of the generation; an operator's `up` has none. */
	readonly endpoints: readonly (readonly (readonly number[])[])[];
}

export interface ManualPool {
	readonly unit: string;
	readonly pool: string;
	/** Those with an endpoint that operators have not switched off. */
	readonly families: readonly WatchedFamily[];
}

/** @param steering  with what operators have switched */
export function manualPools(
	documents: readonly UnitDocument[],
	{ nodes }: { readonly nodes: readonly { readonly kind: string }[] },
): readonly ManualPool[] {
	const wanted = documents.flatMap(({ unit, document }) =>
		[...document.pools].flatMap(([pool, { failback }]) => (failback === 'manual' ? [{ unit, pool }] : [])),
	);
	if (wanted.length === 0) return [];
	const byName = new Map(nodes.flatMap((node) => (isPool(node) ? [[node.name, node] as const] : [])));
	return wanted.flatMap(({ unit, pool }) => {
		const node = byName.get(`${unit} ${pool}`);
		if (node === undefined) return [];
		const families = [node.ipv4, node.ipv6].filter(({ endpoints }) => endpoints.length > 0).map(watchedFamily);
		return families.length === 0 ? [] : [{ unit, pool, families }];
	});
}

/** @param wordOf  the verdict on a target, by its position */
export function isPoolDown({ families }: ManualPool, wordOf: (target: number) => number): boolean {
	return families.every(({ requiredHealthy, endpoints }) => {
		const healthy = endpoints.filter((addresses) =>
			addresses.some((targets) => targets.every((target) => wordOf(target) !== VERDICT_WORD.down)),
		);
		return healthy.length < requiredHealthy;
	});
}

function isPool(node: { readonly kind: string }): node is PoolNode {
	return node.kind === 'pool';
}

function watchedFamily({ requiredHealthy, endpoints }: PoolFamily): WatchedFamily {
	return {
		requiredHealthy,
		endpoints: endpoints.map(({ isForcedUp, addresses }) =>
			addresses.map(({ targets }) => (isForcedUp ? [] : [...targets])),
		),
	};
}

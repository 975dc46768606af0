/**
 * How far a decision holds: the ECS scope (RFC 7871 §7.2.1), taken over the ranking, which is what each
 * reachable node may pick for this client before health and before any draw. So health, draws and
 * round-trip times never change a scope.
 */

import { locate } from './locate.ts';
import type { GeoNode, PoolNode, SteeringNode } from './nodes.ts';
import { STICKY_BITS } from './rendezvous.ts';
import { standingOf } from './standing.ts';
import type { Walk } from './walk.ts';

/**
 * The scope of a node, after `choose()` for the same name.
 * @returns bits in the family of the address that decided; 0 when nothing looked at it
 */
export function scope(walk: Walk, index: number): number {
	const node = walk.table.nodes[index];
	if (node?.looksAtClient !== true) return 0;
	if (walk.scopeEpochs[index] === walk.epoch) return walk.scopes[index] ?? 0;
	const bits = scopeOf(walk, index, node);
	walk.scopeEpochs[index] = walk.epoch;
	walk.scopes[index] = bits;
	return bits;
}

function scopeOf(walk: Walk, index: number, node: SteeringNode): number {
	switch (node.kind) {
		case 'pool':
			return poolScope(walk, index, node);
		case 'geo':
			return geoScope(walk, index, node);
		case 'proximity':
			locate(walk, index, node);
			return longest(walk, node.members, walk.placeScopes[index] ?? 0);
		case 'latency':
			if (node.isPlaced) locate(walk, index, node);
			return longest(walk, node.members, node.isPlaced ? (walk.placeScopes[index] ?? 0) : 0);
		case 'weighted':
			return longest(walk, node.members, node.seeds === undefined ? 0 : stickyBits(walk));
		default:
			return longest(walk, node.members, 0);
	}
}

function geoScope(walk: Walk, index: number, node: GeoNode): number {
	const ranking = locate(walk, index, node);
	const placed = walk.placeScopes[index] ?? 0;
	if (!standingOf(walk, index, node, ranking).looksAtClient) return placed;
	return longest(walk, node.rankings[ranking] ?? [], placed);
}

/** Which verdicts of regional targets a client sees hangs on its vantage, whatever they are. */
function poolScope(walk: Walk, index: number, { isSticky, vantages }: PoolNode): number {
	const bits = isSticky ? stickyBits(walk) : 0;
	if (vantages === undefined) return bits;
	locate(walk, index, vantages);
	const placed = walk.placeScopes[index] ?? 0;
	return placed > bits ? placed : bits;
}

/** Stickiness looks at the client's network, whatever else is known of it. */
function stickyBits({ client }: Walk): number {
	return client.scopeOffset + (client.family === 4 ? STICKY_BITS.ipv4 : STICKY_BITS.ipv6);
}

function longest(walk: Walk, members: readonly number[], least: number): number {
	let bits = least;
	for (let i = 0; i < members.length; i++) {
		const own = scope(walk, members[i] ?? -1);
		if (own > bits) bits = own;
	}
	return bits;
}

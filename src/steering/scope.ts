/**
 * How far a decision holds: the ECS scope (RFC 7871 §7.2.1), taken over the ranking, which is what each
 * reachable node may pick for this client before health and before any draw. So health, draws and
 * round-trip times never change a scope.
 */

import { locate } from './geo.ts';
import type { Walk } from './walk.ts';

/**
 * The scope of a node, after `choose()` in the same query.
 * @returns bits in the family of the address that decided; 0 when nothing looked at it
 */
export function scope(walk: Walk, index: number): number {
	const node = walk.table.nodes[index];
	if (node?.looksAtClient !== true || node.kind === 'pool') return 0;
	if (walk.scopeEpochs[index] === walk.epoch) return walk.scopes[index] ?? 0;
	let bits: number;
	if (node.kind === 'geo') {
		locate(walk, index, node);
		bits = longest(walk, node.rankings[walk.geoRankings[index] ?? 0] ?? [], walk.geoScopes[index] ?? 0);
	} else {
		bits = longest(walk, node.members, 0);
	}
	walk.scopeEpochs[index] = walk.epoch;
	walk.scopes[index] = bits;
	return bits;
}

function longest(walk: Walk, members: readonly number[], least: number): number {
	let bits = least;
	for (let i = 0; i < members.length; i++) {
		const own = scope(walk, members[i] ?? -1);
		if (own > bits) bits = own;
	}
	return bits;
}

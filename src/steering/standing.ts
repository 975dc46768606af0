/**
 * What a ranking of a geo policy comes to in one address family as long as no verdict changes: worked out by the first
 * query that finds it old, as a pool's roster is. Behind it a query has its pool as soon as its place is known.
 */

import type { GeoNode, SteeringNode } from './nodes.ts';
import { STATE, type Walk } from './walk.ts';

export class Standing {
	/** Nothing but verdicts decides among its members; else each query has to try them. */
	readonly isSteady: boolean;
	/** A member looks at the client by itself. */
	readonly looksAtClient: boolean;
	/** The walk's `worldEpoch` in which the rest was found; 0: never. */
	epoch = 0;
	/** One of STATE. */
	state: number = STATE.none;
	pick = -1;
	hasHealthy = false;
	hasSeenDown = false;
	hasSeenStale = false;

	constructor(nodes: readonly SteeringNode[], members: readonly number[]) {
		this.isSteady = members.every((member) => isSteady(nodes, member));
		this.looksAtClient = members.some((member) => nodes[member]?.looksAtClient === true);
	}
}

/** A union is not, for what is drawn from it is found by the states that its members have in the same query. */
function isSteady(nodes: readonly SteeringNode[], index: number): boolean {
	const node = nodes[index];
	if (node === undefined || node.looksAtClient) return false;
	if (node.kind === 'failover') return node.trickle === 0 && node.tried.every((member) => isSteady(nodes, member));
	return node.kind === 'pool';
}

/** That of a ranking for the family that is walked for. */
export function standingOf(walk: Walk, index: number, { rankings }: GeoNode, ranking: number): Standing {
	const row = 2 * ranking + (walk.family === 4 ? 0 : 1);
	let standings = walk.standings[index];
	const known = standings?.[row];
	if (known !== undefined) return known;
	if (standings === undefined) {
		standings = new Array(2 * rankings.length);
		walk.standings[index] = standings;
	}
	const standing = new Standing(walk.table.nodes, rankings[ranking] ?? []);
	standings[row] = standing;
	return standing;
}

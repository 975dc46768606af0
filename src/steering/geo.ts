/**
 * Geo: the most specific match decides; a match that is down falls to the next less specific, then to the
 * default; a fence ends the list. No match and no default: none.
 *
 * The ranking of each client was worked out when data was loaded, and what it comes to when verdicts changed last, so
 * here it is mostly two lookups.
 */

import { chooseFirst } from './failover.ts';
import { locate } from './locate.ts';
import type { GeoNode } from './nodes.ts';
import { type Standing, standingOf } from './standing.ts';
import type { Walk } from './walk.ts';

export function chooseGeo(walk: Walk, index: number, node: GeoNode): number {
	const ranking = locate(walk, index, node);
	const standing = standingOf(walk, index, node, ranking);
	// An explanation wants to see the members tried.
	if (!standing.isSteady || walk.trace !== undefined) return chooseFirst(walk, node.rankings[ranking] ?? []);
	if (standing.epoch !== walk.worldEpoch) findStanding(walk, standing, node.rankings[ranking] ?? []);
	walk.pick = standing.pick;
	walk.hasHealthy = standing.hasHealthy;
	if (standing.hasSeenDown) walk.hasSeenDown = true;
	if (standing.hasSeenStale) walk.hasSeenStale = true;
	return standing.state;
}

function findStanding(walk: Walk, standing: Standing, members: readonly number[]): void {
	const { hasSeenDown, hasSeenStale } = walk;
	walk.hasSeenDown = false;
	walk.hasSeenStale = false;
	// What they have seen is told by a visit alone, and another parent may have made theirs in this query.
	for (const member of members) forget(walk, member);
	standing.state = chooseFirst(walk, members);
	standing.epoch = walk.worldEpoch;
	standing.pick = walk.pick;
	standing.hasHealthy = walk.hasHealthy;
	standing.hasSeenDown = walk.hasSeenDown;
	standing.hasSeenStale = walk.hasSeenStale;
	walk.hasSeenDown = hasSeenDown;
	walk.hasSeenStale = hasSeenStale;
}

/** Let a steady node, and all below it, be visited again. */
function forget(walk: Walk, index: number): void {
	walk.nodeEpochs[index] = 0;
	const node = walk.table.nodes[index];
	if (node?.kind === 'failover') for (const member of node.tried) forget(walk, member);
}

/**
 * Geo: the most specific match decides; a match that is down falls to the next less specific, then to the
 * default; a fence ends the list. No match and no default: none.
 *
 * The ranking of each client was worked out when data was loaded, so here it is one lookup and then failover.
 *
 * | the client is in       | what decides                                | scope                          |
 * |------------------------|---------------------------------------------|--------------------------------|
 * | a known or other place | its ranking                                 | its range                      |
 * | special-purpose space  | the resolver's ranking, else that of nobody | the special block              |
 */

import type { Client } from '../geo/client.ts';
import { SPECIAL_DECISION } from '../geo/decide.ts';
import { familyRanges, findRange, scopeInRange } from '../geo/ranges.ts';
import { chooseFailover } from './failover.ts';
import type { GeoNode } from './nodes.ts';
import type { Walk } from './walk.ts';

export function chooseGeo(walk: Walk, index: number, node: GeoNode): number {
	locate(walk, index, node);
	return chooseFailover(walk, node.rankings[walk.geoRankings[index] ?? 0] ?? []);
}

/** Find the client's ranking and its scope, once per query. */
export function locate(walk: Walk, index: number, node: GeoNode): void {
	if (walk.geoEpochs[index] === walk.epoch) return;
	walk.geoEpochs[index] = walk.epoch;
	const { client } = walk;
	const ranges = familyRanges(node.decisions, client.family);
	const range = findRange(ranges, client.words);
	let decision = ranges.values[range] ?? 0;
	walk.geoScopes[index] = client.scopeOffset + scopeInRange(ranges, range, client.words);
	if (decision >= SPECIAL_DECISION) decision = decisionOf(node, walk.resolver);
	walk.geoRankings[index] = decision >= SPECIAL_DECISION ? node.unknownRanking : decision;
}

function decisionOf(node: GeoNode, client: Client): number {
	const ranges = familyRanges(node.decisions, client.family);
	return ranges.values[findRange(ranges, client.words)] ?? 0;
}

/**
 * Geo: the most specific match decides; a match that is down falls to the next less specific, then to the
 * default; a fence ends the list. No match and no default: none.
 *
 * The ranking of each client was worked out when data was loaded, so here it is one lookup and then failover.
 */

import { chooseFirst } from './failover.ts';
import { locate } from './locate.ts';
import type { GeoNode } from './nodes.ts';
import type { Walk } from './walk.ts';

export function chooseGeo(walk: Walk, index: number, node: GeoNode): number {
	return chooseFirst(walk, node.rankings[locate(walk, index, node)] ?? []);
}

/**
 * From a steered name to addresses: the door of this room.
 *
 *     name -> root node -> visit(): each kind by its own rule -> pool -> draw
 */

import { setClient } from '../geo/client.ts';
import type { HealthWords } from '../health/verdict-table.ts';
import type { Family } from '../lib/address.ts';
import type { Chance } from '../lib/ports.ts';
import { chooseFailover } from './failover.ts';
import { chooseGeo } from './geo.ts';
import { chooseLatency } from './latency.ts';
import type { SteeringTable } from './nodes.ts';
import { drawAddresses, PICK, visitPool } from './pool.ts';
import { STATE, Walk } from './walk.ts';
import { chooseWeighted } from './weighted.ts';

const TTL_FLOOR_SEC = 5;

export function createWalk(table: SteeringTable, health: HealthWords, slots: Int32Array, chance: Chance): Walk {
	return new Walk(table, health, slots, chance, visit);
}

/** Say who asks: the address that decides, and the resolver's, which stands in for special-purpose ones. */
export function setWalkClient(
	walk: Walk,
	family: Family,
	words: Uint32Array,
	resolverFamily: Family,
	resolverWords: Uint32Array,
): void {
	setClient(walk.client, family, words);
	setClient(walk.resolver, resolverFamily, resolverWords);
}

/**
 * Decide for a steered name and an address family. Afterwards `walk.picked` holds the addresses and
 * `walk.ttlSec` their TTL; `scope()` tells how far the decision holds.
 *
 * @param name  index into the table's names
 * @returns one of PICK
 */
export function choose(walk: Walk, name: number, family: Family): number {
	const steered = walk.table.names[name];
	if (steered === undefined) return PICK.servfail;
	walk.begin(family);
	const state = visit(walk, steered.root);
	const isLastResort = state === STATE.down;
	walk.ttlSec = walk.hasSeenDown || isLastResort ? cautiousTtlSec(steered.ttlSec) : steered.ttlSec;
	if (state === STATE.none) return PICK.nodata;
	return drawAddresses(walk, walk.pool, isLastResort);
}

/** Halved once while trouble is near, so that clients come back sooner. */
function cautiousTtlSec(ownSec: number): number {
	return Math.max(Math.floor(ownSec / 2), Math.min(TTL_FLOOR_SEC, ownSec));
}

/** The state of a node, found once per query. */
function visit(walk: Walk, index: number): number {
	const node = walk.table.nodes[index];
	if (node === undefined) return STATE.none;
	if (walk.nodeEpochs[index] === walk.epoch) {
		walk.pool = walk.nodePools[index] ?? -1;
		walk.hasHealthy = walk.nodeHasHealthy[index] === 1;
		return walk.nodeStates[index] ?? STATE.none;
	}
	walk.level++;
	let state: number;
	switch (node.kind) {
		case 'pool':
			state = visitPool(walk, index, node);
			break;
		case 'geo':
			state = chooseGeo(walk, index, node);
			break;
		case 'weighted':
			state = chooseWeighted(walk, node);
			break;
		case 'failover':
			state = chooseFailover(walk, node.members);
			break;
		case 'latency':
			state = chooseLatency(walk, node);
			break;
		default:
			state = node satisfies never;
	}
	walk.level--;
	walk.nodeEpochs[index] = walk.epoch;
	walk.nodeStates[index] = state;
	walk.nodePools[index] = walk.pool;
	walk.nodeHasHealthy[index] = walk.hasHealthy ? 1 : 0;
	return state;
}

/**
 * From a steered name to addresses: the door of this room.
 *
 *     name -> root node -> visit(): each kind by its own rule -> pool -> draw
 */

import { setClient } from '../geo/client.ts';
import type { HealthWords } from '../health/verdict-table.ts';
import type { Family } from '../lib/address.ts';
import type { Chance } from '../lib/ports.ts';
import { chooseAll } from './all.ts';
import { draw, PICK } from './draw.ts';
import { chooseFailover } from './failover.ts';
import { chooseGeo } from './geo.ts';
import { chooseLatency } from './latency.ts';
import type { SteeringNode, SteeringTable } from './nodes.ts';
import { visitPool } from './pool.ts';
import { chooseProximity } from './proximity.ts';
import { STATE, Walk } from './walk.ts';
import { chooseWeighted } from './weighted.ts';

const TTL_FLOOR_SEC = 5;

export function createWalk(table: SteeringTable, health: HealthWords, slots: Int32Array, chance: Chance): Walk {
	return new Walk(table, health, slots, chance, visit);
}

/** Say who asks: the address that decides, and the resolver's, which stands in for special-purpose ones: kept, not copied. */
export function setWalkClient(
	walk: Walk,
	family: Family,
	words: Uint32Array,
	resolverFamily: Family,
	resolverWords: Uint32Array,
): void {
	setClient(walk.client, family, words);
	walk.resolverFamily = resolverFamily;
	if (walk.resolverWords !== resolverWords) walk.resolverWords = resolverWords;
}

/**
 * Decide for a steered name and an address family. Afterwards `walk.picked` holds where the RDATA stands and
 * `walk.ttlSec` its TTL; `scope()` tells how far the decision holds.
 *
 * @param name     index into the table's names
 * @param isFirst  the first name of a query; the links behind it see the health that it saw
 * @returns one of PICK
 */
export function choose(walk: Walk, name: number, family: Family, isFirst: boolean): number {
	const steered = walk.table.names[name] ?? walk.table.load?.(name);
	if (steered === undefined) return PICK.servfail;
	walk.begin(family, isFirst);
	walk.trace?.begin(name);
	const state = visit(walk, steered.root);
	walk.state = state;
	const isLastResort = state === STATE.down;
	walk.ttlSec = walk.hasSeenDown || isLastResort ? cautiousTtlSec(steered.ttlSec) : steered.ttlSec;
	const pick = state === STATE.none ? PICK.nodata : draw(walk, walk.pick, isLastResort);
	walk.trace?.chosen(state, pick);
	return pick;
}

/** Halved once while trouble is near, so that clients come back sooner. */
function cautiousTtlSec(ownSec: number): number {
	return Math.max(Math.floor(ownSec / 2), Math.min(TTL_FLOOR_SEC, ownSec));
}

/** The state of a node, found once per name. */
function visit(walk: Walk, index: number): number {
	const node = walk.table.nodes[index];
	if (node === undefined) return STATE.none;
	if (walk.nodeEpochs[index] === walk.epoch) {
		walk.trace?.again(index);
		walk.pick = walk.nodePicks[index] ?? -1;
		walk.hasHealthy = walk.nodeHasHealthy[index] === 1;
		return walk.nodeStates[index] ?? STATE.none;
	}
	walk.trace?.enter(index);
	const above = walk.node;
	walk.node = index;
	walk.level++;
	const state = stateOf(walk, index, node);
	walk.level--;
	walk.node = above;
	walk.nodeEpochs[index] = walk.epoch;
	walk.nodeStates[index] = state;
	walk.nodePicks[index] = walk.pick;
	walk.nodeHasHealthy[index] = walk.hasHealthy ? 1 : 0;
	walk.trace?.leave(index, state);
	return state;
}

function stateOf(walk: Walk, index: number, node: SteeringNode): number {
	switch (node.kind) {
		case 'pool':
			return visitPool(walk, index, node);
		case 'geo':
			return chooseGeo(walk, index, node);
		case 'weighted':
			return chooseWeighted(walk, node);
		case 'failover':
			return chooseFailover(walk, node);
		case 'proximity':
			return chooseProximity(walk, index, node);
		case 'latency':
			return chooseLatency(walk, index, node);
		case 'all':
			return chooseAll(walk, index, node);
		default:
			return node satisfies never;
	}
}

/**
 * Latency: the member with the least round-trip time from the client's vantage, which is the nearest region that
 * has had a prober: the median over the addresses that are up of what a member would pick.
 *
 * Within 10 ms of the best is a tie, and a tie keeps its last winner, so that two regions at almost the same
 * distance do not take turns. A member without data stands behind all that have some; without any data at all
 * the nearest member by great circle wins, and where places are unknown the first.
 */

import { locate } from './locate.ts';
import type { LatencyNode, PoolNode } from './nodes.ts';
import { familyOf, isAddressUp } from './pool.ts';
import { STATE, scratchRow, type Walk } from './walk.ts';

const TIE_US = 10_000;
const NO_DATA_US = 0x7fffffff;

export function chooseLatency(walk: Walk, index: number, node: LatencyNode): number {
	const ranking = node.rankings[node.isPlaced ? locate(walk, index, node) : node.unknownRanking];
	if (ranking === undefined) return STATE.none;
	const { order, vantage } = ranking;
	const picks = scratchRow(walk, 0);
	const rttUs = scratchRow(walk, 1);
	const ranks = scratchRow(walk, 2);
	let best = -1;
	for (let i = 0; i < order.length; i++) {
		const position = order[i] ?? 0;
		visitMember(walk, node.members[position] ?? -1, vantage, position, picks, rttUs, ranks);
		const isNearer = best < 0 || (walk.scratch[rttUs + position] ?? 0) < (walk.scratch[rttUs + best] ?? 0);
		if (walk.scratch[ranks + position] === RANK.up && isNearer) best = position;
	}
	if (best < 0) return lastResort(walk, order, picks, rttUs, ranks);
	const memory = node.memoryAt + 2 * vantage + (walk.family === 4 ? 0 : 1);
	const leastUs = walk.scratch[rttUs + best] ?? 0;
	const winner = (walk.table.latencyMemory[memory] ?? 0) - 1;
	const isWinnerUp = winner >= 0 && winner < order.length && walk.scratch[ranks + winner] === RANK.up;
	const isTie = isWinnerUp && leastUs !== NO_DATA_US && (walk.scratch[rttUs + winner] ?? 0) - leastUs <= TIE_US;
	const picked = isTie ? winner : best;
	if (picked !== best) walk.trace?.note(walk.node, 'kept');
	// Without data the place decided, which is no win to be kept.
	if (picked !== winner && leastUs !== NO_DATA_US) walk.table.latencyMemory[memory] = picked + 1;
	walk.pick = walk.scratch[picks + picked] ?? -1;
	return STATE.up;
}

/** A member that is down is worth more when its last resort has a healthy endpoint. */
const RANK = { none: 0, down: 1, downWithHealthy: 2, up: 3 } as const;

/** Note a member's pick, round-trip time and rank. */
function visitMember(
	walk: Walk,
	member: number,
	vantage: number,
	i: number,
	picks: number,
	rttUs: number,
	ranks: number,
): void {
	const state = walk.visit(walk, member);
	const medianUs = state === STATE.none ? 0 : medianRttUs(walk, walk.pick, vantage);
	walk.scratch[picks + i] = walk.pick;
	walk.scratch[rttUs + i] = medianUs === 0 ? NO_DATA_US : medianUs;
	if (state === STATE.up) walk.scratch[ranks + i] = RANK.up;
	else if (state === STATE.none) walk.scratch[ranks + i] = RANK.none;
	else walk.scratch[ranks + i] = walk.hasHealthy ? RANK.downWithHealthy : RANK.down;
}

/** Nobody is up: the nearest member's last resort that has a healthy endpoint, else the nearest's. */
function lastResort(walk: Walk, order: readonly number[], picks: number, rttUs: number, ranks: number): number {
	let best = -1;
	for (let i = 0; i < order.length; i++) {
		const position = order[i] ?? 0;
		const rank = walk.scratch[ranks + position] ?? 0;
		if (rank === RANK.none) continue;
		const bestRank = best < 0 ? RANK.none : (walk.scratch[ranks + best] ?? 0);
		const isNearer = rank === bestRank && (walk.scratch[rttUs + position] ?? 0) < (walk.scratch[rttUs + best] ?? 0);
		if (rank > bestRank || isNearer) best = position;
	}
	if (best < 0) return STATE.none;
	walk.pick = walk.scratch[picks + best] ?? -1;
	walk.hasHealthy = walk.scratch[ranks + best] === RANK.downWithHealthy;
	return STATE.down;
}

/** Median round-trip time of a pick over its addresses that are up and measured, in microseconds; 0 when there is none. */
export function medianRttUs(walk: Walk, pick: number, vantage: number): number {
	const count = collect(walk, pick, vantage, 0);
	return count === 0 ? 0 : (walk.samples[count >>> 1] ?? 0);
}

/** Put the times of a pick among the `count` sorted ones; how many there are then. */
function collect(walk: Walk, pick: number, vantage: number, count: number): number {
	const node = walk.table.nodes[pick];
	if (node === undefined) return count;
	if (node.kind === 'pool') return collectPool(walk, node, vantage, count);
	let sum = count;
	if (node.kind !== 'all') return sum;
	for (let i = 0; i < node.members.length; i++) {
		const member = node.members[i] ?? -1;
		if (walk.nodeStates[member] === STATE.up) sum = collect(walk, walk.nodePicks[member] ?? -1, vantage, sum);
	}
	return sum;
}

function collectPool(walk: Walk, pool: PoolNode, vantage: number, before: number): number {
	const { endpoints } = familyOf(pool, walk.family);
	let count = before;
	for (let i = 0; i < endpoints.length; i++) {
		const endpoint = endpoints[i];
		if (endpoint === undefined) continue;
		for (let j = 0; j < endpoint.addresses.length; j++) {
			const address = endpoint.addresses[j];
			if (address === undefined || !isAddressUp(walk, endpoint, address)) continue;
			const slot = walk.slots[address.targets[0] ?? -1] ?? -1;
			const rttUs = slot < 0 ? 0 : Atomics.load(walk.health.rttUs, vantage * walk.health.verdicts.length + slot);
			if (rttUs > 0 && count < walk.samples.length) insert(walk.samples, count++, rttUs);
		}
	}
	return count;
}

/** Put a value into its place among the `count` sorted ones. */
function insert(sorted: Int32Array, count: number, value: number): void {
	let at = count;
	while (at > 0 && (sorted[at - 1] ?? 0) > value) {
		sorted[at] = sorted[at - 1] ?? 0;
		at--;
	}
	sorted[at] = value;
}

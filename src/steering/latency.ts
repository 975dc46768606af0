/**
 * Latency: the member with the least round-trip time, measured by this process's own probes: the median over
 * the addresses of the pool that a member would pick.
 *
 * Within 10 ms of the best is a tie, and a tie keeps its last winner, so that two regions at almost the same
 * distance do not take turns. A member without data stands behind all that have some; without any data at all
 * the order of the members decides.
 */

import type { LatencyNode } from './nodes.ts';
import { medianRttUs } from './pool.ts';
import { STATE, scratchRow, type Walk } from './walk.ts';

const TIE_US = 10_000;
const NO_DATA_US = 0x7fffffff;

export function chooseLatency(walk: Walk, { members, memoryAt }: LatencyNode): number {
	const pools = scratchRow(walk, 0);
	const rttUs = scratchRow(walk, 1);
	const ranks = scratchRow(walk, 2);
	let best = -1;
	for (let i = 0; i < members.length; i++) {
		visitMember(walk, members[i] ?? -1, i, pools, rttUs, ranks);
		const isNearer = best < 0 || (walk.scratch[rttUs + i] ?? 0) < (walk.scratch[rttUs + best] ?? 0);
		if (walk.scratch[ranks + i] === RANK.up && isNearer) best = i;
	}
	if (best < 0) return lastResort(walk, members.length, pools, rttUs, ranks);
	const memory = memoryAt + (walk.family === 4 ? 0 : 1);
	const leastUs = walk.scratch[rttUs + best] ?? 0;
	const winner = (walk.table.latencyMemory[memory] ?? 0) - 1;
	const isWinnerUp = winner >= 0 && winner < members.length && walk.scratch[ranks + winner] === RANK.up;
	const isTie = isWinnerUp && leastUs !== NO_DATA_US && (walk.scratch[rttUs + winner] ?? 0) - leastUs <= TIE_US;
	const picked = isTie ? winner : best;
	if (picked !== winner) walk.table.latencyMemory[memory] = picked + 1;
	walk.pool = walk.scratch[pools + picked] ?? -1;
	return STATE.up;
}

/** A member that is down is worth more when its last resort has a healthy endpoint. */
const RANK = { none: 0, down: 1, downWithHealthy: 2, up: 3 } as const;

/** Note a member's pool, round-trip time and rank. */
function visitMember(walk: Walk, member: number, i: number, pools: number, rttUs: number, ranks: number): void {
	const state = walk.visit(walk, member);
	const medianUs = state === STATE.none ? 0 : medianRttUs(walk, walk.pool);
	walk.scratch[pools + i] = walk.pool;
	walk.scratch[rttUs + i] = medianUs === 0 ? NO_DATA_US : medianUs;
	if (state === STATE.up) walk.scratch[ranks + i] = RANK.up;
	else if (state === STATE.none) walk.scratch[ranks + i] = RANK.none;
	else walk.scratch[ranks + i] = walk.hasHealthy ? RANK.downWithHealthy : RANK.down;
}

/** Nobody is up: the nearest member's last resort that has a healthy endpoint, else the nearest's. */
function lastResort(walk: Walk, count: number, pools: number, rttUs: number, ranks: number): number {
	let best = -1;
	for (let i = 0; i < count; i++) {
		const rank = walk.scratch[ranks + i] ?? 0;
		if (rank === RANK.none) continue;
		const bestRank = best < 0 ? RANK.none : (walk.scratch[ranks + best] ?? 0);
		const isNearer = rank === bestRank && (walk.scratch[rttUs + i] ?? 0) < (walk.scratch[rttUs + best] ?? 0);
		if (rank > bestRank || isNearer) best = i;
	}
	if (best < 0) return STATE.none;
	walk.pool = walk.scratch[pools + best] ?? -1;
	walk.hasHealthy = walk.scratch[ranks + best] === RANK.downWithHealthy;
	return STATE.down;
}

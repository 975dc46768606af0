/**
 * Weighted: one draw among the members that are up, each in proportion to its weight.
 *
 * Members are drawn without putting back until one is up. A member that turned out down is as if it had never
 * been drawn, so the others keep their proportions: for weights w and the set U of members that are up, each of
 * them is picked with w / sum(U).
 *
 * Weight 0 serves only when every other member is down, as Route 53 has it; among several such, evenly.
 */

import type { WeightedNode } from './nodes.ts';
import { STATE, scratchRow, type Walk } from './walk.ts';

export function chooseWeighted(walk: Walk, { members, weights }: WeightedNode): number {
	const tried = scratchRow(walk, 0);
	for (let i = 0; i < members.length; i++) walk.scratch[tried + i] = 0;
	let resort = -1;
	let resortHasHealthy = false;
	for (let round = 0; round < members.length; round++) {
		const member = drawMember(walk, weights, tried);
		walk.scratch[tried + member] = 1;
		const state = walk.visit(walk, members[member] ?? -1);
		if (state === STATE.up) return STATE.up;
		if (state === STATE.down && (resort < 0 || (!resortHasHealthy && walk.hasHealthy))) {
			resort = walk.pool;
			resortHasHealthy = walk.hasHealthy;
		}
	}
	walk.pool = resort;
	walk.hasHealthy = resortHasHealthy;
	return resort < 0 ? STATE.none : STATE.down;
}

/** One of the untried members, of which there is at least one. */
function drawMember(walk: Walk, weights: readonly number[], tried: number): number {
	let total = 0;
	let left = 0;
	for (let i = 0; i < weights.length; i++) {
		if (walk.scratch[tried + i] === 1) continue;
		total += weights[i] ?? 0;
		left++;
	}
	const isEven = total === 0;
	let remaining = walk.chance.below(isEven ? left : total);
	for (let i = 0; i < weights.length; i++) {
		if (walk.scratch[tried + i] === 1) continue;
		remaining -= isEven ? 1 : (weights[i] ?? 0);
		if (remaining < 0) return i;
	}
	return 0;
}

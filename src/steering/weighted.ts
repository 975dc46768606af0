/**
 * Weighted: one of the members that are up, each in proportion to its weight.
 *
 * | by     | members are tried                                                                        |
 * |--------|------------------------------------------------------------------------------------------|
 * | query  | as drawn, without putting back                                                           |
 * | client | in the order of their scores for the client's network (rendezvous.ts)                    |
 *
 * A member that turned out down is as if it had never been drawn, so the others keep their proportions: for
 * weights w and the set U of members that are up, each of them is picked with w / sum(U).
 *
 * Weight 0 serves only when every other member is down, as Route 53 has it; among several such, evenly.
 */

import type { WeightedNode } from './nodes.ts';
import { putStickyScore } from './rendezvous.ts';
import { beginResort, endResort, noteResort, STATE, scoreRow, scratchRow, type Walk } from './walk.ts';

export function chooseWeighted(walk: Walk, { members, weights, seeds }: WeightedNode): number {
	const tried = scratchRow(walk, 0);
	const scores = scoreRow(walk);
	for (let i = 0; i < members.length; i++) {
		walk.scratch[tried + i] = 0;
		if (seeds !== undefined) putStickyScore(walk.scores, scores + i, walk.client, seeds[i] ?? 0, weights[i] ?? 0);
	}
	beginResort(walk);
	for (let round = 0; round < members.length; round++) {
		const member =
			seeds === undefined ? drawMember(walk, weights, tried) : bestMember(walk, members.length, tried, scores);
		walk.scratch[tried + member] = 1;
		const state = walk.visit(walk, members[member] ?? -1);
		if (state === STATE.up) return STATE.up;
		noteResort(walk, state);
	}
	return endResort(walk);
}

/** The untried member with the least score. */
function bestMember(walk: Walk, count: number, tried: number, scores: number): number {
	let best = -1;
	for (let i = 0; i < count; i++) {
		if (walk.scratch[tried + i] === 1) continue;
		if (best < 0 || (walk.scores[scores + i] ?? 0) < (walk.scores[scores + best] ?? 0)) best = i;
	}
	return best;
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

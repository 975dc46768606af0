/**
 * Proximity: the nearest member by great circle, each distance bent by the member's bias.
 *
 * | bias      | distance                      |
 * |-----------|-------------------------------|
 * | 1 .. 99   | times 1 - bias / 100          |
 * | -1 .. -99 | divided by 1 + bias / 100     |
 *
 * What is within 5 % or 100 km of the nearest member that is up is a tie, broken by weight. A client whose place
 * is unknown gets the members in the order in which they stand. The order of each place was worked out when data
 * was loaded (compile-place.ts).
 */

import { locate } from './locate.ts';
import type { ProximityNode, ProximityRanking } from './nodes.ts';
import { beginResort, endResort, noteResort, STATE, type Walk } from './walk.ts';

export function chooseProximity(walk: Walk, index: number, node: ProximityNode): number {
	const ranking = node.rankings[locate(walk, index, node)];
	beginResort(walk);
	if (ranking === undefined) return endResort(walk);
	const { order } = ranking;
	for (let i = 0; i < order.length; i++) {
		const state = walk.visit(walk, node.members[order[i] ?? -1] ?? -1);
		if (state === STATE.up) return breakTie(walk, node, ranking, i);
		noteResort(walk, state);
	}
	return endResort(walk);
}

/** One by weight of the members that are up and as near as the one at place `first`. */
function breakTie(
	walk: Walk,
	{ members, weights }: ProximityNode,
	{ order, tieEnds }: ProximityRanking,
	first: number,
) {
	const end = tieEnds[first] ?? first;
	if (end === first) return STATE.up;
	let total = 0;
	let count = 0;
	for (let i = first; i <= end; i++) {
		const position = order[i] ?? -1;
		if (walk.visit(walk, members[position] ?? -1) !== STATE.up) continue;
		total += weights[position] ?? 0;
		count++;
	}
	if (count > 1) walk.trace?.note(walk.node, 'tie');
	const isEven = total === 0;
	let remaining = count === 1 ? 0 : walk.chance.below(isEven ? count : total);
	for (let i = first; i <= end; i++) {
		const position = order[i] ?? -1;
		if (walk.visit(walk, members[position] ?? -1) !== STATE.up) continue;
		remaining -= isEven || count === 1 ? 1 : (weights[position] ?? 0);
		if (remaining < 0) return STATE.up;
	}
	return STATE.none;
}

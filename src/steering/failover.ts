/**
 * Failover: the first member that is up.
 *
 * | first  | second | picks                                                    |
 * |--------|--------|----------------------------------------------------------|
 * | up     | any    | first                                                    |
 * | down   | up     | second                                                   |
 * | none   | up     | second                                                   |
 * | down   | down   | down; last resort of the first that has a healthy one    |
 * | none   | none   | none                                                     |
 *
 * With `trickle` a share of the queries goes to the next member that is up, so that it stays proven. A member that has
 * tripped counts as none, and is not looked at.
 */

import type { FailoverNode } from './nodes.ts';
import { beginResort, endResort, noteResort, STATE, type Walk } from './walk.ts';

/** A trickle is counted in millionths. */
export const TRICKLE_WHOLE = 1_000_000;

export function chooseFailover(walk: Walk, { tried: members, trickle }: FailoverNode): number {
	if (trickle === 0) return chooseFirst(walk, members);
	beginResort(walk);
	let isPassing = walk.chance.below(TRICKLE_WHOLE) < trickle;
	let passed = -1;
	for (let i = 0; i < members.length; i++) {
		const member = members[i] ?? -1;
		const state = walk.visit(walk, member);
		if (state !== STATE.up) {
			noteResort(walk, state);
		} else if (isPassing) {
			isPassing = false;
			passed = member;
		} else {
			if (passed >= 0) walk.trace?.note(walk.node, 'trickle');
			return STATE.up;
		}
	}
	// Nobody behind the first one is up.
	return passed >= 0 ? walk.visit(walk, passed) : endResort(walk);
}

/** The first member that is up; geo tries its matches in the same way. */
export function chooseFirst(walk: Walk, members: readonly number[]): number {
	beginResort(walk);
	for (let i = 0; i < members.length; i++) {
		const state = walk.visit(walk, members[i] ?? -1);
		if (state === STATE.up) return STATE.up;
		noteResort(walk, state);
	}
	return endResort(walk);
}

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
 */

import { STATE, type Walk } from './walk.ts';

/** The same rule serves geo, whose ranking is a list to be tried in order. */
export function chooseFailover(walk: Walk, members: readonly number[]): number {
	let resort = -1;
	let resortHasHealthy = false;
	for (let i = 0; i < members.length; i++) {
		const state = walk.visit(walk, members[i] ?? -1);
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

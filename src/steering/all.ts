/**
 * All: the union of what its members pick, shuffled, at most 8 addresses.
 *
 * | members            | picks                                                      |
 * |--------------------|------------------------------------------------------------|
 * | some are up        | the healthy endpoints of each of those                     |
 * | none is up         | down; last resort of the first that has a healthy endpoint |
 * | all are none       | none                                                       |
 */

import type { AllNode } from './nodes.ts';
import { beginResort, endResort, noteResort, STATE, type Walk } from './walk.ts';

export function chooseAll(walk: Walk, index: number, { members }: AllNode): number {
	beginResort(walk);
	let isUp = false;
	for (let i = 0; i < members.length; i++) {
		const state = walk.visit(walk, members[i] ?? -1);
		if (state === STATE.up) isUp = true;
		else noteResort(walk, state);
	}
	if (!isUp) return endResort(walk);
	walk.pick = index;
	walk.hasHealthy = true;
	return STATE.up;
}

/**
 * From votes to a word: what each region says, and what the regions say together.
 * Pure, and blind to order: only counts matter.
 *
 * A region says down when more than half of its votes are down. Regions without votes have no voice.
 *
 * | mode       | down when                                       |
 * |------------|-------------------------------------------------|
 * | majority   | more than half of the regions with a voice say down; a tie is up, but see tie.ts |
 * | any-up     | all of them say down                            |
 * | all-up     | one of them says down                           |
 * | at-least k | fewer than min(k, regions with a voice) say up  |
 */

import type { Consensus } from '../model/monitor-voting.ts';

/** Votes of one region on one target; at least one. */
export interface RegionVotes {
	up: number;
	down: number;
}

export function saysDown({ up, down }: RegionVotes): boolean {
	return down > up;
}

/** @param regions  those with a voice; at least one */
export function isVotedDown(regions: Iterable<RegionVotes>, { mode, k }: Consensus): boolean {
	let voices = 0;
	let downs = 0;
	for (const region of regions) {
		voices++;
		if (saysDown(region)) downs++;
	}
	switch (mode) {
		case 'majority':
			return 2 * downs > voices;
		case 'any-up':
			return downs === voices;
		case 'all-up':
			return downs > 0;
		case 'at-least':
			return voices - downs < Math.min(k ?? 1, voices);
	}
}

/** Probers from which on a fleet is large enough that one voice alone should not decide. */
const FLEET_PROBERS = 3;

/**
 * Fresh votes that a turn needs.
 * @param known    probers of the fleet
 * @param allowed  those among them that the monitor's `from` lets vote: more than these cannot be asked for by default
 */
export function votesNeeded({ minProbers }: Consensus, known: number, allowed: number): number {
	if (minProbers !== undefined) return minProbers;
	return known < FLEET_PROBERS ? 1 : Math.max(1, Math.min(2, allowed));
}

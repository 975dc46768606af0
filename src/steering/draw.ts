/**
 * From the pick to what stands in the answer.
 *
 * | pick               | gives                                                                                  |
 * |--------------------|----------------------------------------------------------------------------------------|
 * | pool of addresses  | `answers` addresses by weight, without putting back; sticky: in the order of scores    |
 * | pool of CNAMEs     | one target, in the same way                                                            |
 * | union of pools     | the addresses of all, shuffled, at most 8                                              |
 */

import { VERDICT_WORD } from '../health/verdict-table.ts';
import type { AddressEntry, EndpointEntry, PoolFamily, PoolNode } from './nodes.ts';
import { addressWord, hasKnownUp, rampedWeight } from './pool.ts';
import { putStickyScore, stickyHash } from './rendezvous.ts';
import { type Roster, rosterOf } from './roster.ts';
import { STATE, type Walk } from './walk.ts';

export const PICK = { addresses: 0, nodata: 1, servfail: 2, alias: 3 } as const;

/**
 * Draw from the pick into `walk.picked`.
 *
 * @param isLastResort  nothing was up: the healthy endpoints if any, else what `onAllDown` says
 * @returns one of PICK
 */
export function draw(walk: Walk, index: number, isLastResort: boolean): number {
	const node = walk.table.nodes[index];
	if (node?.kind === 'pool') return drawFromPool(walk, index, node, isLastResort && !walk.hasHealthy);
	if (node?.kind === 'all') return drawFromUnion(walk, index);
	return PICK.servfail;
}

function drawFromPool(walk: Walk, index: number, pool: PoolNode, isAnyUsed: boolean): number {
	const { hasAddresses } = walk.family === 4 ? pool.ipv4 : pool.ipv6;
	if (!hasAddresses) return PICK.nodata;
	if (isAnyUsed && pool.onAllDown !== 'all') return pool.onAllDown === 'nodata' ? PICK.nodata : PICK.servfail;
	const roster = drawable(walk, index, pool, isAnyUsed);
	while (walk.pickedCount < pool.answers) {
		const i = pool.isSticky ? bestEndpoint(walk, roster) : drawEndpoint(walk, roster);
		if (i < 0) break;
		const at = pool.isSticky ? bestAddress(walk, roster, i) : drawAddress(walk, roster, i);
		walk.pickedEndpoints[walk.pickedCount] = roster.endpoints[i]?.index ?? 0;
		walk.picked[walk.pickedCount++] = roster.addresses[at]?.octetsAt ?? 0;
	}
	if (walk.pickedCount === 0) return PICK.nodata;
	return pool.holds === 'aliases' ? PICK.alias : PICK.addresses;
}

/** The roster of a pool, with those who may be drawn from it. */
function drawable(walk: Walk, index: number, pool: PoolNode, isAnyUsed: boolean): Roster {
	const roster = rosterOf(walk, index, pool);
	if (roster.drawEpoch !== walk.worldEpoch || roster.isAnyUsed !== isAnyUsed)
		findDrawable(walk, pool, roster, isAnyUsed);
	if (roster.isDrawStale) walk.hasSeenStale = true;
	return roster;
}

function findDrawable(walk: Walk, pool: PoolNode, roster: Roster, isAnyUsed: boolean): void {
	const hasSeenStale = walk.hasSeenStale;
	walk.hasSeenStale = false;
	roster.begin(walk.worldEpoch, isAnyUsed);
	const family = walk.family === 4 ? pool.ipv4 : pool.ipv6;
	for (let i = 0; i < family.endpoints.length; i++) {
		const endpoint = family.endpoints[i];
		if (endpoint === undefined) continue;
		for (let j = 0; j < endpoint.addresses.length; j++) {
			const address = endpoint.addresses[j];
			if (address !== undefined && (isAnyUsed || isUsable(walk, family, endpoint, address))) roster.addAddress(address);
		}
		roster.addEndpoint(endpoint, pool.rampUpTenths === 0 ? endpoint.weight : rampedWeight(walk, pool, endpoint));
	}
	roster.isDrawStale = walk.hasSeenStale;
	walk.hasSeenStale = hasSeenStale;
}

/** Up, and no newcomer that waits. */
function isUsable(walk: Walk, family: PoolFamily, endpoint: EndpointEntry, address: AddressEntry): boolean {
	const word = addressWord(walk, endpoint, address);
	if (word === VERDICT_WORD.waiting) return !hasKnownUp(walk, family);
	return word !== VERDICT_WORD.down;
}

/** An endpoint with an address that is not yet picked, by weight; weight 0 only when no other is left. */
function drawEndpoint(walk: Walk, roster: Roster): number {
	if (walk.pickedCount > 0) return drawNextEndpoint(walk, roster);
	const { count, weight } = roster;
	if (count < 2) return count - 1;
	return weight === 0 ? walk.chance.below(count) : roster.endpointAt(walk.chance.below(weight));
}

/** The same behind the first one: what is picked is not put back. */
function drawNextEndpoint(walk: Walk, roster: Roster): number {
	const { left } = walk;
	let total = 0;
	let endpointsLeft = 0;
	for (let i = 0; i < roster.count; i++) {
		const count = countLeft(walk, roster, i);
		left[i] = count;
		if (count === 0) continue;
		total += roster.weightOf(i);
		endpointsLeft++;
	}
	// Weight 0 is a reserve: it joins an answer of several only when nothing else was drawn.
	if (endpointsLeft === 0 || (total === 0 && roster.weight > 0)) return -1;
	const isEven = total === 0 || endpointsLeft === 1;
	let remaining = endpointsLeft === 1 ? 0 : walk.chance.below(isEven ? endpointsLeft : total);
	for (let i = 0; i < roster.count; i++) {
		if (left[i] === 0) continue;
		remaining -= isEven ? 1 : roster.weightOf(i);
		if (remaining < 0) return i;
	}
	return -1;
}

/** The endpoint that the client's network has the least score for, of those with an address that is not yet picked. */
function bestEndpoint(walk: Walk, roster: Roster): number {
	// The walk is over, so the scores of all its levels are free.
	const { scores } = walk;
	let best = -1;
	for (let i = 0; i < roster.count; i++) {
		if (countLeft(walk, roster, i) === 0) continue;
		// A score falls as its weight grows, so a client comes to an endpoint that starts slowly once, and stays.
		putStickyScore(scores, i, walk.client, roster.endpoints[i]?.seed ?? 0, roster.weightOf(i));
		if (best < 0 || (scores[i] ?? 0) < (scores[best] ?? 0)) best = i;
	}
	// A reserve, as above.
	const isReserve = best >= 0 && walk.pickedCount > 0 && roster.weightOf(best) === 0 && roster.weight > 0;
	return isReserve ? -1 : best;
}

/** Addresses of an endpoint that may still be picked. */
function countLeft(walk: Walk, roster: Roster, i: number): number {
	const end = roster.addressEnds[i] ?? 0;
	let count = 0;
	for (let at = roster.addressAt(i); at < end; at++) if (isLeft(walk, roster, at)) count++;
	return count;
}

function drawAddress(walk: Walk, roster: Roster, i: number): number {
	const first = roster.addressAt(i);
	const end = roster.addressEnds[i] ?? 0;
	// The endpoint was drawn because one is left.
	if (end === first + 1) return first;
	const count = countLeft(walk, roster, i);
	let skip = count === 1 ? 0 : walk.chance.below(count);
	for (let at = first; at < end; at++) if (isLeft(walk, roster, at) && skip-- === 0) return at;
	return first;
}

function bestAddress(walk: Walk, roster: Roster, i: number): number {
	const end = roster.addressEnds[i] ?? 0;
	let best = -1;
	let least = 0;
	for (let at = roster.addressAt(i); at < end; at++) {
		if (!isLeft(walk, roster, at)) continue;
		const hash = stickyHash(walk.client, roster.addresses[at]?.seed ?? 0);
		if (best >= 0 && hash >= least) continue;
		best = at;
		least = hash;
	}
	return best;
}

function isLeft(walk: Walk, { addresses }: Roster, at: number): boolean {
	const octetsAt = addresses[at]?.octetsAt;
	for (let i = 0; i < walk.pickedCount; i++) if (walk.picked[i] === octetsAt) return false;
	return true;
}

function drawFromUnion(walk: Walk, index: number): number {
	const count = collect(walk, index, 0);
	const { samples, sampleEndpoints, picked, pickedEndpoints } = walk;
	// The first few of a shuffle; no more is needed.
	for (let i = 0; i < count && walk.pickedCount < picked.length; i++) {
		const other = i + (i === count - 1 ? 0 : walk.chance.below(count - i));
		const octetsAt = samples[other] ?? 0;
		samples[other] = samples[i] ?? 0;
		pickedEndpoints[walk.pickedCount] = sampleEndpoints[other] ?? 0;
		sampleEndpoints[other] = sampleEndpoints[i] ?? 0;
		picked[walk.pickedCount++] = octetsAt;
	}
	return walk.pickedCount > 0 ? PICK.addresses : PICK.nodata;
}

/** Add the healthy addresses of a pick to `walk.samples`, each once; how many there are then. */
function collect(walk: Walk, index: number, before: number): number {
	const node = walk.table.nodes[index];
	let count = before;
	if (node?.kind === 'pool') return collectPool(walk, drawable(walk, index, node, false), count);
	if (node?.kind !== 'all') return count;
	for (let i = 0; i < node.members.length; i++) {
		const member = node.members[i] ?? -1;
		if (walk.nodeStates[member] === STATE.up) count = collect(walk, walk.nodePicks[member] ?? -1, count);
	}
	return count;
}

function collectPool(walk: Walk, roster: Roster, before: number): number {
	const isReserved = roster.weight > 0;
	let count = before;
	for (let i = 0; i < roster.count; i++) {
		if (isReserved && roster.weightOf(i) === 0) continue;
		const end = roster.addressEnds[i] ?? 0;
		for (let at = roster.addressAt(i); at < end; at++) {
			const octetsAt = roster.addresses[at]?.octetsAt ?? 0;
			if (hasSample(walk, octetsAt, count)) continue;
			walk.sampleEndpoints[count] = roster.endpoints[i]?.index ?? 0;
			walk.samples[count++] = octetsAt;
		}
	}
	return count;
}

function hasSample(walk: Walk, octetsAt: number, count: number): boolean {
	for (let i = 0; i < count; i++) if (walk.samples[i] === octetsAt) return true;
	return false;
}

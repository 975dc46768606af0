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
import type { AddressEntry, EndpointEntry, PoolFamily, PoolNode, SteeringNode } from './nodes.ts';
import { addressWord, hasKnownUp, rampedWeight } from './pool.ts';
import { putStickyScore, stickyHash } from './rendezvous.ts';
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
	if (node?.kind === 'pool') return drawFromPool(walk, node, isLastResort && !walk.hasHealthy);
	if (node?.kind === 'all') return drawFromUnion(walk, node);
	return PICK.servfail;
}

function drawFromPool(walk: Walk, pool: PoolNode, isAnyUsed: boolean): number {
	const family = walk.family === 4 ? pool.ipv4 : pool.ipv6;
	if (!family.hasAddresses) return PICK.nodata;
	if (isAnyUsed && pool.onAllDown !== 'all') return pool.onAllDown === 'nodata' ? PICK.nodata : PICK.servfail;
	while (walk.pickedCount < pool.answers) {
		const endpoint = pool.isSticky
			? bestEndpoint(walk, pool, family, isAnyUsed)
			: drawEndpoint(walk, pool, family, isAnyUsed);
		if (endpoint === undefined) break;
		const address = pool.isSticky
			? bestAddress(walk, family, endpoint, isAnyUsed)
			: drawAddress(walk, family, endpoint, isAnyUsed);
		walk.pickedEndpoints[walk.pickedCount] = endpoint.index;
		walk.picked[walk.pickedCount++] = address?.octetsAt ?? 0;
	}
	if (walk.pickedCount === 0) return PICK.nodata;
	return pool.holds === 'aliases' ? PICK.alias : PICK.addresses;
}

/** An endpoint with an address that is not yet picked, by weight; weight 0 only when no other is left. */
function drawEndpoint(walk: Walk, pool: PoolNode, family: PoolFamily, isAnyUsed: boolean): EndpointEntry | undefined {
	const { endpoints } = family;
	const { left, weights } = walk;
	let total = 0;
	let endpointsLeft = 0;
	for (let i = 0; i < endpoints.length; i++) {
		const endpoint = endpoints[i];
		const count = endpoint === undefined ? 0 : countLeft(walk, family, endpoint, isAnyUsed);
		left[i] = count;
		if (endpoint === undefined || count === 0) continue;
		const weight = pool.rampUpTenths === 0 ? endpoint.weight : rampedWeight(walk, pool, endpoint);
		weights[i] = weight;
		total += weight;
		endpointsLeft++;
	}
	if (endpointsLeft === 0) return undefined;
	// Weight 0 is a reserve: it joins an answer of several only when nothing else was drawn.
	if (total === 0 && walk.pickedCount > 0 && hasWeight(walk, family, isAnyUsed)) return undefined;
	const isEven = total === 0;
	let remaining = endpointsLeft === 1 ? 0 : walk.chance.below(isEven ? endpointsLeft : total);
	for (let i = 0; i < endpoints.length; i++) {
		const endpoint = endpoints[i];
		if (endpoint === undefined || left[i] === 0) continue;
		remaining -= isEven || endpointsLeft === 1 ? 1 : (weights[i] ?? 0);
		if (remaining < 0) return endpoint;
	}
	return undefined;
}

/** The endpoint that the client's network has the least score for, of those with an address that is not yet picked. */
function bestEndpoint(walk: Walk, pool: PoolNode, family: PoolFamily, isAnyUsed: boolean): EndpointEntry | undefined {
	const { endpoints } = family;
	// The walk is over, so the scores of all its levels are free.
	const { scores } = walk;
	let best: EndpointEntry | undefined;
	let bestAt = 0;
	for (let i = 0; i < endpoints.length; i++) {
		const endpoint = endpoints[i];
		if (endpoint === undefined || countLeft(walk, family, endpoint, isAnyUsed) === 0) continue;
		// A score falls as its weight grows, so a client comes to an endpoint that starts slowly once, and stays.
		const weight = pool.rampUpTenths === 0 ? endpoint.weight : rampedWeight(walk, pool, endpoint);
		putStickyScore(scores, i, walk.client, endpoint.seed, weight);
		if (best !== undefined && (scores[i] ?? 0) >= (scores[bestAt] ?? 0)) continue;
		best = endpoint;
		bestAt = i;
	}
	if (best?.weight === 0 && walk.pickedCount > 0 && hasWeight(walk, family, isAnyUsed)) return undefined;
	return best;
}

/** Whether an endpoint with a weight could be drawn; then it has been, before any without. */
function hasWeight(walk: Walk, family: PoolFamily, isAnyUsed: boolean): boolean {
	for (let i = 0; i < family.endpoints.length; i++) {
		const endpoint = family.endpoints[i];
		if (endpoint === undefined || endpoint.weight === 0) continue;
		if (isAnyUsed) return true;
		for (let j = 0; j < endpoint.addresses.length; j++) {
			const address = endpoint.addresses[j];
			if (address !== undefined && isUsable(walk, family, endpoint, address)) return true;
		}
	}
	return false;
}

/** Addresses of an endpoint that may still be picked. */
function countLeft(walk: Walk, family: PoolFamily, endpoint: EndpointEntry, isAnyUsed: boolean): number {
	let count = 0;
	for (let i = 0; i < endpoint.addresses.length; i++) {
		if (isLeft(walk, family, endpoint, endpoint.addresses[i], isAnyUsed)) count++;
	}
	return count;
}

function drawAddress(
	walk: Walk,
	family: PoolFamily,
	endpoint: EndpointEntry,
	isAnyUsed: boolean,
): AddressEntry | undefined {
	// The endpoint was drawn because one is left.
	if (endpoint.addresses.length === 1) return endpoint.addresses[0];
	const count = countLeft(walk, family, endpoint, isAnyUsed);
	let skip = count === 1 ? 0 : walk.chance.below(count);
	for (let i = 0; i < endpoint.addresses.length; i++) {
		const address = endpoint.addresses[i];
		if (isLeft(walk, family, endpoint, address, isAnyUsed) && skip-- === 0) return address;
	}
	return undefined;
}

function bestAddress(
	walk: Walk,
	family: PoolFamily,
	endpoint: EndpointEntry,
	isAnyUsed: boolean,
): AddressEntry | undefined {
	let best: AddressEntry | undefined;
	let least = 0;
	for (let i = 0; i < endpoint.addresses.length; i++) {
		const address = endpoint.addresses[i];
		if (address === undefined || !isLeft(walk, family, endpoint, address, isAnyUsed)) continue;
		const hash = stickyHash(walk.client, address.seed);
		if (best !== undefined && hash >= least) continue;
		best = address;
		least = hash;
	}
	return best;
}

function isLeft(
	walk: Walk,
	family: PoolFamily,
	endpoint: EndpointEntry,
	address: AddressEntry | undefined,
	isAnyUsed: boolean,
): boolean {
	if (address === undefined || (!isAnyUsed && !isUsable(walk, family, endpoint, address))) return false;
	for (let i = 0; i < walk.pickedCount; i++) if (walk.picked[i] === address.octetsAt) return false;
	return true;
}

/** Up, and no newcomer that waits. */
function isUsable(walk: Walk, family: PoolFamily, endpoint: EndpointEntry, address: AddressEntry): boolean {
	const word = addressWord(walk, endpoint, address);
	if (word === VERDICT_WORD.waiting) return !hasKnownUp(walk, family);
	return word !== VERDICT_WORD.down;
}

function drawFromUnion(walk: Walk, node: SteeringNode): number {
	const count = collect(walk, node, 0);
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
function collect(walk: Walk, node: SteeringNode, before: number): number {
	let count = before;
	if (node.kind === 'pool') return collectPool(walk, node, count);
	if (node.kind !== 'all') return count;
	for (let i = 0; i < node.members.length; i++) {
		const member = node.members[i] ?? -1;
		const pick = walk.table.nodes[walk.nodePicks[member] ?? -1];
		if (walk.nodeStates[member] === STATE.up && pick !== undefined) count = collect(walk, pick, count);
	}
	return count;
}

function collectPool(walk: Walk, pool: PoolNode, before: number): number {
	const family = walk.family === 4 ? pool.ipv4 : pool.ipv6;
	const isReserved = hasWeight(walk, family, false);
	let count = before;
	for (let i = 0; i < family.endpoints.length; i++) {
		const endpoint = family.endpoints[i];
		if (endpoint === undefined || (isReserved && endpoint.weight === 0)) continue;
		for (let j = 0; j < endpoint.addresses.length; j++) {
			const address = endpoint.addresses[j];
			if (address === undefined || !isUsable(walk, family, endpoint, address)) continue;
			if (hasSample(walk, address.octetsAt, count)) continue;
			walk.sampleEndpoints[count] = endpoint.index;
			walk.samples[count++] = address.octetsAt;
		}
	}
	return count;
}

function hasSample(walk: Walk, octetsAt: number, count: number): boolean {
	for (let i = 0; i < count; i++) if (walk.samples[i] === octetsAt) return true;
	return false;
}

/**
 * Pools: the verdict of each address family, and the draw of addresses.
 *
 * | a query's family                 | verdict                                   | when chosen            |
 * |----------------------------------|-------------------------------------------|------------------------|
 * | has endpoints                    | down below `requiredHealthy`, else up     | addresses by weight    |
 * | has none at all                  | that of the other family                  | NODATA                 |
 * | has none at all, noAddress: pass | none                                      | -                      |
 * | all switched off by operators    | none                                      | -                      |
 *
 * Unknown counts as up: a target nobody has judged yet must not empty an answer.
 */

import { VERDICT_WORD } from '../health/verdict-table.ts';
import type { AddressEntry, EndpointEntry, PoolFamily, PoolNode } from './nodes.ts';
import { STATE, type Walk } from './walk.ts';

/** What a pool that was chosen gives. */
export const PICK = { addresses: 0, nodata: 1, servfail: 2 } as const;

/** The state of a pool, with itself as pick or last resort. */
export function visitPool(walk: Walk, index: number, pool: PoolNode): number {
	walk.pool = index;
	walk.hasHealthy = false;
	const own = walk.family === 4 ? pool.ipv4 : pool.ipv6;
	const other = walk.family === 4 ? pool.ipv6 : pool.ipv4;
	const family = own.hasAddresses ? own : other;
	if ((!own.hasAddresses && pool.noAddress === 'pass') || family.endpoints.length === 0) return STATE.none;
	let healthy = 0;
	for (let i = 0; i < family.endpoints.length; i++) {
		const endpoint = family.endpoints[i];
		if (endpoint !== undefined && hasHealthyAddress(walk, endpoint)) healthy++;
		else walk.hasSeenDown = true;
	}
	walk.hasHealthy = healthy > 0;
	return healthy < family.requiredHealthy ? STATE.down : STATE.up;
}

function hasHealthyAddress(walk: Walk, endpoint: EndpointEntry): boolean {
	for (let i = 0; i < endpoint.addresses.length; i++) {
		if (isAddressUp(walk, endpoint, endpoint.addresses[i])) return true;
	}
	return false;
}

/** Every monitor of the pool must see the address up. */
function isAddressUp(walk: Walk, endpoint: EndpointEntry, address: AddressEntry | undefined): boolean {
	if (address === undefined) return false;
	if (endpoint.isForcedUp) return true;
	for (let i = 0; i < address.targets.length; i++) {
		if (targetWord(walk, address.targets[i] ?? 0) === VERDICT_WORD.down) return false;
	}
	return true;
}

function targetWord(walk: Walk, target: number): number {
	if (walk.targetEpochs[target] !== walk.epoch) {
		walk.targetEpochs[target] = walk.epoch;
		walk.targetWords[target] = Atomics.load(walk.health.verdicts, walk.slots[target] ?? 0);
	}
	return walk.targetWords[target] ?? VERDICT_WORD.unknown;
}

/**
 * Draw the addresses of a pool that was chosen, by weight and without putting back, into `walk.picked`.
 *
 * @param isLastResort  nothing was up: the healthy endpoints if any, else what `onAllDown` says
 * @returns one of PICK
 */
export function drawAddresses(walk: Walk, index: number, isLastResort: boolean): number {
	const pool = walk.table.nodes[index];
	if (pool?.kind !== 'pool') return PICK.servfail;
	const family = walk.family === 4 ? pool.ipv4 : pool.ipv6;
	if (!family.hasAddresses) return PICK.nodata;
	const isAnyUsed = isLastResort && !walk.hasHealthy;
	if (isAnyUsed && pool.onAllDown !== 'all') return pool.onAllDown === 'nodata' ? PICK.nodata : PICK.servfail;
	while (walk.pickedCount < pool.answers) {
		const address = drawAddress(walk, family, isAnyUsed);
		if (address === undefined) break;
		walk.picked[walk.pickedCount++] = address.octetsAt;
	}
	return walk.pickedCount > 0 ? PICK.addresses : PICK.nodata;
}

/** One address that is not yet picked: an endpoint by weight (weight 0 only when no other is left), then one of its own. */
function drawAddress(walk: Walk, family: PoolFamily, isAnyUsed: boolean): AddressEntry | undefined {
	const { endpoints } = family;
	const { left } = walk;
	let total = 0;
	let endpointsLeft = 0;
	for (let i = 0; i < endpoints.length; i++) {
		const endpoint = endpoints[i];
		const count = endpoint === undefined ? 0 : countLeft(walk, endpoint, isAnyUsed);
		left[i] = count;
		if (endpoint === undefined || count === 0) continue;
		total += endpoint.weight;
		endpointsLeft++;
	}
	if (endpointsLeft === 0) return undefined;
	// Weight 0 is a reserve: it joins an answer of several only when nothing else was drawn.
	if (total === 0 && walk.pickedCount > 0 && hasWeight(walk, family, isAnyUsed)) return undefined;
	const isEven = total === 0;
	let remaining = endpointsLeft === 1 ? 0 : walk.chance.below(isEven ? endpointsLeft : total);
	for (let i = 0; i < endpoints.length; i++) {
		const endpoint = endpoints[i];
		const count = left[i] ?? 0;
		if (endpoint === undefined || count === 0) continue;
		remaining -= isEven || endpointsLeft === 1 ? 1 : endpoint.weight;
		if (remaining < 0) return nthLeft(walk, endpoint, isAnyUsed, count === 1 ? 0 : walk.chance.below(count));
	}
	return undefined;
}

/** Whether an endpoint with a weight could be drawn; then it has been, before any without. */
function hasWeight(walk: Walk, family: PoolFamily, isAnyUsed: boolean): boolean {
	for (let i = 0; i < family.endpoints.length; i++) {
		const endpoint = family.endpoints[i];
		if (endpoint === undefined || endpoint.weight === 0) continue;
		if (isAnyUsed || hasHealthyAddress(walk, endpoint)) return true;
	}
	return false;
}

function countLeft(walk: Walk, endpoint: EndpointEntry, isAnyUsed: boolean): number {
	let count = 0;
	for (let i = 0; i < endpoint.addresses.length; i++)
		if (isLeft(walk, endpoint, endpoint.addresses[i], isAnyUsed)) count++;
	return count;
}

function nthLeft(walk: Walk, endpoint: EndpointEntry, isAnyUsed: boolean, n: number): AddressEntry | undefined {
	let skip = n;
	for (let i = 0; i < endpoint.addresses.length; i++) {
		const address = endpoint.addresses[i];
		if (isLeft(walk, endpoint, address, isAnyUsed) && skip-- === 0) return address;
	}
	return undefined;
}

function isLeft(walk: Walk, endpoint: EndpointEntry, address: AddressEntry | undefined, isAnyUsed: boolean): boolean {
	if (address === undefined || (!isAnyUsed && !isAddressUp(walk, endpoint, address))) return false;
	for (let i = 0; i < walk.pickedCount; i++) if (walk.picked[i] === address.octetsAt) return false;
	return true;
}

/** Median round-trip time over the addresses of a pool that are up and measured, in microseconds; 0 when there is none. */
export function medianRttUs(walk: Walk, index: number): number {
	const pool = walk.table.nodes[index];
	if (pool?.kind !== 'pool') return 0;
	const own = walk.family === 4 ? pool.ipv4 : pool.ipv6;
	const family = own.hasAddresses ? own : walk.family === 4 ? pool.ipv6 : pool.ipv4;
	const { samples } = walk;
	let count = 0;
	for (let i = 0; i < family.endpoints.length; i++) {
		const endpoint = family.endpoints[i];
		if (endpoint === undefined) continue;
		for (let j = 0; j < endpoint.addresses.length; j++) {
			const address = endpoint.addresses[j];
			if (address === undefined || !isAddressUp(walk, endpoint, address)) continue;
			const slot = walk.slots[address.targets[0] ?? -1] ?? -1;
			const rttUs = slot < 0 ? 0 : Atomics.load(walk.health.rttUs, slot);
			if (rttUs > 0) insert(samples, count++, rttUs);
		}
	}
	return count === 0 ? 0 : (samples[count >>> 1] ?? 0);
}

/** Put a value into its place among the `count` sorted ones. */
function insert(sorted: Int32Array, count: number, value: number): void {
	let at = count;
	while (at > 0 && (sorted[at - 1] ?? 0) > value) {
		sorted[at] = sorted[at - 1] ?? 0;
		at--;
	}
	sorted[at] = value;
}

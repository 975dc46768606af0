/**
 * Pools: the verdict of each address family.
 *
 * | a query's family                 | verdict                                   | when chosen            |
 * |----------------------------------|-------------------------------------------|------------------------|
 * | has endpoints                    | down below `requiredHealthy`, else up     | addresses by weight    |
 * | has none at all                  | that of the other family                  | NODATA                 |
 * | has none at all, noAddress: pass | none                                      | -                      |
 * | all switched off by operators    | none                                      | -                      |
 *
 * A pool of CNAMEs has one verdict, which every type sees. Unknown counts as up: a target nobody has judged yet
 * must not empty an answer. A newcomer counts too, but waits for its first verdict while another endpoint is up.
 */

import { VERDICT_WORD, WORD } from '../health/verdict-table.ts';
import type { Family } from '../lib/address.ts';
import { locate } from './locate.ts';
import type { AddressEntry, EndpointEntry, PoolFamily, PoolNode } from './nodes.ts';
import { type Roster, rosterOf } from './roster.ts';
import { STATE, type Walk } from './walk.ts';

/** What gives a pool its verdict for queries of a family: its own endpoints of it, or without any the other ones. */
export function familyOf({ ipv4, ipv6 }: PoolNode, family: Family): PoolFamily {
	const own = family === 4 ? ipv4 : ipv6;
	if (own.hasAddresses) return own;
	return family === 4 ? ipv6 : ipv4;
}

/** The state of a pool, with itself as pick or last resort. */
export function visitPool(walk: Walk, index: number, pool: PoolNode): number {
	// The same for all pools of a query: it is the client's.
	if (pool.vantages !== undefined) walk.vantage = pool.vantages.rankings[locate(walk, index, pool.vantages)] ?? 0;
	const roster = rosterOf(walk, index, pool);
	if (roster.stateEpoch !== walk.worldEpoch) findState(walk, pool, roster);
	walk.pick = index;
	walk.hasHealthy = roster.hasHealthy;
	if (roster.hasDown) walk.hasSeenDown = true;
	if (roster.isStateStale) walk.hasSeenStale = true;
	return roster.state;
}

function findState(walk: Walk, pool: PoolNode, roster: Roster): void {
	roster.stateEpoch = walk.worldEpoch;
	roster.state = STATE.none;
	roster.hasHealthy = false;
	roster.hasDown = false;
	roster.isStateStale = false;
	const own = walk.family === 4 ? pool.ipv4 : pool.ipv6;
	const { endpoints, requiredHealthy } = familyOf(pool, walk.family);
	if ((!own.hasAddresses && pool.noAddress === 'pass') || endpoints.length === 0) return;
	const hasSeenStale = walk.hasSeenStale;
	walk.hasSeenStale = false;
	let healthy = 0;
	for (let i = 0; i < endpoints.length; i++) {
		const endpoint = endpoints[i];
		if (endpoint !== undefined && hasHealthyAddress(walk, endpoint)) healthy++;
		else roster.hasDown = true;
	}
	roster.isStateStale = walk.hasSeenStale;
	walk.hasSeenStale = hasSeenStale;
	roster.hasHealthy = healthy > 0;
	roster.state = healthy < requiredHealthy ? STATE.down : STATE.up;
}

function hasHealthyAddress(walk: Walk, endpoint: EndpointEntry): boolean {
	for (let i = 0; i < endpoint.addresses.length; i++) {
		if (isAddressUp(walk, endpoint, endpoint.addresses[i])) return true;
	}
	return false;
}

export function isAddressUp(walk: Walk, endpoint: EndpointEntry, address: AddressEntry | undefined): boolean {
	return address !== undefined && addressWord(walk, endpoint, address) !== VERDICT_WORD.down;
}

/**
 * Every monitor of the pool must see the address up; what nothing probes, or an operator holds up, is.
 * @returns one of VERDICT_WORD: the worst of its targets
 */
export function addressWord(walk: Walk, endpoint: EndpointEntry, { targets }: AddressEntry): number {
	let worst: number = VERDICT_WORD.up;
	if (endpoint.isForcedUp) return worst;
	for (let i = 0; i < targets.length; i++) {
		const word = targetWord(walk, targets[i] ?? 0);
		if (word === VERDICT_WORD.down) return word;
		if (word === VERDICT_WORD.waiting || worst === VERDICT_WORD.up) worst = word;
	}
	return worst;
}

/** Whether an endpoint is seen up, which keeps newcomers waiting. */
export function hasKnownUp(walk: Walk, { endpoints }: PoolFamily): boolean {
	for (let i = 0; i < endpoints.length; i++) {
		const endpoint = endpoints[i];
		if (endpoint === undefined) continue;
		for (let j = 0; j < endpoint.addresses.length; j++) {
			const address = endpoint.addresses[j];
			if (address !== undefined && addressWord(walk, endpoint, address) === VERDICT_WORD.up) return true;
		}
	}
	return false;
}

/** The verdict of a target, as VERDICT_WORD. */
export function targetWord(walk: Walk, target: number): number {
	return wholeWord(walk, target) & WORD.verdict;
}

/** A slow start begins with this share of the weight. */
const RAMP_LEAST_PERCENT = 10;

/**
 * Weights of a pool that starts its endpoints slowly: a hundred times the weight of one that has long been up, ten
 * times that of one that has just come up or that nobody has judged yet, and between the two in proportion to time.
 * An endpoint is as its best address, and an address as its worst target.
 */
export function rampedWeight(walk: Walk, { rampUpTenths }: PoolNode, endpoint: EndpointEntry): number {
	return endpoint.weight * rampPercent(walk, rampUpTenths, endpoint);
}

export function rampPercent(walk: Walk, rampUpTenths: number, { isForcedUp, addresses }: EndpointEntry): number {
	if (isForcedUp) return 100;
	let best = RAMP_LEAST_PERCENT;
	for (let i = 0; i < addresses.length; i++) {
		const targets = addresses[i]?.targets;
		if (targets === undefined) continue;
		let worst = 100;
		for (let j = 0; j < targets.length; j++) {
			const percent = targetPercent(wholeWord(walk, targets[j] ?? 0), rampUpTenths);
			if (percent < worst) worst = percent;
		}
		if (worst > best) best = worst;
	}
	return best;
}

/** 0 for what is down. */
function targetPercent(word: number, rampUpTenths: number): number {
	const verdict = word & WORD.verdict;
	if (verdict === VERDICT_WORD.down) return 0;
	if (verdict !== VERDICT_WORD.up) return RAMP_LEAST_PERCENT;
	const tenths = (word >> WORD.upForShift) - 1;
	if (tenths < 0 || tenths >= rampUpTenths) return 100;
	return RAMP_LEAST_PERCENT + Math.floor(((100 - RAMP_LEAST_PERCENT) * tenths) / rampUpTenths);
}

/** The word of a target, read once as long as none changes. */
function wholeWord(walk: Walk, target: number): number {
	if (walk.targetEpochs[target] !== walk.worldEpoch) {
		walk.targetEpochs[target] = walk.worldEpoch;
		const slot = walk.slots[target] ?? 0;
		let word = Atomics.load(walk.health.verdicts, slot);
		if ((word & WORD.regional) !== 0) {
			walk.hasSeenRegional = true;
			word = regionalWord(walk, slot, word);
		}
		walk.targetWords[target] = word;
	}
	const word = walk.targetWords[target] ?? VERDICT_WORD.unknown;
	if ((word & WORD.stale) !== 0) walk.hasSeenStale = true;
	return word;
}

/** The word that the client's vantage has of its own, or the one that is for all. */
function regionalWord({ health: { regional, verdicts }, vantage }: Walk, slot: number, common: number): number {
	const own = Atomics.load(regional, vantage * verdicts.length + slot);
	return own === 0 ? common : own;
}

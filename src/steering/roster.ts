/**
 * What is known of a pool in one address family as long as no verdict changes: its state, and who may be drawn from
 * it. It is worked out by the first query that finds it old; all others look at no endpoint but the one that they draw.
 *
 *     endpoints:    a    b      c
 *     weightEnds:   3    4      6      a takes 0 .. 2 of a draw below 6, b takes 3, c takes 4 and 5
 *     addressEnds:  1    3      4
 *     addresses:    a0   b0 b1  c0
 */

import type { AddressEntry, EndpointEntry, PoolNode } from './nodes.ts';
import { STATE, type Walk } from './walk.ts';

export class Roster {
	/** The walk's `worldEpoch` in which the state was found; 0: never. */
	stateEpoch = 0;
	/** One of STATE. */
	state: number = STATE.none;
	hasHealthy = false;
	/** A probed endpoint is down. */
	hasDown = false;
	/** A verdict behind the state rests on votes that are too old. */
	isStateStale = false;
	/** The same for who may be drawn. */
	drawEpoch = 0;
	/** They are all there, up or not: it is the last resort, and nobody is healthy. */
	isAnyUsed = false;
	isDrawStale = false;
	/** Endpoints with an address that may be drawn. */
	count = 0;
	readonly endpoints: EndpointEntry[];
	/** The sum of the weights up to and with each endpoint's own. */
	readonly weightEnds: Int32Array;
	/** Behind the last of each endpoint's addresses. */
	readonly addressEnds: Uint32Array;
	readonly addresses: AddressEntry[];
	#addressCount = 0;

	constructor(endpoints: readonly EndpointEntry[]) {
		this.endpoints = new Array(endpoints.length);
		this.weightEnds = new Int32Array(endpoints.length);
		this.addressEnds = new Uint32Array(endpoints.length);
		this.addresses = new Array(endpoints.reduce((sum, { addresses }) => sum + addresses.length, 0));
	}

	/** Forget who may be drawn. */
	begin(epoch: number, isAnyUsed: boolean): void {
		this.drawEpoch = epoch;
		this.isAnyUsed = isAnyUsed;
		this.count = 0;
		this.#addressCount = 0;
	}

	/** An address of the endpoint that is added next. */
	addAddress(address: AddressEntry): void {
		this.addresses[this.#addressCount++] = address;
	}

	/** With the addresses that were added since the last one; none, and it cannot be drawn. */
	addEndpoint(endpoint: EndpointEntry, weight: number): void {
		if (this.#addressCount === this.addressAt(this.count)) return;
		const i = this.count++;
		this.endpoints[i] = endpoint;
		this.weightEnds[i] = (i === 0 ? 0 : (this.weightEnds[i - 1] ?? 0)) + weight;
		this.addressEnds[i] = this.#addressCount;
	}

	/** Of all endpoints together. */
	get weight(): number {
		return this.count === 0 ? 0 : (this.weightEnds[this.count - 1] ?? 0);
	}

	weightOf(i: number): number {
		return (this.weightEnds[i] ?? 0) - (i === 0 ? 0 : (this.weightEnds[i - 1] ?? 0));
	}

	/** The first of an endpoint's addresses. */
	addressAt(i: number): number {
		return i === 0 ? 0 : (this.addressEnds[i - 1] ?? 0);
	}

	/** The endpoint that takes this part of the weights, `part` being below their sum. */
	endpointAt(part: number): number {
		let low = 0;
		let high = this.count - 1;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.weightEnds[middle] ?? 0) > part) high = middle;
			else low = middle + 1;
		}
		return low;
	}
}

/** That of a pool for the family that is walked for. */
export function rosterOf(walk: Walk, index: number, pool: PoolNode): Roster {
	const row = 2 * index + (walk.family === 4 ? 0 : 1);
	const known = walk.rosters[row];
	if (known !== undefined) return known;
	const roster = new Roster((walk.family === 4 ? pool.ipv4 : pool.ipv6).endpoints);
	walk.rosters[row] = roster;
	return roster;
}

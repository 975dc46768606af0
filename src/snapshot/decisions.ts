/**
 * What policies decided for one answer, to be counted and logged: one row for each steered name of the chain.
 *
 *     rows:       name | pick | state | end of its endpoints
 *     endpoints:  those of row 0, those of row 1, ...
 */

/** Most addresses in one answer; each link before the last gives one target. */
const ADDRESSES_MAX = 8;

/** Where the decisions of one generation are counted; what a column is, those who count know (serve/counters.ts). */
export interface AnswerColumns {
	/** By steered name: its column, that of its policy, that of the policy's kind. */
	readonly names: Int32Array;
	/** By endpoint. */
	readonly endpoints: Int32Array;
}

export class Decisions {
	count = 0;
	/** Index into the steering table's names. */
	readonly names: Int32Array;
	/** Index of the node that was picked, a pool or a union of them; -1 for none. */
	readonly picks: Int32Array;
	/** Of the name's root, one of STATE (steering/walk.ts): when it is down, the pick is a last resort. */
	readonly states: Uint8Array;
	/** Behind the last one of its endpoints. */
	readonly ends: Int32Array;
	/** Endpoints that the answer holds addresses or targets of, as indexes into the steering table's endpoints. */
	readonly endpoints: Int32Array;
	endpointCount = 0;

	/** @param linksMax  most steered names in one chain */
	constructor(linksMax: number) {
		this.names = new Int32Array(linksMax);
		this.picks = new Int32Array(linksMax);
		this.states = new Uint8Array(linksMax);
		this.ends = new Int32Array(linksMax);
		this.endpoints = new Int32Array(linksMax + ADDRESSES_MAX);
	}

	clear(): void {
		this.count = 0;
		this.endpointCount = 0;
	}

	add(name: number, pick: number, state: number): void {
		const i = this.count++;
		this.names[i] = name;
		this.picks[i] = pick;
		this.states[i] = state;
		this.ends[i] = this.endpointCount;
	}

	/** Endpoints that the last decision gives. */
	addEndpoints(endpoints: Int32Array, count: number): void {
		for (let i = 0; i < count; i++) this.endpoints[this.endpointCount++] = endpoints[i] ?? 0;
		this.ends[this.count - 1] = this.endpointCount;
	}
}

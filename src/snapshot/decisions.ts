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

/** What a policy decided for one steered name. */
export class Decision {
	/** Index into the steering table's names. */
	name = 0;
	/** Index of the node that was picked, a pool or a union of them; -1 for none. */
	pick = -1;
	/** Of the name's root, one of STATE (steering/walk.ts): when it is down, the pick is a last resort. */
	state = 0;
	/** Behind the last one of its endpoints. */
	end = 0;
}

export class Decisions {
	count = 0;
	/** The first `count` of them. */
	readonly rows: readonly Decision[];
	/** Endpoints that the answer holds addresses or targets of, as indexes into the steering table's endpoints. */
	readonly endpoints: Int32Array;
	endpointCount = 0;

	/** @param linksMax  most steered names in one chain */
	constructor(linksMax: number) {
		this.rows = Array.from({ length: linksMax }, () => new Decision());
		this.endpoints = new Int32Array(linksMax + ADDRESSES_MAX);
	}

	clear(): void {
		this.count = 0;
		this.endpointCount = 0;
	}

	add(name: number, pick: number, state: number): void {
		const row = this.rows[this.count];
		if (row === undefined) return;
		this.count++;
		row.name = name;
		row.pick = pick;
		row.state = state;
		row.end = this.endpointCount;
	}

	/** Endpoints that the last decision gives. */
	addEndpoints(endpoints: Int32Array, count: number): void {
		for (let i = 0; i < count; i++) this.endpoints[this.endpointCount++] = endpoints[i] ?? 0;
		const row = this.rows[this.count - 1];
		if (row !== undefined) row.end = this.endpointCount;
	}
}

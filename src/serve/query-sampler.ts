/**
 * Which queries are logged: each with the same probability, whatever came before. The gap to the next one is drawn, so
 * that a query that is not logged costs one subtraction.
 */

import type { Chance } from '../lib/ports.ts';

const DRAWS = 0x7fffffff;
const GAP_MAX = 0x3fffffff;

export class QuerySampler {
	readonly #share: number;
	readonly #chance: Chance;
	#left: number;

	/** @param share  of all queries, above 0 and at most 1 */
	constructor(share: number, chance: Chance) {
		this.#share = share;
		this.#chance = chance;
		this.#left = this.#gap();
	}

	/** Asked once for each query: whether it is to be logged. */
	isDue(): boolean {
		if (--this.#left > 0) return false;
		this.#left = this.#gap();
		return true;
	}

	/** Geometric: how many queries until the next one that is logged, itself counted in. */
	#gap(): number {
		if (this.#share >= 1) return 1;
		const draw = (this.#chance.below(DRAWS) + 1) / (DRAWS + 1);
		const gap = 1 + Math.floor(Math.log(draw) / Math.log(1 - this.#share));
		return gap < GAP_MAX ? gap : GAP_MAX;
	}
}

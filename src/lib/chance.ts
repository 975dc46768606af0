/**
 * xorshift32 with a multiplied output: a draw costs a few instructions and allocates nothing, which `Math.random`
 * does. Good enough to spread load; never for secrets.
 */

import type { Chance } from './ports.ts';

/** @param seed any number; two generators with one seed draw alike */
export function createChance(seed: number): Chance {
	const state = new Int32Array(1);
	// Seeds side by side must not draw alike at first, and zero is the one state that xorshift never leaves.
	state[0] = Math.imul((seed | 0) ^ 0x5bd1e995, 0x9e3779b1) || 1;
	return {
		below(bound) {
			let x = state[0] ?? 1;
			x ^= x << 13;
			x ^= x >>> 17;
			x ^= x << 5;
			state[0] = x;
			// A fraction of the bound, not a remainder, which would favour low numbers.
			return Math.floor(((Math.imul(x, 0x2c1b3c6d) >>> 0) / 0x100000000) * bound);
		},
	};
}

/**
 * xorshift32: a draw costs a few shifts and allocates nothing, which `Math.random` does.
 * Good enough to spread load; never for secrets.
 */

import type { Chance } from './ports.ts';

/** @param seed any number; two generators with one seed draw alike */
export function createChance(seed: number): Chance {
	const state = new Int32Array(1);
	// Zero is the one state that xorshift never leaves.
	state[0] = seed | 0 || 0x9e3779b9;
	return {
		below(bound) {
			let x = state[0] ?? 1;
			x ^= x << 13;
			x ^= x >>> 17;
			x ^= x << 5;
			state[0] = x;
			return (x >>> 1) % bound;
		},
	};
}

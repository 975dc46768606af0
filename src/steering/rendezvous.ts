/**
 * Sticky choice: which member a client gets is a function of the client's network and the names of policy and
 * member, so every instance chooses alike without talking (weighted rendezvous hashing).
 *
 * Each member has a score for each client: an exponential variate of rate `weight`, made from a hash. The least
 * score wins, which member i does with w_i / sum(w). A score hangs on its own member alone, so adding, removing
 * or reweighting one member moves only clients that come to it or leave it.
 *
 *     client network (/24 or /56) + seed -> 32-bit hash -> u in (0, 1) -> -ln(u) / weight
 */

import type { Client } from '../geo/client.ts';

/** Bits of a client's address that stickiness looks at. */
export const STICKY_BITS = { ipv4: 24, ipv6: 56 } as const;

/** Seed of a member, from the names of its policy and its own. */
export function seedOf(policy: string, member: string): number {
	let hash = 0;
	for (const part of [policy, '\n', member]) {
		for (let i = 0; i < part.length; i++) hash = mix(hash, part.charCodeAt(i));
	}
	return finish(hash);
}

/** Above every score of a member with a weight: -ln(2^-33) is below 23. */
const RESERVE_SCORE = 1000;

/**
 * Put a member's score into `scores[at]`; less is better. Members of weight 0 stand behind all others, evenly among
 * themselves. It is written, not returned, because a fraction that is returned may be allocated.
 */
export function putStickyScore(scores: Float64Array, at: number, client: Client, seed: number, weight: number): void {
	const score = -Math.log(((stickyHash(client, seed) >>> 0) + 0.5) / 0x100000000);
	scores[at] = weight === 0 ? RESERVE_SCORE + score : score / weight;
}

/** An integer of 32 bits, negative ones too, that is the same for all of a client's network. */
export function stickyHash({ family, words }: Client, seed: number): number {
	const first = words[0] ?? 0;
	let hash = mix(seed, family);
	hash = mix(hash, family === 4 ? first >>> 8 : first);
	if (family === 6) hash = mix(hash, (words[1] ?? 0) >>> 8);
	return finish(hash);
}

/** One round of MurmurHash3 (x86, 32 bits). */
function mix(hash: number, word: number): number {
	let k = Math.imul(word, 0xcc9e2d51);
	k = (k << 15) | (k >>> 17);
	const mixed = hash ^ Math.imul(k, 0x1b873593);
	return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** Its finalizer: every bit of the input reaches every bit of the result. */
function finish(hash: number): number {
	let h = hash;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return h ^ (h >>> 16);
}

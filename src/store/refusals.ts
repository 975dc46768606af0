/**
 * Values that were not taken, counted by reason. A value that stays in its place counts once, however often it is read.
 */

import { createHash } from 'node:crypto';
import type { Refusal } from './ports.ts';

export const NOTHING_REFUSED: Readonly<Record<Refusal, number>> = {
	forged: 0,
	replayed: 0,
	oversized: 0,
	malformed: 0,
	schema: 0,
};

/** Far above what a fleet has; whoever makes up more of them has them counted again. */
const PLACES_MAX = 10_000;

export class Refusals {
	readonly #counts: Record<Refusal, number> = { ...NOTHING_REFUSED };
	/** Digest of the value that was refused last, by where it stands. */
	readonly #last = new Map<string, string>();

	get counts(): Readonly<Record<Refusal, number>> {
		return { ...this.#counts };
	}

	/** @returns false when it was counted before */
	add(place: string, octets: Uint8Array, refusal: Refusal): boolean {
		const digest = createHash('sha256').update(refusal).update(octets).digest('hex');
		if (this.#last.get(place) === digest) return false;
		if (this.#last.size >= PLACES_MAX) this.#last.clear();
		this.#last.set(place, digest);
		this.#counts[refusal]++;
		return true;
	}
}

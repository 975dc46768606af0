/**
 * Round-trip times that a prober measures, smoothed for each target, and told for each address.
 */

import { smoothed } from '../health/round-trips.ts';
import type { Target } from '../health/target.ts';

export class RoundTrips {
	readonly #byTarget = new Map<string, number>();

	add(key: string, sampleMs: number): void {
		this.#byTarget.set(key, smoothed(this.#byTarget.get(key), sampleMs));
	}

	/** What was smoothed before, in a former life. */
	restore(key: string, ms: number): void {
		this.#byTarget.set(key, ms);
	}

	/** Forget all others. */
	keep(keys: ReadonlySet<string>): void {
		for (const key of this.#byTarget.keys()) if (!keys.has(key)) this.#byTarget.delete(key);
	}

	ofTarget(key: string): number | undefined {
		return this.#byTarget.get(key);
	}

	/** The least of an address: what its other checks took longer was not the way. */
	byAddress(targets: readonly Target[]): ReadonlyMap<string, number> {
		const times = new Map<string, number>();
		for (const { key, address } of targets) {
			const ms = this.#byTarget.get(key);
			if (ms !== undefined) times.set(address, Math.min(ms, times.get(address) ?? Number.POSITIVE_INFINITY));
		}
		return times;
	}
}

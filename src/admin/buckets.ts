/**
 * Token buckets by key, in a table of bounded size: whoever has not been seen for longest makes room.
 *
 *     each take costs one; a bucket fills at `ratePerSec` up to `burst`
 */

interface Bucket {
	level: number;
	atMs: number;
}

export interface BucketLimits {
	readonly ratePerSec: number;
	readonly burst: number;
	/** Keys that are remembered. */
	readonly keysMax: number;
}

export class Buckets {
	readonly #limits: BucketLimits;
	/** Least recently used first. */
	readonly #buckets = new Map<string, Bucket>();

	constructor(limits: BucketLimits) {
		this.#limits = limits;
	}

	get size(): number {
		return this.#buckets.size;
	}

	/** @returns 0 when it was granted, else in how many whole seconds it may be */
	take(key: string, nowMs: number): number {
		const bucket = this.#filled(key, nowMs);
		if (bucket.level < 1) return this.#waitSec(bucket);
		bucket.level--;
		this.#keep(key, bucket);
		return 0;
	}

	/** The same as `take` without taking anything. */
	look(key: string, nowMs: number): number {
		const bucket = this.#filled(key, nowMs);
		return bucket.level < 1 ? this.#waitSec(bucket) : 0;
	}

	#filled(key: string, nowMs: number): Bucket {
		const { ratePerSec, burst } = this.#limits;
		const bucket = this.#buckets.get(key) ?? { level: burst, atMs: nowMs };
		bucket.level = Math.min(burst, bucket.level + ((nowMs - bucket.atMs) / 1000) * ratePerSec);
		bucket.atMs = nowMs;
		return bucket;
	}

	#waitSec({ level }: Bucket): number {
		return Math.max(1, Math.ceil((1 - level) / this.#limits.ratePerSec));
	}

	#keep(key: string, bucket: Bucket): void {
		this.#buckets.delete(key);
		this.#buckets.set(key, bucket);
		if (this.#buckets.size <= this.#limits.keysMax) return;
		const [oldest] = this.#buckets.keys();
		if (oldest !== undefined) this.#buckets.delete(oldest);
	}
}

/**
 * Merged ranges by rules and database, kept from one generation to the next: editing a weight re-merges nothing.
 * What a build has not used is dropped by `sweep`.
 */
export class MergeCache {
	readonly #entries = new Map<string, unknown>();
	#used = new Set<string>();

	/** @param key  tells the caller's kind and all that the result hangs on, so that it is always of one type */
	get<T>(key: string, merge: () => T): T {
		this.#used.add(key);
		if (!this.#entries.has(key)) this.#entries.set(key, merge());
		return this.#entries.get(key) as T;
	}

	/** Drop what was not asked for since the last sweep. */
	sweep(): void {
		for (const key of this.#entries.keys()) if (!this.#used.has(key)) this.#entries.delete(key);
		this.#used = new Set();
	}
}

/**
 * Who wants to hear that a store has changed.
 */

import type { WatchHint } from './ports.ts';

export class Watchers {
	readonly #callbacks = new Set<(hint: WatchHint) => void>();

	add(callback: (hint: WatchHint) => void): () => void {
		// The same function may be given twice, and each is taken back by itself.
		const own = (hint: WatchHint) => callback(hint);
		this.#callbacks.add(own);
		return () => this.#callbacks.delete(own);
	}

	tell(hint: WatchHint): void {
		for (const callback of this.#callbacks) callback(hint);
	}
}

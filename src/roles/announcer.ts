/**
 * Tells the fleet each second that an instance lives, and what it serves. One word at a time: a store that is slow is
 * told less often, and one that is away is told when it is back.
 */

import type { Log } from '../lib/ports.ts';
import type { InstanceNote, Store } from '../store/ports.ts';

const EVERY_MS = 1000;

export class Announcer {
	readonly #store: Store;
	readonly #log: Log;
	readonly #noteOf: () => InstanceNote;
	readonly #timer: NodeJS.Timeout;
	#isUnderWay = false;
	#hasFailed = false;

	constructor(store: Store, log: Log, noteOf: () => InstanceNote) {
		this.#store = store;
		this.#log = log;
		this.#noteOf = noteOf;
		this.#timer = setInterval(() => void this.#announce(), EVERY_MS);
		void this.#announce();
	}

	stop(): void {
		clearInterval(this.#timer);
	}

	async #announce(): Promise<void> {
		// Why a store is away is told by itself.
		if (this.#isUnderWay || this.#store.condition.kind === 'unreachable') return;
		this.#isUnderWay = true;
		try {
			await this.#store.announce(this.#noteOf());
			this.#hasFailed = false;
		} catch (error) {
			if (!this.#hasFailed)
				this.#log.warn({ reason: (error as Error).message }, 'this instance cannot announce itself to its fleet');
			this.#hasFailed = true;
		} finally {
			this.#isUnderWay = false;
		}
	}
}

/**
 * The head that a process has seen last, kept in the state directory: after a restart, a store that has lost what it
 * held is told from one that is empty. What it held stands in last-good, as far as it was served.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHead } from './head.ts';
import type { Head } from './ports.ts';
import { readFields, readUntrustedJson } from './untrusted-json.ts';

export class KnownHead {
	readonly #path: string;
	readonly #store: string;

	/** @param store  names the store: the head of another one says nothing */
	constructor(stateDir: string, store: string) {
		this.#path = join(stateDir, 'store-head.json');
		this.#store = store;
	}

	/** Undefined where there is none, or none that can be read. */
	load(): Head | undefined {
		try {
			const { store, head } = readFields(readUntrustedJson(readFileSync(this.#path)), ['store', 'head']) ?? {};
			return store === this.#store ? readHead(head) : undefined;
		} catch {
			return undefined;
		}
	}

	/** @throws the runtime's error when it cannot be written; the one before is whole then */
	save(head: Head): void {
		writeFileSync(`${this.#path}.new`, JSON.stringify({ store: this.#store, head }));
		renameSync(`${this.#path}.new`, this.#path);
	}
}

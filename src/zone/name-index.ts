/**
 * Numbers for names: each distinct name that is added gets the next number, counted from 0.
 * Open addressing over the suffix hashes that `Name` has anyway, so that an ancestor is found without a copy.
 */

import { type Name, octet } from '../dns/name.ts';

export class NameIndex {
	count = 0;
	/** Number + 1; a power of two of them, at most half of them taken. */
	#slots = new Int32Array(32);
	/** By number. */
	#hashes = new Int32Array(16);
	#starts = new Uint32Array(16);
	#lengths = new Uint8Array(16);
	#bytes = new Uint8Array(512);
	#used = 0;

	/** The number of `name`, a new one when it has none yet. */
	add(name: Name): number {
		const known = this.find(name, 0);
		if (known >= 0) return known;
		if (this.count === this.#hashes.length) this.#grow();
		if (this.#used + name.length > this.#bytes.length) this.#bytes = copyOf(this.#bytes, 2 * this.#bytes.length);
		this.#bytes.set(name.wire.subarray(0, name.length), this.#used);
		const hash = name.hashes[0] ?? 0;
		this.#hashes[this.count] = hash;
		this.#starts[this.count] = this.#used;
		this.#lengths[this.count] = name.length;
		this.#used += name.length;
		this.#place(hash, this.count);
		return this.count++;
	}

	/** The number of the suffix of `name` that starts at `label`; -1 when it has none. */
	find(name: Name, label: number): number {
		const hash = name.hashes[label] ?? 0;
		const mask = this.#slots.length - 1;
		for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
			const index = (this.#slots[slot] ?? 0) - 1;
			if (index < 0) return -1;
			if (this.#hashes[index] === hash && this.#isSame(index, name, name.starts[label] ?? 0)) return index;
		}
	}

	/** The lower-cased wire name of a number, a view that the next `add` may make stale. */
	name(index: number): Uint8Array {
		const start = this.#starts[index] ?? 0;
		return this.#bytes.subarray(start, start + (this.#lengths[index] ?? 0));
	}

	#isSame(index: number, name: Name, start: number): boolean {
		const length = this.#lengths[index] ?? 0;
		if (length !== name.length - start) return false;
		const at = this.#starts[index] ?? 0;
		for (let i = 0; i < length; i++) if (octet(this.#bytes, at + i) !== octet(name.wire, start + i)) return false;
		return true;
	}

	#grow(): void {
		this.#slots = new Int32Array(2 * this.#slots.length);
		for (let index = 0; index < this.count; index++) this.#place(this.#hashes[index] ?? 0, index);
		const hashes = new Int32Array(2 * this.count);
		hashes.set(this.#hashes);
		this.#hashes = hashes;
		const starts = new Uint32Array(2 * this.count);
		starts.set(this.#starts);
		this.#starts = starts;
		this.#lengths = copyOf(this.#lengths, 2 * this.count);
	}

	#place(hash: number, index: number): void {
		const mask = this.#slots.length - 1;
		let slot = hash & mask;
		while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
		this.#slots[slot] = index + 1;
	}
}

function copyOf(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
	const larger = new Uint8Array(length);
	larger.set(bytes);
	return larger;
}

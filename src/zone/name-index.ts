/**
 * Numbers for names: each distinct name that is added gets the next number, counted from 0.
 * Open addressing over the suffix hashes that `Name` has anyway, so that an ancestor is found without a copy.
 */

import { type Name, octet } from '../dns/name.ts';

export class NameIndex {
	count = 0;
	/** Pairs of hash and number + 1; a power of two of them, at most half of them taken. */
	#slots: Int32Array<ArrayBuffer>;
	/** By number. */
	#starts: Uint32Array<ArrayBuffer>;
	#lengths: Uint8Array<ArrayBuffer>;
	#bytes: Uint8Array<ArrayBuffer>;
	#used = 0;

	/** @param expected  names; there may be more */
	constructor(expected = 0) {
		const room = 2 ** (32 - Math.clz32(expected | 15));
		this.#slots = new Int32Array(4 * room);
		this.#starts = new Uint32Array(room);
		this.#lengths = new Uint8Array(room);
		this.#bytes = new Uint8Array(32 * room);
	}

	/** The number of `name`, a new one when it has none yet. */
	add(name: Name): number {
		const slot = this.#slotOf(name, 0);
		const known = (this.#slots[slot + 1] ?? 0) - 1;
		if (known >= 0) return known;
		const number = this.count++;
		this.#slots[slot] = name.hashes[0] ?? 0;
		this.#slots[slot + 1] = number + 1;
		if (this.#used + name.length > this.#bytes.length)
			this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(2 * this.#bytes.length));
		const { wire } = name;
		for (let i = 0; i < name.length; i++) this.#bytes[this.#used + i] = octet(wire, i);
		this.#starts[number] = this.#used;
		this.#lengths[number] = name.length;
		this.#used += name.length;
		if (this.count === this.#starts.length) this.#grow();
		return number;
	}

	/** The number of the suffix of `name` that starts at `label`; -1 when it has none. */
	find(name: Name, label: number): number {
		return (this.#slots[this.#slotOf(name, label) + 1] ?? 0) - 1;
	}

	/** Where the pair of that suffix lies, or where it would. */
	#slotOf(name: Name, label: number): number {
		const slots = this.#slots;
		const hash = name.hashes[label] ?? 0;
		const mask = slots.length - 1;
		for (let slot = (2 * hash) & mask; ; slot = (slot + 2) & mask) {
			const index = (slots[slot + 1] ?? 0) - 1;
			if (index < 0 || (slots[slot] === hash && this.#isSame(index, name, name.starts[label] ?? 0))) return slot;
		}
	}

	/** The lower-cased wire name of a number, a view that the next `add` may make stale. */
	name(index: number): Uint8Array {
		const start = this.#starts[index] ?? 0;
		return this.#bytes.subarray(start, start + (this.#lengths[index] ?? 0));
	}

	/** Give the memory back at once; the index is of no use any more. */
	release(): void {
		for (const { buffer } of [this.#slots, this.#starts, this.#lengths, this.#bytes]) buffer.transfer(0);
	}

	#isSame(index: number, name: Name, start: number): boolean {
		const length = this.#lengths[index] ?? 0;
		if (length !== name.length - start) return false;
		const at = this.#starts[index] ?? 0;
		for (let i = 0; i < length; i++) if (octet(this.#bytes, at + i) !== octet(name.wire, start + i)) return false;
		return true;
	}

	#grow(): void {
		const old = this.#slots;
		this.#slots = new Int32Array(2 * old.length);
		for (let slot = 0; slot < old.length; slot += 2)
			if (old[slot + 1] !== 0) this.#place(old[slot] ?? 0, old[slot + 1] ?? 0);
		this.#starts = new Uint32Array(this.#starts.buffer.transfer(8 * this.count));
		this.#lengths = new Uint8Array(this.#lengths.buffer.transfer(2 * this.count));
	}

	#place(hash: number, entry: number): void {
		const mask = this.#slots.length - 1;
		let slot = (2 * hash) & mask;
		while (this.#slots[slot + 1] !== 0) slot = (slot + 2) & mask;
		this.#slots[slot] = hash;
		this.#slots[slot + 1] = entry;
	}
}

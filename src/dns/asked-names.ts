/**
 * Names of questions that were read lately, since most questions are for a few names: one that is known is found again
 * four octets at a time, and neither copied nor hashed label by label.
 *
 *     packet -> lower-cased words -> slot -> the same words? -> its Name
 *
 * A name comes in when it is asked for twice with none of its slot between, so that a flood of names that are never
 * asked for again drives nobody out. What else is found out about a name may be kept by its slot, for as long as its
 * stamp stays.
 */

import { LABEL_OCTETS_MAX, Name, octet, readName } from './name.ts';

/** A power of two. */
export const ASKED_NAMES = 4096;
/** Words of a slot. Longer names are read each time. */
const WORDS = 16;

export class AskedNames {
	/** The name read last. */
	name: Name;
	/** For other names of the message. */
	readonly scratch = new Name();
	/** For one that has no slot. */
	readonly #passing = new Name();
	readonly #names: (Name | undefined)[] = new Array(ASKED_NAMES).fill(undefined);
	/** By slot: the hash of its name, and its octets with zeros behind. */
	readonly #hashes = new Int32Array(ASKED_NAMES);
	readonly #words = new Int32Array(ASKED_NAMES * WORDS);
	/** By slot: the hash of a name that came by since its own was asked for. */
	readonly #candidates = new Int32Array(ASKED_NAMES);
	/** Words of the name that is being read. */
	readonly #asked = new Int32Array(WORDS);

	constructor() {
		this.name = this.#passing;
	}

	/** As `readName()`, into `name`: an object that stays as it is while other names are read into others. */
	read(packet: Uint8Array, offset: number, end: number): number {
		const length = plainLength(packet, offset, end);
		if (length === 0 || length > 4 * WORDS) return this.#readInto(this.#passing, packet, offset, end);
		const words = (length + 3) >>> 2;
		const hash = this.#hash(packet, offset, length, words);
		const slot = hash & (ASKED_NAMES - 1);
		if (this.#hashes[slot] === hash && this.#isKnown(slot, words)) {
			this.#candidates[slot] = 0;
			this.#set(this.#names[slot] ?? this.#passing);
			return offset + length;
		}
		if (this.#candidates[slot] === hash) return this.#take(packet, offset, end, slot, hash, words);
		this.#candidates[slot] = hash;
		return this.#readInto(this.#passing, packet, offset, end);
	}

	/** Lower-case the words of a name into `#asked`, and hash them. */
	#hash(packet: Uint8Array, offset: number, length: number, words: number): number {
		// The root is all zeros, as are slots that nobody has.
		let hash = length;
		for (let i = 0; i < words; i++) {
			const at = offset + 4 * i;
			const word =
				octet(packet, at) |
				(octet(packet, at + 1) << 8) |
				(octet(packet, at + 2) << 16) |
				(octet(packet, at + 3) << 24);
			const left = length - 4 * i;
			const own = lowerWord(left < 4 ? word & ((1 << (8 * left)) - 1) : word);
			this.#asked[i] = own;
			hash = Math.imul(hash ^ own, 0x9e3779b1);
			hash ^= hash >>> 15;
		}
		return hash;
	}

	/** A name ends in a zero octet, and zeros follow: no other one has the same words in front. */
	#isKnown(slot: number, words: number): boolean {
		const from = slot * WORDS;
		for (let i = 0; i < words; i++) if (this.#words[from + i] !== this.#asked[i]) return false;
		return true;
	}

	/** Let a name have the slot. */
	#take(packet: Uint8Array, offset: number, end: number, slot: number, hash: number, words: number): number {
		const name = this.#names[slot] ?? new Name();
		this.#names[slot] = name;
		name.slot = slot;
		name.stamp = (name.stamp + 1) | 0;
		this.#hashes[slot] = hash;
		for (let i = 0; i < words; i++) this.#words[slot * WORDS + i] = this.#asked[i] ?? 0;
		return this.#readInto(name, packet, offset, end);
	}

	#readInto(name: Name, packet: Uint8Array, offset: number, end: number): number {
		this.#set(name);
		return readName(packet, offset, end, name);
	}

	/** To store a reference may cost a call of the collector's, so one that is there is not stored again. */
	#set(name: Name): void {
		if (this.name !== name) this.name = name;
	}
}

/** Octets of an uncompressed name; 0 when it is none, or goes on behind the end. */
function plainLength(packet: Uint8Array, offset: number, end: number): number {
	let at = offset;
	while (at < end) {
		const size = octet(packet, at);
		if (size === 0) return at + 1 - offset;
		if (size > LABEL_OCTETS_MAX) return 0;
		at += size + 1;
	}
	return 0;
}

/** Four octets at once: bit 7 of the sums tells which of them are A or above, and which are above Z. */
function lowerWord(word: number): number {
	const low = word & 0x7f7f7f7f;
	const isUpper = (low + 0x3f3f3f3f) & ~(low + 0x25252525) & ~word & 0x80808080;
	return word | (isUpper >>> 2);
}

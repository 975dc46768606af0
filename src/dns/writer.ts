/**
 * Writing a response into a buffer that the caller owns, names compressed (RFC 1035 §4.1.4).
 *
 * The caller writes RRset by RRset and takes back what did not fit: `mark()` before, `rewind()` after.
 */

import { hashLabel, hashSuffix, lowerOctet, type Name, octet, ROOT_HASH } from './name.ts';
import { CLASS, EDNS_OPTION, HEADER_OCTETS, TYPE } from './protocol.ts';

/** Compression pointers have 14 bits. */
const POINTER_TARGET_MAX = 0x3fff;
const SLOTS = 512;

export class MessageWriter {
	/** Octets written so far. */
	length = 0;
	#out: Uint8Array = new Uint8Array(0);
	#limit = 0;
	#isFull = false;
	/** Suffixes that stand in the message: open addressing by hash; an entry counts in its own epoch only. */
	readonly #suffixHash = new Int32Array(SLOTS);
	readonly #suffixAt = new Uint16Array(SLOTS);
	readonly #suffixEpoch = new Uint32Array(SLOTS);
	/** Slots in the order in which they were taken. */
	readonly #noted = new Uint16Array(SLOTS);
	#suffixes = 0;
	#epoch = 0;
	readonly #labelAt = new Uint8Array(128);
	readonly #labelHash = new Int32Array(128);

	/** @param limit  octets that the response may have; `out` has at least as many */
	begin(out: Uint8Array, limit: number): void {
		this.#out = out;
		this.#limit = limit;
		this.#isFull = false;
		this.length = HEADER_OCTETS;
		this.#epoch = (this.#epoch + 1) >>> 0;
		if (this.#epoch === 0) {
			// After 2^32 messages old entries would count again.
			this.#suffixEpoch.fill(0);
			this.#epoch = 1;
		}
		this.#suffixes = 0;
	}

	/** Whether something did not fit since `begin` or the last `rewind`. */
	get isFull(): boolean {
		return this.#isFull;
	}

	set limit(octets: number) {
		this.#limit = octets;
	}

	/** Take back everything behind `length`, the suffixes noted there too: last in, first out, so no probe run is torn. */
	rewind(length: number): void {
		this.length = length;
		this.#isFull = false;
		while (this.#suffixes > 0) {
			const slot = this.#noted[this.#suffixes - 1] ?? 0;
			if ((this.#suffixAt[slot] ?? 0) < length) break;
			this.#suffixEpoch[slot] = 0;
			this.#suffixes--;
		}
	}

	u8(value: number): void {
		if (this.#reserve(1)) this.#out[this.length++] = value;
	}

	u16(value: number): void {
		if (!this.#reserve(2)) return;
		this.#out[this.length++] = value >>> 8;
		this.#out[this.length++] = value;
	}

	u32(value: number): void {
		if (!this.#reserve(4)) return;
		this.#out[this.length++] = value >>> 24;
		this.#out[this.length++] = value >>> 16;
		this.#out[this.length++] = value >>> 8;
		this.#out[this.length++] = value;
	}

	/** A record of class IN up to its TTL, its owner a pointer: one check of the room for ten octets. */
	recordHead(owner: number, type: number, ttlSec: number): void {
		if (!this.#reserve(10)) return;
		const out = this.#out;
		const at = this.length;
		this.length = at + 10;
		out[at] = 0xc0 | (owner >>> 8);
		out[at + 1] = owner;
		out[at + 2] = type >>> 8;
		out[at + 3] = type;
		out[at + 4] = CLASS.in >>> 8;
		out[at + 5] = CLASS.in;
		out[at + 6] = ttlSec >>> 24;
		out[at + 7] = ttlSec >>> 16;
		out[at + 8] = ttlSec >>> 8;
		out[at + 9] = ttlSec;
	}

	/** An OPT record up to its options, flags being the DNSSEC OK bit alone (RFC 6891 §6.1.2). */
	optHead(payloadOctets: number, extendedRcode: number, flags: number, optionOctets: number): void {
		if (!this.#reserve(11)) return;
		const out = this.#out;
		const at = this.length;
		this.length = at + 11;
		out[at] = 0;
		out[at + 1] = TYPE.opt >>> 8;
		out[at + 2] = TYPE.opt;
		out[at + 3] = payloadOctets >>> 8;
		out[at + 4] = payloadOctets;
		out[at + 5] = extendedRcode;
		out[at + 6] = 0;
		out[at + 7] = flags >>> 8;
		out[at + 8] = flags;
		out[at + 9] = optionOctets >>> 8;
		out[at + 10] = optionOctets;
	}

	/** A client subnet option, `words` being an address that is zero behind the source length (RFC 7871 §6). */
	subnet(familyCode: number, sourceLength: number, scope: number, words: Uint32Array): void {
		const octets = (sourceLength + 7) >>> 3;
		if (!this.#reserve(8 + octets)) return;
		const out = this.#out;
		const at = this.length;
		this.length = at + 8 + octets;
		out[at] = EDNS_OPTION.clientSubnet >>> 8;
		out[at + 1] = EDNS_OPTION.clientSubnet;
		out[at + 2] = 0;
		out[at + 3] = 4 + octets;
		out[at + 4] = familyCode >>> 8;
		out[at + 5] = familyCode;
		out[at + 6] = sourceLength;
		out[at + 7] = scope;
		for (let i = 0; i < octets; i++) out[at + 8 + i] = (words[i >>> 2] ?? 0) >>> (24 - 8 * (i & 3));
	}

	/** A record's RDATA behind its length: one check of the room for both. */
	rdata(bytes: Uint8Array, offset: number, length: number): void {
		if (!this.#reserve(2 + length)) return;
		const out = this.#out;
		const at = this.length + 2;
		this.length = at + length;
		out[at - 2] = length >>> 8;
		out[at - 1] = length;
		for (let i = 0; i < length; i++) out[at + i] = octet(bytes, offset + i);
	}

	/** Overwrite 16 bits that were written before. */
	patch16(at: number, value: number): void {
		this.#out[at] = value >>> 8;
		this.#out[at + 1] = value;
	}

	octets(bytes: Uint8Array, offset: number, length: number): void {
		if (!this.#reserve(length)) return;
		const out = this.#out;
		const at = this.length;
		this.length = at + length;
		// A loop beats TypedArray.set with subarray for the few octets of a record, and allocates nothing.
		for (let i = 0; i < length; i++) out[at + i] = octet(bytes, offset + i);
	}

	/** Octets that stand at the end already. */
	keep(octets: number): void {
		if (this.#reserve(octets)) this.length += octets;
	}

	pointer(target: number): void {
		this.u16(0xc000 | target);
	}

	/**
	 * Write the uncompressed name at `offset`, its longest suffix that the message already has as a pointer.
	 * Case is not looked at when suffixes are compared (RFC 4343 §3), so the answer's size does not hang on it.
	 */
	name(bytes: Uint8Array, offset: number): void {
		const labels = this.#hashLabels(bytes, offset);
		for (let label = 0; label < labels; label++) {
			const start = offset + (this.#labelAt[label] ?? 0);
			const known = this.#find(bytes, start, this.#labelHash[label] ?? 0);
			if (known >= 0) {
				this.pointer(known);
				return;
			}
			this.#note(this.#labelHash[label] ?? 0);
			this.octets(bytes, start, octet(bytes, start) + 1);
		}
		this.u8(0);
	}

	/** Note the suffixes of a name that stands uncompressed in the message at `at`: the question. */
	noteName(name: Name, at: number): void {
		const length = this.length;
		for (let label = 0; label < name.labelCount; label++) {
			this.length = at + (name.starts[label] ?? 0);
			this.#note(name.hashes[label] ?? 0);
		}
		this.length = length;
	}

	#reserve(octets: number): boolean {
		if (this.length + octets > this.#limit) this.#isFull = true;
		return !this.#isFull;
	}

	/** Fill `#labelAt` and `#labelHash` for the name at `offset`; how many labels it has. */
	#hashLabels(bytes: Uint8Array, offset: number): number {
		let labels = 0;
		let at = offset;
		while (octet(bytes, at) !== 0) {
			this.#labelAt[labels++] = at - offset;
			at += octet(bytes, at) + 1;
		}
		let hash = ROOT_HASH;
		for (let label = labels - 1; label >= 0; label--) {
			hash = hashSuffix(hashLabel(bytes, offset + (this.#labelAt[label] ?? 0)), hash);
			this.#labelHash[label] = hash;
		}
		return labels;
	}

	/** Where the message has the suffix that starts at `start`; -1 when nowhere. */
	#find(bytes: Uint8Array, start: number, hash: number): number {
		for (let slot = hash & (SLOTS - 1); this.#suffixEpoch[slot] === this.#epoch; slot = (slot + 1) & (SLOTS - 1)) {
			const at = this.#suffixAt[slot] ?? 0;
			if (this.#suffixHash[slot] === hash && this.#isSame(bytes, start, at)) return at;
		}
		return -1;
	}

	/** Whether the name at `start` equals the possibly compressed one at `at` in the message. */
	#isSame(bytes: Uint8Array, start: number, at: number): boolean {
		const out = this.#out;
		let here = start;
		let there = at;
		for (;;) {
			while (octet(out, there) >= 0xc0) {
				const target = ((octet(out, there) & 0x3f) << 8) | octet(out, there + 1);
				// Our own pointers aim backwards; a hash met by chance in a half-written name may find old octets instead.
				if (target >= there) return false;
				there = target;
			}
			const size = octet(bytes, here);
			if (size !== octet(out, there)) return false;
			if (size === 0) return true;
			for (let i = 1; i <= size; i++) {
				if (lowerOctet(octet(bytes, here + i)) !== lowerOctet(octet(out, there + i))) return false;
			}
			here += size + 1;
			there += size + 1;
		}
	}

	/** Note that a suffix starts at the present end. Past three quarters full, or out of a pointer's reach, it is left out. */
	#note(hash: number): void {
		if (this.#suffixes > (SLOTS * 3) / 4 || this.length > POINTER_TARGET_MAX) return;
		let slot = hash & (SLOTS - 1);
		while (this.#suffixEpoch[slot] === this.#epoch) slot = (slot + 1) & (SLOTS - 1);
		this.#suffixHash[slot] = hash;
		this.#suffixAt[slot] = this.length;
		this.#suffixEpoch[slot] = this.#epoch;
		this.#noted[this.#suffixes++] = slot;
	}
}

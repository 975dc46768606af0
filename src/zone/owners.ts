/**
 * The owners of a zone, numbered, with what each of them has: what the rules between names ask.
 */

import { copyName, type Name, printName } from '../dns/name.ts';
import type { CheckRoom } from './check-room.ts';
import { NameIndex } from './name-index.ts';

/** What an owner has, one bit each. */
export const HAS = {
	soa: 1,
	ns: 2,
	cname: 4,
	dname: 8,
	address: 16,
	besideCname: 32,
	outside: 64,
	/** A TXT record that begins with `v=spf1`. */
	spfText: 128,
	record: 256,
	/** More records than one. */
	records: 512,
} as const;

const RELEASED_MIN = 10_000;

/** The first name that is numbered. */
export const APEX = 0;

export class Owners {
	readonly #names: NameIndex;
	/** By owner number. */
	#has: Uint16Array<ArrayBuffer>;
	readonly #name: Name;
	readonly #wildcard: Name;
	readonly #apexLabels: number;
	readonly #apexHash: number;

	/**
	 * @param apex      lower-cased wire name
	 * @param expected  owners; there may be more
	 */
	constructor(apex: Uint8Array, expected: number, room: Pick<CheckRoom, 'owner' | 'wildcard'>) {
		this.#name = room.owner;
		this.#wildcard = room.wildcard;
		this.#names = new NameIndex(expected);
		this.#has = new Uint16Array(expected + 16);
		copyName(apex, 0, this.#name);
		this.#apexLabels = this.#name.labelCount;
		this.#apexHash = this.#name.hashes[0] ?? 0;
		this.mark(this.#names.add(this.#name), 0);
	}

	get count(): number {
		return this.#names.count;
	}

	/** @returns the number of the name at `at`, a new one when it has none yet */
	add(octets: Uint8Array, at: number): number {
		copyName(octets, at, this.#name);
		const count = this.#names.count;
		const owner = this.#names.add(this.#name);
		if (owner === count && !this.isInZone(this.#name)) this.mark(owner, HAS.outside);
		return owner;
	}

	/** Give the memory back at once, where it is much: what is only dropped stays until the next collection. */
	release(): void {
		if (this.count > RELEASED_MIN) this.#names.release();
	}

	/** The lower-cased wire name of a number. */
	name(owner: number): Uint8Array {
		return this.#names.name(owner);
	}

	/** -1 when nothing is at that name. */
	find(name: Name): number {
		return this.#names.find(name, 0);
	}

	mark(owner: number, bits: number): void {
		if (owner >= this.#has.length) this.#has = new Uint16Array(this.#has.buffer.transfer(2 * this.#has.byteLength));
		this.#has[owner] = this.has(owner) | bits;
	}

	/** @returns bits of HAS; 0 for -1 */
	has(owner: number): number {
		return this.#has[owner] ?? 0;
	}

	isInZone(name: Name): boolean {
		const label = name.labelCount - this.#apexLabels;
		return label >= 0 && name.hashes[label] === this.#apexHash && this.#names.find(name, label) === APEX;
	}

	/** The closest owner above `name`, up to the apex, that has one of `bits`, as text; undefined when none has. */
	closestAbove(name: Name, bits: number): string | undefined {
		for (let label = 1; label <= name.labelCount - this.#apexLabels; label++) {
			const owner = this.#names.find(name, label);
			if (owner >= 0 && (this.has(owner) & bits) !== 0) return printName(this.name(owner));
		}
		return undefined;
	}

	/** Whether `owner` is `name` or above it. */
	isAtOrAbove(owner: number, name: Name): boolean {
		for (let label = 0; label <= name.labelCount - this.#apexLabels; label++)
			if (this.#names.find(name, label) === owner) return true;
		return false;
	}

	/** Whether a wildcard may give an address to a name that has none of its own. Glue below a cut cannot come from one. */
	isFromWildcard(target: Name): boolean {
		for (let label = 1; label <= target.labelCount - this.#apexLabels; label++) {
			const start = target.starts[label] ?? 0;
			copyName(Uint8Array.of(1, 0x2a, ...target.wire.subarray(start, target.length)), 0, this.#wildcard);
			const wildcard = this.find(this.#wildcard);
			if (wildcard >= 0 && (this.has(wildcard) & HAS.address) !== 0) return !this.isBelowCut(target);
		}
		return false;
	}

	/** At a cut counts too. */
	isBelowCut(name: Name): boolean {
		for (let label = 0; label < name.labelCount - this.#apexLabels; label++) {
			const owner = this.#names.find(name, label);
			if (owner >= 0 && (this.has(owner) & HAS.ns) !== 0) return true;
		}
		return false;
	}
}

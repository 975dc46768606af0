/**
 * The whole address space cut into ranges, each with a value: sorted starts, and a first-level index
 * over the top 16 bits, so that a lookup is one short binary search.
 *
 *     starts:  0.0.0.0      1.0.0.0      1.0.1.0      ...
 *     values:  0            7            3            ...
 *
 * An IPv4 start is one word, an IPv6 start four words in a row.
 *
 * Most blocks of a top 16 bits lie in one range with all their addresses: of those a second index has value and scope at
 * hand, and neither starts nor values, which are too large for the caches, are looked at.
 */

import type { Family } from '../lib/address.ts';
import type { Prefix } from '../lib/prefix.ts';

export interface FamilyRanges {
	/** Words of a start: 1 for IPv4, 4 for IPv6. */
	readonly stride: 1 | 4;
	/** `stride` words a range; the first range starts at the lowest address. */
	readonly starts: Uint32Array;
	readonly values: Uint32Array;
	/** For each value of the top 16 bits, how many ranges start at or below its lowest address; 65,537 entries. */
	readonly index: Uint32Array;
	/** For each value of the top 16 bits: of a block inside one range its Whole, else 0; 65,536 entries. */
	readonly whole: Uint32Array;
}

/** What is so for all addresses of a block inside one range: `value << WHOLE.valueShift`, the mark, and the scope. */
export const WHOLE = { scope: 31, mark: 32, valueShift: 6, valuesMax: 2 ** 25 } as const;

export interface Ranges {
	readonly ipv4: FamilyRanges;
	readonly ipv6: FamilyRanges;
}

export function familyRanges(ranges: Ranges, family: Family): FamilyRanges {
	return family === 4 ? ranges.ipv4 : ranges.ipv6;
}

/** Of the block with the top 16 bits of an address: as WHOLE says, or 0 when it does not lie inside one range. */
export function wholeBlock({ whole }: FamilyRanges, words: Uint32Array): number {
	return whole[(words[0] ?? 0) >>> 16] ?? 0;
}

/** The range that holds an address. */
export function findRange({ stride, starts, index }: FamilyRanges, words: Uint32Array): number {
	const top = (words[0] ?? 0) >>> 16;
	// The range that holds the address is the last one that starts at or below it.
	let low = (index[top] ?? 0) - 1;
	let high = (index[top + 1] ?? 0) - 1;
	if (low < 0) low = 0;
	while (low < high) {
		const middle = (low + high + 1) >>> 1;
		if (isAtOrBelow(starts, middle * stride, stride, words)) low = middle;
		else high = middle - 1;
	}
	return low;
}

function isAtOrBelow(starts: Uint32Array, at: number, stride: number, words: Uint32Array): boolean {
	for (let i = 0; i < stride; i++) {
		const start = starts[at + i] ?? 0;
		const word = words[i] ?? 0;
		if (start !== word) return start < word;
	}
	return true;
}

/**
 * The shortest prefix around an address that lies inside its range.
 *
 * A prefix of n bits leaves the range when it also holds the address just below the range or the
 * one just above, so n must be longer than what the address shares with either.
 */
export function scopeInRange({ stride, starts, values }: FamilyRanges, range: number, words: Uint32Array): number {
	const below = range === 0 ? 0 : sharedWithPredecessor(starts, range * stride, stride, words) + 1;
	const above = range + 1 >= values.length ? 0 : sharedBits(starts, (range + 1) * stride, stride, words) + 1;
	return below > above ? below : above;
}

function sharedBits(starts: Uint32Array, at: number, stride: number, words: Uint32Array): number {
	for (let i = 0; i < stride; i++) {
		const difference = (starts[at + i] ?? 0) ^ (words[i] ?? 0);
		if (difference !== 0) return 32 * i + Math.clz32(difference);
	}
	return 32 * stride;
}

/** Bits that an address shares with the last address before the start at `at`. */
function sharedWithPredecessor(starts: Uint32Array, at: number, stride: number, words: Uint32Array): number {
	// Subtracting one borrows through trailing zero words, which all become ones.
	let borrow = stride - 1;
	while (borrow > 0 && starts[at + borrow] === 0) borrow--;
	for (let i = 0; i < stride; i++) {
		const start = starts[at + i] ?? 0;
		const previous = i < borrow ? start : i === borrow ? start - 1 : 0xffffffff;
		const difference = previous ^ (words[i] ?? 0);
		if (difference !== 0) return 32 * i + Math.clz32(difference);
	}
	return 32 * stride;
}

/** Collects ranges in ascending order; neighbours with equal values become one. */
export class RangesBuilder {
	readonly #stride: 1 | 4;
	#starts: Uint32Array<ArrayBuffer>;
	#values: Uint32Array<ArrayBuffer>;
	#count = 0;

	constructor(family: Family) {
		this.#stride = family === 4 ? 1 : 4;
		this.#starts = new Uint32Array(1024 * this.#stride);
		this.#values = new Uint32Array(1024);
	}

	/**
	 * @param words  start of the range, at `at`: the lowest address for the first one, then never below the last start;
	 *               a start that is there already takes the new value
	 */
	add(words: Uint32Array, at: number, value: number): void {
		const last = this.#count - 1;
		if (last >= 0 && compareAt(this.#starts, last * this.#stride, words, at, this.#stride) === 0) this.#count = last;
		if (this.#count > 0 && this.#values[this.#count - 1] === value) return;
		if (this.#count === this.#values.length) {
			this.#starts = resized(this.#starts, 2 * this.#starts.length);
			this.#values = resized(this.#values, 2 * this.#values.length);
		}
		for (let i = 0; i < this.#stride; i++) this.#starts[this.#count * this.#stride + i] = words[at + i] ?? 0;
		this.#values[this.#count++] = value;
	}

	/** Called once: what was gathered is given away. */
	build(): FamilyRanges {
		const starts = resized(this.#starts, this.#count * this.#stride);
		const values = resized(this.#values, this.#count);
		const index = new Uint32Array(65537);
		const block = new Uint32Array(4);
		let range = 0;
		for (let top = 0; top < 65536; top++) {
			block[0] = top * 65536;
			while (range < this.#count && compareAt(starts, range * this.#stride, block, 0, this.#stride) <= 0) range++;
			index[top] = range;
		}
		index[65536] = this.#count;
		const ranges = { stride: this.#stride, starts, values, index, whole: new Uint32Array(65536) };
		findWhole(ranges);
		return ranges;
	}
}

/** The neighbours of a range differ from a block inside it within the top 16 bits, so these give the scope. */
function findWhole({ stride, starts, values, whole }: FamilyRanges): void {
	let first = 0;
	for (let range = 0; range < values.length; range++) {
		const value = values[range] ?? WHOLE.valuesMax;
		const isLast = range + 1 === values.length;
		const next = isLast ? 0 : blockAt(starts, (range + 1) * stride, stride);
		const end = isLast ? 65536 : Math.floor(next);
		for (let top = first; top < end && value < WHOLE.valuesMax; top++) {
			const below = range === 0 ? 0 : Math.clz32(((first - 1) ^ top) << 16) + 1;
			const above = isLast ? 0 : Math.clz32((end ^ top) << 16) + 1;
			whole[top] = (value << WHOLE.valueShift) | WHOLE.mark | (below > above ? below : above);
		}
		first = Math.ceil(next);
	}
}

/** The top 16 bits of a start, and a half more when it stands inside their block. */
function blockAt(starts: Uint32Array, at: number, stride: number): number {
	const word = starts[at] ?? 0;
	let rest = word & 0xffff;
	for (let i = 1; i < stride; i++) rest |= starts[at + i] ?? 0;
	return (word >>> 16) + (rest === 0 ? 0 : 0.5);
}

/** The old one is freed at once: databases take tens of megabytes, and a thread that is idle collects nothing. */
function resized(words: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
	return new Uint32Array(words.buffer.transfer(4 * length));
}

/**
 * Lay several divisions of the address space over one another.
 *
 * @param combine  the value of a piece from the values that the divisions have there, in the order given;
 *                 called for each piece in ascending order, with one array that is used again
 */
export function overlay(
	family: Family,
	divisions: readonly FamilyRanges[],
	combine: (values: Uint32Array) => number,
): FamilyRanges {
	const stride = family === 4 ? 1 : 4;
	const builder = new RangesBuilder(family);
	const cursors = new Uint32Array(divisions.length);
	const values = Uint32Array.from(divisions, (division) => division.values[0] ?? 0);
	const at = new Uint32Array(4);
	do builder.add(at, 0, combine(values));
	while (advance(divisions, cursors, values, at, stride));
	return builder.build();
}

/** Move `at` to the next start of any division, and the cursors and values with it; false at the end. */
function advance(
	divisions: readonly FamilyRanges[],
	cursors: Uint32Array,
	values: Uint32Array,
	at: Uint32Array,
	stride: number,
): boolean {
	let isFound = false;
	for (let i = 0; i < divisions.length; i++) {
		const starts = divisions[i]?.starts ?? at;
		const next = ((cursors[i] ?? 0) + 1) * stride;
		if (next >= starts.length || (isFound && compareAt(starts, next, at, 0, stride) >= 0)) continue;
		isFound = true;
		for (let word = 0; word < stride; word++) at[word] = starts[next + word] ?? 0;
	}
	if (!isFound) return false;
	for (let i = 0; i < divisions.length; i++) {
		const division = divisions[i];
		const next = (cursors[i] ?? 0) + 1;
		if (division === undefined || next >= division.values.length) continue;
		if (compareAt(division.starts, next * stride, at, 0, stride) !== 0) continue;
		cursors[i] = next;
		values[i] = division.values[next] ?? 0;
	}
	return true;
}

/** Order of the `stride` words at `aAt` and at `bAt`: negative, 0 or positive. */
function compareAt(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number, stride: number): number {
	for (let i = 0; i < stride; i++) {
		const difference = (a[aAt + i] ?? 0) - (b[bAt + i] ?? 0);
		if (difference !== 0) return difference;
	}
	return 0;
}

/**
 * Cut the address space at prefixes that may lie inside one another.
 *
 * @param prefixes  of one family
 * @param valueAt   value of a place from the indexes of the prefixes that hold it, outermost first; empty outside all
 */
export function rangesOfPrefixes(
	family: Family,
	prefixes: readonly Prefix[],
	valueAt: (covering: readonly number[]) => number,
): FamilyRanges {
	const stride = family === 4 ? 1 : 4;
	const order = prefixes
		.map((prefix, index) => ({ prefix, index }))
		.sort((a, b) => compareAt(a.prefix.first, 0, b.prefix.first, 0, stride) || a.prefix.length - b.prefix.length);
	const builder = new RangesBuilder(family);
	const open: { readonly prefix: Prefix; readonly index: number }[] = [];
	const emit = (words: Uint32Array) => builder.add(words, 0, valueAt(open.map(({ index }) => index)));
	/** Close what ends before `start`: behind each end the enclosing prefix goes on, until a next one starts there. */
	const close = (start: Uint32Array | undefined) => {
		for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
			if (start !== undefined && compareAt(top.prefix.last, 0, start, 0, stride) >= 0) return;
			open.pop();
			const after = successor(top.prefix.last, stride);
			if (after !== undefined) emit(after);
		}
	};
	emit(new Uint32Array(4));
	for (const entry of order) {
		close(entry.prefix.first);
		open.push(entry);
		emit(entry.prefix.first);
	}
	close(undefined);
	return builder.build();
}

/** The address behind the last one of a prefix; undefined at the end of the address space. */
function successor(last: Uint32Array, stride: number): Uint32Array | undefined {
	const words = last.slice();
	for (let i = stride - 1; i >= 0; i--) {
		const word = words[i] ?? 0;
		words[i] = word + 1;
		if (word !== 0xffffffff) return words;
	}
	return undefined;
}

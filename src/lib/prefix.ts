/**
 * Address prefixes as ranges: [first, last], both inclusive, in the words of `address.ts`.
 */

import { type Address, type Family, parseAddress, printAddress } from './address.ts';

export interface Prefix {
	readonly family: Family;
	readonly length: number;
	readonly first: Uint32Array;
	readonly last: Uint32Array;
}

/**
 * Read `address/length`, or a bare address as its own host prefix.
 * @returns the prefix, or a sentence that says what is wrong with the text
 */
export function parsePrefix(text: string): Prefix | string {
	const slash = text.indexOf('/');
	const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
	if (address === undefined) return `Cannot read "${text}" as a prefix: expected an IPv4 or IPv6 address, then /length`;
	const bits = address.family === 4 ? 32 : 128;
	const lengthText = slash < 0 ? String(bits) : text.slice(slash + 1);
	const length = /^(0|[1-9]\d{0,2})$/.test(lengthText) ? Number(lengthText) : Number.NaN;
	if (!(length <= bits)) return `Cannot read "${text}" as a prefix: expected a length of 0..${bits}`;
	const prefix = prefixOf(address, length);
	if (compareWords(prefix.first, address.words) !== 0) {
		return `Cannot use "${text}": it has bits set behind the prefix, expected ${printPrefix(prefix)}`;
	}
	return prefix;
}

/** The prefix of `length` bits that holds `address`. */
export function prefixOf(address: Address, length: number): Prefix {
	const first = new Uint32Array(4);
	const last = new Uint32Array(4);
	const wordCount = address.family === 4 ? 1 : 4;
	for (let i = 0; i < wordCount; i++) {
		const mask = maskWord(length - 32 * i);
		first[i] = (address.words[i] ?? 0) & mask;
		last[i] = ((address.words[i] ?? 0) & mask) | ~mask;
	}
	return { family: address.family, length, first, last };
}

export function printPrefix({ family, first, length }: Prefix): string {
	return `${printAddress({ family, words: first })}/${length}`;
}

export function prefixHolds(prefix: Prefix, address: Address): boolean {
	return (
		prefix.family === address.family &&
		compareWords(prefix.first, address.words) <= 0 &&
		compareWords(address.words, prefix.last) <= 0
	);
}

/** Order of two addresses of one family: negative, 0 or positive. */
export function compareWords(a: Uint32Array, b: Uint32Array): number {
	for (let i = 0; i < 4; i++) {
		const difference = (a[i] ?? 0) - (b[i] ?? 0);
		if (difference !== 0) return difference;
	}
	return 0;
}

/** The top `bits` bits set; 0 when `bits` is not positive. A shift by 32 would be a shift by 0. */
function maskWord(bits: number): number {
	if (bits <= 0) return 0;
	return bits >= 32 ? 0xffffffff : ~(0xffffffff >>> bits);
}

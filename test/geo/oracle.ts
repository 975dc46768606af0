/**
 * Addresses as whole numbers, and what the geo room does in the plainest way: a second opinion.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Client, setClient } from '../../src/geo/client.ts';
import type { GeoData } from '../../src/geo/decide.ts';
import { NOWHERE, type Place } from '../../src/geo/place.ts';
import { type FamilyRanges, familyRanges, findRange, rangesOfPrefixes } from '../../src/geo/ranges.ts';
import type { Address, Family } from '../../src/lib/address.ts';
import { type Prefix, parsePrefix, prefixOf } from '../../src/lib/prefix.ts';

export const bitsOf = (family: Family) => (family === 4 ? 32 : 128);
const wordCount = (family: Family) => (family === 4 ? 1 : 4);

export function numberOf(words: Uint32Array, family: Family): bigint {
	let number = 0n;
	for (let i = 0; i < wordCount(family); i++) number = (number << 32n) | BigInt(words[i] ?? 0);
	return number;
}

export function wordsOf(number: bigint, family: Family): Uint32Array {
	const words = new Uint32Array(4);
	for (let i = wordCount(family) - 1, rest = number; i >= 0; i--, rest >>= 32n) words[i] = Number(rest & 0xffffffffn);
	return words;
}

export function prefix(text: string): Prefix {
	const parsed = parsePrefix(text);
	if (typeof parsed === 'string') throw new Error(parsed);
	return parsed;
}

/** Ranges as [first, last, value], both inclusive. */
export function rangesAsNumbers(ranges: FamilyRanges, family: Family): [bigint, bigint, number][] {
	const starts = Array.from(ranges.values, (_, i) =>
		numberOf(ranges.starts.subarray(i * ranges.stride, (i + 1) * ranges.stride), family),
	);
	return starts.map((start, i) => [start, (starts[i + 1] ?? 1n << BigInt(bitsOf(family))) - 1n, ranges.values[i] ?? 0]);
}

/** The shortest prefix around an address that lies in [first, last]. */
export function shortestPrefixWithin(address: bigint, first: bigint, last: bigint, family: Family): number {
	for (let length = 0; ; length++) {
		const rest = BigInt(bitsOf(family) - length);
		const low = (address >> rest) << rest;
		if (low >= first && low + (1n << rest) - 1n <= last) return length;
	}
}

/** Addresses that crowd: near the ends of the space, and near each other. */
export function crowdedNumber(family: Family): fc.Arbitrary<bigint> {
	const bits = bitsOf(family);
	const top = (1n << BigInt(bits)) - 1n;
	const bit = fc.nat({ max: bits - 1 }).map((at) => 1n << BigInt(at));
	return fc
		.tuple(
			fc.constantFrom(0n, top, 1n << BigInt(bits - 1), 0x0a000000n << BigInt(bits - 32)),
			fc.array(bit, { maxLength: 3 }),
			fc.constantFrom(-1n, 0n, 1n),
		)
		.map(([base, flips, step]) => {
			const flipped = flips.reduce((number, one) => number ^ one, base) + step;
			return flipped < 0n ? 0n : flipped > top ? top : flipped;
		});
}

export function crowdedPrefix(family: Family): fc.Arbitrary<Prefix> {
	return fc
		.tuple(crowdedNumber(family), fc.nat({ max: bitsOf(family) }))
		.map(([number, length]) => prefixOf({ family, words: wordsOf(number, family) }, length));
}

/** Indexes of the prefixes that hold an address, outermost first. */
export function coveringOf(prefixes: readonly Prefix[], address: bigint, family: Family): number[] {
	return prefixes
		.map((one, index) => ({ one, index }))
		.filter(({ one }) => one.family === family)
		.filter(({ one }) => numberOf(one.first, family) <= address && address <= numberOf(one.last, family))
		.sort((a, b) => a.one.length - b.one.length || a.index - b.index)
		.map(({ index }) => index);
}

/** A database of places by prefix; the longest prefix counts. */
export function geoDataOf(records: Readonly<Record<string, Partial<Place>>>): GeoData {
	const entries = Object.entries(records).map(([text, place]) => ({ prefix: prefix(text), place }));
	const ranges = (family: Family) => {
		const own = entries.filter((entry) => entry.prefix.family === family);
		return rangesOfPrefixes(
			family,
			own.map((entry) => entry.prefix),
			(covering) => {
				const inner = own[covering.at(-1) ?? -1];
				return inner === undefined ? 0 : entries.indexOf(inner) + 1;
			},
		);
	};
	return {
		ranges: { ipv4: ranges(4), ipv6: ranges(6) },
		places: [NOWHERE, ...entries.map(({ place }) => ({ ...NOWHERE, ...place }))],
		version: JSON.stringify(records),
	};
}

/** The place of an address, found as a query finds it. */
export function placeAt({ ranges, places }: GeoData, { family, words }: Address): Place {
	const client = new Client();
	setClient(client, family, words);
	const own = familyRanges(ranges, client.family);
	return places[own.values[findRange(own, client.words)] ?? -1] ?? assert.fail();
}

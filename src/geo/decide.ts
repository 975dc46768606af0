/**
 * Geography decided when data loads: the ranges of a database, the networks of a rule set and the special
 * blocks are laid over one another, and neighbours with one decision become one range. What a query pays is
 * one lookup, and the exact scope falls out of the range that it hits.
 */

import type { Family } from '../lib/address.ts';
import { type Prefix, parsePrefix } from '../lib/prefix.ts';
import { NOWHERE, type Place } from './place.ts';
import { type FamilyRanges, overlay, type Ranges, RangesBuilder, rangesOfPrefixes } from './ranges.ts';
import { SPECIAL_PURPOSE } from './special-purpose.ts';

/** What the loaded databases say. */
export interface GeoData {
	/** Values are indexes into `places`. */
	readonly ranges: Ranges;
	/** The first one is NOWHERE. */
	readonly places: readonly Place[];
	/** Changes when the content does. */
	readonly version: string;
}

/** No database: every address is nowhere. */
export function noGeoData(): GeoData {
	const empty = (family: Family) => {
		const builder = new RangesBuilder(family);
		builder.add(new Uint32Array(4), 0, 0);
		return builder.build();
	};
	return { ranges: { ipv4: empty(4), ipv6: empty(6) }, places: [NOWHERE], version: 'none' };
}

/**
 * Decisions from here on say: this block is special, and no network of the rules covers it. Each block has its
 * own number, so that blocks side by side stay apart and the scope is that of the block. All of them are below 2^31,
 * for above it a number may be allocated each time it is read.
 */
export const SPECIAL_DECISION = 0x40000000;

/**
 * Blocks of IPv6 that are placed as the IPv4 address they carry (client.ts): no range may reach over their edges,
 * not even one of a network around them, for its decision is not theirs.
 */
const CARRIERS = ['::ffff:0:0/96', '64:ff9b::/96', '2002::/16', '2001::/32'].map((text) => {
	const prefix = parsePrefix(text);
	if (typeof prefix === 'string') throw new Error(prefix);
	return prefix;
});
const BLOCKS = [...SPECIAL_PURPOSE, ...CARRIERS];

/**
 * @param networks  prefixes of the rule set, in any order, also inside one another
 * @param decide    the decision for a place, and for the networks that cover the address (indexes into `networks`,
 *                  longest prefix first); below SPECIAL_DECISION
 * @returns ranges whose values are decisions
 */
export function mergeDecisions(
	data: GeoData,
	networks: readonly Prefix[],
	decide: (place: Place, covering: readonly number[]) => number,
): Ranges {
	return { ipv4: mergeFamily(4, data, networks, decide), ipv6: mergeFamily(6, data, networks, decide) };
}

function mergeFamily(
	family: Family,
	data: GeoData,
	networks: readonly Prefix[],
	decide: (place: Place, covering: readonly number[]) => number,
): FamilyRanges {
	const stacks: (readonly number[])[] = [];
	const covering = prefixStacks(family, networks, stacks);
	const blocks: (readonly number[])[] = [];
	const special = prefixStacks(family, BLOCKS, blocks);
	const known = new Map<number, number>();
	const places = family === 4 ? data.ranges.ipv4 : data.ranges.ipv6;
	return overlay(family, [places, covering, special], ([place = 0, stack = 0, block = 0]) => {
		const key = (place * stacks.length + stack) * blocks.length + block;
		const before = known.get(key);
		if (before !== undefined) return before;
		const networksHere = stacks[stack] ?? [];
		const blockHere = blocks[block]?.[0];
		let decision: number;
		if (blockHere === undefined) decision = decide(data.places[place] ?? NOWHERE, networksHere);
		else if (networksHere.length > 0 && blockHere < SPECIAL_PURPOSE.length) decision = decide(NOWHERE, networksHere);
		else decision = SPECIAL_DECISION + blockHere;
		known.set(key, decision);
		return decision;
	});
}

/** Ranges whose values number the different sets of prefixes that cover them; `stacks` receives the sets, longest prefix first. */
function prefixStacks(family: Family, prefixes: readonly Prefix[], stacks: (readonly number[])[]): FamilyRanges {
	const numbers = new Map<string, number>();
	const own: Prefix[] = [];
	const indexes: number[] = [];
	for (const [index, prefix] of prefixes.entries()) {
		if (prefix.family !== family) continue;
		own.push(prefix);
		indexes.push(index);
	}
	return rangesOfPrefixes(family, own, (covering) => {
		const stack = covering.map((i) => indexes[i] ?? 0).reverse();
		const key = stack.join();
		const before = numbers.get(key);
		if (before !== undefined) return before;
		numbers.set(key, stacks.length);
		stacks.push(stack);
		return stacks.length - 1;
	});
}

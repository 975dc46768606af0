/**
 * Random client networks of random source lengths, half of each family. Most of the address space is empty, above all
 * of IPv6, so most are drawn where something is decided: at the edges of the database's networks and in the blocks
 * that are treated apart.
 *
 * | share | IPv4                              | IPv6                                                  |
 * |-------|-----------------------------------|-------------------------------------------------------|
 * | 6/10  | anywhere                          | within or just before a network of the database       |
 * | 3/10  | as IPv6 above                     | anywhere in 2000::/4                                  |
 * | 1/10  | in a block that is treated apart  | half of it the same, half of it anywhere              |
 */

import type { FamilyRanges, Ranges } from '../../src/geo/ranges.ts';
import { SPECIAL_PURPOSE } from '../../src/geo/special-purpose.ts';
import { type Family, printAddress } from '../../src/lib/address.ts';
import type { Chance } from '../../src/lib/ports.ts';
import { type Prefix, prefixOf } from '../../src/lib/prefix.ts';
import { bitsOf, numberOf, prefix, wordsOf } from '../geo/oracle.ts';
import { networksOf } from './geo-map.ts';

/** IPv6 space that carries IPv4 addresses, in somebody's opinion at least. */
export const CARRIERS = {
	mapped: prefix('::ffff:0:0/96'),
	wellKnown: prefix('64:ff9b::/96'),
	sixToFour: prefix('2002::/16'),
	teredo: prefix('2001::/32'),
	/** RFC 4291 §2.5.5.1: deprecated. */
	compatible: prefix('::/96'),
	/** RFC 2765: obsolete since RFC 6145. */
	siit: prefix('::ffff:0:0:0/96'),
} as const;

const CARRIED = Object.values(CARRIERS);
/** Each carrier several times: there are few, and much to see in each. */
const APART = [...SPECIAL_PURPOSE, ...networksOf('world').map(prefix), ...CARRIED, ...CARRIED, ...CARRIED];

/** As it goes into a query: what stands behind the source length is zero. */
export interface ClientNetwork {
	readonly network: Prefix;
	/** `address/length` */
	readonly text: string;
}

export function randomNetworks(count: number, database: Ranges, chance: Chance): readonly ClientNetwork[] {
	return Array.from({ length: count }, (_, i) => {
		const family = i % 2 === 0 ? 4 : 6;
		const words = family === 4 ? randomIpv4(database.ipv4, chance) : randomIpv6(database.ipv6, chance);
		const network = prefixOf({ family, words }, chance.below(bitsOf(family) + 1));
		return { network, text: `${printAddress({ family, words: network.first })}/${network.length}` };
	});
}

function randomIpv4(ranges: FamilyRanges, chance: Chance): Uint32Array {
	const die = chance.below(10);
	if (die < 6) return anywhere(chance);
	return die < 9 ? nearEdge(4, ranges, chance) : apart(4, chance);
}

function randomIpv6(ranges: FamilyRanges, chance: Chance): Uint32Array {
	const die = chance.below(20);
	if (die < 12) return nearEdge(6, ranges, chance);
	if (die === 19) return anywhere(chance);
	if (die === 18) return apart(6, chance);
	const words = anywhere(chance);
	words[0] = 0x20000000 | ((words[0] ?? 0) >>> 4);
	return words;
}

function anywhere(chance: Chance): Uint32Array {
	return Uint32Array.from({ length: 4 }, () => chance.below(0x100000000));
}

/** Somewhere in a network of the database, its first address, or the one before. */
function nearEdge(family: Family, { starts, stride, values }: FamilyRanges, chance: Chance): Uint32Array {
	const at = chance.below(values.length);
	const start = numberOf(starts.subarray(at * stride, (at + 1) * stride), family);
	const end =
		at + 1 < values.length ? numberOf(starts.subarray((at + 1) * stride), family) : 1n << BigInt(bitsOf(family));
	const random = numberOf(anywhere(chance), family);
	const offset = [0n, -1n, random % (end - start), random % (end - start)][chance.below(4)] ?? 0n;
	return wordsOf(start + offset < 0n ? 0n : start + offset, family);
}

function apart(family: Family, chance: Chance): Uint32Array {
	const blocks = APART.filter((block) => block.family === family);
	const block = blocks[chance.below(blocks.length)] ?? prefix('::/0');
	const random = anywhere(chance);
	return random.map(
		(word, i) => ((block.first[i] ?? 0) | (word & ((block.last[i] ?? 0) ^ (block.first[i] ?? 0)))) >>> 0,
	);
}

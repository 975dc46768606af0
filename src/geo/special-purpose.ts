/**
 * Address blocks that no database should place: the special-purpose registries (RFC 6890) and multicast.
 * Databases do list some of them, mostly wrongly, so they are settled before a database is asked.
 *
 * Not here although registered: blocks that carry an IPv4 address (6to4, Teredo, 64:ff9b::/96 and mapped
 * addresses), which are looked up as that address, and the globally reachable anycast services.
 */

import type { Address } from '../lib/address.ts';
import { type Prefix, parsePrefix, prefixHolds } from '../lib/prefix.ts';

const BLOCKS: readonly (readonly [prefix: string, purpose: string])[] = [
	['0.0.0.0/8', 'this network'],
	['10.0.0.0/8', 'private'],
	['100.64.0.0/10', 'shared address space of carriers'],
	['127.0.0.0/8', 'loopback'],
	['169.254.0.0/16', 'link local'],
	['172.16.0.0/12', 'private'],
	['192.0.0.0/24', 'IETF protocol assignments'],
	['192.0.2.0/24', 'documentation'],
	['192.168.0.0/16', 'private'],
	['198.18.0.0/15', 'benchmarking'],
	['198.51.100.0/24', 'documentation'],
	['203.0.113.0/24', 'documentation'],
	['224.0.0.0/4', 'multicast'],
	['240.0.0.0/4', 'reserved, limited broadcast'],
	['::/128', 'unspecified'],
	['::1/128', 'loopback'],
	['64:ff9b:1::/48', 'local-use translation'],
	['100::/64', 'discard only'],
	['2001:2::/48', 'benchmarking'],
	['2001:10::/28', 'ORCHID, deprecated'],
	['2001:db8::/32', 'documentation'],
	['3fff::/20', 'documentation'],
	['5f00::/16', 'segment routing SIDs'],
	['fc00::/7', 'unique local'],
	['fe80::/10', 'link local'],
	['ff00::/8', 'multicast'],
];

export const SPECIAL_PURPOSE: readonly Prefix[] = BLOCKS.map(([text]) => {
	const prefix = parsePrefix(text);
	if (typeof prefix === 'string') throw new Error(prefix);
	return prefix;
});

/** The block that holds an address, and what it is for. */
export function specialPurposeOf(address: Address): { readonly block: Prefix; readonly purpose: string } | undefined {
	const index = SPECIAL_PURPOSE.findIndex((block) => prefixHolds(block, address));
	const block = SPECIAL_PURPOSE[index];
	return block === undefined ? undefined : { block, purpose: BLOCKS[index]?.[1] ?? '' };
}

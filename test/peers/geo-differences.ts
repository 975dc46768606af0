/**
 * Where a server with the same geo map answers a client network otherwise, and what decides. Everything else must be equal.
 */

import { Client, setClient } from '../../src/geo/client.ts';
import { SPECIAL_PURPOSE } from '../../src/geo/special-purpose.ts';
import type { Address } from '../../src/lib/address.ts';
import { type Prefix, prefixHolds, prefixOf } from '../../src/lib/prefix.ts';
import { addressOf, DEFAULT_SITE } from './geo-map.ts';
import { CARRIERS } from './geo-networks.ts';

export interface GeoReply {
	/** RCODE and records. */
	readonly answer: string;
	/** -1 when there is none. */
	readonly scope: number;
}

interface GeoDifference {
	readonly peers: readonly string[];
	readonly what: string;
	/** The text that decides. */
	readonly decides: string;
	/**
	 * Whether two replies to a client differ in this way and in no other.
	 * @param networks  that the map names
	 */
	readonly explains: (client: Prefix, ours: GeoReply, theirs: GeoReply, networks: readonly Prefix[]) => boolean;
}

export const GEO_DIFFERENCES: readonly GeoDifference[] = [
	{
		peers: ['gdnsd', 'knot', 'pdns'],
		what: 'a client in special-purpose space gets the default with the scope of its block, theirs is looked up in the database',
		decides:
			'RFC 6890: such space belongs to nobody in particular, and what databases say of it is wrong (they place 203.0.113.0/24 in AU)',
		explains: (client, ours, _theirs, networks) => {
			const { address, scopeOffset } = placedAs(client);
			const block = SPECIAL_PURPOSE.find((special) => prefixHolds(special, address));
			if (networks.some((network) => prefixHolds(network, address))) return false;
			if (block === undefined || ours.answer !== DEFAULT) return false;
			return ours.scope - scopeOffset === scopeInBlock(address, block, networks);
		},
	},
	{
		peers: ['gdnsd'],
		what: 'the scope beside special-purpose space, or beside space that carries IPv4 addresses, ends at its edge; theirs reaches over it where the answers are equal',
		decides: 'RFC 7871 §7.2.1: a scope covers what is answered alike, and in such space another rule answers',
		explains: (client, ours, theirs) => {
			const { address, scopeOffset } = placedAs(client);
			const length = ours.scope - scopeOffset;
			const isAtEdge = (bits: number) => CUTS.some((block) => overlap(prefixOf(address, bits), block));
			return ours.answer === theirs.answer && ours.scope > theirs.scope && !isAtEdge(length) && isAtEdge(length - 1);
		},
	},
	{
		peers: ['gdnsd', 'knot', 'pdns'],
		what: 'an IPv4-compatible address (::/96) is nowhere, theirs is placed as the IPv4 address',
		decides: 'RFC 4291 §2.5.5.1 deprecates the form, and nothing is assigned there; MaxMind files hold IPv4 there',
		explains: (client, ours) => isIn(client, CARRIERS.compatible) && ours.answer === DEFAULT,
	},
	{
		peers: ['gdnsd'],
		what: 'an IPv4-translated address of RFC 2765 (::ffff:0:0:0/96) is nowhere, theirs is placed as the IPv4 address, and a scope beside that space ends at its edge',
		decides: 'RFC 6145 §1 replaced the form by prefixes that networks choose and 64:ff9b::/96, which we place',
		explains: (client, ours, theirs) => {
			const reaches = ({ scope }: GeoReply) =>
				overlap(prefixOf({ family: 6, words: client.first }, scope), CARRIERS.siit);
			if (client.family === 4 || ours.answer !== DEFAULT) return false;
			return isIn(client, CARRIERS.siit) || (ours.answer === theirs.answer && reaches(ours) && !reaches(theirs));
		},
	},
	{
		peers: ['knot', 'pdns'],
		what: 'a mapped, translated, 6to4 or Teredo address is placed as the IPv4 address that it carries, theirs is nowhere',
		decides:
			'RFC 4291 §2.5.5.2, RFC 6052 §2.1, RFC 3056 §2 and RFC 4380 §4 say which host each one is; gdnsd does as we do',
		explains: (client, _ours, theirs) =>
			OUR_CARRIERS.some((carrier) => isIn(client, carrier)) && theirs.answer === DEFAULT,
	},
];

const DEFAULT = `NOERROR A ${addressOf(DEFAULT_SITE)}`;
const OUR_CARRIERS = [CARRIERS.mapped, CARRIERS.wellKnown, CARRIERS.sixToFour, CARRIERS.teredo];
const CUTS = [...SPECIAL_PURPOSE, ...OUR_CARRIERS];

/** The address that the database is asked for, and the bits of the client's address before it. */
function placedAs({ family, first }: Prefix): { readonly address: Address; readonly scopeOffset: number } {
	const client = new Client();
	setClient(client, family, first);
	return { address: client, scopeOffset: client.scopeOffset };
}

/** The whole block, but for networks of the map inside it, none of which holds the address. */
function scopeInBlock(address: Address, block: Prefix, networks: readonly Prefix[]): number {
	let length = block.length;
	while (networks.some((network) => overlap(prefixOf(address, length), network))) length++;
	return length;
}

function isIn({ family, first }: Prefix, block: Prefix): boolean {
	return prefixHolds(block, { family, words: first });
}

function overlap(a: Prefix, b: Prefix): boolean {
	const addressIn = ({ family, first }: Prefix) => ({ family, words: first });
	return prefixHolds(a, addressIn(b)) || prefixHolds(b, addressIn(a));
}

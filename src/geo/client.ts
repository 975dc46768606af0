/**
 * The address by which a client is placed. An IPv6 address that carries an IPv4 address is placed as that
 * one; its scope is then counted in the family of the query: the carrier's own bits come first.
 *
 * | carrier                   | where the IPv4 address stands      | bits before it |
 * |---------------------------|------------------------------------|----------------|
 * | ::ffff:0:0/96 (mapped)    | last 32 bits                       | 96             |
 * | 64:ff9b::/96 (RFC 6052)   | last 32 bits                       | 96             |
 * | 2002::/16 (6to4)          | bits 16..47                        | 16             |
 * | 2001::/32 (Teredo)        | last 32 bits, inverted (RFC 4380)  | 96             |
 */

import type { Family } from '../lib/address.ts';

/** An address to be placed; reused. */
export class Client {
	family: Family = 4;
	readonly words = new Uint32Array(4);
	/** Bits of the query's address before the first bit of this one: added to a scope that looked at it. */
	scopeOffset = 0;
}

/** How an IPv6 address carries an IPv4 address. */
export type Carrier = 'mapped' | 'NAT64' | '6to4' | 'Teredo';

/**
 * Set `client` from an address as it came in a query.
 * @returns the carrier, if it is one
 */
export function setClient(client: Client, family: Family, words: Uint32Array): Carrier | undefined {
	const first = words[0] ?? 0;
	const second = words[1] ?? 0;
	const third = words[2] ?? 0;
	const fourth = words[3] ?? 0;
	client.scopeOffset = 0;
	client.family = family;
	if (family === 6) {
		if (first === 0 && second === 0 && third === 0xffff) {
			setCarried(client, fourth, 96);
			return 'mapped';
		}
		if (first === 0x0064ff9b && second === 0 && third === 0) {
			setCarried(client, fourth, 96);
			return 'NAT64';
		}
		if (first >>> 16 === 0x2002) {
			setCarried(client, ((first & 0xffff) << 16) | (second >>> 16), 16);
			return '6to4';
		}
		if (first === 0x20010000) {
			setCarried(client, ~fourth, 96);
			return 'Teredo';
		}
	}
	client.words[0] = first;
	client.words[1] = second;
	client.words[2] = third;
	client.words[3] = fourth;
	return undefined;
}

function setCarried(client: Client, word: number, scopeOffset: number): void {
	client.family = 4;
	client.scopeOffset = scopeOffset;
	client.words[0] = word;
	client.words[1] = 0;
	client.words[2] = 0;
	client.words[3] = 0;
}

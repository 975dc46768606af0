/**
 * Which addresses may be probed. Whoever may write a pool chooses where our probers connect to, from inside our
 * network: without a guard a check is a port scanner and a way to cloud credentials.
 * Judges addresses only; knows no target, no socket, no log.
 *
 * | in `allow` | in `deny` or the default list | may be probed |
 * | yes        | either                        | yes           |
 * | no         | yes                           | no            |
 * | no         | no                            | yes           |
 */

import assert from 'node:assert/strict';
import { type Address, parseAddress, printAddress } from '../lib/address.ts';
import { type Prefix, parsePrefix, prefixHolds, printPrefix } from '../lib/prefix.ts';

/** @returns why the address must not be probed, as a sentence; undefined when it may be */
export type Guard = (address: string) => string | undefined;

interface GuardLists {
	readonly deny: readonly Prefix[];
	readonly allow: readonly Prefix[];
}

interface Denied {
	readonly prefix: Prefix;
	readonly name: string;
}

const DENIED_BY_DEFAULT: readonly Denied[] = [
	denied('0.0.0.0/8', 'unspecified'),
	denied('127.0.0.0/8', 'loopback'),
	denied('169.254.0.0/16', 'link-local'),
	denied('224.0.0.0/4', 'multicast'),
	denied('255.255.255.255/32', 'broadcast'),
	denied('::/128', 'unspecified'),
	denied('::1/128', 'loopback'),
	denied('fe80::/10', 'link-local'),
	denied('ff00::/8', 'multicast'),
	// 169.254.169.254 of most clouds is link-local.
	denied('100.100.100.200/32', 'cloud metadata'),
	denied('168.63.129.16/32', 'cloud metadata'),
	denied('192.0.0.192/32', 'cloud metadata'),
	denied('fd00:ec2::254/128', 'cloud metadata'),
	denied('fd20:ce::254/128', 'cloud metadata'),
];

export function createGuard({ deny, allow }: GuardLists): Guard {
	const deniedPrefixes = [...deny.map((prefix) => ({ prefix, name: 'probe.deny' })), ...DENIED_BY_DEFAULT];
	return (text) => {
		const address = parseAddress(text);
		if (address === undefined) return `Cannot probe "${text}": expected an IPv4 or IPv6 address`;
		const isAllowed = (one: Address) => allow.some((prefix) => prefixHolds(prefix, one));
		if (isAllowed(address)) return undefined;
		for (const reading of readingsOf(address)) {
			// An address may be read in several ways: what is allowed of one says nothing about another.
			if (isAllowed(reading)) continue;
			const hit = deniedPrefixes.find(({ prefix }) => prefixHolds(prefix, reading));
			if (hit === undefined) continue;
			const mapped = reading === address ? '' : ` stands for ${printAddress(reading)}, which`;
			return `${text}${mapped} lies in ${printPrefix(hit.prefix)} (${hit.name})`;
		}
		return undefined;
	};
}

/**
 * The address, and every IPv4 address that it may stand for: the kernel connects `::ffff:127.0.0.1` to 127.0.0.1, and
 * translators and tunnels on the way do the like with theirs.
 *
 * | form                        | of                  | IPv4 address in      |
 * | ::ffff:0:0/96               | RFC 4291 §2.5.5.2   | the last 32 bits     |
 * | ::/96, ::ffff:0:0:0/96      | RFC 4291, RFC 2765  | the last 32 bits     |
 * | 64:ff9b::/96                | RFC 6052, NAT64     | the last 32 bits     |
 * | 64:ff9b:1::/48              | RFC 8215, NAT64     | behind 48, 56, 64 or 96 bits (RFC 6052 §2.2) |
 * | 2002::/16                   | RFC 3056, 6to4      | bits 16 to 47        |
 * | 2001::/32                   | RFC 4380, Teredo    | server in bits 32 to 63; client in the last 32, inverted |
 */
function readingsOf(address: Address): readonly Address[] {
	if (address.family === 4) return [address];
	const [a = 0, b = 0, c = 0, d = 0] = address.words;
	const found: number[] = [];
	if (a === 0 && b === 0 && (c === 0xffff || (c === 0 && d > 1))) found.push(d);
	if (a === 0 && b === 0 && c === 0xffff0000) found.push(d);
	if (a === 0x0064ff9b && b === 0 && c === 0) found.push(d);
	if (a === 0x0064ff9b && b >>> 16 === 1) {
		// Bits 64 to 71 belong to no address, and what follows one is zero.
		if (d === 0 && (c & 0xff) === 0) found.push(((b << 16) | ((c >>> 8) & 0xffff)) >>> 0);
		else if (d === 0) found.push(((b << 24) | (c & 0x00ffffff)) >>> 0);
		else if ((d & 0x00ffffff) === 0) found.push(((c << 8) | (d >>> 24)) >>> 0);
		found.push(d);
	}
	if (a >>> 16 === 0x2002) found.push(((a << 16) | (b >>> 16)) >>> 0);
	if (a === 0x20010000) found.push(b, ~d >>> 0);
	return [address, ...found.map((word): Address => ({ family: 4, words: Uint32Array.of(word, 0, 0, 0) }))];
}

function denied(text: string, name: string): Denied {
	const prefix = parsePrefix(text);
	assert(typeof prefix !== 'string', `bad prefix in the default list: ${text}`);
	return { prefix, name };
}

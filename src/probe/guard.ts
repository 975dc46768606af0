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
	denied('fd00:ec2::254/128', 'cloud metadata'),
];

export function createGuard({ deny, allow }: GuardLists): Guard {
	const deniedPrefixes = [...deny.map((prefix) => ({ prefix, name: 'probe.deny' })), ...DENIED_BY_DEFAULT];
	return (text) => {
		const address = parseAddress(text);
		if (address === undefined) return `Cannot probe "${text}": expected an IPv4 or IPv6 address`;
		const readings = readingsOf(address);
		if (readings.some((reading) => allow.some((prefix) => prefixHolds(prefix, reading)))) return undefined;
		for (const reading of readings) {
			const hit = deniedPrefixes.find(({ prefix }) => prefixHolds(prefix, reading));
			if (hit === undefined) continue;
			const mapped = reading === address ? '' : ` stands for ${printAddress(reading)}, which`;
			return `${text}${mapped} lies in ${printPrefix(hit.prefix)} (${hit.name})`;
		}
		return undefined;
	};
}

/**
 * The address, and the IPv4 address that it stands for: the kernel connects `::ffff:127.0.0.1` to 127.0.0.1, and a
 * NAT64 gateway does the like with 64:ff9b::/96.
 */
function readingsOf(address: Address): readonly Address[] {
	const [a, b, c, ipv4] = address.words;
	if (address.family === 4 || ipv4 === undefined || b !== 0) return [address];
	const isMapped = a === 0 && c === 0xffff;
	const isNat64 = a === 0x0064ff9b && c === 0;
	if (!isMapped && !isNat64) return [address];
	return [address, { family: 4, words: Uint32Array.of(ipv4, 0, 0, 0) }];
}

function denied(text: string, name: string): Denied {
	const prefix = parsePrefix(text);
	assert(typeof prefix !== 'string', `bad prefix in the default list: ${text}`);
	return { prefix, name };
}

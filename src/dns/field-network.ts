/** Fields of types that speak of networks: address prefixes, relays, locators, host identities, NSAP addresses. */

import { addressOctets, parseAddress } from '../lib/address.ts';
import { printBase64, printHex, scanBase64, scanHex } from './base-text.ts';
import { type FieldCodec, fixedSize, missing, notA, push16, readNumber, scanNoGateway, wordField } from './field.ts';
import { addressField, nameField, numberField } from './field-plain.ts';
import { octet } from './name.ts';

/** Four groups of 16 bits (RFC 6742 §2.1.2, §2.3.2). */
export const locatorField: FieldCodec = wordField({
	phrase: 'four groups of hex digits with colons between',
	scanWord(text, out) {
		const groups = text.split(':');
		if (groups.length !== 4 || !groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
		for (const group of groups) push16(Number.parseInt(group, 16), out);
		return true;
	},
	size: fixedSize(8),
	print: (wire) => printHex(wire).match(/.{4}/g)?.join(':') ?? '',
});

const PREFIX_PHRASE = 'an address prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32';
const NEGATED = 0x80;
/** By address family number. */
const PREFIX_FAMILIES: Readonly<Record<string, { readonly family: 4 | 6; readonly octets: number }>> = {
	1: { family: 4, octets: 4 },
	2: { family: 6, octets: 16 },
};

/** A list of address prefixes to the end, which may be empty (RFC 3123 §4). */
export const prefixesField: FieldCodec = {
	phrase: PREFIX_PHRASE,
	scan(words, out) {
		for (; words.at < words.tokens.length; words.at++) {
			const token = words.tokens[words.at];
			if (token === undefined || token.isQuoted || !scanPrefix(token.text, out))
				return { token: words.at, message: notA(token?.text ?? '', PREFIX_PHRASE) };
		}
		return undefined;
	},
	size(rdata, from) {
		let at = from;
		while (at < rdata.length) {
			const family = PREFIX_FAMILIES[256 * octet(rdata, at) + octet(rdata, at + 1)];
			const octets = octet(rdata, at + 3) & ~NEGATED;
			const end = at + 4 + octets;
			const isGood = family !== undefined && octets <= family.octets && octet(rdata, at + 2) <= 8 * family.octets;
			// Zero octets at the end are left out, so that equal prefixes are equal.
			if (!isGood || end > rdata.length || (octets > 0 && octet(rdata, end - 1) === 0)) return -1;
			at = end;
		}
		return rdata.length - from;
	},
	print(wire) {
		const items: string[] = [];
		let at = 0;
		while (at < wire.length) {
			const number = octet(wire, at + 1);
			const octets = octet(wire, at + 3) & ~NEGATED;
			const { family, octets: whole } = PREFIX_FAMILIES[number] ?? { family: 6, octets: 16 };
			const address = new Uint8Array(whole);
			address.set(wire.subarray(at + 4, at + 4 + octets));
			const sign = (octet(wire, at + 3) & NEGATED) === 0 ? '' : '!';
			items.push(`${sign}${number}:${addressField(family).print(address)}/${octet(wire, at + 2)}`);
			at += 4 + octets;
		}
		return items.join(' ');
	},
};

/** Bits behind the prefix are kept as they stand: RFC 3123 forbids none. */
function scanPrefix(text: string, out: number[]): boolean {
	const [, sign = '', number = '', addressText = '', lengthText = ''] = /^(!?)([12]):(.+)\/(\d{1,3})$/.exec(text) ?? [];
	const known = PREFIX_FAMILIES[number];
	const address = parseAddress(addressText);
	const length = Number(lengthText);
	if (address === undefined || address.family !== known?.family || length > 8 * known.octets) return false;
	const octets = [...addressOctets(address)];
	while (octets.at(-1) === 0) octets.pop();
	push16(Number(number), out);
	out.push(length, octets.length | (sign === '' ? 0 : NEGATED), ...octets);
	return true;
}

const bit = numberField(1);
const RELAYS: readonly (FieldCodec | undefined)[] = [undefined, addressField(4), addressField(6), nameField];

/** AMTRELAY's discovery bit, type of relay and relay (RFC 8777 §4.2): the second says what the last is. */
export const relayField: FieldCodec = {
	phrase: 'a discovery bit 0..1, a type of relay 0..3 and a relay',
	scan(words, out) {
		const numbers: number[] = [];
		for (const [most, phrase] of [
			[1, 'a discovery bit 0..1'],
			[3, 'a type of relay 0..3'],
		] as const) {
			const fault = bit.scan(words, numbers);
			if (fault !== undefined) return fault;
			if ((numbers.at(-1) ?? 0) > most) return { token: words.at - 1, message: notA(String(numbers.at(-1)), phrase) };
		}
		const [discovery = 0, kind = 0] = numbers;
		out.push((discovery << 7) | kind);
		const relay = RELAYS[kind];
		if (relay !== undefined) return relay.scan(words, out);
		return scanNoGateway(words);
	},
	size(rdata, at) {
		const kind = octet(rdata, at) & 0x7f;
		if (rdata.length - at < 1 || kind > 3) return -1;
		const size = RELAYS[kind]?.size(rdata, at + 1) ?? 0;
		return size < 0 ? -1 : size + 1;
	},
	print(wire) {
		const kind = octet(wire, 0) & 0x7f;
		return `${octet(wire, 0) >> 7} ${kind} ${RELAYS[kind]?.print(wire.subarray(1)) ?? '.'}`;
	},
};

const HIP_HEAD = 4;

/** HIP's lengths, algorithm, host identity tag, public key and rendezvous servers (RFC 8005 §5). */
export const hostIdentityField: FieldCodec = {
	phrase: 'an algorithm, a host identity tag in hex, a public key in base64 and names',
	scan(words, out) {
		const algorithm: number[] = [];
		const fault = bit.scan(words, algorithm);
		if (fault !== undefined) return fault;
		const [tagAt, keyAt] = [words.at, words.at + 1];
		const [tagToken, keyToken] = [words.tokens[tagAt], words.tokens[keyAt]];
		if (tagToken === undefined) return missing(words, 'a host identity tag in hex');
		if (keyToken === undefined) return { ...missing(words, 'a public key in base64'), token: keyAt };
		const tag = scanHex(tagToken.text);
		if (tag === undefined || tag.length === 0 || tag.length > 255)
			return { token: tagAt, message: notA(tagToken.text, 'pairs of hex digits') };
		const key = scanBase64(keyToken.text);
		if (key === undefined || key.length === 0) return { token: keyAt, message: notA(keyToken.text, 'base64') };
		out.push(tag.length, algorithm[0] ?? 0);
		push16(key.length, out);
		for (const value of [...tag, ...key]) out.push(value);
		for (words.at += 2; words.at < words.tokens.length; ) {
			const nameFault = nameField.scan(words, out);
			if (nameFault !== undefined) return nameFault;
		}
		return undefined;
	},
	size(rdata, from) {
		const keyAt = from + HIP_HEAD + octet(rdata, from);
		let at = keyAt + 256 * octet(rdata, from + 2) + octet(rdata, from + 3);
		if (rdata.length - from < HIP_HEAD || keyAt === from + HIP_HEAD || at === keyAt || at > rdata.length) return -1;
		while (at < rdata.length) {
			const size = nameField.size(rdata, at);
			if (size < 0) return -1;
			at += size;
		}
		return rdata.length - from;
	},
	print(wire) {
		const keyAt = HIP_HEAD + octet(wire, 0);
		let at = keyAt + readNumber(wire.subarray(2, HIP_HEAD));
		const words = [
			String(octet(wire, 1)),
			printHex(wire.subarray(HIP_HEAD, keyAt)),
			printBase64(wire.subarray(keyAt, at)),
		];
		while (at < wire.length) {
			const size = nameField.size(wire, at);
			words.push(nameField.print(wire.subarray(at, at + size)));
			at += size;
		}
		return words.join(' ');
	},
};

/** Hex digits behind 0x, dots anywhere between (RFC 1706 §5). */
export const nsapField: FieldCodec = wordField({
	phrase: '0x and pairs of hex digits',
	scanWord(text, out) {
		const octets = /^0x/i.test(text) ? scanHex(text.slice(2).replaceAll('.', '')) : undefined;
		if (octets === undefined || octets.length === 0) return false;
		for (const value of octets) out.push(value);
		return true;
	},
	size: (rdata, at) => (rdata.length > at ? rdata.length - at : -1),
	print: (wire) => `0x${printHex(wire)}`,
});

/** Fields of plain data: addresses, names, numbers, character strings. */

import { addressFromOctets, type Family, parseAddress, printAddress } from '../lib/address.ts';
import { printCharacterString, scanCharacterString } from './character-string.ts';
import { type FieldCodec, fixedSize, notA, push32, readNumber, scanNoGateway, wordField } from './field.ts';
import { isDigit, lowerOctet, NAME_OCTETS_MAX, octet, printName, scanName } from './name.ts';
import { scanPeriod } from './period.ts';

const STRING_OCTETS_MAX = 255;

export function addressField(family: Family): FieldCodec {
	const words = family === 4 ? 1 : 4;
	return wordField({
		phrase: `an IPv${family} address`,
		scanWord(text, out) {
			const address = parseAddress(text);
			if (address?.family !== family) return false;
			// Word by word: an intermediate array for each address is felt over a million records.
			for (let i = 0; i < words; i++) push32(address.words[i] ?? 0, out);
			return true;
		},
		size: fixedSize(4 * words),
		print: (wire) => printAddress(addressFromOctets(wire, 0, family)),
	});
}

export const nameField: FieldCodec = wordField({
	phrase: 'a name',
	scanWord(text, out, origin) {
		const name = scanName(text, origin);
		if (typeof name === 'string') return name;
		for (let i = 0; i < name.length; i++) out.push(octet(name, i));
		return true;
	},
	size: wireNameLength,
	print: (wire) => printName(wire),
});

/** Octets of the uncompressed name at `from`; -1 when it is cut off, compressed or too long. */
function wireNameLength(rdata: Uint8Array, from: number): number {
	let at = from;
	while (at < rdata.length && octet(rdata, at) !== 0) {
		if (octet(rdata, at) > 63) return -1;
		at += octet(rdata, at) + 1;
	}
	const length = at + 1 - from;
	return at < rdata.length && length <= NAME_OCTETS_MAX ? length : -1;
}

export function numberField(octets: 1 | 2 | 4): FieldCodec {
	const max = 256 ** octets - 1;
	return wordField({
		phrase: `a number 0..${max}`,
		scanWord(text, out) {
			const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
			if (!(value <= max)) return false;
			for (let shift = 8 * (octets - 1); shift >= 0; shift -= 8) out.push((value >>> shift) & 255);
			return true;
		},
		size: fixedSize(octets),
		print: (wire) => String(readNumber(wire)),
	});
}

export const periodField: FieldCodec = wordField({
	phrase: 'a time in seconds or units (s m h d w), below 2^32 s',
	scanWord(text, out) {
		const value = scanPeriod(text, 0xffffffff);
		if (value === undefined) return false;
		push32(value, out);
		return true;
	},
	size: fixedSize(4),
	print: (wire) => String(readNumber(wire)),
});

export const stringField: FieldCodec = wordField({
	phrase: `a character string of at most ${STRING_OCTETS_MAX} octets`,
	quotes: 'optional',
	scanWord(text, out) {
		const octets = scanCharacterString(text);
		if (octets === undefined || octets.length > STRING_OCTETS_MAX) return false;
		out.push(octets.length);
		for (const value of octets) out.push(value);
		return true;
	},
	size: (rdata, at) => (rdata.length - at > octet(rdata, at) ? octet(rdata, at) + 1 : -1),
	print: (wire) => printCharacterString(wire.subarray(1)),
});

export const stringsField: FieldCodec = {
	phrase: stringField.phrase,
	scan(words, out) {
		do {
			const fault = stringField.scan(words, out);
			if (fault !== undefined) return fault;
		} while (words.at < words.tokens.length);
		return undefined;
	},
	size(rdata, from) {
		let at = from;
		while (at < rdata.length) at += octet(rdata, at) + 1;
		return at === rdata.length && at > from ? at - from : -1;
	},
	print(wire) {
		const words: string[] = [];
		for (let at = 0; at < wire.length; at += octet(wire, at) + 1) {
			words.push(printCharacterString(wire.subarray(at + 1, at + 1 + octet(wire, at))));
		}
		return words.join(' ');
	},
};

/** RFC 8659 §4.1: at least one octet, and nothing but letters and digits. */
export const tagField: FieldCodec = wordField({
	phrase: 'a word of letters and digits',
	scanWord(text, out) {
		if (!/^[0-9A-Za-z]{1,255}$/.test(text)) return false;
		out.push(text.length);
		for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i));
		return true;
	},
	size(rdata, from) {
		const end = from + octet(rdata, from) + 1;
		if (end > rdata.length || end === from + 1) return -1;
		for (let at = from + 1; at < end; at++) {
			const value = lowerOctet(octet(rdata, at));
			if (!isDigit(value) && !(value >= 0x61 && value <= 0x7a)) return -1;
		}
		return end - from;
	},
	print: (wire) => String.fromCharCode(...wire.subarray(1)),
});

/** A character string without the length octet and its limit, to the end of the RDATA. */
export const octetsField: FieldCodec = wordField({
	phrase: 'a character string',
	quotes: 'optional',
	scanWord(text, out) {
		const octets = scanCharacterString(text);
		for (const value of octets ?? []) out.push(value);
		return octets !== undefined;
	},
	size: (rdata, at) => rdata.length - at,
	print: printCharacterString,
});

/** The target of URI: in quotes and not empty (RFC 7553 §4.4, §4.5). */
export const uriField: FieldCodec = wordField({
	phrase: 'a URI',
	quotes: 'required',
	scanWord(text, out) {
		const octets = scanCharacterString(text) ?? [];
		for (const value of octets) out.push(value);
		return octets.length > 0;
	},
	size: (rdata, at) => (rdata.length > at ? rdata.length - at : -1),
	print: printCharacterString,
});

/** IPSECKEY's type of gateway, algorithm and gateway (RFC 4025 §2.1): the first says what the last is. */
export const gatewayField: FieldCodec = {
	phrase: 'a type of gateway 0..3, an algorithm and a gateway',
	scan(words, out) {
		const typeAt = words.at;
		const typeFault = byte.scan(words, out);
		if (typeFault !== undefined) return typeFault;
		const kind = Number(words.tokens[typeAt]?.text);
		const fault = byte.scan(words, out);
		if (fault !== undefined) return fault;
		const gateway = GATEWAYS[kind];
		if (gateway !== undefined) return gateway.scan(words, out);
		if (kind !== 0) return { token: typeAt, message: notA(String(kind), 'a type of gateway 0..3') };
		return scanNoGateway(words);
	},
	size(rdata, at) {
		const kind = octet(rdata, at);
		if (rdata.length - at < 2 || kind > 3) return -1;
		const size = GATEWAYS[kind]?.size(rdata, at + 2) ?? 0;
		return size < 0 ? -1 : size + 2;
	},
	print(wire) {
		const kind = octet(wire, 0);
		return `${kind} ${octet(wire, 1)} ${GATEWAYS[kind]?.print(wire.subarray(2)) ?? '.'}`;
	},
};

const byte = numberField(1);
const GATEWAYS: readonly (FieldCodec | undefined)[] = [undefined, addressField(4), addressField(6), nameField];

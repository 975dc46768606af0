/** Fields of DNSSEC (RFC 4034, RFC 5155) and of keys: numbers with mnemonics, time stamps, hashes, type bitmaps. */

import { printBase32hex, printHex, scanBase32hex, scanHex } from './base-text.ts';
import { type FieldCodec, fixedSize, missing, notA, push32, readNumber, wordField } from './field.ts';
import { octet } from './name.ts';
import { typeCode, typeText } from './rr-type.ts';

/** IANA "DNS Security Algorithm Numbers", those that have a mnemonic. */
const ALGORITHMS: Readonly<Record<string, number>> = {
	RSAMD5: 1,
	DH: 2,
	DSA: 3,
	RSASHA1: 5,
	NSEC3DSA: 6,
	NSEC3RSASHA1: 7,
	RSASHA256: 8,
	RSASHA512: 10,
	ECCGOST: 12,
	ECDSAP256SHA256: 13,
	ECDSAP384SHA384: 14,
	ED25519: 15,
	ED448: 16,
	INDIRECT: 252,
	PRIVATEDNS: 253,
	PRIVATEOID: 254,
};

/** RFC 4398 §2.1. */
const CERTIFICATES: Readonly<Record<string, number>> = {
	PKIX: 1,
	SPKI: 2,
	PGP: 3,
	IPKIX: 4,
	ISPKI: 5,
	IPGP: 6,
	ACPKIX: 7,
	IACPKIX: 8,
	URI: 253,
	OID: 254,
};

export const algorithmField = mnemonicField('an algorithm', 1, ALGORITHMS);
export const certificateField = mnemonicField('a certificate type', 2, CERTIFICATES);

/** A number or its mnemonic, in any case; printed as a number, which every reader knows. */
function mnemonicField(what: string, octets: 1 | 2, codes: Readonly<Record<string, number>>): FieldCodec {
	const max = 256 ** octets - 1;
	return wordField({
		phrase: `${what}: a number 0..${max} or a mnemonic`,
		scanWord(text, out) {
			const upper = text.toUpperCase();
			const known = Object.hasOwn(codes, upper) ? codes[upper] : undefined;
			const value = known ?? (/^\d{1,10}$/.test(text) ? Number(text) : Number.NaN);
			if (!(value <= max)) return false;
			if (octets === 2) out.push(value >>> 8);
			out.push(value & 255);
			return true;
		},
		size: fixedSize(octets),
		print: (wire) => String(readNumber(wire)),
	});
}

export const typeField: FieldCodec = wordField({
	phrase: 'a type',
	scanWord(text, out) {
		const type = typeCode(text);
		if (type === undefined) return false;
		out.push(type >>> 8, type & 255);
		return true;
	},
	size: fixedSize(2),
	print: (wire) => typeText(readNumber(wire)),
});

/** RFC 4034 §3.2: YYYYMMDDHHmmSS in UTC, or seconds since 1970; 14 digits are always a date. */
export const timeField: FieldCodec = wordField({
	phrase: 'a time as YYYYMMDDHHmmSS or in seconds since 1970, below 2^32 s',
	scanWord(text, out) {
		const seconds = /^\d{14}$/.test(text) ? scanDate(text) : /^\d{1,10}$/.test(text) ? Number(text) : undefined;
		if (seconds === undefined || seconds > 0xffffffff) return false;
		push32(seconds, out);
		return true;
	},
	size: fixedSize(4),
	print: (wire) => printDate(readNumber(wire)),
});

const DAY_SEC = 86400;

function scanDate(text: string): number | undefined {
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text
		.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1 $2 $3 $4 $5 $6')
		.split(' ')
		.map(Number);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > monthDays(year, month)) return undefined;
	// 60 is a leap second.
	if (hour > 23 || minute > 59 || second > 60) return undefined;
	let days = yearStart(year) + day - 1;
	for (let before = 1; before < month; before++) days += monthDays(year, before);
	return days * DAY_SEC + hour * 3600 + minute * 60 + second;
}

function printDate(seconds: number): string {
	let days = Math.floor(seconds / DAY_SEC);
	// Never a year too high, for no year is longer than 366 days.
	let year = 1970 + Math.floor(days / 366);
	while (yearStart(year + 1) <= days) year++;
	days -= yearStart(year);
	let month = 1;
	for (; days >= monthDays(year, month); month++) days -= monthDays(year, month);
	const rest = seconds % DAY_SEC;
	const parts = [month, days + 1, Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60];
	return `${year}${parts.map((part) => String(part).padStart(2, '0')).join('')}`;
}

/** Days from 1970 to the first day of a year (Gregorian). */
function yearStart(year: number): number {
	const leaps = (before: number) => Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
	return 365 * (year - 1970) + leaps(year - 1) - leaps(1969);
}

function monthDays(year: number, month: number): number {
	if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
	return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Salt (RFC 5155 §3.3): a length octet and octets, in hex, `-` for none. */
export const saltField: FieldCodec = wordField({
	phrase: 'a salt in hex of at most 255 octets, or "-"',
	scanWord(text, out) {
		const octets = text === '-' ? [] : scanHex(text);
		if (octets === undefined || octets.length > 255 || text === '') return false;
		out.push(octets.length, ...octets);
		return true;
	},
	size: countedSize(0),
	print: (wire) => (wire.length === 1 ? '-' : printHex(wire.subarray(1))),
});

/** Next hashed owner name (RFC 5155 §3.3): a length octet and octets, in base32hex. */
export const hashField: FieldCodec = wordField({
	phrase: 'a hash in base32hex of 1..255 octets',
	scanWord(text, out) {
		const octets = scanBase32hex(text) ?? [];
		if (octets.length === 0 || octets.length > 255) return false;
		out.push(octets.length, ...octets);
		return true;
	},
	size: countedSize(1),
	print: (wire) => printBase32hex(wire.subarray(1)),
});

function countedSize(octetsMin: number): (rdata: Uint8Array, at: number) => number {
	return (rdata, at) => {
		const count = octet(rdata, at);
		return rdata.length - at > count && count >= octetsMin ? count + 1 : -1;
	};
}

/** Octets as pairs of hex digits with dashes between (RFC 7043 §3.2, §4.2). */
export function euiField(octets: 6 | 8): FieldCodec {
	return wordField({
		phrase: `${octets} pairs of hex digits with dashes between`,
		scanWord(text, out) {
			const pairs = text.split('-');
			if (pairs.length !== octets || !pairs.every((pair) => /^[0-9A-Fa-f]{2}$/.test(pair))) return false;
			for (const pair of pairs) out.push(Number.parseInt(pair, 16));
			return true;
		},
		size: fixedSize(octets),
		print: (wire) => Array.from(wire, (value) => value.toString(16).padStart(2, '0')).join('-'),
	});
}

/**
 * Types that exist at a name, to the end (RFC 4034 §4.1.2): for each window of 256 types its number, a length and
 * as many octets of bits, without zero octets at the end.
 */
export function bitmapField(mayBeEmpty: boolean): FieldCodec {
	return {
		phrase: 'a type',
		scan(words, out) {
			const types: number[] = [];
			if (words.at >= words.tokens.length && !mayBeEmpty) return missing(words, 'a type');
			for (; words.at < words.tokens.length; words.at++) {
				const token = words.tokens[words.at];
				const type = token === undefined || token.isQuoted ? undefined : typeCode(token.text);
				if (type === undefined) return { token: words.at, message: notA(token?.text ?? '', 'a type') };
				types.push(type);
			}
			pushWindows(types, out);
			return undefined;
		},
		size(rdata, from) {
			let last = -1;
			let at = from;
			while (at < rdata.length) {
				const length = octet(rdata, at + 1);
				const end = at + 2 + length;
				const isGood = length >= 1 && length <= 32 && end <= rdata.length && octet(rdata, end - 1) !== 0;
				if (!isGood || octet(rdata, at) <= last) return -1;
				last = octet(rdata, at);
				at = end;
			}
			return at > from || mayBeEmpty ? at - from : -1;
		},
		print(wire) {
			const types: string[] = [];
			for (let at = 0; at < wire.length; at += 2 + octet(wire, at + 1)) {
				for (let bit = 0; bit < 8 * octet(wire, at + 1); bit++) {
					const isSet = (octet(wire, at + 2 + (bit >>> 3)) & (0x80 >>> (bit & 7))) !== 0;
					if (isSet) types.push(typeText(256 * octet(wire, at) + bit));
				}
			}
			return types.join(' ');
		},
	};
}

function pushWindows(types: readonly number[], out: number[]): void {
	const windows = Map.groupBy(new Set(types), (type) => type >>> 8);
	for (const [window, listed] of [...windows].sort(([a], [b]) => a - b)) {
		const bits = new Uint8Array((Math.max(...listed.map((type) => type & 255)) >>> 3) + 1);
		for (const type of listed) bits[(type & 255) >>> 3] = octet(bits, (type & 255) >>> 3) | (0x80 >>> (type & 7));
		out.push(window, bits.length, ...bits);
	}
}

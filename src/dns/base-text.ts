/**
 * Octets as digits: hex and base64 of any length, base32hex without padding (RFC 4648).
 * The scanners are strict: no octet is guessed, and bits behind the last octet are zero, so one value has one text.
 */

import { octet } from './name.ts';

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE32HEX = '0123456789ABCDEFGHIJKLMNOPQRSTUV';

/** Undefined for an odd count of digits or anything that is no digit. */
export function scanHex(text: string): number[] | undefined {
	if (text.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(text)) return undefined;
	const out: number[] = [];
	for (let i = 0; i < text.length; i += 2) out.push(Number.parseInt(text.slice(i, i + 2), 16));
	return out;
}

export function printHex(octets: Uint8Array): string {
	return Array.from(octets, (value) => value.toString(16).padStart(2, '0')).join('');
}

/** Padding is due; undefined without it, and for anything that is no digit. */
export function scanBase64(text: string): number[] | undefined {
	if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
	return octetsOf(text.replaceAll('=', ''), BASE64, 6);
}

export function printBase64(octets: Uint8Array): string {
	const digits = digitsOf(octets, BASE64, 6);
	return digits.padEnd(Math.ceil(digits.length / 4) * 4, '=');
}

/** Without padding, in any case (RFC 5155 §3.3). */
export function scanBase32hex(text: string): number[] | undefined {
	if (!/^[0-9A-Va-v]*$/.test(text)) return undefined;
	return octetsOf(text.toUpperCase(), BASE32HEX, 5);
}

export function printBase32hex(octets: Uint8Array): string {
	return digitsOf(octets, BASE32HEX, 5);
}

function octetsOf(digits: string, alphabet: string, digitBits: number): number[] | undefined {
	const out: number[] = [];
	let word = 0;
	let bits = 0;
	for (const digit of digits) {
		word = (word << digitBits) | alphabet.indexOf(digit);
		bits += digitBits;
		if (bits < 8) continue;
		bits -= 8;
		out.push(word >>> bits);
		word &= (1 << bits) - 1;
	}
	// A whole digit left over, or bits set behind the last octet: no octets are written so.
	return bits >= digitBits || word !== 0 ? undefined : out;
}

function digitsOf(octets: Uint8Array, alphabet: string, digitBits: number): string {
	let text = '';
	let word = 0;
	let bits = 0;
	for (let i = 0; i < octets.length; i++) {
		word = (word << 8) | octet(octets, i);
		for (bits += 8; bits >= digitBits; ) {
			bits -= digitBits;
			text += alphabet[word >>> bits];
			word &= (1 << bits) - 1;
		}
	}
	return bits === 0 ? text : text + alphabet[word << (digitBits - bits)];
}

/**
 * Values of service parameters (RFC 9460 §7; dohpath RFC 9461 §5, ohttp RFC 9540 §4).
 *
 * | key | name            | value in text                                       | value on the wire           |
 * |-----|-----------------|-----------------------------------------------------|-----------------------------|
 * | 0   | mandatory       | names of keys, comma separated                      | keys, ascending             |
 * | 1   | alpn            | protocols, comma separated, `\,` and `\\` inside    | strings with length octets  |
 * | 2   | no-default-alpn | none                                                | empty                       |
 * | 3   | port            | a number                                            | 16 bits                     |
 * | 4   | ipv4hint        | addresses, comma separated                          | 4 octets each               |
 * | 5   | ech             | base64                                              | octets                      |
 * | 6   | ipv6hint        | addresses, comma separated                          | 16 octets each              |
 * | 7   | dohpath         | a URI template with the variable `dns`              | the same                    |
 * | 8   | ohttp           | none                                                | empty                       |
 * | n   | keyn            | the octets of the wire as a character string        | octets                      |
 */

import { addressFromOctets, addressOctets, type Family, parseAddress, printAddress } from '../lib/address.ts';
import { printBase64, scanBase64 } from './base-text.ts';
import { printCharacterString, scanCharacterString } from './character-string.ts';
import { octet } from './name.ts';

export const KEY = {
	mandatory: 0,
	alpn: 1,
	noDefaultAlpn: 2,
	port: 3,
	ipv4hint: 4,
	ech: 5,
	ipv6hint: 6,
	dohpath: 7,
	ohttp: 8,
};
const NAMES = ['mandatory', 'alpn', 'no-default-alpn', 'port', 'ipv4hint', 'ech', 'ipv6hint', 'dohpath', 'ohttp'];
/** Registered as "Invalid key" (RFC 9460 §14.3.2). */
export const KEY_INVALID = 65535;

const BACKSLASH = 0x5c;
const COMMA = 0x2c;

export function keyCode(text: string): number | undefined {
	const known = NAMES.indexOf(text);
	if (known >= 0) return known;
	const digits = /^key(0|[1-9]\d{0,4})$/.exec(text)?.[1];
	return digits !== undefined && Number(digits) < KEY_INVALID ? Number(digits) : undefined;
}

export function keyText(key: number): string {
	return NAMES[key] ?? `key${key}`;
}

/** The wire value, or what was expected instead. */
export function scanValue(key: number, name: string, text: string): number[] | string {
	const octets = scanCharacterString(text);
	if (octets === undefined) return 'a character string';
	// A registered key under its number takes its wire form, like any other (§2.1).
	const value = NAMES[key] === name ? scanKnownValue(key, octets) : octets;
	if (value === undefined || !isValue(key, value)) return PHRASES[key] ?? 'a character string';
	return value;
}

const PHRASES: readonly string[] = [
	'keys, each once, comma separated, without mandatory itself',
	'protocol names of 1..255 octets, comma separated',
	'no value',
	'a port 0..65535',
	'IPv4 addresses, comma separated',
	'base64',
	'IPv6 addresses, comma separated',
	'a path that starts with "/" and has the URI template variable "dns" (RFC 9461 §5)',
	'no value',
];

function scanKnownValue(key: number, octets: readonly number[]): number[] | undefined {
	const text = latin1(octets);
	switch (key) {
		case KEY.mandatory: {
			const keys = text.split(',').map((name) => keyCode(name) ?? KEY_INVALID);
			keys.sort((a, b) => a - b);
			return keys.flatMap((listed) => [listed >>> 8, listed & 255]);
		}
		case KEY.alpn:
			return scanList(octets);
		case KEY.port:
			return /^\d{1,10}$/.test(text) && Number(text) <= 0xffff ? [Number(text) >>> 8, Number(text) & 255] : undefined;
		case KEY.ipv4hint:
			return scanAddresses(4, text);
		case KEY.ipv6hint:
			return scanAddresses(6, text);
		case KEY.ech:
			return scanBase64(text);
		default:
			return [...octets];
	}
}

/** One character for each octet; a value may be longer than an argument list. */
function latin1(octets: ArrayLike<number>): string {
	return Array.from(octets, (value) => String.fromCharCode(value)).join('');
}

/** The second level of escapes (RFC 9460 appendix A.1): `\,` and `\\` inside a comma-separated list. */
function scanList(octets: readonly number[]): number[] | undefined {
	const items: number[][] = [[]];
	for (let i = 0; i < octets.length; i++) {
		let value = octets[i] ?? 0;
		if (value === COMMA) {
			items.push([]);
			continue;
		}
		if (value === BACKSLASH) {
			value = octets[++i] ?? 0;
			if (value !== COMMA && value !== BACKSLASH) return undefined;
		}
		items.at(-1)?.push(value);
	}
	if (items.some((item) => item.length === 0 || item.length > 255)) return undefined;
	return items.flatMap((item) => [item.length, ...item]);
}

function scanAddresses(family: Family, text: string): number[] | undefined {
	const out: number[] = [];
	for (const item of text.split(',')) {
		const address = parseAddress(item);
		if (address?.family !== family) return undefined;
		out.push(...addressOctets(address));
	}
	return out;
}

/** Whether a wire value has the form that its key asks for. */
export function isValue(key: number, value: ArrayLike<number>): boolean {
	const { length } = value;
	switch (key) {
		case KEY.mandatory:
			return isAscending(value);
		case KEY.alpn: {
			let at = 0;
			while (at < length && value[at] !== 0) at += (value[at] ?? 0) + 1;
			return length > 0 && at === length;
		}
		case KEY.noDefaultAlpn:
		case KEY.ohttp:
			return length === 0;
		case KEY.port:
			return length === 2;
		case KEY.ipv4hint:
			return length > 0 && length % 4 === 0;
		case KEY.ipv6hint:
			return length > 0 && length % 16 === 0;
		case KEY.ech:
			return length > 0;
		case KEY.dohpath:
			return isDohPath(latin1(value));
		default:
			return true;
	}
}

/** Keys of 16 bits, strictly ascending; above 0, for mandatory does not list itself (§8). */
function isAscending(value: ArrayLike<number>): boolean {
	let last: number = KEY.mandatory;
	for (let at = 0; at < value.length; at += 2) {
		const key = ((value[at] ?? 0) << 8) | (value[at + 1] ?? 0);
		if (key <= last || key === KEY_INVALID) return false;
		last = key;
	}
	return value.length > 0 && value.length % 2 === 0;
}

function isDohPath(text: string): boolean {
	return /^\/.*\{[+#./;?&]?([^{},]+,)*dns([:*][^{},]*)?(,[^{},]+)*\}/.test(text);
}

export function printParam(key: number, value: Uint8Array): string {
	const name = keyText(key);
	switch (key) {
		case KEY.mandatory: {
			const names: string[] = [];
			for (let at = 0; at < value.length; at += 2) names.push(keyText((octet(value, at) << 8) | octet(value, at + 1)));
			return `${name}=${names.join(',')}`;
		}
		case KEY.alpn:
			return `${name}=${printCharacterString(listOctets(value))}`;
		case KEY.port:
			return `${name}=${(octet(value, 0) << 8) | octet(value, 1)}`;
		case KEY.ipv4hint:
			return `${name}=${printAddresses(4, value)}`;
		case KEY.ipv6hint:
			return `${name}=${printAddresses(6, value)}`;
		case KEY.ech:
			return `${name}=${printBase64(value)}`;
		default:
			return value.length === 0 ? name : `${name}=${printCharacterString(value)}`;
	}
}

function listOctets(value: Uint8Array): number[] {
	const out: number[] = [];
	for (let at = 0; at < value.length; at += octet(value, at) + 1) {
		if (at > 0) out.push(COMMA);
		for (const next of value.subarray(at + 1, at + 1 + octet(value, at))) {
			if (next === COMMA || next === BACKSLASH) out.push(BACKSLASH);
			out.push(next);
		}
	}
	return out;
}

function printAddresses(family: Family, value: Uint8Array): string {
	const texts: string[] = [];
	const size = family === 4 ? 4 : 16;
	for (let at = 0; at < value.length; at += size) texts.push(printAddress(addressFromOctets(value, at, family)));
	return texts.join(',');
}

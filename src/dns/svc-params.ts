/**
 * Service parameters of SVCB and HTTPS (RFC 9460 §2.1, §7; dohpath RFC 9461 §5, ohttp RFC 9540 §4).
 *
 * Wire: for each parameter key (16 bits), length (16 bits) and value, in strictly ascending order of key.
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
import { type FieldCodec, push16, type RdataWords, type Token } from './field.ts';
import { octet } from './name.ts';

const KEY = {
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
const KEY_INVALID = 65535;
const VALUE_OCTETS_MAX = 65535;

const BACKSLASH = 0x5c;
const COMMA = 0x2c;

interface Param {
	readonly key: number;
	readonly value: readonly number[];
}

export const svcParamsField: FieldCodec = {
	phrase: 'service parameters',
	scan(words, out) {
		const first = words.at;
		const params: Param[] = [];
		while (words.at < words.tokens.length) {
			const token = words.at;
			const param = scanParam(words);
			if (typeof param === 'string') return { token, message: param };
			if (params.some(({ key }) => key === param.key)) {
				return { token, message: `Cannot use ${keyText(param.key)} twice: a record has each key once` };
			}
			params.push(param);
		}
		params.sort((a, b) => a.key - b.key);
		const clash = isAlias(out) ? undefined : inconsistency(params);
		if (clash !== undefined) return { token: first, message: clash };
		for (const { key, value } of params) {
			push16(key, out);
			push16(value.length, out);
			for (const next of value) out.push(next);
		}
		return undefined;
	},
	size(rdata, from) {
		const params = readParams(rdata, from);
		if (params === undefined) return -1;
		return isAlias(rdata) || inconsistency(params) === undefined ? rdata.length - from : -1;
	},
	print(wire) {
		const params = readParams(wire, 0) ?? [];
		return params.map(({ key, value }) => printParam(key, Uint8Array.from(value))).join(' ');
	},
};

/** SvcPriority 0: receivers ignore the parameters, so they need not fit one another (§2.4.2). */
function isAlias(rdata: ArrayLike<number>): boolean {
	return rdata[0] === 0 && rdata[1] === 0;
}

/** The parameter at the present word, or what is wrong with it. */
function scanParam(words: RdataWords): Param | string {
	const word = words.tokens[words.at++];
	if (word === undefined || word.isQuoted) return expectedKey(word?.text ?? '');
	const equals = word.text.indexOf('=');
	const name = equals < 0 ? word.text : word.text.slice(0, equals);
	let text = equals < 0 ? '' : word.text.slice(equals + 1);
	const next = words.tokens[words.at];
	// Straight behind `key=` a quote belongs to it; with a blank between it is a word of its own.
	if (word.text.endsWith('=') && text === '' && next?.isQuoted === true && isGlued(word, next)) {
		text = next.text;
		words.at++;
	}
	const key = keyCode(name);
	if (key === undefined) return expectedKey(name);
	const value = scanValue(key, name, text);
	if (typeof value !== 'string') return { key, value };
	return `Cannot use ${equals < 0 ? `${name} without a value` : `${name}="${text}"`}: expected ${value}`;
}

function expectedKey(text: string): string {
	return `Cannot use "${text}": expected a key of RFC 9460 such as alpn, or keyNNNNN`;
}

function isGlued(word: Token, next: Token): boolean {
	return next.line === word.line && next.column === word.column + word.text.length;
}

function keyCode(text: string): number | undefined {
	const known = NAMES.indexOf(text);
	if (known >= 0) return known;
	const digits = /^key(0|[1-9]\d{0,4})$/.exec(text)?.[1];
	return digits !== undefined && Number(digits) < KEY_INVALID ? Number(digits) : undefined;
}

function keyText(key: number): string {
	return NAMES[key] ?? `key${key}`;
}

/** The wire value, or what was expected instead. */
function scanValue(key: number, name: string, text: string): number[] | string {
	const octets = scanCharacterString(text);
	if (octets === undefined) return 'a character string';
	// A registered key under its number takes its wire form, like any other (§2.1).
	const value = NAMES[key] === name ? scanKnownValue(key, octets) : octets;
	if (value === undefined || !isValue(key, value)) return PHRASES[key] ?? `at most ${VALUE_OCTETS_MAX} octets`;
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
	const text = String.fromCharCode(...octets);
	switch (key) {
		case KEY.mandatory: {
			const keys = text.split(',').map((name) => keyCode(name) ?? KEY_INVALID);
			keys.sort((a, b) => a - b);
			return keys.flatMap((listed) => [listed >>> 8, listed & 255]);
		}
		case KEY.alpn:
			return scanList(octets);
		case KEY.port:
			return /^\d{1,5}$/.test(text) && Number(text) <= 0xffff ? [Number(text) >>> 8, Number(text) & 255] : undefined;
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
function isValue(key: number, value: ArrayLike<number>): boolean {
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
			return isDohPath(String.fromCharCode(...Array.from(value)));
		default:
			return length <= VALUE_OCTETS_MAX;
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

/** What §2.4.3 calls self-consistent: mandatory keys are there, and no-default-alpn goes with alpn (§7.1.1). */
function inconsistency(params: readonly Param[]): string | undefined {
	const keys = new Set(params.map(({ key }) => key));
	if (keys.has(KEY.noDefaultAlpn) && !keys.has(KEY.alpn)) return 'Cannot use no-default-alpn: expected alpn beside it';
	const mandatory = params[0]?.key === KEY.mandatory ? params[0].value : [];
	for (let at = 0; at < mandatory.length; at += 2) {
		const key = ((mandatory[at] ?? 0) << 8) | (mandatory[at + 1] ?? 0);
		if (!keys.has(key)) return `Cannot use mandatory with ${keyText(key)}: the record has no ${keyText(key)}`;
	}
	return undefined;
}

function readParams(rdata: Uint8Array, from: number): Param[] | undefined {
	const params: Param[] = [];
	let last = -1;
	let at = from;
	while (at < rdata.length) {
		const key = (octet(rdata, at) << 8) | octet(rdata, at + 1);
		const end = at + 4 + ((octet(rdata, at + 2) << 8) | octet(rdata, at + 3));
		if (end > rdata.length || key <= last || key === KEY_INVALID) return undefined;
		const value = Array.from(rdata.subarray(at + 4, end));
		if (!isValue(key, value)) return undefined;
		params.push({ key, value });
		last = key;
		at = end;
	}
	return params;
}

function printParam(key: number, value: Uint8Array): string {
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

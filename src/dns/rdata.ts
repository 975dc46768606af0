/**
 * RDATA by the field lists of `rr-type.ts`: from text, from and to wire, to text.
 */

import { addressFromOctets, parseAddress, printAddress } from '../lib/address.ts';
import { printHex, scanHex } from './base-text.ts';
import {
	escapedOctet,
	expandName,
	isDigit,
	lowerOctet,
	NAME_OCTETS_MAX,
	type Name,
	nameLength,
	octet,
	printName,
	readName,
	scanName,
} from './name.ts';
import { compressibleNames, type Field, rrType } from './rr-type.ts';
import { printSvcParams, scanSvcParams, svcParamsLength } from './svc-params.ts';

export const RDATA_OCTETS_MAX = 65535;
const STRING_OCTETS_MAX = 255;
const PERIOD_SEC_MAX = 0x7fffffff;

export interface Token {
	/** The text as it stands in the file, escapes untouched, quotes removed. */
	readonly text: string;
	readonly isQuoted: boolean;
	readonly line: number;
	readonly column: number;
}

/** What is wrong, and with which token; a token index past the last means that something is missing. */
export interface RdataFault {
	readonly token: number;
	readonly message: string;
}

/**
 * Scan RDATA text, in the type's own form or as RFC 3597 `\# length hex`.
 *
 * @param tokens  all tokens of the record
 * @param from    index of the first RDATA token
 */
export function scanRdata(
	type: number,
	tokens: readonly Token[],
	from: number,
	origin: Uint8Array,
): Uint8Array | RdataFault {
	const first = tokens[from];
	if (first !== undefined && !first.isQuoted && first.text === '\\#') return scanUnknown(type, tokens, from);
	const fields = rrType(type)?.fields;
	if (fields === undefined) {
		return { token: from, message: `Cannot read RDATA of TYPE${type}: expected \\# length hex (RFC 3597)` };
	}
	const out: number[] = [];
	let at = from;
	for (const field of fields) {
		const token = tokens[at];
		if (field === 'svc-params') {
			const fault = scanSvcParams(tokens, at, out[0] === 0 && out[1] === 0, out);
			if (fault !== undefined) return fault;
			at = tokens.length;
			continue;
		}
		if (token === undefined)
			return { token: at, message: `Cannot read the record: it ends where ${PHRASES[field]} is due` };
		const problem = scanField(field, token, origin, out);
		if (problem !== undefined) return { token: at, message: problem };
		at++;
		if (field === 'hex') {
			let text = token.text;
			for (; at < tokens.length; at++) text += tokens[at]?.text ?? '';
			const octets = scanHex(text);
			if (octets === undefined) return { token: at - 1, message: notA(field, text) };
			for (const value of octets) out.push(value);
		}
		while (field === 'strings' && at < tokens.length) {
			const more = scanField(field, tokens[at] ?? token, origin, out);
			if (more !== undefined) return { token: at, message: more };
			at++;
		}
	}
	if (at < tokens.length) {
		return { token: at, message: `Cannot use "${tokens[at]?.text}": the record is complete before it` };
	}
	if (out.length > RDATA_OCTETS_MAX) {
		return { token: from, message: `Cannot hold RDATA of ${out.length} octets: the limit is ${RDATA_OCTETS_MAX}` };
	}
	return Uint8Array.from(out);
}

const PHRASES: Readonly<Record<Field, string>> = {
	ipv4: 'an IPv4 address',
	ipv6: 'an IPv6 address',
	name: 'a name',
	u8: 'a number 0..255',
	u16: 'a number 0..65535',
	u32: 'a number 0..4294967295',
	period: 'a time in seconds or units (s m h d w), below 2^31 s',
	string: `a character string of at most ${STRING_OCTETS_MAX} octets`,
	strings: `a character string of at most ${STRING_OCTETS_MAX} octets`,
	tag: 'a word of letters and digits',
	octets: 'a character string',
	hex: 'hex digits',
	'svc-params': 'service parameters',
};

const NUMBER_MAX = { u8: 0xff, u16: 0xffff, u32: 0xffffffff } as const;

/** Append one field's wire form to `out`; the sentence that says what is wrong, else undefined. */
function scanField(field: Field, { text }: Token, origin: Uint8Array, out: number[]): string | undefined {
	switch (field) {
		case 'ipv4':
		case 'ipv6':
			return pushAddress(field, text, out) ? undefined : notA(field, text);
		case 'name': {
			const name = scanName(text, origin);
			if (typeof name === 'string') return name;
			for (const value of name) out.push(value);
			return undefined;
		}
		case 'u8':
		case 'u16':
		case 'u32': {
			const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
			if (!(value <= NUMBER_MAX[field])) return notA(field, text);
			if (field === 'u32') pushWord(value, out);
			else if (field === 'u16') out.push(value >>> 8, value & 255);
			else out.push(value);
			return undefined;
		}
		case 'period': {
			const value = scanPeriod(text);
			if (value === undefined) return notA(field, text);
			pushWord(value, out);
			return undefined;
		}
		case 'string':
		case 'strings':
		case 'tag':
		case 'octets':
			return pushString(field, text, out) ? undefined : notA(field, text);
		case 'hex':
		case 'svc-params':
			return undefined;
		default:
			return field satisfies never;
	}
}

function notA(field: Field, text: string): string {
	return `Cannot use "${text}": expected ${PHRASES[field]}`;
}

function pushAddress(field: 'ipv4' | 'ipv6', text: string, out: number[]): boolean {
	const address = parseAddress(text);
	if (address === undefined || address.family !== (field === 'ipv4' ? 4 : 6)) return false;
	// Word by word: an intermediate array for each address is felt over a million records.
	for (let i = 0; i < (field === 'ipv4' ? 1 : 4); i++) pushWord(address.words[i] ?? 0, out);
	return true;
}

function pushString(field: 'string' | 'strings' | 'tag' | 'octets', text: string, out: number[]): boolean {
	const octets = characterString(text);
	if (octets === undefined) return false;
	if (field !== 'octets') {
		if (octets.length > STRING_OCTETS_MAX || (field === 'tag' && !/^[0-9A-Za-z]+$/.test(text))) return false;
		out.push(octets.length);
	}
	for (const value of octets) out.push(value);
	return true;
}

function pushWord(value: number, out: number[]): void {
	out.push(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** Seconds, as a plain number or as units such as `1h30m` (the BIND form); undefined when it is neither or too large. */
export function scanPeriod(text: string): number | undefined {
	if (!/^(\d{1,10}|(\d{1,10}[smhdw])+)$/i.test(text)) return undefined;
	let seconds = 0;
	for (const [, digits, unit] of text.matchAll(/(\d+)([smhdw]?)/gi)) {
		seconds += Number(digits) * (UNITS[unit?.toLowerCase() || 's'] ?? 1);
	}
	return seconds <= PERIOD_SEC_MAX ? seconds : undefined;
}

/** Octets of a character string with `\X` and `\DDD` resolved; undefined for an escape that is neither. */
function characterString(text: string): number[] | undefined {
	const out: number[] = [];
	for (let i = 0; i < text.length; i++) {
		let value = text.charCodeAt(i);
		if (value === 0x5c) {
			value = escapedOctet(text, i + 1);
			i += isDigit(text.charCodeAt(i + 1)) ? 3 : 1;
		}
		if (!(value <= 255)) return undefined;
		out.push(value);
	}
	return out;
}

/** RFC 3597 §5: `\#`, the length, then hex in any number of words. A known type must fit its own shape. */
function scanUnknown(type: number, tokens: readonly Token[], from: number): Uint8Array | RdataFault {
	const lengthText = tokens[from + 1]?.text ?? '';
	const length = /^\d{1,5}$/.test(lengthText) ? Number(lengthText) : Number.NaN;
	if (!(length <= RDATA_OCTETS_MAX)) {
		return { token: from + 1, message: `Cannot use "${lengthText}": expected the length of the RDATA, 0..65535` };
	}
	let hex = '';
	for (let i = from + 2; i < tokens.length; i++) {
		const word = tokens[i]?.text ?? '';
		if (!/^[0-9A-Fa-f]*$/.test(word)) return { token: i, message: `Cannot use "${word}": expected hex digits` };
		hex += word;
	}
	if (hex.length !== 2 * length) {
		return {
			token: from + 2,
			message: `Cannot use ${hex.length} hex digits: the length ${length} asks for ${2 * length}`,
		};
	}
	const rdata = new Uint8Array(length);
	for (let i = 0; i < length; i++) rdata[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
	if (!isWellFormed(type, rdata)) {
		return { token: from + 2, message: 'Cannot use these octets: they are no RDATA of this type' };
	}
	return rdata;
}

/** Whether uncompressed wire RDATA has exactly the fields of its type; types without a row take any octets. */
export function isWellFormed(type: number, rdata: Uint8Array): boolean {
	const fields = rrType(type)?.fields;
	if (fields === undefined) return true;
	let at = 0;
	for (const field of fields) {
		const size = fieldLength(field, rdata, at);
		if (size < 0) return false;
		at += size;
	}
	return at === rdata.length;
}

/** Octets of the field at `at`, or -1 when it is cut off or malformed. */
function fieldLength(field: Field, rdata: Uint8Array, at: number): number {
	const rest = rdata.length - at;
	switch (field) {
		case 'u8':
			return rest >= 1 ? 1 : -1;
		case 'u16':
			return rest >= 2 ? 2 : -1;
		case 'ipv4':
		case 'u32':
		case 'period':
			return rest >= 4 ? 4 : -1;
		case 'ipv6':
			return rest >= 16 ? 16 : -1;
		case 'string':
			return rest > octet(rdata, at) ? octet(rdata, at) + 1 : -1;
		case 'tag':
			return tagLength(rdata, at);
		case 'strings':
			return stringsLength(rdata, at);
		case 'octets':
		case 'hex':
			return rest;
		case 'svc-params':
			return svcParamsLength(rdata, at);
		case 'name':
			return wireNameLength(rdata, at);
		default:
			return field satisfies never;
	}
}

/** RFC 8659 §4.1: at least one octet, and nothing but letters and digits. */
function tagLength(rdata: Uint8Array, from: number): number {
	const end = from + octet(rdata, from) + 1;
	if (end > rdata.length || end === from + 1) return -1;
	for (let at = from + 1; at < end; at++) {
		const value = lowerOctet(octet(rdata, at));
		if (!isDigit(value) && !(value >= 0x61 && value <= 0x7a)) return -1;
	}
	return end - from;
}

function stringsLength(rdata: Uint8Array, from: number): number {
	let at = from;
	while (at < rdata.length) at += octet(rdata, at) + 1;
	return at === rdata.length && at > from ? at - from : -1;
}

function wireNameLength(rdata: Uint8Array, from: number): number {
	let at = from;
	while (at < rdata.length && octet(rdata, at) !== 0) {
		if (octet(rdata, at) > 63) return -1;
		at += octet(rdata, at) + 1;
	}
	const length = at + 1 - from;
	return at < rdata.length && length <= NAME_OCTETS_MAX ? length : -1;
}

/**
 * Read the RDATA of a record in a message and undo compression.
 *
 * @param scratch  room for one name; its content is lost (names come out lower-cased only in `scratch`, not in the result)
 * @returns the uncompressed RDATA, or undefined when it is malformed
 */
export function readRdata(
	type: number,
	packet: Uint8Array,
	offset: number,
	length: number,
	scratch: Name,
): Uint8Array | undefined {
	const end = offset + length;
	if (end > packet.length) return undefined;
	const { skip, names } = compressibleNames(type);
	const out: number[] = [...packet.subarray(offset, offset + Math.min(skip, length))];
	let at = offset + skip;
	for (let i = 0; i < names; i++) {
		const next = at < end ? readName(packet, at, end, scratch) : -1;
		if (next < 0) return undefined;
		for (const value of expandName(packet, at)) out.push(value);
		at = next;
	}
	if (at > end) return undefined;
	for (let i = at; i < end; i++) out.push(octet(packet, i));
	const rdata = Uint8Array.from(out);
	return isWellFormed(type, rdata) ? rdata : undefined;
}

/** RDATA in presentation form; what has no row, or does not fit its row, in the form of RFC 3597. */
export function printRdata(type: number, rdata: Uint8Array): string {
	const fields = rrType(type)?.fields;
	if (fields === undefined || !isWellFormed(type, rdata)) return printUnknown(rdata);
	const words: string[] = [];
	let at = 0;
	for (const field of fields) {
		const size = fieldLength(field, rdata, at);
		words.push(printField(field, rdata.subarray(at, at + size)));
		at += size;
	}
	return words.join(' ').trimEnd();
}

function printUnknown(rdata: Uint8Array): string {
	const hex = Array.from(rdata, (value) => value.toString(16).padStart(2, '0')).join('');
	return rdata.length === 0 ? '\\# 0' : `\\# ${rdata.length} ${hex}`;
}

function printField(field: Field, wire: Uint8Array): string {
	switch (field) {
		case 'ipv4':
			return printAddress(addressFromOctets(wire, 0, 4));
		case 'ipv6':
			return printAddress(addressFromOctets(wire, 0, 6));
		case 'name':
			return printName(wire);
		case 'u8':
		case 'u16':
		case 'u32':
		case 'period':
			return String(wire.reduce((value, next) => value * 256 + next, 0));
		case 'string':
			return quote(wire.subarray(1));
		case 'octets':
			return quote(wire);
		case 'hex':
			return printHex(wire);
		case 'svc-params':
			return printSvcParams(wire);
		case 'tag':
			return String.fromCharCode(...wire.subarray(1));
		case 'strings': {
			const words: string[] = [];
			for (let at = 0; at < wire.length; at += octet(wire, at) + 1) {
				words.push(quote(wire.subarray(at + 1, at + 1 + octet(wire, at))));
			}
			return words.join(' ');
		}
		default:
			return field satisfies never;
	}
}

function quote(octets: Uint8Array): string {
	let text = '"';
	for (const value of octets) {
		if (value === 0x22 || value === 0x5c) text += `\\${String.fromCharCode(value)}`;
		else if (value < 0x20 || value > 0x7e) text += `\\${String(value).padStart(3, '0')}`;
		else text += String.fromCharCode(value);
	}
	return `${text}"`;
}

/** The uncompressed name that starts `skip` octets into well-formed RDATA. */
export function rdataName(rdata: Uint8Array, skip: number): Uint8Array {
	return rdata.subarray(skip, skip + nameLength(rdata, skip));
}

/** RDATA in the form in which equal records are equal: embedded names lower-cased (RFC 4034 §6.2). */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
	const fields = rrType(type)?.fields;
	const first = fields?.indexOf('name') ?? -1;
	if (first < 0) return rdata;
	const copy = rdata.slice();
	// Fields that stand before a name are all 16-bit numbers.
	let at = 2 * first;
	for (let i = first; fields?.[i] === 'name'; i++) {
		const end = at + nameLength(copy, at);
		for (; at < end; at++) copy[at] = lowerOctet(octet(copy, at));
	}
	return copy;
}

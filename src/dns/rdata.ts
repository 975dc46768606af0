/**
 * RDATA by the rows of `rr-type.ts`: from text, from wire, to text. The fields themselves are in `fields.ts`.
 */

import { printHex, scanHex } from './base-text.ts';
import type { RdataFault, Token } from './field.ts';
import { FIELDS } from './fields.ts';
import { expandName, lowerOctet, type Name, nameLength, octet, readName } from './name.ts';
import { octetsBefore, type RrType, rrType } from './rr-type.ts';

const RDATA_OCTETS_MAX = 65535;

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
	const row = rrType(type);
	if (row === undefined) {
		return { token: from, message: `Cannot read RDATA of TYPE${type}: expected \\# length hex (RFC 3597)` };
	}
	const out: number[] = [];
	const words = { tokens, at: from, origin };
	for (const field of row.fields) {
		const fault = FIELDS[field].scan(words, out);
		if (fault !== undefined) return fault;
	}
	if (words.at < tokens.length) {
		return { token: words.at, message: `Cannot use "${tokens[words.at]?.text}": the record is complete before it` };
	}
	if (out.length > RDATA_OCTETS_MAX) {
		return { token: from, message: `Cannot hold RDATA of ${out.length} octets: the limit is ${RDATA_OCTETS_MAX}` };
	}
	const digestFault = faultOfDigest(row, out);
	if (digestFault !== undefined) return { token: from + row.fields.length - 1, message: digestFault };
	return new Uint8Array(out);
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
	const octets = scanHex(hex);
	if (octets?.length !== length) {
		return {
			token: from + 2,
			message: `Cannot use ${hex.length} hex digits: the length ${length} asks for ${2 * length}`,
		};
	}
	const rdata = Uint8Array.from(octets);
	if (!isWellFormed(type, rdata)) {
		return { token: from + 2, message: 'Cannot use these octets: they are no RDATA of this type' };
	}
	return rdata;
}

/** Whether uncompressed wire RDATA has exactly the fields of its type; types without a row take any octets. */
export function isWellFormed(type: number, rdata: Uint8Array): boolean {
	const row = rrType(type);
	if (row === undefined) return true;
	let at = 0;
	for (const field of row.fields) {
		const size = FIELDS[field].size(rdata, at);
		if (size < 0) return false;
		at += size;
	}
	return at === rdata.length && faultOfDigest(row, rdata) === undefined;
}

/** What is wrong with the length of the digest at the end of RDATA whose fields are good. */
function faultOfDigest(row: RrType, rdata: ArrayLike<number>): string | undefined {
	if (row.digestOctets === undefined) return undefined;
	const at = octetsBefore(row, row.fields.length - 1);
	const algorithm = rdata[at - 1] ?? 0;
	const due = row.digestOctets[algorithm];
	const length = rdata.length - at;
	if (due === undefined ? length >= (row.digestOctetsMin ?? 0) : length === due) return undefined;
	const expected = due ?? `at least ${row.digestOctetsMin}`;
	return `Cannot use a digest of ${length} octets: expected ${expected} for digest type ${algorithm}`;
}

/**
 * Read the RDATA of a record in a message and undo compression where the type allows it.
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
	const row = rrType(type);
	const wire = packet.subarray(0, end);
	const rdata =
		row === undefined || row.names === 'kept' ? wire.slice(offset) : expandRdata(row, wire, offset, scratch);
	return rdata !== undefined && isWellFormed(type, rdata) ? rdata : undefined;
}

/** @param wire  the message up to the end of the RDATA that starts at `offset` */
function expandRdata(row: RrType, wire: Uint8Array, offset: number, scratch: Name): Uint8Array | undefined {
	const out: number[] = [];
	let at = offset;
	for (const field of row.fields) {
		if (field === 'name') {
			const next = at < wire.length ? readName(wire, at, wire.length, scratch) : -1;
			if (next < 0) return undefined;
			for (const value of expandName(wire, at)) out.push(value);
			at = next;
			continue;
		}
		const size = FIELDS[field].size(wire, at);
		if (size < 0) return undefined;
		for (let i = at; i < at + size; i++) out.push(octet(wire, i));
		at += size;
	}
	return at === wire.length ? Uint8Array.from(out) : undefined;
}

/** RDATA in presentation form; what has no row, does not fit its row or is empty, in the form of RFC 3597. */
export function printRdata(type: number, rdata: Uint8Array): string {
	const row = rrType(type);
	if (row === undefined || rdata.length === 0 || !isWellFormed(type, rdata)) return printUnknown(rdata);
	const words: string[] = [];
	let at = 0;
	for (const field of row.fields) {
		const size = FIELDS[field].size(rdata, at);
		const text = FIELDS[field].print(rdata.subarray(at, at + size));
		if (text !== '') words.push(text);
		at += size;
	}
	return words.join(' ');
}

function printUnknown(rdata: Uint8Array): string {
	return `\\# ${rdata.length} ${printHex(rdata)}`.trimEnd();
}

/** The uncompressed name that starts `skip` octets into well-formed RDATA. */
export function rdataName(rdata: Uint8Array, skip: number): Uint8Array {
	return rdata.subarray(skip, skip + nameLength(rdata, skip));
}

/**
 * The name in well-formed RDATA whose addresses belong into the additional section, or undefined: `additionalAt` of
 * the row, and the replacement of NAPTR, which stands behind strings (RFC 3403 §4.1).
 */
export function additionalName(type: number, rdata: Uint8Array): Uint8Array | undefined {
	const row = rrType(type);
	if (row?.additionalAt !== undefined) return rdataName(rdata, row.additionalAt);
	if (row?.mnemonic !== 'NAPTR') return undefined;
	let at = 4;
	for (let string = 0; string < 3; string++) at += octet(rdata, at) + 1;
	return rdataName(rdata, at);
}

/**
 * RDATA in the form in which equal records are equal: embedded names lower-cased where the type's rule says so
 * (RFC 4034 §6.2, RFC 6840 §5.1).
 */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
	const row = rrType(type);
	if (row === undefined || row.names === 'kept') return rdata;
	const copy = rdata.slice();
	let at = 0;
	for (const field of row.fields) {
		const end = at + Math.max(0, FIELDS[field].size(copy, at));
		for (let i = at; field === 'name' && i < end; i++) copy[i] = lowerOctet(octet(copy, i));
		at = end;
	}
	return copy;
}

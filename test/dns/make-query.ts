/**
 * Query messages for tests, good ones and wilfully broken ones.
 */

import { scanName } from '../../src/dns/name.ts';
import { TYPE } from '../../src/dns/protocol.ts';
import { typeCode } from '../../src/dns/rr-type.ts';
import { addressOctets, parseAddress } from '../../src/lib/address.ts';

export interface QuerySpec {
	/** Presentation form; relative names are absolute. */
	readonly name: string;
	/** A mnemonic or `TYPE123`. */
	readonly type?: string;
	readonly id?: number;
	/** The second header word; only RD by default. */
	readonly flags?: number;
	readonly class?: number;
	/** Absent: no OPT record. */
	readonly edns?: EdnsSpec;
}

export interface EdnsSpec {
	/** 1232 by default. */
	readonly payloadOctets?: number;
	readonly version?: number;
	readonly isDnssecOk?: boolean;
	/** `address/source` or `address/source/scope`; the address is cut to its source octets. */
	readonly subnet?: string;
	readonly options?: readonly { readonly code: number; readonly octets: readonly number[] }[];
}

export function makeQuery(spec: QuerySpec): Uint8Array {
	const { name, type = 'A', id = 0x1234, flags = 0x0100, class: classCode = 1, edns } = spec;
	const opt = edns === undefined ? [] : optRecord(edns);
	return Uint8Array.from([
		...word(id),
		...word(flags),
		...word(1),
		...word(0),
		...word(0),
		...word(edns === undefined ? 0 : 1),
		...wireName(name),
		...word(typeCode(type) ?? unknown(type)),
		...word(classCode),
		...opt,
	]);
}

/** The absolute wire name of a text, its case kept. */
export function wireName(text: string): Uint8Array {
	const name = scanName(text, Uint8Array.of(0));
	if (typeof name === 'string') throw new Error(name);
	return name;
}

/** An OPT record, root owner and all. */
export function optRecord(edns: EdnsSpec): number[] {
	const { payloadOctets = 1232, version = 0, isDnssecOk = false, subnet, options = [] } = edns;
	const data = subnet === undefined ? [] : option(8, subnetOctets(subnet));
	for (const { code, octets } of options) data.push(...option(code, octets));
	return [
		0,
		...word(TYPE.opt),
		...word(payloadOctets),
		0,
		version,
		...word(isDnssecOk ? 0x8000 : 0),
		...word(data.length),
		...data,
	];
}

function subnetOctets(text: string): number[] {
	const [addressText = '', source = '', scope = '0'] = text.split('/');
	const address = parseAddress(addressText) ?? unknown(addressText);
	const octets = addressOctets(address).subarray(0, Math.ceil(Number(source) / 8));
	return [0, address.family === 4 ? 1 : 2, Number(source), Number(scope), ...octets];
}

function option(code: number, octets: readonly number[]): number[] {
	return [...word(code), ...word(octets.length), ...octets];
}

function word(value: number): [number, number] {
	return [(value >>> 8) & 255, value & 255];
}

function unknown(text: string): never {
	throw new Error(`Cannot use "${text}" in a query`);
}

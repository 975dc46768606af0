/**
 * Resource record types: one row each, and adding a type is adding its row.
 *
 * A row lists the fields of the RDATA in order. From that list follow the text form, the check of
 * wire data, which names may be compressed, and where the name stands whose addresses belong into
 * the additional section.
 */

import { TYPE } from './protocol.ts';

/**
 * | field         | wire                                        | text                              |
 * |---------------|---------------------------------------------|-----------------------------------|
 * | ipv4, ipv6    | 4 or 16 octets                              | an address                        |
 * | name          | name, compressed for RFC 1035 types only    | a name, relative to the origin    |
 * | u8, u16, u32  | unsigned, network order                     | a number                          |
 * | period        | u32 below 2^31                              | a number, with units s m h d w    |
 * | string        | length octet and up to 255 octets           | a character string                |
 * | strings       | one or more of these, to the end            | one or more character strings     |
 * | tag           | length octet, letters and digits            | a word (RFC 8659 §4.1)            |
 * | octets        | everything to the end                       | a character string of any length  |
 */
export type Field =
	| 'ipv4'
	| 'ipv6'
	| 'name'
	| 'u8'
	| 'u16'
	| 'u32'
	| 'period'
	| 'string'
	| 'strings'
	| 'tag'
	| 'octets';

export interface RrType {
	readonly code: number;
	readonly mnemonic: string;
	readonly fields: readonly Field[];
	/** RFC 3597 §4: only the types of RFC 1035 may have names compressed. */
	readonly isCompressible: boolean;
	/** Octets before the name whose addresses go into the additional section; absent when there is none. */
	readonly additionalAt?: number;
}

const plain = (code: number, mnemonic: string, ...fields: Field[]): RrType => ({
	code,
	mnemonic,
	fields,
	isCompressible: false,
});

const TYPES: readonly RrType[] = [
	plain(TYPE.a, 'A', 'ipv4'),
	{ ...plain(TYPE.ns, 'NS', 'name'), isCompressible: true, additionalAt: 0 },
	{ ...plain(TYPE.cname, 'CNAME', 'name'), isCompressible: true },
	{
		...plain(TYPE.soa, 'SOA', 'name', 'name', 'u32', 'period', 'period', 'period', 'period'),
		isCompressible: true,
	},
	{ ...plain(12, 'PTR', 'name'), isCompressible: true },
	{ ...plain(TYPE.mx, 'MX', 'u16', 'name'), isCompressible: true, additionalAt: 2 },
	plain(TYPE.txt, 'TXT', 'strings'),
	plain(TYPE.aaaa, 'AAAA', 'ipv6'),
	{ ...plain(33, 'SRV', 'u16', 'u16', 'u16', 'name'), additionalAt: 6 },
	plain(TYPE.dname, 'DNAME', 'name'),
	plain(257, 'CAA', 'u8', 'tag', 'octets'),
];

const BY_CODE: ReadonlyMap<number, RrType> = new Map(TYPES.map((type) => [type.code, type]));
const BY_MNEMONIC: ReadonlyMap<string, RrType> = new Map(TYPES.map((type) => [type.mnemonic, type]));

/** Mnemonics of types that are asked for but never stand in a zone. */
const QUERY_ONLY: ReadonlyMap<string, number> = new Map([
	['OPT', TYPE.opt],
	['IXFR', TYPE.ixfr],
	['AXFR', TYPE.axfr],
	['MAILB', TYPE.mailb],
	['MAILA', TYPE.maila],
	['ANY', TYPE.any],
]);
const QUERY_ONLY_BY_CODE: ReadonlyMap<number, string> = new Map([...QUERY_ONLY].map(([name, code]) => [code, name]));

export function rrType(code: number): RrType | undefined {
	return BY_CODE.get(code);
}

/** The code of a mnemonic or of RFC 3597 `TYPE123`, in any case; undefined when it is neither. */
export function typeCode(text: string): number | undefined {
	const upper = text.toUpperCase();
	const known = BY_MNEMONIC.get(upper)?.code ?? QUERY_ONLY.get(upper);
	if (known !== undefined) return known;
	const digits = /^TYPE(\d{1,5})$/.exec(upper)?.[1];
	const code = digits === undefined ? Number.NaN : Number(digits);
	return code <= 0xffff ? code : undefined;
}

export function typeText(code: number): string {
	return BY_CODE.get(code)?.mnemonic ?? QUERY_ONLY_BY_CODE.get(code) ?? `TYPE${code}`;
}

/** Whether a type can stand in a zone: not OPT, not type 0, not one of the query and meta types (RFC 6895 §3.1). */
export function isDataType(code: number): boolean {
	return code !== 0 && code !== TYPE.opt && !(code >= 128 && code <= 255);
}

/** Octets that precede the first compressible name, and how many names follow one another there. */
export function compressibleNames(code: number): { readonly skip: number; readonly names: number } {
	const type = BY_CODE.get(code);
	if (type?.isCompressible !== true) return { skip: 0, names: 0 };
	const first = type.fields.indexOf('name');
	let names = 0;
	while (type.fields[first + names] === 'name') names++;
	// The only field that stands before a name in these types is the preference of MX.
	return { skip: 2 * first, names };
}

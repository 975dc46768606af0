/**
 * Resource record types: one row each, and adding a type is adding its row.
 *
 * A row lists the fields of the RDATA in order. From that list follow the text form, the check of
 * wire data, which names may be compressed, and where the name stands whose addresses belong into
 * the additional section.
 */

import { TYPE } from './protocol.ts';

/**
 * | field             | wire                                        | text                                   |
 * |-------------------|---------------------------------------------|----------------------------------------|
 * | ipv4, ipv6        | 4 or 16 octets                              | an address                             |
 * | name              | name, compressed for RFC 1035 types only    | a name, relative to the origin         |
 * | u8, u16, u32      | unsigned, network order                     | a number                               |
 * | period            | u32                                         | a number, with units s m h d w         |
 * | string            | length octet and up to 255 octets           | a character string                     |
 * | strings           | one or more of these, to the end            | one or more character strings          |
 * | tag               | length octet, letters and digits            | a word (RFC 8659 §4.1)                 |
 * | octets            | everything to the end                       | a character string of any length       |
 * | uri               | the same, at least one octet                | the same, in quotes                    |
 * | hex, base64       | the same, at least one octet                | digits, in any number of words         |
 * | base64-or-none    | everything to the end                       | the same, or nothing                   |
 * | algorithm         | u8                                          | a number or RSASHA256 and the like     |
 * | certificate       | u16                                         | a number or PKIX and the like          |
 * | type              | u16                                         | a type                                 |
 * | time              | u32, seconds since 1970                     | YYYYMMDDHHmmSS or a number             |
 * | salt              | length octet and octets                     | hex, `-` for none                      |
 * | hash              | length octet and octets                     | base32hex                              |
 * | types             | a type bitmap to the end, not empty         | types                                  |
 * | types-or-none     | a type bitmap to the end                    | types, or nothing                      |
 * | eui48, eui64      | 6 or 8 octets                               | hex with dashes                        |
 * | gateway           | type, algorithm and gateway of RFC 4025     | the same in three words                |
 * | loc               | 16 octets (RFC 1876)                        | a place                                |
 * | svc-params        | parameters to the end (RFC 9460 §2.2)       | key=value, in any order                |
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
	| 'octets'
	| 'uri'
	| 'hex'
	| 'base64'
	| 'base64-or-none'
	| 'algorithm'
	| 'certificate'
	| 'type'
	| 'time'
	| 'salt'
	| 'hash'
	| 'types'
	| 'types-or-none'
	| 'eui48'
	| 'eui64'
	| 'gateway'
	| 'loc'
	| 'svc-params';

/**
 * What may happen to the names in RDATA.
 *
 * | rule       | compressed when written | read when compressed | lower-cased in canonical form | types                            |
 * |------------|-------------------------|----------------------|-------------------------------|----------------------------------|
 * | compressed | yes (RFC 3597 §4)       | yes                  | yes                           | of RFC 1035                      |
 * | lowered    | no                      | yes (RFC 3597 §4)    | yes                           | of RFC 4034 §6.2, but NSEC       |
 * | kept       | no                      | no                   | no                            | later ones and, by RFC 6840 §5.1, NSEC |
 */
export type NameRule = 'compressed' | 'lowered' | 'kept';

export interface RrType {
	readonly code: number;
	readonly mnemonic: string;
	readonly fields: readonly Field[];
	readonly names: NameRule;
	/** Octets before the name whose addresses go into the additional section; absent when there is none. */
	readonly additionalAt?: number;
	/** Octets of the last field, by the number in the octet before it: a digest by its algorithm. */
	readonly digestOctets?: Readonly<Record<number, number>>;
	/** The least of it for other algorithms. */
	readonly digestOctetsMin?: number;
}

/** A row's fields as one text, its rule for names and whatever else it has. */
function row(
	code: number,
	mnemonic: string,
	fields: string,
	more: Partial<Pick<RrType, 'names' | 'additionalAt' | 'digestOctets' | 'digestOctetsMin'>> = {},
): RrType {
	return { code, mnemonic, fields: fields.split(' ') as Field[], names: 'kept', ...more };
}

const COMPRESSED = { names: 'compressed' } as const;
const LOWERED = { names: 'lowered' } as const;
/** By digest type: SHA-1, SHA-256, GOST R 34.11-94, SHA-384. */
const DS_DIGESTS = { digestOctets: { 1: 20, 2: 32, 3: 32, 4: 48 } } as const;

const TYPES: readonly RrType[] = [];
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

/**
 * Resource record types: one row each, and adding a type is adding its row.
 *
 * A row lists the fields of the RDATA in order. From that list follow the text form and the check of wire data; its
 * rule for names says what may be compressed, and `additionalAt` whose addresses belong into the additional section.
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
 * | locator           | 8 octets                                    | four groups of hex with colons         |
 * | prefixes          | address prefixes to the end (RFC 3123)      | 1:192.0.2.0/24 and the like, or none   |
 * | relay             | discovery bit, type and relay of RFC 8777   | the same in three words                |
 * | host-identity     | everything of RFC 8005                      | algorithm, hex, base64 and names       |
 * | nsap              | everything to the end                       | hex behind 0x, with dots               |
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
	| 'locator'
	| 'prefixes'
	| 'relay'
	| 'host-identity'
	| 'nsap'
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

type Rest = Partial<Pick<RrType, 'names' | 'additionalAt' | 'digestOctets' | 'digestOctetsMin'>>;

/** What stands for itself has no names, or keeps them as they are. */
function row(code: number, mnemonic: string, fields: readonly Field[], rest: Rest = {}): RrType {
	return { code, mnemonic, fields, names: 'kept', ...rest };
}

const compressed = { names: 'compressed' } as const;
const lowered = { names: 'lowered' } as const;
/** By digest type: SHA-1, SHA-256 and SHA-384. */
const dsDigests = { digestOctets: { 1: 20, 2: 32, 4: 48 } } as const;

const TYPES: readonly RrType[] = [
	row(TYPE.a, 'A', ['ipv4']),
	row(TYPE.ns, 'NS', ['name'], { ...compressed, additionalAt: 0 }),
	row(TYPE.cname, 'CNAME', ['name'], compressed),
	row(TYPE.soa, 'SOA', ['name', 'name', 'u32', 'period', 'period', 'period', 'period'], compressed),
	row(7, 'MB', ['name'], { ...compressed, additionalAt: 0 }),
	row(8, 'MG', ['name'], compressed),
	row(9, 'MR', ['name'], compressed),
	row(12, 'PTR', ['name'], compressed),
	row(13, 'HINFO', ['string', 'string']),
	row(14, 'MINFO', ['name', 'name'], compressed),
	row(TYPE.mx, 'MX', ['u16', 'name'], { ...compressed, additionalAt: 2 }),
	row(TYPE.txt, 'TXT', ['strings']),
	row(17, 'RP', ['name', 'name'], lowered),
	row(18, 'AFSDB', ['u16', 'name'], { ...lowered, additionalAt: 2 }),
	row(19, 'X25', ['string']),
	row(20, 'ISDN', ['strings']),
	row(21, 'RT', ['u16', 'name'], { ...lowered, additionalAt: 2 }),
	row(22, 'NSAP', ['nsap']),
	row(23, 'NSAP-PTR', ['name']),
	row(24, 'SIG', ['type', 'algorithm', 'u8', 'u32', 'time', 'time', 'u16', 'name', 'base64'], lowered),
	row(25, 'KEY', ['u16', 'u8', 'algorithm', 'base64-or-none']),
	row(26, 'PX', ['u16', 'name', 'name'], lowered),
	row(27, 'GPOS', ['string', 'string', 'string']),
	row(TYPE.aaaa, 'AAAA', ['ipv6']),
	row(29, 'LOC', ['loc']),
	row(31, 'EID', ['hex']),
	row(32, 'NIMLOC', ['hex']),
	row(33, 'SRV', ['u16', 'u16', 'u16', 'name'], { ...lowered, additionalAt: 6 }),
	row(35, 'NAPTR', ['u16', 'u16', 'string', 'string', 'string', 'name'], lowered),
	row(36, 'KX', ['u16', 'name'], { ...lowered, additionalAt: 2 }),
	row(37, 'CERT', ['certificate', 'u16', 'algorithm', 'base64']),
	row(TYPE.dname, 'DNAME', ['name'], lowered),
	row(40, 'SINK', ['u8', 'u8', 'u8', 'base64-or-none']),
	row(42, 'APL', ['prefixes']),
	row(TYPE.ds, 'DS', ['u16', 'algorithm', 'u8', 'hex'], dsDigests),
	row(44, 'SSHFP', ['u8', 'u8', 'hex'], { digestOctets: { 1: 20, 2: 32 } }),
	row(45, 'IPSECKEY', ['u8', 'gateway', 'base64-or-none']),
	row(TYPE.rrsig, 'RRSIG', ['type', 'algorithm', 'u8', 'u32', 'time', 'time', 'u16', 'name', 'base64'], lowered),
	row(TYPE.nsec, 'NSEC', ['name', 'types']),
	row(48, 'DNSKEY', ['u16', 'u8', 'algorithm', 'base64']),
	row(49, 'DHCID', ['base64']),
	row(50, 'NSEC3', ['u8', 'u8', 'u16', 'salt', 'hash', 'types-or-none']),
	row(51, 'NSEC3PARAM', ['u8', 'u8', 'u16', 'salt']),
	row(52, 'TLSA', ['u8', 'u8', 'u8', 'hex']),
	row(53, 'SMIMEA', ['u8', 'u8', 'u8', 'hex']),
	row(55, 'HIP', ['host-identity']),
	row(56, 'NINFO', ['strings']),
	row(57, 'RKEY', ['u16', 'u8', 'algorithm', 'base64']),
	row(58, 'TALINK', ['name', 'name']),
	row(59, 'CDS', ['u16', 'algorithm', 'u8', 'hex'], dsDigests),
	row(60, 'CDNSKEY', ['u16', 'u8', 'algorithm', 'base64']),
	row(61, 'OPENPGPKEY', ['base64']),
	row(62, 'CSYNC', ['u32', 'u16', 'types-or-none']),
	// RFC 8976 §2.2.4: SHA-384 and SHA-512, and no digest below 12 octets.
	row(63, 'ZONEMD', ['u32', 'u8', 'u8', 'hex'], { digestOctets: { 1: 48, 2: 64 }, digestOctetsMin: 12 }),
	row(64, 'SVCB', ['u16', 'name', 'svc-params'], { additionalAt: 2 }),
	row(65, 'HTTPS', ['u16', 'name', 'svc-params'], { additionalAt: 2 }),
	row(99, 'SPF', ['strings']),
	row(104, 'NID', ['u16', 'locator']),
	row(105, 'L32', ['u16', 'ipv4']),
	row(106, 'L64', ['u16', 'locator']),
	row(107, 'LP', ['u16', 'name']),
	row(108, 'EUI48', ['eui48']),
	row(109, 'EUI64', ['eui64']),
	row(256, 'URI', ['u16', 'u16', 'uri']),
	row(257, 'CAA', ['u8', 'tag', 'octets']),
	row(258, 'AVC', ['strings']),
	row(260, 'AMTRELAY', ['u8', 'relay']),
	row(261, 'RESINFO', ['strings']),
	row(262, 'WALLET', ['strings']),
	row(32768, 'TA', ['u16', 'algorithm', 'u8', 'hex'], dsDigests),
	row(32769, 'DLV', ['u16', 'algorithm', 'u8', 'hex'], dsDigests),
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
	if (type?.names !== 'compressed') return { skip: 0, names: 0 };
	const first = type.fields.indexOf('name');
	let names = 0;
	while (type.fields[first + names] === 'name') names++;
	return { skip: octetsBefore(type, first), names };
}

const FIELD_OCTETS: Partial<Record<Field, number>> = {
	u8: 1,
	algorithm: 1,
	u16: 2,
	type: 2,
	certificate: 2,
	u32: 4,
	period: 4,
	time: 4,
	ipv4: 4,
	ipv6: 16,
};

/** Octets of RDATA before the field at `index`, when all before it have a fixed size. */
export function octetsBefore(type: RrType, index: number): number {
	return type.fields.slice(0, index).reduce((sum, field) => sum + (FIELD_OCTETS[field] ?? Number.NaN), 0);
}

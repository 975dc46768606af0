/**
 * Master files drawn from a seed: every type of `rr-type.ts` with every way to write its fields, and every way to
 * write a line. One owner holds one group of records, so that no two of them may not stand together.
 */

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: $GENERATE writes its formats so

import { type Field, type RrType, rrType, typeCode } from '../../src/dns/rr-type.ts';
import { createChance } from '../../src/lib/chance.ts';
import type { Chance } from '../../src/lib/ports.ts';

export interface RandomZone {
	readonly text: string;
	/** Name and text of the files that it includes. */
	readonly included: ReadonlyMap<string, string>;
}

export function randomZone(seed: number): RandomZone {
	return new ZoneWriter(seed).zone();
}

/** Types that a name may have only one record of, or nothing else beside. */
const ALONE = new Set(['CNAME', 'DNAME', 'NSEC', 'SOA', 'NSEC3PARAM', 'RESINFO']);

/** BIND asks more of what these hold than their fields do: digits, dates, or a key only with some flags. */
const NARROW = new Set(['X25', 'ISDN', 'SIG', 'KEY', 'RKEY', 'SINK', 'NSAP']);

const TYPES: readonly RrType[] = Array.from({ length: 300 }, (_, code) => rrType(code)).filter(
	(type) => type !== undefined && type.mnemonic !== 'SOA' && !NARROW.has(type.mnemonic),
) as readonly RrType[];

/** Mnemonics that stand for a number, as far as BIND knows them too. */
const ALGORITHMS = ['RSASHA1', 'RSASHA256', 'RSASHA512', 'ECDSAP256SHA256', 'ECDSAP384SHA384', 'ED25519', 'ed448'];
const CERTIFICATES = ['PKIX', 'SPKI', 'pgp', 'IPKIX', 'URI', 'OID'];
const NAPTRS = ['"U" "E2U+sip" "!^.*$!sip:a@example.org!"', 'S SIP+D2U ""', '"" "" ""', '"A" x "/(a)/\\\\1/i"'];
const UNITS = ['s', 'm', 'h', 'd', 'w', 'S', 'M', 'H', 'D', 'W'];
const PLAIN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_';
/** Octets that some scanner may take for something else. */
const AWKWARD = ' ";()\\@$.#=,\t\'*/\x00\x7f\x80\xff';

class ZoneWriter {
	readonly #chance: Chance;
	readonly #lines: string[] = [];
	readonly #included = new Map<string, string>();
	#owners = 0;
	#records = 0;
	/** The number that the last field was: a digest's algorithm, a service's priority. */
	#number = 0;

	constructor(seed: number) {
		this.#chance = createChance(Math.imul(seed + 1, 0x9e3779b1));
		// The first draws of neighbouring seeds are alike.
		for (let i = 0; i < 20; i++) this.#chance.below(2);
	}

	zone(): RandomZone {
		this.#lines.push(`$TTL ${this.#ttl()}${this.#end()}`);
		const soa = [this.#name(), this.#name(), this.#u(32), this.#period(), this.#period(), this.#period(), '1h'];
		this.#lines.push(`@ IN SOA (${this.#gap()}${soa.join(this.#gapIn())} )${this.#end()}`);
		this.#lines.push('\tNS ns.other.');
		const groups = 8 + this.#below(16);
		for (let i = 0; i < groups; i++) this.#group();
		// BIND wants a line end behind a directive.
		this.#lines.push('');
		return { text: this.#lines.join(this.#oneIn(8) ? '\r\n' : '\n'), included: this.#included };
	}

	#group(): void {
		switch (this.#below(16)) {
			case 0:
				this.#lines.push(this.#pick(['', '   ', '\t; ( " comment', ';']));
				break;
			case 1:
				this.#lines.push(`$TTL ${this.#ttl()}${this.#end()}`);
				break;
			case 2:
				this.#origin();
				break;
			case 3:
				this.#generate();
				break;
			case 4:
				this.#include();
				break;
			default:
				this.#lines.push(...this.#owner());
		}
	}

	/** Lines of one owner's records. */
	#owner(): string[] {
		const first = this.#pick(TYPES);
		const types = ALONE.has(first.mnemonic) ? [first] : [first, ...this.#more()];
		const owner = `${this.#label(12)}${this.#owners++}${this.#oneIn(4) ? `.${this.#label(20)}` : ''}`;
		const mayBeWild = types.every(({ mnemonic }) => mnemonic !== 'NS' && mnemonic !== 'NSEC3');
		const name = mayBeWild && this.#oneIn(10) ? `*.${owner}` : owner;
		return types.map((type, i) => {
			const blank = i > 0 && !this.#oneIn(3);
			return `${blank ? this.#pick([' ', '\t', '  ']) : `${name}${this.#gap()}`}${this.#record(type)}`;
		});
	}

	#more(): RrType[] {
		const count = this.#below(3);
		return Array.from({ length: count }, () => this.#pick(TYPES)).filter(({ mnemonic }) => !ALONE.has(mnemonic));
	}

	#record(type: RrType): string {
		const ttl = this.#oneIn(3) ? [this.#ttl()] : [];
		const className = this.#oneIn(2) ? [this.#pick(['IN', 'in', 'CLASS1'])] : [];
		const head = this.#oneIn(2) ? [...ttl, ...className] : [...className, ...ttl];
		const mnemonic = this.#pick([type.mnemonic, type.mnemonic, type.mnemonic.toLowerCase(), `TYPE${type.code}`]);
		const text = this.#oneIn(4)
			? `(${this.#gap()}${this.#rdata(type, () => this.#gapIn())}${this.#gapIn()})`
			: this.#rdata(type, () => this.#gap());
		return [...head, mnemonic, text].join(this.#gap()) + this.#end();
	}

	#rdata(type: RrType, gap: () => string): string {
		if (type.mnemonic === 'NAPTR')
			return [this.#u(16), this.#u(16), this.#pick(NAPTRS), this.#name()].join(this.#gap());
		const words: string[] = [];
		for (const [i, field] of type.fields.entries()) {
			const isDigest = type.digestOctets !== undefined && i >= type.fields.length - 2;
			// BIND wants a signer of no more labels than the owner.
			if (type.mnemonic === 'RRSIG' && field === 'u8') {
				words.push(String(128 + this.#below(128)));
				continue;
			}
			if (isDigest && field === 'u8') this.#number = Number(this.#pick(Object.keys(type.digestOctets ?? {})));
			const word = isDigest ? this.#digest(type, field, gap) : this.#field(field, gap);
			if (word !== '') words.push(word);
		}
		// The gap of a fixed place must not be drawn twice; every word but the last has one behind it.
		return words.map((word, i) => (i === words.length - 1 ? word : word + gap())).join('') + this.#unique(type);
	}

	/** Of types that are one string a second one, so that no two records are equal. */
	#unique(type: RrType): string {
		return type.fields[0] === 'strings' ? ` r${this.#records++}` : '';
	}

	#digest(type: RrType, field: Field, gap: () => string): string {
		if (field === 'u8') return String(this.#number);
		return this.#digits(this.#octets(type.digestOctets?.[this.#number] ?? 20).toString('hex'), gap);
	}

	#field(field: Field, gap: () => string): string {
		switch (field) {
			case 'ipv4':
				return [...this.#octets(4)].join('.');
			case 'ipv6':
				return this.#ipv6();
			case 'name':
				return this.#name();
			case 'u8':
				return this.#u(8);
			case 'u16':
				return this.#u(16);
			case 'u32':
				return this.#u(32);
			case 'period':
				return this.#period();
			case 'string':
				return this.#string(0);
			case 'strings':
				return Array.from({ length: 1 + this.#below(3) }, () => this.#string(0)).join(this.#gap());
			case 'octets':
				return this.#string(0);
			case 'uri':
				return `"${this.#text(1, 30, true)}"`;
			case 'tag':
				return this.#pick(['issue', 'issuewild', 'iodef', 'Tag9']);
			case 'hex':
				return this.#digits(this.#octets(1 + this.#below(40)).toString('hex'), gap);
			case 'base64':
			case 'base64-or-none':
				return this.#digits(this.#octets(1 + this.#below(60)).toString('base64'), gap);
			case 'algorithm':
				return this.#oneIn(2) ? this.#pick(ALGORITHMS) : this.#pick(['5', '8', '13', '15']);
			case 'certificate':
				return this.#oneIn(2) ? this.#pick(CERTIFICATES) : this.#u(16);
			case 'type':
				return this.#type();
			case 'time':
				return this.#time();
			case 'salt':
				return this.#oneIn(3) ? '-' : this.#octets(1 + this.#below(9)).toString('hex');
			case 'hash':
				return this.#pick(['2T7B4G4VSA5SMI47K61MV5BV1A22BOJR', '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom']);
			case 'types':
				return Array.from({ length: 1 + this.#below(6) }, () => this.#type()).join(gap());
			case 'types-or-none':
				return Array.from({ length: this.#below(6) }, () => this.#type()).join(gap());
			case 'eui48':
				return this.#eui(6);
			case 'eui64':
				return this.#eui(8);
			case 'gateway':
				return this.#gateway();
			case 'loc':
				return this.#loc();
			case 'locator':
				return Array.from({ length: 4 }, () => this.#below(65536).toString(16)).join(':');
			case 'prefixes':
				return this.#prefixes();
			case 'relay':
				return `${this.#below(2)} ${this.#relay()}`;
			case 'host-identity':
				return this.#hostIdentity();
			case 'nsap':
				return `0x${this.#octets(20).toString('hex')}`;
			case 'svc-params':
				return this.#params();
			default:
				return field satisfies never;
		}
	}

	#ipv6(): string {
		const groups = Array.from({ length: 8 }, () => this.#below(65536).toString(16));
		const from = this.#below(8);
		switch (this.#below(5)) {
			case 0:
				return groups.join(':').toUpperCase();
			case 1:
				return groups.map((group) => group.padStart(4, '0')).join(':');
			case 2:
				return `${groups.slice(0, from).join(':')}::${groups.slice(0, 7 - from).join(':')}`;
			case 3:
				return `::ffff:${[...this.#octets(4)].join('.')}`;
			default:
				return '::';
		}
	}

	#name(): string {
		switch (this.#below(8)) {
			case 0:
				return '@';
			case 1:
				return '.';
			case 2:
				return `${this.#label(63)}.`;
			case 3:
				return Array.from({ length: 30 }, () => this.#label(3)).join('.');
			default:
				return `${this.#label(20)}.${this.#label(8)}${this.#oneIn(2) ? '.' : ''}`;
		}
	}

	/** Of 1 to `most` octets, never a lone `@` nor led by what is no word's start. */
	#label(most: number): string {
		let text = this.#pick([...PLAIN.slice(0, 52)]);
		const count = this.#below(most);
		for (let i = 0; i < count; i++) {
			if (!this.#oneIn(12)) text += this.#pick([...PLAIN]);
			else text += this.#escape(this.#oneIn(2) ? this.#below(256) : this.#pick([...AWKWARD]).charCodeAt(0));
		}
		return text;
	}

	#escape(value: number): string {
		const isDigit = value >= 0x30 && value <= 0x39;
		const canBeSelf = value > 0x20 && value < 0x7f && !isDigit;
		if (canBeSelf && this.#oneIn(2)) return `\\${String.fromCharCode(value)}`;
		return `\\${String(value).padStart(3, '0')}`;
	}

	#string(least: number): string {
		const isQuoted = !this.#oneIn(4);
		const text = this.#text(Math.max(least, isQuoted ? 0 : 1), this.#oneIn(20) ? 255 : 30, isQuoted);
		return isQuoted ? `"${text}"` : text;
	}

	#text(least: number, most: number, isQuoted: boolean): string {
		let text = '';
		const count = least + this.#below(most - least + 1);
		for (let i = 0; i < count; i++) {
			const kind = this.#below(8);
			if (kind === 0) text += this.#escape(this.#below(256));
			else if (kind === 1 && isQuoted) text += this.#pick([' ', ';', '(', ')', '@', '$', '\t', ',', '=']);
			else text += this.#pick([...PLAIN]);
		}
		return text;
	}

	#u(bits: 8 | 16 | 32): string {
		const max = 2 ** bits - 1;
		const value = this.#pick([0, 1, 9, max, max >>> 1, this.#below(Math.min(max, 0x7fffffff))]) >>> 0;
		this.#number = value;
		return this.#oneIn(8) && bits < 32 ? String(value).padStart(6, '0') : String(value);
	}

	#period(): string {
		if (this.#oneIn(3)) return String(this.#below(0x7fffffff));
		return Array.from({ length: 1 + this.#below(4) }, () => `${this.#below(60)}${this.#pick(UNITS)}`).join('');
	}

	#ttl(): string {
		return this.#oneIn(2) ? String(this.#below(604800)) : this.#period();
	}

	#type(): string {
		return this.#oneIn(3) ? `TYPE${1 + this.#below(65535)}` : this.#pick(TYPES).mnemonic;
	}

	#time(): string {
		if (this.#oneIn(3)) return String(1_000_000_000 + this.#below(1_000_000_000));
		const two = (least: number, count: number) => String(least + this.#below(count)).padStart(2, '0');
		const day = this.#oneIn(4) ? '20240229' : `20${two(0, 36)}${two(1, 12)}${two(1, 28)}`;
		return `${day}${two(0, 24)}${two(0, 60)}${two(0, 60)}`;
	}

	#eui(octets: number): string {
		const pairs = [...this.#octets(octets)].map((value) => value.toString(16).padStart(2, '0'));
		return pairs.join('-')[this.#oneIn(2) ? 'toUpperCase' : 'toLowerCase']();
	}

	#gateway(): string {
		const gateways = ['.', [...this.#octets(4)].join('.'), this.#ipv6(), this.#name().replace('@', 'gw')];
		const kind = this.#below(4);
		return `${kind} ${1 + this.#below(3)} ${gateways[kind]}`;
	}

	#relay(): string {
		const relays = ['.', [...this.#octets(4)].join('.'), this.#ipv6(), this.#name().replace('@', 'relay')];
		const kind = this.#below(4);
		return `${kind} ${relays[kind]}`;
	}

	#prefixes(): string {
		const one = () => `1:${[...this.#octets(2)].join('.')}.0.0/${16 + this.#below(17)}`;
		const two = () => `2:${this.#below(65536).toString(16)}::/${16 + this.#below(113)}`;
		const items = Array.from({ length: 1 + this.#below(3) }, () => (this.#oneIn(2) ? one() : two()));
		return items.map((item) => (this.#oneIn(3) ? `!${item}` : item)).join(' ');
	}

	#hostIdentity(): string {
		const servers = Array.from({ length: this.#below(3) }, () => this.#name().replace('@', 'rvs'));
		const tag = this.#octets(16).toString('hex');
		return [this.#below(4), tag, this.#octets(30).toString('base64'), ...servers].join(' ');
	}

	#loc(): string {
		const angle = (degrees: number, signs: readonly string[]) => {
			const parts = [String(this.#below(degrees))];
			if (this.#oneIn(2)) parts.push(String(this.#below(60)));
			if (parts.length === 2 && this.#oneIn(2)) parts.push(`${this.#below(60)}${this.#decimals(3)}`);
			return [...parts, this.#pick(signs)].join(' ');
		};
		const metres = (most: number) => `${this.#below(most)}${this.#decimals(2)}${this.#oneIn(2) ? 'm' : ''}`;
		const altitude = `${this.#oneIn(3) ? '-' : ''}${metres(100000)}`;
		const sizes = Array.from({ length: this.#below(4) }, () => metres(this.#pick([10, 1000, 90000000])));
		return [angle(90, ['N', 'S']), angle(180, ['E', 'W']), altitude, ...sizes].join(' ');
	}

	#decimals(most: number): string {
		const count = this.#below(most + 1);
		return count === 0 ? '' : `.${String(this.#below(10 ** count)).padStart(count, '0')}`;
	}

	#params(): string {
		const params = new Map<string, string>();
		const draws: readonly (() => [string, string])[] = [
			() => [
				'alpn',
				this.#pick(['=h2', '=h2,h3', '="h2,h3"', '="f\\\\\\\\oo\\\\,bar,h2"', '=f\\\\\\092oo\\092,bar,h2']),
			],
			() => ['port', `=${this.#u(16)}`],
			() => ['ipv4hint', `=${[...this.#octets(4)].join('.')},${[...this.#octets(4)].join('.')}`],
			() => ['ipv6hint', `="${this.#ipv6()}"`],
			() => ['ech', `=${this.#octets(1 + this.#below(40)).toString('base64')}`],
			() => ['dohpath', this.#pick(['="/dns-query{?dns}"', '=/q{?a,dns}', '=/{dns}'])],
			() => [`key${9 + this.#below(60000)}`, this.#pick(['', '=', `="${this.#text(0, 20, true)}"`, '=a\\000\\255b'])],
			() => ['key8', ''],
		];
		for (let i = this.#below(6); i > 0; i--) params.set(...this.#pick(draws)());
		if (params.has('alpn') && this.#oneIn(2)) params.set('no-default-alpn', '');
		if (params.size > 0 && this.#oneIn(2)) params.set('mandatory', `=${this.#shuffled([...params.keys()]).join(',')}`);
		return this.#shuffled([...params])
			.map(([key, value]) => key + value)
			.join(this.#gap());
	}

	#origin(): void {
		this.#lines.push(`$ORIGIN ${this.#pick(['example.org.', 'example.org.', 'Sub.example.org.', this.#label(5)])}`);
	}

	#generate(): void {
		const mark = `g${this.#owners++}`;
		const format = this.#pick([
			'$',
			'${0}',
			'${3}',
			'${0,3}',
			'${1,4,x}',
			'${0,2,X}',
			'${0,0,o}',
			'${0,5,n}',
			'${0,3,N}',
		]);
		const owner = this.#pick([`${mark}-${format}`, `${format}.${mark}`, `a\\$b${mark}$$-${format}`]);
		const [type, rdata] = this.#pick([
			['A', '192.0.2.$'],
			['AAAA', '2001:db8::${0,0,x}'],
			['PTR', 'host-${0,4}.example.'],
			// In BIND an offset lasts to the end of the text, so nothing that counts stands behind it.
			['MX', '"$ mx${5}"'],
			['TXT', '"\\"a $ b\\" c$"'],
			['SRV', '"1 2 ${8000} @"'],
		] as const);
		const range = this.#pick(['1-5', '0-10/3', '7-7', '250-255']);
		const head = this.#pick(['', ' 60', ' IN', ' 1h IN', ' in 5m']);
		this.#lines.push(`$GENERATE ${range} ${owner}${head} ${type} ${rdata}${this.#end()}`);
	}

	#include(): void {
		const file = `part-${this.#included.size}`;
		const isBelow = this.#oneIn(2);
		const lines = [...this.#owner(), '$ORIGIN within', ...this.#owner(), '$TTL 77'];
		this.#included.set(file, `${lines.join('\n')}\n`);
		this.#lines.push(
			`$INCLUDE ${this.#oneIn(2) ? file : `"${file}"`}${isBelow ? ` below${this.#owners++}` : ''}${this.#end()}`,
		);
		this.#lines.push(...this.#owner());
	}

	/** Digits of a field that takes many words. */
	#digits(text: string, gap: () => string): string {
		if (!this.#oneIn(3) || text.length < 4) return text;
		const at = 1 + this.#below(text.length - 2);
		return `${text.slice(0, at)}${gap()}${text.slice(at)}`;
	}

	#gap(): string {
		return this.#pick([' ', ' ', ' ', '  ', '\t', ' \t ']);
	}

	/** Between words inside parentheses. */
	#gapIn(): string {
		return this.#pick([' ', '\t', '\n', '\n\t', ' ; comment ) "\n', '\n\n ']);
	}

	#end(): string {
		return this.#pick(['', '', '', ' ', ' ; comment', '\t;(', ' ()']);
	}

	#octets(count: number): Buffer {
		return Buffer.from(Array.from({ length: count }, () => this.#below(256)));
	}

	#shuffled<T>(items: T[]): T[] {
		for (let i = items.length - 1; i > 0; i--) {
			const j = this.#below(i + 1);
			[items[i], items[j]] = [items[j] as T, items[i] as T];
		}
		return items;
	}

	#pick<T>(items: readonly T[]): T {
		return items[this.#below(items.length)] as T;
	}

	#oneIn(count: number): boolean {
		return this.#below(count) === 0;
	}

	#below(bound: number): number {
		return this.#chance.below(bound);
	}
}

/** Every type that the zones can hold, for a test that they all do. */
export const RANDOM_TYPES: readonly number[] = TYPES.map(({ mnemonic }) => typeCode(mnemonic) ?? 0);

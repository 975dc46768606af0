/**
 * Seeded messages for fuzzing: good queries of every kind, and what is left of them after some damage.
 */

import { createChance } from '../../src/lib/chance.ts';
import type { Chance } from '../../src/lib/ports.ts';
import { makeQuery, optRecord, type QuerySpec } from '../dns/make-query.ts';
import type { ResponderSpec } from '../serve/responder-of.ts';

/** Zones of every outcome: static data, chains, cuts, wildcards, zones inside zones, long answers, policies. */
export const FUZZ_WORLD: ResponderSpec = {
	zones: [
		{
			apex: 'example.org.',
			text: [
				'www A 192.0.2.1\nwww AAAA 2001:db8::1\nwww TXT "text"\nalias CNAME www\nout CNAME example.com.\nloop CNAME loop',
				'sub NS ns.sub\nsub NS ns2\nns.sub A 192.0.2.2\nns.sub AAAA 2001:db8::2\nold DNAME new\nwww.new A 192.0.2.3\n*.wild A 192.0.2.4',
				'a.b.c.d TXT "deep"\ngrow DNAME x.grow\nodd TYPE65280 \\# 3 010203\nto-geo CNAME geo\ninto CNAME www.child\n_s._tcp SRV 0 0 1 www',
				...Array.from({ length: 90 }, (_, i) => `big A 192.0.2.${i}\nmail MX ${i} m${i}\nm${i} A 192.0.2.${i}`),
				...Array.from({ length: 40 }, (_, i) => `many NS ns${i}.many\nns${i}.many AAAA 2001:db8::${i}`),
				`long DNAME ${'y'.repeat(63)}.${'z'.repeat(63)}.${'x'.repeat(63)}.example.net.`,
			].join('\n'),
			steering: {
				pools: {
					eu: { endpoints: [{ name: 'a', addresses: ['203.0.113.10', '2001:db8:1::10'] }] },
					us: { answers: 3, endpoints: ['20', '21', '22'].map((n) => ({ name: n, addresses: [`203.0.113.${n}`] })) },
				},
				policies: { world: { kind: 'geo', rules: [{ match: { continents: ['EU'] }, use: 'eu' }], default: 'us' } },
				names: {
					'@': { policy: 'world' },
					geo: { policy: 'world' },
					'*.app': { policy: 'world' },
					drawn: {
						policy: {
							kind: 'weighted',
							members: [
								{ use: 'eu', weight: 3 },
								{ use: 'us', weight: 1 },
							],
						},
					},
				},
			},
		},
		{ apex: 'child.example.org.', text: 'www A 192.0.2.9\nup CNAME www.example.org.' },
		{ apex: 'example.net.', text: 'www A 198.51.100.1' },
		{ apex: '10.in-addr.arpa.', text: '1.0.0 PTR www.example.org.' },
	],
	geo: { '85.0.0.0/8': { continent: 'EU' }, '2a00::/12': { continent: 'EU' }, '24.0.0.0/8': { continent: 'NA' } },
};

const OWNERS = [
	'',
	'www.',
	'alias.',
	'out.',
	'loop.',
	'sub.',
	'x.sub.',
	'www.old.',
	'q.grow.',
	'x.y.wild.',
	'a.b.c.d.',
	'b.c.d.',
	'to-geo.',
	'into.',
	'_s._tcp.',
	'big.',
	'mail.',
	'many.',
	'q.many.',
	'q.long.',
	'geo.',
	'x.app.',
	'drawn.',
	'nothing.',
	'odd.',
	'child.',
	'WWW.cHiLd.',
	`${'q'.repeat(63)}.${'r'.repeat(60)}.long.`,
	'up.child.',
	'\\000\\255.wild.',
];
const APEXES = [
	'example.org',
	'example.org',
	'example.org',
	'Example.ORG',
	'example.net',
	'example.com',
	'1.0.0.10.in-addr.arpa',
	'.',
	'org',
];
const TYPES = [
	'A',
	'AAAA',
	'ANY',
	'CNAME',
	'DNAME',
	'NS',
	'SOA',
	'MX',
	'TXT',
	'SRV',
	'PTR',
	'TYPE43',
	'TYPE65280',
	'OPT',
	'AXFR',
	'IXFR',
	'TYPE0',
];
const SUBNETS = [
	'85.1.2.0/24',
	'24.1.2.3/32',
	'0.0.0.0/0',
	'::/0',
	'2a00:1::/56',
	'10.0.0.0/8',
	'2002:5501::/48',
	'85.1.2.0/24/24',
	'192.0.2.0/25',
];

export class Mutator {
	readonly #chance: Chance;

	constructor(seed: number) {
		this.#chance = createChance(seed);
		// The first draws of neighbouring seeds are neighbours.
		for (let i = 0; i < 16; i++) this.#chance.below(2);
	}

	below(bound: number): number {
		return this.#chance.below(bound);
	}

	pick<T>(from: readonly T[]): T {
		const value = from[this.below(from.length)];
		if (value === undefined) throw new Error('Cannot pick from nothing');
		return value;
	}

	/** A query that is well-formed, or nearly. */
	query(): Uint8Array {
		const apex = this.pick(APEXES);
		const owner = apex.startsWith('example') || apex === 'Example.ORG' ? this.pick(OWNERS) : '';
		const spec: QuerySpec = {
			name: `${owner}${apex}`,
			type: this.pick(TYPES),
			id: this.below(65536),
			flags: this.below(8) === 0 ? this.below(65536) & 0x7fff : this.pick([0, 0x0100, 0x0130, 0x0010]),
			class: this.below(12) === 0 ? this.pick([0, 3, 4, 254, 255, 65535]) : 1,
		};
		if (this.below(3) === 0) return makeQuery(spec);
		return makeQuery({
			...spec,
			edns: {
				payloadOctets: this.pick([0, 512, 700, 1232, 4096, 65535]),
				version: this.below(16) === 0 ? 1 : 0,
				isDnssecOk: this.below(2) === 0,
				...(this.below(2) === 0 ? { subnet: this.pick(SUBNETS) } : {}),
				options:
					this.below(4) === 0 ? [{ code: this.pick([3, 8, 10, 12, 65001]), octets: Array.from(this.octets(12)) }] : [],
			},
		});
	}

	octets(most: number): Uint8Array {
		return Uint8Array.from({ length: this.below(most + 1) }, () => this.below(256));
	}

	/** A query with some damage, or octets that never were one. */
	message(): Uint8Array {
		if (this.below(20) === 0) return this.octets(this.pick([11, 12, 40, 600]));
		let message = this.query();
		for (let damage = this.pick([0, 0, 1, 1, 1, 2, 4]); damage > 0; damage--) message = this.#damage(message);
		return message;
	}

	#damage(message: Uint8Array): Uint8Array {
		const at = this.below(message.length + 1);
		// The header is a small part of a message and most of what is looked at.
		const where = this.below(3) === 0 ? this.below(12) : at;
		switch (this.below(9)) {
			case 0:
				return replaced(message, where, (message[where] ?? 0) ^ (1 << this.below(8)));
			case 1:
				return replaced(message, where, this.below(256));
			case 2:
				return replaced(message, where, this.pick([0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff]));
			case 3:
				return message.slice(0, at);
			case 4:
				return Uint8Array.from([...message, ...this.octets(40)]);
			case 5:
				return Uint8Array.from([...message.subarray(0, at), ...this.octets(8), ...message.subarray(at)]);
			case 6:
				return Uint8Array.from([...message.subarray(0, at), ...message.subarray(at + this.below(8))]);
			case 7: {
				const counted = replaced(message, 11, (message[11] ?? 0) + 1);
				return Uint8Array.from([
					...counted,
					...optRecord({ version: this.below(2), payloadOctets: this.below(65536) }),
				]);
			}
			default:
				// A compression pointer to anywhere.
				return replaced(replaced(message, at, 0xc0), at + 1, this.below(64));
		}
	}
}

function replaced(message: Uint8Array, at: number, value: number): Uint8Array {
	const copy = message.slice();
	if (at < copy.length) copy[at] = value;
	return copy;
}

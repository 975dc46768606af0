/**
 * RFC 8906 §8: what a server answers to each query of the compliance list, here in process.
 * The zone is the queried one; every row says the dig arguments of the RFC.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EdnsSpec, QuerySpec } from '../dns/make-query.ts';
import { replyText } from '../serve/reply-text.ts';
import { type AskSpec, responderOf } from '../serve/responder-of.ts';

const SOA = 'answer\nexample.org. 300 SOA ns.invalid. host.invalid. 1 3600 900 604800 60';
const LARGE = Array.from({ length: 60 }, (_, i) => `large TXT "${'x'.repeat(20)}${i}"`).join('\n');
const FLAG = { rd: 0x0100, z: 0x0040, ad: 0x0020, cd: 0x0010 } as const;
const option = (code: number): NonNullable<EdnsSpec['options']> => [{ code, octets: [] }];

interface Row {
	readonly paragraph: string;
	readonly name: string;
	readonly query?: Partial<QuerySpec>;
	readonly how?: AskSpec;
	readonly reply: string;
}

const ROWS: readonly Row[] = [
	{ paragraph: '8.1.1', name: 'plain DNS', reply: `NOERROR aa\n${SOA}` },
	{
		paragraph: '8.1.2',
		name: 'an unknown type',
		query: { type: 'TYPE1000' },
		reply: `NOERROR aa\n${SOA.replace('answer', 'authority').replace(' 300 ', ' 60 ')}`,
	},
	{ paragraph: '8.1.3.1', name: 'CD', query: { flags: FLAG.cd }, reply: `NOERROR aa\n${SOA}` },
	{ paragraph: '8.1.3.2', name: 'AD', query: { flags: FLAG.ad }, reply: `NOERROR aa\n${SOA}` },
	{ paragraph: '8.1.3.3', name: 'the reserved bit', query: { flags: FLAG.z }, reply: `NOERROR aa\n${SOA}` },
	{ paragraph: '8.1.3.4', name: 'RD', query: { flags: FLAG.rd }, reply: `NOERROR aa rd\n${SOA}` },
	{ paragraph: '8.1.5', name: 'TCP', how: { transport: 'tcp' }, reply: `NOERROR aa\n${SOA}` },
	{ paragraph: '8.2.1', name: 'plain EDNS', query: { edns: {} }, reply: `NOERROR aa\nopt 1232\n${SOA}` },
	{ paragraph: '8.2.2', name: 'an unknown version', query: { edns: { version: 1 } }, reply: 'BADVERS\nopt 1232' },
	{
		paragraph: '8.2.3',
		name: 'an unknown option',
		query: { edns: { options: option(100) } },
		reply: `NOERROR aa\nopt 1232\n${SOA}`,
	},
	{
		paragraph: '8.2.5',
		name: 'an unknown version with an unknown option',
		query: { edns: { version: 1, options: option(100) } },
		reply: 'BADVERS\nopt 1232',
	},
	{
		paragraph: '8.2.7',
		name: 'a response that is truncated',
		query: { name: 'large.example.org', type: 'TXT', edns: { payloadOctets: 512, isDnssecOk: true } },
		reply: 'NOERROR aa tc\nopt 1232 do',
	},
	{
		paragraph: '8.2.8',
		name: 'DO',
		query: { edns: { isDnssecOk: true } },
		reply: `NOERROR aa\nopt 1232 do\n${SOA}`,
	},
	{
		paragraph: '8.2.9',
		name: 'an unknown version with DO',
		query: { edns: { version: 1, isDnssecOk: true } },
		reply: 'BADVERS\nopt 1232 do',
	},
	{
		paragraph: '8.2.10',
		name: 'several options that are known',
		query: { edns: { subnet: '0.0.0.0/0', options: [...option(3), ...option(9)] } },
		reply: `NOERROR aa\nopt 1232 subnet 0.0.0.0/0/0\n${SOA}`,
	},
];

describe('RFC 8906', () => {
	const world = responderOf(LARGE);

	for (const { paragraph, name, query, how, reply } of ROWS) {
		it(`§${paragraph} ${name}`, () => {
			assert.equal(replyText(world.ask({ name: 'example.org', type: 'SOA', flags: 0, ...query }, how)), reply);
		});
	}

	it('§8.1.4 an unknown opcode: a header alone is answered with one', () => {
		// NOTIFY and UPDATE are known, and refused.
		for (const opcode of [1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]) {
			const request = Uint8Array.of(0xab, 0xcd, opcode << 3, 0, 0, 0, 0, 0, 0, 0, 0, 0);
			const expected = Uint8Array.of(0xab, 0xcd, 0x80 | (opcode << 3), 4, 0, 0, 0, 0, 0, 0, 0, 0);
			assert.deepEqual(world.respond(request), expected);
		}
	});

	for (const version of [0, 1]) {
		it(`§8.2.${version === 0 ? 4 : 6} unknown flags with version ${version}`, () => {
			const opt = [0, 0, 41, 4, 208, 0, version, 0x7f, 0xff, 0, 0];
			const question = [7, ...Buffer.from('example'), 3, ...Buffer.from('org'), 0, 0, 6, 0, 1];
			const reply = world.ask(Uint8Array.of(0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, ...question, ...opt));
			assert.equal(replyText(reply), version === 0 ? `NOERROR aa\nopt 1232\n${SOA}` : 'BADVERS\nopt 1232');
		});
	}
});

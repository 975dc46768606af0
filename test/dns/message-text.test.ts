import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Message, printMessage, readMessage } from '../../src/dns/message-text.ts';
import { makeQuery, optRecord, wireName } from './make-query.ts';

function read(packet: Uint8Array): Message {
	const message = readMessage(packet);
	assert.ok(typeof message !== 'string', String(message));
	return message;
}

/** A response to `A.example.` with one record in each section. */
const response = Uint8Array.of(
	...[0, 7, 0x85, 0x83, 0, 1, 0, 1, 0, 1, 0, 2],
	...wireName('A.example.'),
	...[0, 1, 0, 1],
	...[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1],
	...[0xc0, 14, 0, 2, 0, 1, 0, 1, 0, 0, 0, 5, 2, 0x4e, 0x73, 0xc0, 14],
	...[0xc0, 12, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 2, 1, 2],
	...optRecord({ isDnssecOk: true, subnet: '192.0.2.0/24/16', options: [{ code: 3, octets: [0xab] }] }),
);

describe('readMessage()', () => {
	it('reads every part of a response', () => {
		assert.deepEqual(read(response), {
			id: 7,
			flags: ['qr', 'aa', 'rd', 'ra'],
			opcode: 'QUERY',
			rcode: 'NXDOMAIN',
			question: [{ name: 'A.example.', type: 'A', class: 'IN' }],
			answer: [{ name: 'A.example.', type: 'A', class: 'IN', ttlSec: 60, rdataText: '192.0.2.1' }],
			authority: [{ name: 'example.', type: 'NS', class: 'IN', ttlSec: 65536, rdataText: 'Ns.example.' }],
			additional: [{ name: 'A.example.', type: 'TYPE65280', class: 'IN', ttlSec: 0, rdataText: '\\# 2 0102' }],
			opt: {
				payloadOctets: 1232,
				version: 0,
				isDnssecOk: true,
				otherFlags: 0,
				options: [
					{ code: 8, hex: '00011810c00002' },
					{ code: 3, hex: 'ab' },
				],
				subnet: { family: 1, source: 24, scope: 16, address: '192.0.2.0' },
			},
			optCount: 1,
		});
	});

	it('joins the RCODE of header and OPT', () => {
		const query = makeQuery({ name: '.', edns: {} });
		query[query.length - 6] = 1;
		assert.equal(read(query).rcode, 'BADVERS');
		query[query.length - 6] = 0xff;
		assert.equal(read(query).rcode, 'RCODE4080');
	});

	for (const { name, edns, subnet } of [
		{
			name: 'reads an IPv6 subnet',
			edns: { subnet: '2001:db8::/32/48' },
			subnet: { family: 2, source: 32, scope: 48, address: '2001:db8::' },
		},
		{
			name: 'reads a subnet of no address',
			edns: { options: [{ code: 8, octets: [0, 0, 0, 0] }] },
			subnet: { family: 0, source: 0, scope: 0, address: '' },
		},
		{
			name: 'leaves a subnet that is too short to the options',
			edns: { options: [{ code: 8, octets: [0, 1] }] },
			subnet: undefined,
		},
		{
			name: 'leaves a subnet of an unknown family to the options',
			edns: { options: [{ code: 8, octets: [0, 3, 0, 0] }] },
			subnet: undefined,
		},
	])
		it(name, () => assert.deepEqual(read(makeQuery({ name: 'a.', edns })).opt?.subnet, subnet));

	it('names opcode, class and unknown numbers', () => {
		const message = read(
			makeQuery({ name: 'a.', flags: 0x7800 | 0x40 | 0x20 | 0x10 | 0x0b, class: 3, type: 'TYPE999' }),
		);
		assert.deepEqual([message.opcode, message.rcode, message.flags], ['OPCODE15', 'RCODE11', ['z', 'ad', 'cd']]);
		assert.deepEqual(message.question, [{ name: 'a.', type: 'TYPE999', class: 'CH' }]);
	});

	for (const { name, packet, says } of [
		{ name: 'refuses half a header', packet: response.slice(0, 11), says: /header of 12/ },
		{ name: 'refuses octets behind the end', packet: Uint8Array.of(...response, 0), says: /expected its end at octet/ },
		{ name: 'refuses a question that is cut off', packet: response.slice(0, 20), says: /question\[0\]/ },
		{ name: 'refuses an answer that is cut off', packet: response.slice(0, 40), says: /answer\[0\]/ },
		{ name: 'refuses an OPT record that is cut off', packet: response.slice(0, -1), says: /additional\[1\]/ },
		{ name: 'refuses options that leave their record', packet: response.with(-2, 9), says: /options do not end/ },
	])
		it(name, () => assert.match(String(readMessage(packet)), says));

	it('ends on any octets', () => {
		const headed = fc
			.uint8Array({ maxLength: 200 })
			.map((rest) => Uint8Array.of(0, 1, 0x80, 0, 0, 1, 0, 2, 0, 1, 0, 1, ...rest));
		const damaged = fc
			.array(fc.tuple(fc.nat(response.length - 1), fc.nat(255)), { maxLength: 4 })
			.map((pairs) => pairs.reduce((packet, [at, value]) => packet.with(at, value), response));
		fc.assert(
			fc.property(fc.oneof(headed, damaged, fc.uint8Array()), (packet) => {
				const message = readMessage(packet);
				if (typeof message !== 'string') assert.ok(printMessage(message).endsWith('\n'));
			}),
			{ numRuns: 2000 },
		);
	});
});

describe('printMessage()', () => {
	it('prints in the manner of dig', () => {
		assert.deepEqual(printMessage(read(response)).split('\n'), [
			';; QUERY NXDOMAIN, id 7, flags: qr aa rd ra',
			';; OPT: version 0, payload 1232, do, subnet 192.0.2.0/24/16, option 3 ab',
			';; QUESTION',
			'; A.example. IN A',
			';; ANSWER',
			'A.example. 60 IN A 192.0.2.1',
			';; AUTHORITY',
			'example. 65536 IN NS Ns.example.',
			';; ADDITIONAL',
			'A.example. 0 IN TYPE65280 \\# 2 0102',
			'',
		]);
	});

	it('leaves out what is empty', () => {
		assert.equal(
			printMessage(read(makeQuery({ name: '.', flags: 0, id: 1 }))),
			';; QUERY NOERROR, id 1\n;; QUESTION\n; . IN A\n',
		);
	});
});

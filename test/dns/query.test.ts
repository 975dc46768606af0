import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AskedNames } from '../../src/dns/asked-names.ts';
import { printName } from '../../src/dns/name.ts';
import { Query, readQuery, VERDICT } from '../../src/dns/query.ts';
import { printAddress } from '../../src/lib/address.ts';
import { makeQuery, optRecord } from './make-query.ts';

const VERDICTS = Object.keys(VERDICT);

function read(packet: Uint8Array): { verdict: string; query: Query } {
	const query = new Query();
	const verdict = readQuery(packet, packet.length, query, new AskedNames());
	return { verdict: VERDICTS[verdict] ?? `unknown verdict ${verdict}`, query };
}

/** A query with some octets changed: pairs of offset and value. */
function patched(packet: Uint8Array, ...pairs: [number, number][]): Uint8Array {
	const copy = packet.slice();
	for (const [at, value] of pairs) copy[at] = value;
	return copy;
}

const plain = makeQuery({ name: 'www.example.org.', type: 'AAAA' });
const opt = optRecord({});
const subnet = (...octets: number[]) =>
	makeQuery({ name: 'www.example.org.', edns: { options: [{ code: 8, octets }] } });

/** An option that nobody reads, one octet longer than its record. */
const unread = makeQuery({ name: 'a.', edns: { options: [{ code: 100, octets: [1] }] } });
const leaving = patched(unread, [unread.length - 2, 2]);

describe('readQuery()', () => {
	for (const { name, packet, verdict } of [
		{ name: 'takes a plain query', packet: plain, verdict: 'query' },
		{ name: 'takes the root as QNAME', packet: makeQuery({ name: '.', type: 'NS' }), verdict: 'query' },
		{ name: 'ignores what is shorter than a header', packet: plain.slice(0, 11), verdict: 'ignore' },
		{ name: 'ignores a response', packet: patched(plain, [2, 0x80]), verdict: 'ignore' },
		{ name: 'says notimp to another opcode', packet: patched(plain, [2, 0x78]), verdict: 'notimp' },
		{
			name: 'says notimp to a header alone',
			packet: patched(plain, [2, 0x78], [5, 0]).slice(0, 12),
			verdict: 'notimp',
		},
		{ name: 'refuses a query without question', packet: patched(plain, [5, 0]).slice(0, 12), verdict: 'formerr' },
		{ name: 'refuses two questions (RFC 9619)', packet: patched(plain, [5, 2]), verdict: 'formerr' },
		{ name: 'refuses answers in a query', packet: patched(plain, [7, 1]), verdict: 'formerr' },
		{ name: 'refuses a question that is cut off', packet: plain.slice(0, -1), verdict: 'formerr' },
		{ name: 'refuses a compressed question', packet: patched(plain, [12, 0xc0], [13, 0]), verdict: 'formerr' },
		{ name: 'refuses OPT as QTYPE', packet: makeQuery({ name: 'a.', type: 'OPT' }), verdict: 'formerr' },
		{ name: 'refuses a record that is announced and missing', packet: patched(plain, [11, 1]), verdict: 'formerr' },
		{
			name: 'refuses the authority section',
			packet: patched(makeQuery({ name: 'a.', edns: {} }), [9, 1], [11, 0]),
			verdict: 'formerr',
		},
		{ name: 'takes octets behind the message', packet: Uint8Array.of(...plain, 1, 2, 3), verdict: 'query' },
		{ name: 'takes an OPT record', packet: makeQuery({ name: 'a.', edns: {} }), verdict: 'query' },
		{
			name: 'refuses two OPT records',
			packet: Uint8Array.of(...patched(plain, [11, 2]), ...opt, ...opt),
			verdict: 'formerr',
		},
		{
			name: 'refuses an OPT record with an owner',
			packet: Uint8Array.of(...patched(plain, [11, 1]), 1, 0x61, ...opt),
			verdict: 'formerr',
		},
		{
			name: 'refuses an OPT record that is cut off',
			packet: makeQuery({ name: 'a.', edns: {} }).slice(0, -1),
			verdict: 'formerr',
		},
		{
			name: 'says badvers to EDNS version 1',
			packet: makeQuery({ name: 'a.', edns: { version: 1 } }),
			verdict: 'badvers',
		},
		{
			name: 'reads no options of version 1',
			packet: makeQuery({ name: 'a.', edns: { version: 1, options: [{ code: 8, octets: [9] }] } }),
			verdict: 'badvers',
		},
		{
			name: 'passes over an unknown option',
			packet: makeQuery({ name: 'a.', edns: { options: [{ code: 100, octets: [1, 2] }] } }),
			verdict: 'query',
		},
		{
			name: 'refuses an option that leaves its record',
			packet: leaving,
			verdict: 'formerr',
		},
	])
		it(name, () => assert.equal(read(packet).verdict, verdict));

	describe('with a client subnet (RFC 7871)', () => {
		for (const { name, octets, verdict } of [
			{ name: 'takes IPv4 /24', octets: [0, 1, 24, 0, 192, 0, 2], verdict: 'query' },
			{ name: 'takes IPv4 /0', octets: [0, 1, 0, 0], verdict: 'query' },
			{ name: 'takes IPv4 /32', octets: [0, 1, 32, 0, 192, 0, 2, 1], verdict: 'query' },
			{ name: 'takes IPv6 /56', octets: [0, 2, 56, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0], verdict: 'query' },
			{ name: 'takes IPv6 /128', octets: [0, 2, 128, 0, ...new Array<number>(16).fill(1)], verdict: 'query' },
			{ name: 'takes family 0 with /0', octets: [0, 0, 0, 0], verdict: 'query' },
			{ name: 'refuses family 0 with an address', octets: [0, 0, 8, 0, 1], verdict: 'formerr' },
			{ name: 'refuses an unknown family', octets: [0, 3, 0, 0], verdict: 'formerr' },
			{ name: 'refuses a scope in a query', octets: [0, 1, 24, 24, 192, 0, 2], verdict: 'formerr' },
			{ name: 'refuses IPv4 /33', octets: [0, 1, 33, 0, 192, 0, 2, 0, 0], verdict: 'formerr' },
			{ name: 'refuses IPv6 /129', octets: [0, 2, 129, 0, ...new Array<number>(17).fill(0)], verdict: 'formerr' },
			{ name: 'refuses too few address octets', octets: [0, 1, 24, 0, 192, 0], verdict: 'formerr' },
			{ name: 'refuses too many address octets', octets: [0, 1, 24, 0, 192, 0, 2, 0], verdict: 'formerr' },
			{ name: 'refuses bits behind the source', octets: [0, 1, 20, 0, 192, 0, 0x1f], verdict: 'formerr' },
			{ name: 'takes zeros behind the source', octets: [0, 1, 20, 0, 192, 0, 0x10], verdict: 'query' },
			{ name: 'refuses fewer than four octets', octets: [0, 1, 0], verdict: 'formerr' },
			{ name: 'refuses an empty option', octets: [], verdict: 'formerr' },
		])
			it(name, () => assert.equal(read(subnet(...octets)).verdict, verdict));

		it('refuses the option twice', () => {
			const one = { code: 8, octets: [0, 1, 0, 0] };
			const packet = makeQuery({ name: 'a.', edns: { options: [one, one] } });
			assert.equal(read(packet).verdict, 'formerr');
		});

		it('keeps family, source and address', () => {
			const { query } = read(makeQuery({ name: 'a.', edns: { subnet: '2001:db8:1:2::/64' } }));
			assert.equal(query.subnet.family, 6);
			assert.equal(query.subnet.sourceLength, 64);
			assert.equal(printAddress({ family: 6, words: query.subnet.words }), '2001:db8:1:2::');
		});
	});

	it('reads the question, lower-cased', () => {
		const { query } = read(makeQuery({ name: 'WWW.Example.org.', type: 'MX', id: 0xbeef, class: 3 }));
		assert.deepEqual(
			{ id: query.id, name: printName(query.name.wire), type: query.type, class: query.class, end: query.questionEnd },
			{ id: 0xbeef, name: 'www.example.org.', type: 15, class: 3, end: 33 },
		);
	});

	for (const { name, payloadOctets, reads } of [
		{ name: 'takes a payload below 512 as 512', payloadOctets: 100, reads: 512 },
		{ name: 'keeps a larger payload', payloadOctets: 4096, reads: 4096 },
	])
		it(name, () => {
			const { query } = read(makeQuery({ name: 'a.', edns: { payloadOctets, isDnssecOk: true } }));
			assert.deepEqual([query.hasEdns, query.payloadOctets, query.isDnssecOk], [true, reads, true]);
		});

	it('forgets the query before', () => {
		const query = new Query();
		const names = new AskedNames();
		const full = makeQuery({
			name: 'a.b.',
			type: 'MX',
			edns: { payloadOctets: 4000, isDnssecOk: true, subnet: '10.0.0.0/8' },
		});
		readQuery(full, full.length, query, names);
		readQuery(plain, 5, query, names);
		const { hasEdns, payloadOctets, isDnssecOk, hasQuestion, type, id } = query;
		assert.deepEqual(
			{
				hasEdns,
				payloadOctets,
				isDnssecOk,
				hasQuestion,
				type,
				id,
				subnet: query.subnet.isPresent,
			},
			{
				hasEdns: false,
				payloadOctets: 512,
				isDnssecOk: false,
				hasQuestion: false,
				type: 0,
				id: 0,
				subnet: false,
			},
		);
	});

	it('ends within bounds on any octets, and on any query with octets changed', () => {
		const good = makeQuery({
			name: 'www.example.org.',
			edns: { subnet: '192.0.2.0/24', options: [{ code: 10, octets: [1, 2] }] },
		});
		const damaged = fc
			.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 })
			.map((pairs) => patched(good, ...pairs));
		const headed = fc
			.uint8Array({ maxLength: 120 })
			.map((rest) => Uint8Array.of(0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, ...rest));
		fc.assert(
			fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), headed, damaged), (packet) => {
				const { verdict, query } = read(packet);
				assert.ok(VERDICTS.includes(verdict), verdict);
				assert.ok(query.questionEnd <= Math.max(packet.length, 12));
				assert.ok(query.payloadOctets >= 512);
				if (query.hasQuestion) assert.equal(query.questionEnd, 12 + query.name.length + 4);
				if (verdict === 'query') assert.ok(query.hasQuestion);
			}),
			{ numRuns: 2000 },
		);
	});
});

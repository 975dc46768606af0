import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { scanMasterFile } from '../../src/dns/master-file.ts';
import { Name } from '../../src/dns/name.ts';
import { scanPeriod } from '../../src/dns/period.ts';
import { canonicalRdata, isWellFormed, printRdata, readRdata } from '../../src/dns/rdata.ts';
import { typeCode } from '../../src/dns/rr-type.ts';
import { wireName } from './make-query.ts';

const ORIGIN = wireName('example.org.');
const TYPES = ['A', 'NS', 'CNAME', 'SOA', 'PTR', 'MX', 'TXT', 'AAAA', 'SRV', 'DNAME', 'CAA', 'TYPE65280'];

/** RDATA of `type text` through the master-file scanner, or its first problem. */
function scan(text: string): { type: number; rdata: Uint8Array } | string {
	const { records, problems } = scanMasterFile(`a 0 ${text}`, ORIGIN);
	const problem = problems[0];
	return problem === undefined ? { type: records.type(0), rdata: records.rdata(0) } : problem.message;
}

function hex(octets: Uint8Array): string {
	return Array.from(octets, (value) => value.toString(16).padStart(2, '0')).join('');
}

describe('scanRdata() and printRdata()', () => {
	const example = '076578616d706c65036f726700';
	for (const { text, wire, prints = text } of [
		{ text: 'A 192.0.2.1', wire: 'c0000201' },
		{ text: 'AAAA 2001:db8::1', wire: '20010db8000000000000000000000001' },
		{ text: 'AAAA ::ffff:192.0.2.1', wire: '00000000000000000000ffffc0000201', prints: 'AAAA ::ffff:c000:201' },
		{ text: 'NS Ns.example.org.', wire: `024e73${example}` },
		{ text: 'CNAME @', wire: example, prints: 'CNAME example.org.' },
		{ text: 'PTR b', wire: `0162${example}`, prints: 'PTR b.example.org.' },
		{ text: 'DNAME .', wire: '00' },
		{ text: 'MX 10 mx', wire: `000a026d78${example}`, prints: 'MX 10 mx.example.org.' },
		{ text: 'SRV 1 2 65535 .', wire: '00010002ffff00' },
		{
			text: 'SOA ns h 4294967295 1h 15m 1w 1h30m',
			wire: `026e73${example}0168${example}ffffffff00000e100000038400093a8000001518`,
			prints: 'SOA ns.example.org. h.example.org. 4294967295 3600 900 604800 5400',
		},
		{ text: 'TXT "a b" c ""', wire: '0361206201 6300'.replace(' ', ''), prints: 'TXT "a b" "c" ""' },
		{ text: 'TXT "\\"\\\\\\000\\255;"', wire: '05225c00ff3b' },
		{ text: 'TXT a\\ b', wire: '03612062', prints: 'TXT "a b"' },
		{ text: 'CAA 128 issue "ca.example; x=1"', wire: '80056973737565' + '63612e6578616d706c653b20783d31' },
		{ text: 'CAA 0 iodef ""', wire: '0005696f646566' },
		{ text: 'TYPE65280 \\# 3 010203', wire: '010203' },
		{ text: 'TYPE65280 \\# 3 01 0203', wire: '010203', prints: 'TYPE65280 \\# 3 010203' },
		{ text: 'TYPE65280 \\# 0', wire: '' },
		{ text: 'A \\# 4 C0000201', wire: 'c0000201', prints: 'A 192.0.2.1' },
		{ text: 'TYPE1 192.0.2.1', wire: 'c0000201', prints: 'A 192.0.2.1' },
	])
		it(`reads ${text}`, () => {
			const scanned = scan(text);
			assert.ok(typeof scanned !== 'string', String(scanned));
			assert.equal(hex(scanned.rdata), wire);
			assert.equal(`${prints.split(' ')[0]} ${printRdata(scanned.type, scanned.rdata)}`, prints);
		});

	for (const { text, says } of [
		{ text: 'A 192.0.2.256', says: 'Cannot use "192.0.2.256": expected an IPv4 address' },
		{ text: 'A ::1', says: 'Cannot use "::1": expected an IPv4 address' },
		{ text: 'AAAA 192.0.2.1', says: 'Cannot use "192.0.2.1": expected an IPv6 address' },
		{ text: 'A', says: 'Cannot read the record: it ends where an IPv4 address is due' },
		{ text: 'A 192.0.2.1 x', says: 'Cannot use "x": the record is complete before it' },
		{ text: 'MX 65536 a', says: 'Cannot use "65536": expected a number 0..65535' },
		{ text: 'MX -1 a', says: 'Cannot use "-1": expected a number 0..65535' },
		{ text: 'MX 1', says: 'Cannot read the record: it ends where a name is due' },
		{ text: 'NS ""', says: 'Cannot use "": expected a name without quotes' },
		{ text: 'CAA 256 issue ""', says: 'Cannot use "256": expected a number 0..255' },
		{ text: 'CAA 0 is-sue ""', says: 'Cannot use "is-sue": expected a word of letters and digits' },
		{ text: 'CAA 0 "" ""', says: 'Cannot use "": expected a word of letters and digits without quotes' },
		{ text: 'TXT', says: 'Cannot read the record: it ends where a character string of at most 255 octets is due' },
		{ text: 'TXT \\256', says: 'Cannot use "\\256": expected a character string of at most 255 octets' },
		{ text: 'TXT "\\1"', says: 'Cannot use "\\1": expected a character string of at most 255 octets' },
		{ text: 'SOA a b 4294967296 1 1 1 1', says: 'Cannot use "4294967296": expected a number 0..4294967295' },
		{
			text: 'SOA a b 1 1y 1 1 1',
			says: 'Cannot use "1y": expected a time in seconds or units (s m h d w), below 2^32 s',
		},
		{ text: 'TYPE65280 x', says: 'Cannot read RDATA of TYPE65280: expected \\# length hex (RFC 3597)' },
		{ text: 'TYPE65280 \\# x', says: 'Cannot use "x": expected the length of the RDATA, 0..65535' },
		{ text: 'TYPE65280 \\# 65536', says: 'Cannot use "65536": expected the length of the RDATA, 0..65535' },
		{ text: 'TYPE65280 \\# 2 010', says: 'Cannot use 3 hex digits: the length 2 asks for 4' },
		{ text: 'TYPE65280 \\# 1 0g', says: 'Cannot use "0g": expected hex digits' },
		{ text: 'A \\# 3 010203', says: 'Cannot use these octets: they are no RDATA of this type' },
		{ text: 'NS \\# 2 c000', says: 'Cannot use these octets: they are no RDATA of this type' },
	])
		it(`refuses ${text}`, () => assert.equal(scan(text), says));

	it('takes a string of 255 octets and no longer one', () => {
		assert.notEqual(typeof scan(`TXT ${'a'.repeat(255)}`), 'string');
		assert.equal(typeof scan(`TXT ${'a'.repeat(256)}`), 'string');
	});
});

describe('printRdata()', () => {
	it('prints any RDATA of any type so that it reads back', () => {
		fc.assert(
			fc.property(fc.constantFrom(...TYPES), fc.uint8Array({ maxLength: 60 }), (type, rdata) => {
				const code = typeCode(type) ?? 0;
				const text = printRdata(code, rdata);
				const scanned = scan(`${type} ${text}`);
				if (isWellFormed(code, rdata)) assert.deepEqual(scanned, { type: code, rdata });
				else assert.equal(typeof scanned, 'string');
			}),
			{ numRuns: 3000 },
		);
	});

	const label = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((octets) => [octets.length, ...octets]);
	const name = fc.array(label, { maxLength: 4 }).map((labels) => [...labels.flat(), 0]);
	const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((a) => [...a]);
	const strings = fc.array(label, { minLength: 1, maxLength: 4 }).map((list) => list.flat());
	const period = octets(4).map(([first = 0, ...rest]) => [first & 0x7f, ...rest]);
	const shapes: readonly { type: string; fields: fc.Arbitrary<number[]>[] }[] = [
		{ type: 'NS', fields: [name] },
		{ type: 'SOA', fields: [name, name, octets(4), period, period, period, period] },
		{ type: 'MX', fields: [octets(2), name] },
		{ type: 'SRV', fields: [octets(6), name] },
		{ type: 'TXT', fields: [strings] },
		{ type: 'CAA', fields: [octets(1), fc.constant([2, 0x61, 0x39]), strings] },
	];
	for (const { type, fields } of shapes)
		it(`prints well-formed ${type} so that it reads back`, () => {
			fc.assert(
				fc.property(fc.tuple(...fields), (parts) => {
					const rdata = Uint8Array.from(parts.flat());
					const code = typeCode(type) ?? 0;
					assert.ok(isWellFormed(code, rdata));
					assert.deepEqual(scan(`${type} ${printRdata(code, rdata)}`), { type: code, rdata });
				}),
			);
		});
});

describe('readRdata()', () => {
	it('undoes compression and keeps the case', () => {
		const packet = Uint8Array.of(...wireName('Example.org.'), 0, 10, 2, 0x4d, 0x78, 0xc0, 0);
		const rdata = readRdata(15, packet, 13, 7, new Name());
		assert.equal(rdata === undefined ? '' : printRdata(15, rdata), '10 Mx.Example.org.');
	});

	for (const { name, type, octets } of [
		{ name: 'refuses a name that leaves its RDATA', type: 2, octets: [3, 0x61] },
		{ name: 'refuses octets behind the name', type: 2, octets: [0, 0] },
		{ name: 'refuses an address of three octets', type: 1, octets: [1, 2, 3] },
		{ name: 'refuses an MX without name', type: 15, octets: [0, 1] },
		{ name: 'refuses a preference that is cut off', type: 15, octets: [0] },
		{ name: 'refuses TXT without a string', type: 16, octets: [] },
	])
		it(name, () => {
			const packet = Uint8Array.of(...octets, 0, 0, 0);
			assert.equal(readRdata(type, packet, 0, octets.length, new Name()), undefined);
		});

	it('ends within bounds on any octets', () => {
		fc.assert(
			fc.property(
				fc.constantFrom(...TYPES),
				fc.uint8Array({ maxLength: 80 }),
				fc.nat(80),
				fc.nat(80),
				(type, packet, at, length) => {
					const code = typeCode(type) ?? 0;
					const rdata = readRdata(code, packet, at, length, new Name());
					if (rdata !== undefined) assert.ok(isWellFormed(code, rdata));
				},
			),
			{ numRuns: 2000 },
		);
	});
});

describe('canonicalRdata()', () => {
	it('lowers the case of names and of nothing else', () => {
		const scanned = scan('SOA NS.A. H.B. 1094795585 1 1 1 1');
		assert.ok(typeof scanned !== 'string');
		assert.equal(printRdata(6, canonicalRdata(6, scanned.rdata)), 'ns.a. h.b. 1094795585 1 1 1 1');
	});
});

describe('scanPeriod()', () => {
	for (const [text, seconds] of [
		['0', 0],
		['2147483647', 2147483647],
		['2147483648', undefined],
		['1h30m', 5400],
		['1W2D3H4M5S', 788645],
		['1h30', undefined],
		['h', undefined],
		['', undefined],
		['-1', undefined],
		['1.5h', undefined],
		['3551w', undefined],
	] as const)
		it(`reads "${text}" as ${seconds}`, () => assert.equal(scanPeriod(text), seconds));
});

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Address, addressFromOctets, addressOctets, parseAddress, printAddress } from '../../src/lib/address.ts';

const word = fc.oneof(fc.constantFrom(0, 1, 0xffff, 0x10000, 0xffffffff), fc.nat({ max: 0xffffffff }));
const address: fc.Arbitrary<Address> = fc.oneof(
	word.map((w): Address => ({ family: 4, words: Uint32Array.of(w, 0, 0, 0) })),
	fc.tuple(word, word, word, word).map((words): Address => ({ family: 6, words: Uint32Array.from(words) })),
);

describe('parseAddress() and printAddress()', () => {
	for (const { text, prints } of [
		{ text: '0.0.0.0', prints: '0.0.0.0' },
		{ text: '192.0.2.1', prints: '192.0.2.1' },
		{ text: '255.255.255.255', prints: '255.255.255.255' },
		// RFC 4291 §2.2
		{ text: 'ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', prints: 'abcd:ef01:2345:6789:abcd:ef01:2345:6789' },
		{ text: '2001:DB8:0:0:8:800:200C:417A', prints: '2001:db8::8:800:200c:417a' },
		{ text: 'FF01:0:0:0:0:0:0:101', prints: 'ff01::101' },
		{ text: '0:0:0:0:0:0:0:1', prints: '::1' },
		{ text: '0:0:0:0:0:0:0:0', prints: '::' },
		{ text: '::', prints: '::' },
		{ text: '0:0:0:0:0:0:13.1.68.3', prints: '::d01:4403' },
		{ text: '::13.1.68.3', prints: '::d01:4403' },
		{ text: '::FFFF:129.144.52.38', prints: '::ffff:8190:3426' },
		{ text: '1:2:3:4:5:6:7::', prints: '1:2:3:4:5:6:7:0' },
		{ text: '::2:3:4:5:6:7:8', prints: '0:2:3:4:5:6:7:8' },
		// RFC 5952 §4
		{ text: '2001:0db8::0001', prints: '2001:db8::1' },
		{ text: '2001:db8:0:0:0:0:2:1', prints: '2001:db8::2:1' },
		{ text: '2001:db8:0:1:1:1:1:1', prints: '2001:db8:0:1:1:1:1:1' },
		{ text: '2001:0:0:1:0:0:0:1', prints: '2001:0:0:1::1' },
		{ text: '2001:db8:0:0:1:0:0:1', prints: '2001:db8::1:0:0:1' },
		{ text: '1::', prints: '1::' },
		{ text: '2001:db8::aaaa:0:0:0', prints: '2001:db8:0:0:aaaa::' },
	]) {
		it(`reads ${text} and prints ${prints}`, () => {
			const parsed = parseAddress(text);
			assert.ok(parsed);
			assert.equal(printAddress(parsed), prints);
		});
	}

	for (const { name, text } of [
		{ name: 'nothing', text: '' },
		{ name: 'a word', text: 'localhost' },
		{ name: 'three octets', text: '192.0.2' },
		{ name: 'five octets', text: '192.0.2.1.1' },
		{ name: 'an octet above 255', text: '192.0.2.256' },
		{ name: 'a leading zero, which some read as octal', text: '192.0.02.1' },
		{ name: 'an octet in hexadecimal', text: '0x7f.0.0.1' },
		{ name: 'a whole number', text: '2130706433' },
		{ name: 'white space', text: ' 192.0.2.1' },
		{ name: 'a line feed', text: '192.0.2.1\n' },
		{ name: 'digits that are not ASCII', text: '١.0.2.1' },
		{ name: 'an empty octet', text: '192..2.1' },
		{ name: 'a negative octet', text: '192.0.2.-1' },
		{ name: 'one colon', text: ':' },
		{ name: 'three colons', text: ':::' },
		{ name: 'two double colons', text: '1::2::3' },
		{ name: 'seven groups', text: '1:2:3:4:5:6:7' },
		{ name: 'nine groups', text: '1:2:3:4:5:6:7:8:9' },
		{ name: 'eight groups with a double colon', text: '1:2:3:4::5:6:7:8' },
		{ name: 'a group of five digits', text: '12345::' },
		{ name: 'a digit beyond f', text: '::g' },
		{ name: 'a colon at the start', text: ':1:2:3:4:5:6:7' },
		{ name: 'a colon at the end', text: '1:2:3:4:5:6:7:' },
		{ name: 'a dotted quad in the middle', text: '::1.2.3.4:5' },
		{ name: 'a dotted quad before the double colon', text: '1.2.3.4::' },
		{ name: 'a dotted quad that is one group too many', text: '1:2:3:4:5:6:7:1.2.3.4' },
		{ name: 'a bad dotted quad', text: '::ffff:1.2.3.256' },
		{ name: 'brackets', text: '[::1]' },
		{ name: 'a prefix', text: '::1/128' },
		{ name: 'a zone', text: 'fe80::1%eth0' },
	]) {
		it(`refuses ${name}: ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), undefined));
	}

	it('read back what they print, and print what they have read', () => {
		fc.assert(
			fc.property(address, (one) => {
				const text = printAddress(one);
				assert.equal(isIP(text), one.family);
				assert.deepEqual(parseAddress(text), one);
			}),
		);
	});

	it('take what node:net takes, zones left aside', () => {
		const part = fc.constantFrom('0', '1', 'ffff', '::', ':', '1.2.3.4', '255', '256', '.', '00', 'g', '');
		const text = fc.array(part, { maxLength: 10 }).map((parts) => parts.join(''));
		const joined = fc.array(part, { maxLength: 9 }).map((parts) => parts.join(':'));
		fc.assert(
			fc.property(fc.oneof(text, joined, fc.ipV4(), fc.ipV6(), fc.string()), (candidate) => {
				fc.pre(!candidate.includes('%'));
				assert.equal(parseAddress(candidate)?.family ?? 0, isIP(candidate));
			}),
			{ numRuns: 3000 },
		);
	});
});

describe('addressOctets() and addressFromOctets()', () => {
	for (const { text, octets } of [
		{ text: '192.0.2.1', octets: [192, 0, 2, 1] },
		{ text: '2001:db8::ff', octets: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255] },
	]) {
		it(`write ${text} as ${octets.length} octets`, () =>
			assert.deepEqual([...addressOctets(parseAddress(text) ?? assert.fail())], octets));
	}

	it('are inverse at any offset of any view', () => {
		fc.assert(
			fc.property(address, fc.nat({ max: 9 }), fc.nat({ max: 9 }), (one, viewAt, offset) => {
				const view = new Uint8Array(40).subarray(viewAt);
				view.set(addressOctets(one), offset);
				assert.deepEqual(addressFromOctets(view, offset, one.family), one);
			}),
		);
	});
});

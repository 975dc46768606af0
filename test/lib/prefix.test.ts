import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Address, parseAddress, printAddress } from '../../src/lib/address.ts';
import { compareWords, type Prefix, parsePrefix, prefixHolds, prefixOf, printPrefix } from '../../src/lib/prefix.ts';

function addressOf(text: string): Address {
	return parseAddress(text) ?? assert.fail(text);
}

function prefix(text: string): Prefix {
	const parsed = parsePrefix(text);
	return typeof parsed === 'string' ? assert.fail(parsed) : parsed;
}

const word = fc.oneof(fc.constantFrom(0, 1, 0x80000000, 0xffffffff), fc.nat({ max: 0xffffffff }));
const ipv4 = word.map((w): Address => ({ family: 4, words: Uint32Array.of(w, 0, 0, 0) }));
const ipv6 = fc.tuple(word, word, word, word).map((words): Address => ({ family: 6, words: Uint32Array.from(words) }));

describe('parsePrefix()', () => {
	for (const { text, first, last, prints = text } of [
		{ text: '0.0.0.0/0', first: '0.0.0.0', last: '255.255.255.255' },
		{ text: '10.0.0.0/8', first: '10.0.0.0', last: '10.255.255.255' },
		{ text: '203.0.113.128/25', first: '203.0.113.128', last: '203.0.113.255' },
		{ text: '203.0.113.7/32', first: '203.0.113.7', last: '203.0.113.7' },
		{ text: '203.0.113.7', first: '203.0.113.7', last: '203.0.113.7', prints: '203.0.113.7/32' },
		{ text: '128.0.0.0/1', first: '128.0.0.0', last: '255.255.255.255' },
		{ text: '::/0', first: '::', last: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' },
		{ text: '2001:db8::/32', first: '2001:db8::', last: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff' },
		{ text: '2001:db8:0:40::/58', first: '2001:db8:0:40::', last: '2001:db8:0:7f:ffff:ffff:ffff:ffff' },
		{ text: '::1', first: '::1', last: '::1', prints: '::1/128' },
	]) {
		it(`reads ${text} as ${first} to ${last}`, () => {
			const read = prefix(text);
			assert.equal(printAddress({ family: read.family, words: read.first }), first);
			assert.equal(printAddress({ family: read.family, words: read.last }), last);
			assert.equal(printPrefix(read), prints);
		});
	}

	for (const { text, says } of [
		{ text: '', says: 'Cannot read "" as a prefix: expected an IPv4 or IPv6 address, then /length' },
		{ text: '10/8', says: 'Cannot read "10/8" as a prefix: expected an IPv4 or IPv6 address, then /length' },
		{ text: '10.0.0.0/', says: 'Cannot read "10.0.0.0/" as a prefix: expected a length of 0..32' },
		{ text: '10.0.0.0/33', says: 'Cannot read "10.0.0.0/33" as a prefix: expected a length of 0..32' },
		{ text: '10.0.0.0/08', says: 'Cannot read "10.0.0.0/08" as a prefix: expected a length of 0..32' },
		{ text: '10.0.0.0/-1', says: 'Cannot read "10.0.0.0/-1" as a prefix: expected a length of 0..32' },
		{ text: '10.0.0.0/8/8', says: 'Cannot read "10.0.0.0/8/8" as a prefix: expected a length of 0..32' },
		{ text: '::/129', says: 'Cannot read "::/129" as a prefix: expected a length of 0..128' },
		{ text: '10.0.0.1/8', says: 'Cannot use "10.0.0.1/8": it has bits set behind the prefix, expected 10.0.0.0/8' },
		{ text: '::1/127', says: 'Cannot use "::1/127": it has bits set behind the prefix, expected ::/127' },
		{ text: '128.0.0.0/0', says: 'Cannot use "128.0.0.0/0": it has bits set behind the prefix, expected 0.0.0.0/0' },
	]) {
		it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parsePrefix(text), says));
	}

	it('reads back what printPrefix() prints', () => {
		fc.assert(
			fc.property(fc.oneof(ipv4, ipv6), fc.nat({ max: 128 }), (address, length) => {
				const one = prefixOf(address, address.family === 4 ? length % 33 : length);
				assert.deepEqual(parsePrefix(printPrefix(one)), one);
				assert.ok(prefixHolds(one, address));
			}),
		);
	});
});

describe('prefixHolds()', () => {
	for (const { text, address, holds } of [
		{ text: '10.0.0.0/8', address: '10.255.255.255', holds: true },
		{ text: '10.0.0.0/8', address: '11.0.0.0', holds: false },
		{ text: '10.0.0.0/8', address: '9.255.255.255', holds: false },
		{ text: '0.0.0.0/0', address: '::', holds: false },
		{ text: '::/0', address: '0.0.0.0', holds: false },
		{ text: '2001:db8::/33', address: '2001:db8:8000::', holds: false },
	]) {
		it(`says that ${address} is ${holds ? '' : 'not '}in ${text}`, () =>
			assert.equal(prefixHolds(prefix(text), addressOf(address)), holds));
	}

	it('agrees with the block list of node:net', () => {
		const near = fc
			.tuple(fc.oneof(ipv4, ipv6), fc.nat({ max: 127 }), fc.nat({ max: 128 }))
			.map(([address, flipped, length]) => {
				const bits = address.family === 4 ? 32 : 128;
				const words = address.words.slice();
				const bit = flipped % bits;
				words[bit >>> 5] = (words[bit >>> 5] ?? 0) ^ (1 << (31 - (bit & 31)));
				return { address, other: { family: address.family, words }, length: length % (bits + 1) };
			});
		fc.assert(
			fc.property(near, ({ address, other, length }) => {
				const one = prefixOf(address, length);
				const list = new BlockList();
				list.addSubnet(printAddress(address), length, `ipv${address.family}`);
				assert.equal(prefixHolds(one, other), list.check(printAddress(other), `ipv${address.family}`));
			}),
		);
	});
});

describe('compareWords()', () => {
	it('orders as whole numbers do', () => {
		const number = ({ words }: Address) => words.reduce((sum, w) => sum * 2n ** 32n + BigInt(w), 0n);
		fc.assert(
			fc.property(ipv6, ipv6, (a, b) => {
				const difference = number(a) - number(b);
				assert.equal(Math.sign(compareWords(a.words, b.words)), difference > 0n ? 1 : difference < 0n ? -1 : 0);
			}),
		);
	});
});

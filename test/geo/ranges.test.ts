import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
	type FamilyRanges,
	familyRanges,
	findRange,
	overlay,
	RangesBuilder,
	rangesOfPrefixes,
	scopeInRange,
	WHOLE,
	wholeBlock,
} from '../../src/geo/ranges.ts';
import { type Family, printAddress } from '../../src/lib/address.ts';
import { addressOf } from '../mmdb-writer.ts';
import {
	coveringOf,
	crowdedNumber,
	crowdedPrefix,
	prefix,
	rangesAsNumbers,
	shortestPrefixWithin,
	wordsOf,
} from './oracle.ts';

/** Ranges whose value is one more than the index of the longest prefix, 0 outside all. */
function rangesOf(...texts: readonly string[]): FamilyRanges {
	const prefixes = texts.map(prefix);
	return rangesOfPrefixes(prefixes[0]?.family ?? 4, prefixes, (covering) => (covering.at(-1) ?? -1) + 1);
}

/** `start=value` of each range. */
function printed(ranges: FamilyRanges, family: Family): string {
	return rangesAsNumbers(ranges, family)
		.map(([first, , value]) => `${printAddress({ family, words: wordsOf(first, family) })}=${value}`)
		.join(' ');
}

describe('rangesOfPrefixes()', () => {
	for (const { name, prefixes, family, ranges } of [
		{ name: 'is one range without prefixes', prefixes: [], family: 4, ranges: '0.0.0.0=0' },
		{ name: 'cuts before and behind', prefixes: ['10.0.0.0/8'], family: 4, ranges: '0.0.0.0=0 10.0.0.0=1 11.0.0.0=0' },
		{ name: 'takes the whole space', prefixes: ['0.0.0.0/0'], family: 4, ranges: '0.0.0.0=1' },
		{ name: 'starts at the start', prefixes: ['0.0.0.0/8'], family: 4, ranges: '0.0.0.0=1 1.0.0.0=0' },
		{ name: 'ends at the end', prefixes: ['255.255.255.255/32'], family: 4, ranges: '0.0.0.0=0 255.255.255.255=1' },
		{
			name: 'goes on with the outer prefix behind an inner one',
			prefixes: ['10.0.0.0/8', '10.1.0.0/16'],
			family: 4,
			ranges: '0.0.0.0=0 10.0.0.0=1 10.1.0.0=2 10.2.0.0=1 11.0.0.0=0',
		},
		{
			name: 'takes inner prefixes at both edges of an outer one',
			prefixes: ['10.0.0.0/16', '10.0.0.0/8', '10.255.0.0/16'],
			family: 4,
			ranges: '0.0.0.0=0 10.0.0.0=1 10.1.0.0=2 10.255.0.0=3 11.0.0.0=0',
		},
		{
			name: 'ends three at once',
			prefixes: ['10.0.0.0/8', '10.255.0.0/16', '10.255.255.0/24'],
			family: 4,
			ranges: '0.0.0.0=0 10.0.0.0=1 10.255.0.0=2 10.255.255.0=3 11.0.0.0=0',
		},
		{
			name: 'puts neighbours side by side',
			prefixes: ['10.0.0.0/9', '10.128.0.0/9'],
			family: 4,
			ranges: '0.0.0.0=0 10.0.0.0=1 10.128.0.0=2 11.0.0.0=0',
		},
		{
			name: 'carries over words of IPv6',
			prefixes: ['2001:db8:0:0:ffff:ffff:0:0/96'],
			family: 6,
			ranges: '::=0 2001:db8::ffff:ffff:0:0=1 2001:db8:0:1::=0',
		},
		{
			name: 'ends at the end of IPv6',
			prefixes: ['ff00::/8'],
			family: 6,
			ranges: '::=0 ff00::=1',
		},
	] as const) {
		it(name, () => {
			const parsed = prefixes.map(prefix);
			const made = rangesOfPrefixes(family, parsed, (covering) => (covering.at(-1) ?? -1) + 1);
			assert.equal(printed(made, family), ranges);
		});
	}

	it('makes one range of neighbours with equal values', () => {
		const prefixes = ['10.0.0.0/9', '10.128.0.0/9', '11.0.0.0/8'].map(prefix);
		assert.equal(
			printed(
				rangesOfPrefixes(4, prefixes, (covering) => covering.length),
				4,
			),
			'0.0.0.0=0 10.0.0.0=1 12.0.0.0=0',
		);
	});
});

describe('findRange()', () => {
	const ranges = rangesOf('10.0.0.0/8', '10.20.0.0/16', '10.20.30.0/24', '10.20.30.40/32');
	for (const { address, value } of [
		{ address: '0.0.0.0', value: 0 },
		{ address: '9.255.255.255', value: 0 },
		{ address: '10.0.0.0', value: 1 },
		{ address: '10.19.255.255', value: 1 },
		{ address: '10.20.0.0', value: 2 },
		{ address: '10.20.29.255', value: 2 },
		{ address: '10.20.30.0', value: 3 },
		{ address: '10.20.30.39', value: 3 },
		{ address: '10.20.30.40', value: 4 },
		{ address: '10.20.30.41', value: 3 },
		{ address: '10.20.31.0', value: 2 },
		{ address: '10.21.0.0', value: 1 },
		{ address: '11.0.0.0', value: 0 },
		{ address: '255.255.255.255', value: 0 },
	]) {
		it(`finds ${address} in the range of value ${value}`, () =>
			assert.equal(ranges.values[findRange(ranges, addressOf(address).words)], value));
	}
});

describe('scopeInRange()', () => {
	for (const { name, prefixes, address, scope } of [
		{ name: 'is 0 when one range is all', prefixes: ['0.0.0.0/0'], address: '192.0.2.1', scope: 0 },
		{ name: 'is that of a prefix that stands alone', prefixes: ['10.0.0.0/8'], address: '10.1.2.3', scope: 8 },
		{ name: 'is short far from any other', prefixes: ['10.0.0.0/8'], address: '200.0.0.1', scope: 1 },
		{ name: 'is long just below another', prefixes: ['10.0.0.0/8'], address: '9.1.2.3', scope: 7 },
		{ name: 'is that of the hole at the far side', prefixes: ['10.0.0.0/8'], address: '11.1.2.3', scope: 8 },
		{ name: 'leaves out what lies inside', prefixes: ['10.0.0.0/8', '10.1.0.0/16'], address: '10.0.0.1', scope: 16 },
		{ name: 'is the whole address next to a host', prefixes: ['10.0.0.1/32'], address: '10.0.0.0', scope: 32 },
		{ name: 'is 1 for half of the space', prefixes: ['128.0.0.0/1'], address: '0.0.0.0', scope: 1 },
		{ name: 'counts from the last address', prefixes: ['255.255.255.255/32'], address: '255.255.255.254', scope: 32 },
		{ name: 'is that of an IPv6 prefix', prefixes: ['2001:db8::/32'], address: '2001:db8::1', scope: 32 },
		{
			name: 'counts beyond a word',
			prefixes: ['2001:db8::/32', '2001:db8:0:1::/64'],
			address: '2001:db8::1',
			scope: 64,
		},
		{ name: 'counts to the last bit', prefixes: ['2001:db8::1/128'], address: '2001:db8::', scope: 128 },
	]) {
		it(name, () => {
			const ranges = rangesOf(...prefixes);
			const { words } = addressOf(address);
			assert.equal(scopeInRange(ranges, findRange(ranges, words), words), scope);
		});
	}
});

describe('wholeBlock()', () => {
	for (const { prefixes, address, value, scope } of [
		{ prefixes: ['10.0.0.0/8'], address: '10.1.2.3', value: 1, scope: 8 },
		{ prefixes: ['10.0.0.0/8'], address: '9.255.0.1', value: 0, scope: 7 },
		{ prefixes: ['10.2.0.0/16'], address: '10.2.255.255', value: 1, scope: 16 },
		{ prefixes: ['10.2.0.0/17'], address: '10.2.200.1', value: undefined, scope: undefined },
		{ prefixes: ['10.2.255.255/32'], address: '10.3.0.0', value: 0, scope: 16 },
		{ prefixes: ['255.255.0.0/16'], address: '255.255.255.255', value: 1, scope: 16 },
		{ prefixes: ['255.255.255.255/32'], address: '255.255.0.0', value: undefined, scope: undefined },
		{ prefixes: ['2a00::/12', '2a01::/16'], address: '2a01:2::', value: 2, scope: 16 },
		{ prefixes: ['2a01::/17'], address: '2a01::1', value: undefined, scope: undefined },
	]) {
		it(`tells ${value === undefined ? 'nothing' : 'all'} of ${address} beside ${prefixes.join(' and ')}`, () => {
			const whole = wholeBlock(rangesOf(...prefixes), addressOf(address).words);
			const told = { value: whole >>> WHOLE.valueShift, scope: whole & WHOLE.scope };
			assert.deepEqual(whole === 0 ? { value: undefined, scope: undefined } : told, { value, scope });
		});
	}

	it('leaves out values too large to stand beside a scope', () => {
		const wholeOf = (large: number) =>
			wholeBlock(
				rangesOfPrefixes(4, [], () => large),
				new Uint32Array(4),
			);
		assert.equal(wholeOf(WHOLE.valuesMax - 1) >>> WHOLE.valueShift, WHOLE.valuesMax - 1);
		assert.equal(wholeOf(WHOLE.valuesMax), 0);
	});

	for (const family of [4, 6] as const) {
		it(`says of any IPv${family} address what its range says`, () => {
			fc.assert(
				fc.property(
					fc.array(crowdedPrefix(family), { maxLength: 8 }),
					fc.array(crowdedNumber(family), { minLength: 1, maxLength: 6 }),
					(prefixes, numbers) => {
						const ranges = rangesOfPrefixes(family, prefixes, (covering) => covering.length);
						for (const words of [...numbers.map((one) => wordsOf(one, family)), ...prefixes.map(({ last }) => last)]) {
							const whole = wholeBlock(ranges, words);
							if (whole === 0) continue;
							const range = findRange(ranges, words);
							assert.equal(whole >>> WHOLE.valueShift, ranges.values[range]);
							assert.equal(whole & WHOLE.scope, scopeInRange(ranges, range, words));
						}
					},
				),
			);
		});
	}
});

describe('RangesBuilder', () => {
	const at = (text: string) => addressOf(text).words;

	it('takes a new value for a start that is there, and forgets the start when it makes no difference', () => {
		const builder = new RangesBuilder(4);
		builder.add(at('0.0.0.0'), 0, 1);
		builder.add(at('10.0.0.0'), 0, 2);
		builder.add(at('10.0.0.0'), 0, 3);
		builder.add(at('11.0.0.0'), 0, 4);
		builder.add(at('11.0.0.0'), 0, 3);
		assert.equal(printed(builder.build(), 4), '0.0.0.0=1 10.0.0.0=3');
	});

	it('grows, and counts ranges below each block of the top 16 bits', () => {
		const builder = new RangesBuilder(6);
		const words = new Uint32Array(4);
		for (let i = 0; i < 5000; i++) {
			words[0] = i << 16;
			builder.add(words, 0, i);
		}
		const ranges = builder.build();
		assert.equal(ranges.values.length, 5000);
		assert.deepEqual(
			[ranges.index[0], ranges.index[4999], ranges.index[5000], ranges.index[65536]],
			[1, 5000, 5000, 5000],
		);
	});
});

for (const family of [4, 6] as const) {
	describe(`ranges of IPv${family}, held against the plainest way`, () => {
		const prefixes = fc.array(crowdedPrefix(family), { maxLength: 12 });
		const number = crowdedNumber(family);

		it('have the value of the prefixes around each address, and its scope', () => {
			fc.assert(
				fc.property(prefixes, fc.array(number, { minLength: 1, maxLength: 8 }), (made, numbers) => {
					const sets: string[] = [];
					const ranges = rangesOfPrefixes(family, made, (covering) => sets.push(covering.join()) - 1);
					const merged = rangesOfPrefixes(family, made, (covering) => covering.length);
					for (const one of numbers) {
						const words = wordsOf(one, family);
						const covering = coveringOf(made, one, family);
						assert.equal(sets[ranges.values[findRange(ranges, words)] ?? -1], covering.join());
						const range = findRange(merged, words);
						const [first, last, value] = rangesAsNumbers(merged, family)[range] ?? assert.fail();
						assert.ok(first <= one && one <= last);
						assert.equal(value, covering.length);
						assert.equal(scopeInRange(merged, range, words), shortestPrefixWithin(one, first, last, family));
					}
				}),
			);
		});

		it('laid over one another have the values of both at each address', () => {
			fc.assert(
				fc.property(prefixes, prefixes, fc.array(number, { maxLength: 8 }), (some, others, numbers) => {
					const a = rangesOfPrefixes(family, some, (covering) => covering.length);
					const b = rangesOfPrefixes(family, others, (covering) => covering.length);
					const both = overlay(family, [a, b], ([one = 0, two = 0]) => 100 * one + two);
					for (const one of numbers) {
						const expected = 100 * coveringOf(some, one, family).length + coveringOf(others, one, family).length;
						assert.equal(both.values[findRange(both, wordsOf(one, family))], expected);
					}
					const values = [...both.values];
					assert.ok(
						values.every((value, i) => i === 0 || value !== values[i - 1]),
						'neighbours are merged',
					);
				}),
			);
		});
	});
}

describe('familyRanges()', () => {
	it('picks the ranges of a family', () => {
		const ranges = { ipv4: rangesOf('10.0.0.0/8'), ipv6: rangesOf('::/1') };
		assert.equal(familyRanges(ranges, 4), ranges.ipv4);
		assert.equal(familyRanges(ranges, 6), ranges.ipv6);
	});
});

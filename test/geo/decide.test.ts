import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mergeDecisions, noGeoData, SPECIAL_DECISION } from '../../src/geo/decide.ts';
import { NOWHERE, type Place } from '../../src/geo/place.ts';
import { familyRanges, findRange, type Ranges, rangesOfPrefixes, scopeInRange } from '../../src/geo/ranges.ts';
import { SPECIAL_PURPOSE } from '../../src/geo/special-purpose.ts';
import { type Address, printAddress } from '../../src/lib/address.ts';
import { type Prefix, prefixHolds, printPrefix } from '../../src/lib/prefix.ts';
import { addressOf } from '../mmdb-writer.ts';
import { coveringOf, crowdedNumber, crowdedPrefix, geoDataOf, numberOf, prefix, wordsOf } from './oracle.ts';

const CARRIERS = ['::ffff:0:0/96', '64:ff9b::/96', '2002::/16', '2001::/32'].map(prefix);

function decisionAt(ranges: Ranges, text: string): { decision: number; scope: number } {
	const { family, words } = addressOf(text);
	const own = familyRanges(ranges, family);
	const range = findRange(own, words);
	return { decision: own.values[range] ?? -1, scope: scopeInRange(own, range, words) };
}

describe('mergeDecisions()', () => {
	const data = geoDataOf({
		'84.0.0.0/8': { country: 'DE' },
		'85.0.0.0/8': { country: 'DE' },
		'86.0.0.0/8': { country: 'FR' },
		'2a00::/16': { country: 'DE' },
		'10.0.0.0/8': { country: 'XX' },
	});
	const networks = ['84.5.0.0/16', '10.9.0.0/16', '192.0.2.0/24', '::/0', '2001:db8:5::/48', '84.5.6.0/24'].map(prefix);
	const seen: string[] = [];
	const ranges = mergeDecisions(data, networks, (place, covering) => {
		const key = `${place.country ?? '-'} ${covering.join()}`.trim();
		if (!seen.includes(key)) seen.push(key);
		return seen.indexOf(key);
	});

	for (const { name, address, decides, scope } of [
		{ name: 'decides by the place', address: '86.1.2.3', decides: 'FR', scope: 8 },
		{ name: 'merges neighbours with one decision', address: '85.1.2.3', decides: 'DE', scope: 8 },
		{ name: 'decides by the network and the place', address: '84.5.0.1', decides: 'DE 0', scope: 22 },
		{ name: 'gives networks with the longest prefix first', address: '84.5.6.7', decides: 'DE 5,0', scope: 24 },
		{ name: 'decides where nothing is known', address: '8.8.8.8', decides: '-', scope: 7 },
		{ name: 'leaves special space undecided', address: '203.0.113.5', decides: 'special 203.0.113.0/24', scope: 24 },
		{ name: 'believes no database in special space', address: '10.1.2.3', decides: 'special 10.0.0.0/8', scope: 13 },
		{
			name: 'decides special space that a network covers, without a place',
			address: '10.9.1.1',
			decides: '- 1',
			scope: 16,
		},
		{
			name: 'decides a special block that a network covers as a whole',
			address: '192.0.2.77',
			decides: '- 2',
			scope: 24,
		},
		{ name: 'keeps special blocks side by side apart', address: '250.1.2.3', decides: 'special 240.0.0.0/4', scope: 4 },
		{ name: 'decides IPv6 by the place', address: '2a00:1::', decides: 'DE 3', scope: 16 },
		{ name: 'decides special space of IPv6 in a network', address: '2001:db8:5::1', decides: '- 4,3', scope: 48 },
		{
			name: 'leaves 6to4 to IPv4, whatever network is around it',
			address: '2002:5405:1::',
			decides: 'carrier 2002::/16',
			scope: 16,
		},
		{ name: 'leaves Teredo to IPv4', address: '2001::1', decides: 'carrier 2001::/32', scope: 32 },
		{ name: 'reaches from a network not over a carrier', address: '2003::1', decides: '- 3', scope: 16 },
	]) {
		it(name, () => {
			const { decision, scope: bits } = decisionAt(ranges, address);
			const block = [...SPECIAL_PURPOSE, ...CARRIERS][decision - SPECIAL_DECISION];
			const kind = decision - SPECIAL_DECISION < SPECIAL_PURPOSE.length ? 'special' : 'carrier';
			assert.equal(block === undefined ? seen[decision] : `${kind} ${printPrefix(block)}`, decides);
			assert.equal(bits, scope);
		});
	}

	for (const family of [4, 6] as const) {
		it(`gives each address of IPv${family} the decision that the plainest way gives`, () => {
			const prefixes = fc.array(crowdedPrefix(family), { maxLength: 8 });
			const numbers = fc.array(crowdedNumber(family), { minLength: 1, maxLength: 6 });
			const near = fc.constantFrom(...[...SPECIAL_PURPOSE, ...CARRIERS].filter((one) => one.family === family));
			fc.assert(
				fc.property(prefixes, prefixes, numbers, near, (placed, covered, some, block) => {
					const inner = rangesOfPrefixes(family, placed, (covering) => covering.length % PLACES.length);
					const geo = { ...noGeoData(), ranges: { ...noGeoData().ranges, [`ipv${family}`]: inner }, places: PLACES };
					const keys: string[] = [];
					const merged = mergeDecisions(
						geo,
						covered,
						(place, covering) => keys.push(`${place.country} ${covering}`) - 1,
					);
					const own = familyRanges(merged, family);
					for (const words of [...some.map((one) => wordsOf(one, family)), block.first, block.last]) {
						const decision = own.values[findRange(own, words)] ?? -1;
						const decided = decision >= SPECIAL_DECISION ? 'none' : keys[decision];
						assert.equal(decided, plainDecision({ family, words }, placed, covered), printAddress({ family, words }));
					}
				}),
			);
		});
	}
});

const PLACES: readonly Place[] = [NOWHERE, ...['DE', 'FR', 'US'].map((country) => ({ ...NOWHERE, country }))];

/** Country and networks that decide for an address; `none` when it is not for this database to say. */
function plainDecision(address: Address, placed: readonly Prefix[], covered: readonly Prefix[]): string {
	const { family, words } = address;
	const number = numberOf(words, family);
	if (CARRIERS.some((carrier) => prefixHolds(carrier, address))) return 'none';
	const networks = coveringOf(covered, number, family).reverse();
	const isSpecial = SPECIAL_PURPOSE.some((special) => prefixHolds(special, address));
	if (isSpecial && networks.length === 0) return 'none';
	const place = PLACES[coveringOf(placed, number, family).length % PLACES.length];
	return `${isSpecial ? undefined : place?.country} ${networks}`;
}

describe('SPECIAL_PURPOSE', () => {
	for (const { address, isSpecial } of [
		...['0.0.0.0', '10.1.1.1', '100.64.0.1', '127.0.0.1', '169.254.1.1', '172.31.255.255', '192.0.0.8'],
		...['192.0.2.1', '192.168.1.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1', '255.255.255.255'],
		...[
			'::',
			'::1',
			'64:ff9b:1::',
			'100::1',
			'2001:2::1',
			'2001:10::',
			'2001:db8::',
			'3fff::',
			'5f00::',
			'fd00::',
			'fe80::1',
			'ff02::1',
		],
	]
		.map((address) => ({ address, isSpecial: true }))
		.concat(
			[
				...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.32.0.0', '192.0.1.0'],
				...['192.0.3.0', '192.88.99.1', '198.17.255.255', '198.20.0.0', '223.255.255.255', '8.8.8.8'],
				...[
					'::2',
					'2001:4860:4860::8888',
					'2001:db9::',
					'2002::',
					'64:ff9b::1',
					'2a00::',
					'4000::',
					'fbff::',
					'fec0::',
				],
			].map((address) => ({ address, isSpecial: false })),
		)) {
		it(`${isSpecial ? 'holds' : 'does not hold'} ${address}`, () =>
			assert.equal(
				SPECIAL_PURPOSE.some((block) => prefixHolds(block, addressOf(address))),
				isSpecial,
			));
	}
});

describe('noGeoData()', () => {
	it('is nowhere everywhere', () => {
		const { ranges, places } = noGeoData();
		for (const address of ['0.0.0.0', '255.255.255.255', '::', 'ffff::'])
			assert.deepEqual(decisionAt(ranges, address), { decision: 0, scope: 0 });
		assert.deepEqual(places, [NOWHERE]);
	});
});

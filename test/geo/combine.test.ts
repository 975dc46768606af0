import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { centroidOf } from '../../src/geo/centroids.ts';
import { Client, setClient } from '../../src/geo/client.ts';
import { combineGeoData } from '../../src/geo/combine.ts';
import { fillPlace, NOWHERE, type Place } from '../../src/geo/place.ts';
import { printAddress } from '../../src/lib/address.ts';
import { printPrefix } from '../../src/lib/prefix.ts';
import { addressOf } from '../mmdb-writer.ts';
import { coveringOf, crowdedNumber, crowdedPrefix, geoDataOf, placeAt, wordsOf } from './oracle.ts';

const COUNTRIES = geoDataOf({
	'1.0.0.0/8': { country: 'DE', continent: 'EU' },
	'2a00::/16': { country: 'NL', continent: 'EU' },
	'5.0.0.0/8': { continent: 'EU' },
});
const ASNS = geoDataOf({ '1.2.0.0/16': { asn: 7 }, '2.0.0.0/8': { asn: 8 }, '2a00:1::/32': { asn: 9 } });
const BERLIN = { latitude: 52.5, longitude: 13.4, precision: 'database' } as const;
const PARIS = { latitude: 48.9, longitude: 2.4, precision: 'database' } as const;
const CITIES = geoDataOf({
	'1.0.0.0/9': { country: 'DE', continent: 'EU', subdivision: 'DE-BE', coordinates: BERLIN },
	'1.128.0.0/9': { country: 'FR', continent: 'EU', subdivision: 'FR-IDF', coordinates: PARIS },
	'3.0.0.0/8': { country: 'US', continent: 'NA' },
	'5.0.0.0/9': { country: 'FR', continent: 'EU', coordinates: PARIS },
	'5.128.0.0/9': { country: 'US', continent: 'NA' },
});

describe('combineGeoData()', () => {
	const data = combineGeoData([COUNTRIES, ASNS, CITIES]);
	for (const { name, address, place } of [
		{
			name: 'takes the subdivision and coordinates of a later file',
			address: '1.1.0.0',
			place: { country: 'DE', continent: 'EU', subdivision: 'DE-BE', coordinates: BERLIN },
		},
		{
			name: 'takes each field from another file',
			address: '1.2.3.4',
			place: { country: 'DE', continent: 'EU', subdivision: 'DE-BE', coordinates: BERLIN, asn: 7 },
		},
		{
			name: 'cuts where any file is cut',
			address: '1.3.0.0',
			place: { country: 'DE', continent: 'EU', subdivision: 'DE-BE', coordinates: BERLIN },
		},
		{
			name: 'takes nothing of another country, and the coordinates of its own',
			address: '1.200.0.0',
			place: { country: 'DE', continent: 'EU', coordinates: centroidOf('DE') },
		},
		{ name: 'has no coordinates without a country', address: '2.0.0.1', place: { asn: 8 } },
		{
			name: 'takes what only the last one has',
			address: '3.0.0.1',
			place: { country: 'US', continent: 'NA', coordinates: centroidOf('US') },
		},
		{ name: 'is nowhere where no file is', address: '4.0.0.1', place: {} },
		{
			name: 'takes a country on the continent that is known',
			address: '5.0.0.1',
			place: { country: 'FR', continent: 'EU', coordinates: PARIS },
		},
		{ name: 'takes no country on another continent', address: '5.128.0.1', place: { continent: 'EU' } },
		{
			name: 'does so for IPv6',
			address: '2a00:1::1',
			place: { country: 'NL', continent: 'EU', coordinates: centroidOf('NL'), asn: 9 },
		},
	] as readonly { name: string; address: string; place: Partial<Place> }[]) {
		it(name, () => assert.deepEqual(placeAt(data, addressOf(address)), { ...NOWHERE, ...place }));
	}

	it('leaves the ranges of a single database as they are', () => {
		assert.equal(combineGeoData([COUNTRIES]).ranges, COUNTRIES.ranges);
		assert.equal(combineGeoData([COUNTRIES]).version, COUNTRIES.version);
	});

	it('has a version of its own for each order', () => {
		assert.notEqual(combineGeoData([COUNTRIES, ASNS]).version, combineGeoData([ASNS, COUNTRIES]).version);
	});

	it('keeps nowhere first, and each place once', () => {
		assert.deepEqual(data.places[0], NOWHERE);
		assert.equal(new Set(data.places.map((place) => JSON.stringify(place))).size, data.places.length);
	});

	const somePlaces: readonly Partial<Place>[] = [
		{ country: 'DE', continent: 'EU' },
		{ country: 'US', continent: 'NA', subdivision: 'US-CA' },
		{ asn: 7 },
		{ continent: 'EU' },
	];
	for (const family of [4, 6] as const) {
		it(`gives each address of IPv${family} what the databases give one by one`, () => {
			const database = fc
				.array(fc.tuple(crowdedPrefix(family), fc.constantFrom(...somePlaces)), { maxLength: 6 })
				.map((entries) => entries.map(([prefix, place]) => ({ prefix, place })));
			const numbers = fc.array(crowdedNumber(family), { minLength: 1, maxLength: 6 });
			fc.assert(
				fc.property(fc.array(database, { minLength: 1, maxLength: 3 }), numbers, (databases, some) => {
					const all = databases.map((entries) =>
						geoDataOf(Object.fromEntries(entries.map(({ prefix, place }) => [printPrefix(prefix), place]))),
					);
					const [first = geoDataOf({}), ...others] = all;
					const combined = combineGeoData([first, ...others]);
					for (const number of some) {
						const address = { family, words: wordsOf(number, family) };
						// Carriers of IPv4 are not looked up as IPv6.
						if (setClient(new Client(), family, address.words) !== undefined) continue;
						const places = databases.map((entries) => {
							// The same prefix twice is one network: the last record counts.
							const unique = [...new Map(entries.map((entry) => [printPrefix(entry.prefix), entry])).values()];
							const prefixes = unique.map(({ prefix }) => prefix);
							const inner = coveringOf(prefixes, number, family).at(-1);
							return { ...NOWHERE, ...(inner === undefined ? {} : unique[inner]?.place) };
						});
						const { coordinates: _, ...place } = placeAt(combined, address);
						const { coordinates: __, ...expected } = places.reduce(fillPlace);
						assert.deepEqual(place, expected, printAddress(address));
					}
				}),
				{ numRuns: 200 },
			);
		});
	}
});

describe('centroidOf()', () => {
	for (const { country, latitude, longitude } of [
		{ country: 'DE', latitude: 51, longitude: 10 },
		{ country: 'US', latitude: 39, longitude: -95 },
		{ country: 'JP', latitude: 36, longitude: 138 },
		{ country: 'AU', latitude: -33, longitude: 145 },
		{ country: 'NZ', latitude: -40, longitude: 174 },
		{ country: 'RE', latitude: -21, longitude: 55.5 },
	]) {
		it(`puts ${country} near ${latitude}, ${longitude}`, () => {
			const found = centroidOf(country);
			assert.ok(found !== undefined && Math.abs(found.latitude - latitude) < 3);
			assert.ok(Math.abs(found.longitude - longitude) < 5);
			assert.equal(found.precision, 'country centroid');
		});
	}

	it('has none for what is no country', () => assert.equal(centroidOf('EU'), undefined));
});

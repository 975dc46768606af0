import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countries } from 'countries-list';
import { centroidOf } from '../../src/geo/centroids.ts';
import { continentOf } from '../../src/geo/continents.ts';
import { fieldsKnown, fillPlace, NOWHERE, type Place } from '../../src/geo/place.ts';

const ISTANBUL = { latitude: 41, longitude: 29, precision: 'database' } as const;

describe('fieldsKnown()', () => {
	for (const { name, places, fields } of [
		{ name: 'knows nothing nowhere', places: [{}], fields: [] },
		{
			name: 'takes what any place has',
			places: [{ country: 'DE', continent: 'EU' }, { asn: 7 }],
			fields: ['country', 'continent', 'asn'],
		},
		{ name: 'counts coordinates of a database', places: [{ coordinates: ISTANBUL }], fields: ['coordinates'] },
		{ name: 'does not count centroids', places: [{ coordinates: centroidOf('TR') }], fields: [] },
	]) {
		it(name, () => assert.deepEqual([...fieldsKnown(places.map((place) => ({ ...NOWHERE, ...place })))], fields));
	}
});

describe('fillPlace()', () => {
	const place = (keys: Partial<Place>): Place => ({ ...NOWHERE, ...keys });
	for (const { name, earlier, later, filled } of [
		{
			name: 'fills what is not there',
			earlier: { asn: 64496 },
			later: { country: 'DE', continent: 'EU' },
			filled: { asn: 64496, country: 'DE', continent: 'EU' },
		},
		{
			name: 'keeps what is there',
			earlier: { country: 'DE', continent: 'EU', asn: 1 },
			later: { country: 'DE', continent: 'AS', asn: 2 },
			filled: { country: 'DE', continent: 'EU', asn: 1 },
		},
		{
			name: 'takes a subdivision of the same country',
			earlier: { country: 'US', continent: 'NA' },
			later: { country: 'US', subdivision: 'US-CA' },
			filled: { country: 'US', continent: 'NA', subdivision: 'US-CA' },
		},
		{
			name: 'takes no subdivision of another country',
			earlier: { country: 'DE', continent: 'EU' },
			later: { country: 'US', continent: 'NA', subdivision: 'US-CA' },
			filled: { country: 'DE', continent: 'EU' },
		},
		{
			name: 'takes no continent with another country',
			earlier: { country: 'QQ' },
			later: { country: 'US', continent: 'NA' },
			filled: { country: 'QQ' },
		},
		{
			name: 'takes a country on its continent',
			earlier: { continent: 'EU' },
			later: { country: 'DE', continent: 'EU' },
			filled: { country: 'DE', continent: 'EU' },
		},
		{
			name: 'takes no country on another continent',
			earlier: { continent: 'EU' },
			later: { country: 'US', continent: 'NA', subdivision: 'US-CA', asn: 7 },
			filled: { continent: 'EU', asn: 7 },
		},
		{
			name: 'takes coordinates whatever continent the country is counted to',
			earlier: { country: 'TR', continent: 'EU' },
			later: { country: 'TR', continent: 'AS', coordinates: ISTANBUL },
			filled: { country: 'TR', continent: 'EU', coordinates: ISTANBUL },
		},
		{
			name: 'takes no county of another state',
			earlier: { country: 'GB', subdivision: 'GB-SCT' },
			later: { country: 'GB', subdivision: 'GB-ENG', innerSubdivision: 'GB-WSM' },
			filled: { country: 'GB', subdivision: 'GB-SCT' },
		},
		{
			name: 'takes an ASN whatever the country',
			earlier: { country: 'DE' },
			later: { country: 'US', asn: 7 },
			filled: { country: 'DE', asn: 7 },
		},
	] as readonly { name: string; earlier: Partial<Place>; later: Partial<Place>; filled: Partial<Place> }[]) {
		it(name, () => assert.deepEqual(fillPlace(place(earlier), place(later)), place(filled)));
	}
});

describe('continentOf()', () => {
	it('agrees with countries-list on each country', () => {
		const differences = Object.entries(countries).filter(([code, { continent }]) => continentOf(code) !== continent);
		assert.deepEqual(differences, []);
	});

	it('has a centroid for each country', () => {
		assert.deepEqual(
			Object.keys(countries).filter((code) => centroidOf(code) === undefined),
			[],
		);
	});

	for (const { code, continent } of [
		{ code: 'DE', continent: 'EU' },
		{ code: 'US', continent: 'NA' },
		{ code: 'BR', continent: 'SA' },
		{ code: 'JP', continent: 'AS' },
		{ code: 'ZA', continent: 'AF' },
		{ code: 'AU', continent: 'OC' },
		{ code: 'AQ', continent: 'AN' },
		{ code: 'EU', continent: undefined },
		{ code: 'AP', continent: undefined },
		{ code: 'T1', continent: undefined },
		{ code: 'constructor', continent: undefined },
		{ code: 'de', continent: undefined },
	]) {
		it(`puts ${code} in ${continent ?? 'none'}`, () => assert.equal(continentOf(code), continent));
	}
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countries } from 'countries-list';
import fc from 'fast-check';
import { continentOf } from '../../src/geo/continents.ts';
import { fillPlace, NOWHERE, type Place, placeOf } from '../../src/geo/place.ts';

describe('placeOf()', () => {
	for (const { name, record, place } of [
		{ name: 'is nowhere without a record', record: null, place: {} },
		{
			name: 'reads a flat country and knows its continent',
			record: { country_code: 'DE' },
			place: { country: 'DE', continent: 'EU' },
		},
		{
			name: 'reads a nested city record',
			record: {
				country: { iso_code: 'US', names: { en: 'United States' } },
				continent: { code: 'NA' },
				subdivisions: [{ iso_code: 'CA' }, { iso_code: 'XX' }],
				location: { latitude: 37.4, longitude: -122.1 },
			},
			place: { country: 'US', continent: 'NA', subdivision: 'US-CA' },
		},
		{
			name: 'prefers the continent that the record names',
			record: { country: { iso_code: 'TR' }, continent: { code: 'EU' } },
			place: { country: 'TR', continent: 'EU' },
		},
		{ name: 'reads a continent alone', record: { continent: { code: 'AS' } }, place: { continent: 'AS' } },
		{ name: 'reads an ASN', record: { autonomous_system_number: 64496 }, place: { asn: 64496 } },
		{ name: 'has no subdivision without a country', record: { subdivisions: [{ iso_code: 'CA' }] }, place: {} },
		{ name: 'knows no continent of what is no country', record: { country_code: 'EU' }, place: { country: 'EU' } },
		{ name: 'takes empty text for nothing', record: { country_code: '', country: { iso_code: '' } }, place: {} },
		{
			name: 'leaves other types alone',
			record: { country_code: 5, country: 'DE', continent: [], subdivisions: {}, autonomous_system_number: '7' },
			place: {},
		},
		{ name: 'takes a text for no place', record: 'DE', place: {} },
		{ name: 'takes a list for no place', record: ['DE'], place: {} },
	]) {
		it(name, () => assert.deepEqual(placeOf(record), { ...NOWHERE, ...place }));
	}

	it('never fails', () => {
		fc.assert(fc.property(fc.anything(), (record) => assert.ok(placeOf(record))));
	});
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
			earlier: { country: 'EU' },
			later: { country: 'US', continent: 'NA' },
			filled: { country: 'EU' },
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

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readMmdb } from '../../src/geo/mmdb-tree.ts';
import { NOWHERE, type Place } from '../../src/geo/place.ts';
import { placeOf } from '../../src/geo/record.ts';
import { addressOf, writeMmdb } from '../mmdb-writer.ts';
import { placeAt } from './oracle.ts';

const at = (latitude: number, longitude: number) => ({ latitude, longitude, precision: 'database' }) as const;

/** A record as each kind of database has it, with what stands beside what is read. */
const SCHEMAS: readonly { schema: string; record: unknown; place: Partial<Place> }[] = [
	{
		schema: 'GeoLite2-Country',
		record: {
			continent: { code: 'EU', geoname_id: 6255148, names: { en: 'Europe' } },
			country: { geoname_id: 2921044, is_in_european_union: true, iso_code: 'DE', names: { en: 'Germany' } },
			registered_country: { geoname_id: 3017382, iso_code: 'FR', names: { en: 'France' } },
		},
		place: { country: 'DE', continent: 'EU' },
	},
	{
		schema: 'GeoIP2-City and GeoIP2-Enterprise',
		record: {
			city: { geoname_id: 2643743, names: { en: 'London' }, confidence: 50 },
			continent: { code: 'EU', geoname_id: 6255148 },
			country: { iso_code: 'GB', confidence: 99 },
			location: { accuracy_radius: 10, latitude: 51.5142, longitude: -0.0931, time_zone: 'Europe/London' },
			postal: { code: 'EC2V' },
			registered_country: { iso_code: 'GB' },
			subdivisions: [
				{ iso_code: 'ENG', names: { en: 'England' } },
				{ iso_code: 'LND', names: { en: 'London' } },
			],
			traits: { autonomous_system_number: 64496, isp: 'Example', user_type: 'business' },
		},
		place: {
			country: 'GB',
			continent: 'EU',
			subdivision: 'GB-ENG',
			innerSubdivision: 'GB-LND',
			coordinates: at(51.51, -0.09),
			asn: 64496,
		},
	},
	{
		schema: 'GeoLite2-ASN and GeoIP2-ISP',
		record: { autonomous_system_number: 64496, autonomous_system_organization: 'Example', isp: 'Example' },
		place: { asn: 64496 },
	},
	{
		schema: 'GeoIP2 for an anycast network',
		record: { registered_country: { iso_code: 'AU' }, traits: { is_anycast: true } },
		place: { country: 'AU', continent: 'OC' },
	},
	{
		schema: 'dbip-city-lite',
		record: {
			city: { names: { en: 'Los Angeles' } },
			continent: { code: 'NA', geoname_id: 6255149, names: { en: 'North America' } },
			country: { geoname_id: 6252001, is_in_european_union: false, iso_code: 'US' },
			location: { latitude: 34.0544, longitude: -118.244 },
			subdivisions: [{ names: { en: 'California' } }],
		},
		place: { country: 'US', continent: 'NA', subdivision: 'US-CA', coordinates: at(34.05, -118.24) },
	},
	{ schema: 'ip-location-db country', record: { country_code: 'DE' }, place: { country: 'DE', continent: 'EU' } },
	{
		schema: 'ip-location-db city',
		record: {
			city: 'Mountain View',
			country_code: 'US',
			latitude: 37.3861,
			longitude: -122.084,
			postcode: '94035',
			state1: 'California',
			state2: '',
			timezone: 'America/Los_Angeles',
		},
		place: { country: 'US', continent: 'NA', subdivision: 'US-CA', coordinates: at(37.39, -122.08) },
	},
	{
		schema: 'ip-location-db ASN',
		record: { autonomous_system_number: 64496, autonomous_system_organization: 'Example' },
		place: { asn: 64496 },
	},
	{
		schema: 'ipinfo country and ASN',
		record: {
			as_domain: 'example.net',
			as_name: 'Example',
			asn: 'AS64496',
			continent: 'NA',
			continent_name: 'North America',
			country: 'US',
			country_name: 'United States',
		},
		place: { country: 'US', continent: 'NA', asn: 64496 },
	},
	{
		schema: 'ipinfo lite',
		record: {
			asn: 'AS64496',
			continent: 'Europe',
			continent_code: 'EU',
			country: 'Germany',
			country_code: 'DE',
		},
		place: { country: 'DE', continent: 'EU', asn: 64496 },
	},
	{
		schema: 'ipinfo location',
		record: { city: 'Toronto', region: 'Ontario', region_code: 'ON', country: 'CA', lat: '43.70011', lng: '-79.4163' },
		place: { country: 'CA', continent: 'NA', subdivision: 'CA-ON', coordinates: at(43.7, -79.42) },
	},
];

describe('placeOf() reads', () => {
	for (const { schema, record, place } of SCHEMAS)
		it(schema, () => assert.deepEqual(placeOf(record), { ...NOWHERE, ...place }));

	for (const recordSize of [24, 28, 32] as const) {
		for (const ipVersion of [4, 6] as const) {
			for (const isShared of [false, true]) {
				const how = `${recordSize} bits, an IPv${ipVersion} tree, ${isShared ? 'shared' : 'whole'} records`;
				it(`all schemas from a file of ${how}`, () => {
					const networks = Object.fromEntries(SCHEMAS.map(({ record }, i) => [`${20 + i}.0.0.0/8`, record]));
					const data = { ...readMmdb(writeMmdb({ networks, recordSize, ipVersion, isShared })), version: '' };
					for (const [i, { schema, place }] of SCHEMAS.entries())
						assert.deepEqual(placeAt(data, addressOf(`${20 + i}.1.2.3`)), { ...NOWHERE, ...place }, schema);
				});
			}
		}
	}
});

describe('placeOf()', () => {
	for (const { name, record, place } of [
		{ name: 'is nowhere without a record', record: null, place: {} },
		{
			name: 'prefers the continent that the record names',
			record: { country: { iso_code: 'TR' }, continent: { code: 'EU' } },
			place: { country: 'TR', continent: 'EU' },
		},
		{ name: 'reads a continent alone', record: { continent: { code: 'AS' } }, place: { continent: 'AS' } },
		{ name: 'knows no other continents', record: { continent: { code: 'XX' } }, place: {} },
		{
			name: 'does not put a network where its owner is, on another continent',
			record: { continent: { code: 'EU' }, registered_country: { iso_code: 'US' } },
			place: { continent: 'EU' },
		},
		{ name: 'has no subdivision without a country', record: { subdivisions: [{ iso_code: 'CA' }] }, place: {} },
		{
			name: 'takes the whole code of a subdivision for what it is',
			record: { country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'US-CA' }] },
			place: { country: 'US', continent: 'NA', subdivision: 'US-CA' },
		},
		{
			name: 'knows no state by another name',
			record: { country_code: 'US', state1: 'Bavaria' },
			place: { country: 'US', continent: 'NA' },
		},
		{ name: 'takes small letters', record: { country_code: 'de' }, place: { country: 'DE', continent: 'EU' } },
		{ name: 'takes a name for no code', record: { country: 'Germany' }, place: {} },
		{ name: 'keeps codes of one’s own', record: { country_code: 'QM' }, place: { country: 'QM' } },
		{ name: 'takes empty text for nothing', record: { country_code: '', country: { iso_code: '' } }, place: {} },
		{
			name: 'leaves other types alone',
			record: { country_code: 5, country: ['DE'], continent: [], subdivisions: {}, autonomous_system_number: '7x' },
			place: {},
		},
		{ name: 'takes a text for no place', record: 'DE', place: {} },
		{ name: 'takes a list for no place', record: ['DE'], place: {} },
		{ name: 'has no coordinates of nowhere', record: { latitude: 0, longitude: 0 }, place: {} },
		{ name: 'has no coordinates off the earth', record: { latitude: 91, longitude: 0 }, place: {} },
		{ name: 'has no half of coordinates', record: { location: { latitude: 5 } }, place: {} },
		{ name: 'has no coordinates that are no number', record: { latitude: Number.NaN, longitude: 1 }, place: {} },
		{ name: 'takes a place on the equator', record: { latitude: 0, longitude: 10 }, place: { coordinates: at(0, 10) } },
		{ name: 'reads an ASN of four octets', record: { asn: 4_294_967_295 }, place: { asn: 4_294_967_295 } },
		{ name: 'knows no ASN 0', record: { asn: 0 }, place: {} },
		{ name: 'knows no ASN above', record: { asn: 'AS4294967296' }, place: {} },
	] as readonly { name: string; record: unknown; place: Partial<Place> }[]) {
		it(name, () => assert.deepEqual(placeOf(record), { ...NOWHERE, ...place }));
	}

	for (const { code, continent } of [
		{ code: 'EU', continent: 'EU' },
		{ code: 'AP', continent: 'AS' },
		...['A1', 'A2', 'O1', 'T1', 'XX', 'ZZ'].map((none) => ({ code: none, continent: undefined })),
	]) {
		it(`knows that ${code} is no country`, () => {
			assert.deepEqual(placeOf({ country_code: code }), { ...NOWHERE, continent });
			assert.deepEqual(placeOf({ country: { iso_code: code } }), { ...NOWHERE, continent });
		});
	}

	it('believes the continent beside a code that is no country', () =>
		assert.deepEqual(placeOf({ country_code: 'T1', continent_code: 'NA' }), { ...NOWHERE, continent: 'NA' }));

	it('never fails', () => {
		fc.assert(fc.property(fc.anything(), (record) => assert.ok(placeOf(record))));
	});
});

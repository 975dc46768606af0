import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readSettings } from '../../src/model/settings.ts';
import { runGeo } from '../../src/roles/geo.ts';
import { writeMmdb } from '../mmdb-writer.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const CITY = {
	city: { geoname_id: 5, names: { en: 'Los Angeles', de: 'Los Angeles' } },
	country: { iso_code: 'US' },
	location: { latitude: 34.05, longitude: -118.24 },
	subdivisions: [{ iso_code: 'CA' }],
};

const ZONES = {
	'common.yaml':
		'networks: { office: [8.8.0.0/16, 10.0.0.0/8], all: [0.0.0.0/0] }\nplaces: { west: { subdivisions: [US-CA, US-OR] } }\n',
	'a.example.zone': GOOD_ZONE,
	'a.example.yaml':
		'networks: { desk: [8.8.8.8/32] }\nplaces: { americas: { continents: [NA, SA] }, isp: { asns: [64496], countries: [US] }, eu: { continents: [EU] } }\n',
};

function run(
	t: TestContext,
	operands: readonly string[],
	options: { isJson?: boolean; zonesDir?: string; geodb?: string } = {},
) {
	const directory = scratch(t);
	const city = join(directory, 'city.mmdb');
	const asn = join(directory, 'asn.mmdb');
	writeFileSync(city, writeMmdb({ networks: { '8.8.8.0/24': CITY, '10.0.0.0/8': CITY, '2a00::/16': CITY } }));
	writeFileSync(asn, writeMmdb({ networks: { '8.0.0.0/9': { autonomous_system_number: 64496 } }, ipVersion: 4 }));
	const { zonesDir = scratch(t, ZONES), geodb = `${city},${asn}`, isJson = false } = options;
	const { settings } = readSettings([
		new Map([
			['zonesDir', { text: zonesDir, source: 'a test' }],
			['geodb', { text: geodb, source: 'a test' }],
		]),
	]);
	const out: string[] = [];
	const err: string[] = [];
	const code = runGeo({
		name: 'geo',
		operands,
		settings,
		isDemo: false,
		isForced: false,
		isStrict: false,
		isOnce: false,
		showProgress: () => {},
		options: new Map(),
		isJson,
		takeSignals: () => assert.fail('it ends by itself'),
		print: (text) => out.push(text.replaceAll(directory, 'DIR')),
		printError: (text) => err.push(text.replaceAll(zonesDir, 'ZONES')),
	});
	return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('meridian geo', () => {
	const inCalifornia = [
		'  database   DIR/city.mmdb (Test, built 2023-11-14)',
		'             8.8.8.0/24: city.geoname_id 5, city.names.en "Los Angeles", country.iso_code "US", location.latitude 34.05, location.longitude -118.24, subdivisions[0].iso_code "CA"',
		'  database   DIR/asn.mmdb (Test, built 2023-11-14)',
		'             8.0.0.0/9: autonomous_system_number 64496',
		'  place      country US, continent NA, subdivision US-CA, coordinates 34.05 -118.24 (database), asn 64496',
		'  networks   desk 8.8.8.8/32 (a.example.), office 8.8.0.0/16 (common), all 0.0.0.0/0 (common)',
		'  places     west by subdivision US-CA (common), americas by continent NA (a.example.), isp by asn 64496 (a.example.)',
	];
	for (const { address, says } of [
		{ address: '8.8.8.8', says: inCalifornia },
		{ address: '::ffff:8.8.8.8', says: ['  form       mapped, looked up as 8.8.8.8', ...inCalifornia] },
		{ address: '2002:808:808::1', says: ['  form       6to4, looked up as 8.8.8.8', ...inCalifornia] },
		{ address: '64:ff9b::8.8.8.8', says: ['  form       NAT64, looked up as 8.8.8.8', ...inCalifornia] },
		{ address: '2001::f7f7:f7f7', says: ['  form       Teredo, looked up as 8.8.8.8', ...inCalifornia] },
		{
			address: '10.1.2.3',
			says: [
				'  special    10.0.0.0/8 (private): databases are not asked, only networks decide',
				'  database   DIR/city.mmdb (Test, built 2023-11-14)',
				/^ {13}10\.0\.0\.0\/8: city\.geoname_id 5, /,
				'  database   DIR/asn.mmdb (Test, built 2023-11-14)',
				'             10.0.0.0/7: nothing known',
				'  place      unknown',
				'  networks   office 10.0.0.0/8 (common), all 0.0.0.0/0 (common)',
				'  places     none',
			],
		},
		{
			address: '2b00::1',
			says: [
				'  database   DIR/city.mmdb (Test, built 2023-11-14)',
				'             2b00::/8: nothing known',
				'  database   DIR/asn.mmdb (Test, built 2023-11-14)',
				'             is for IPv4 only',
				'  place      unknown',
				'  networks   none',
				'  places     none',
			],
		},
	] as readonly { address: string; says: readonly (string | RegExp)[] }[]) {
		it(`tells what is known of ${address}`, (t) => {
			const { code, out, err } = run(t, [address]);
			assert.equal(err, '');
			assert.equal(code, 0);
			const [first, ...lines] = out.split('\n');
			assert.equal(first, address);
			assert.equal(lines.length, says.length, out);
			for (const [i, expected] of says.entries()) {
				if (typeof expected === 'string') assert.equal(lines[i], expected);
				else assert.match(lines[i] ?? '', expected);
			}
		});
	}

	it('tells the same as JSON', (t) => {
		const { out } = run(t, ['8.8.8.8', '10.1.2.3'], { isJson: true });
		const [public_, private_] = JSON.parse(out);
		assert.deepEqual(public_, {
			address: '8.8.8.8',
			lookedUpAs: '8.8.8.8',
			databases: [
				{
					path: 'DIR/city.mmdb',
					type: 'Test',
					builtAt: '2023-11-14T22:13:20.000Z',
					network: '8.8.8.0/24',
					place: {
						country: 'US',
						continent: 'NA',
						subdivision: 'US-CA',
						coordinates: { latitude: 34.05, longitude: -118.24, precision: 'database' },
					},
					record: CITY,
				},
				{
					path: 'DIR/asn.mmdb',
					type: 'Test',
					builtAt: '2023-11-14T22:13:20.000Z',
					network: '8.0.0.0/9',
					place: { asn: 64496 },
					record: { autonomous_system_number: 64496 },
				},
			],
			place: {
				country: 'US',
				continent: 'NA',
				subdivision: 'US-CA',
				coordinates: { latitude: 34.05, longitude: -118.24, precision: 'database' },
				asn: 64496,
			},
			networks: [
				{ unit: 'a.example.', name: 'desk', prefix: '8.8.8.8/32' },
				{ unit: 'common', name: 'office', prefix: '8.8.0.0/16' },
				{ unit: 'common', name: 'all', prefix: '0.0.0.0/0' },
			],
			places: [
				{ unit: 'common', name: 'west', by: 'subdivision US-CA' },
				{ unit: 'a.example.', name: 'americas', by: 'continent NA' },
				{ unit: 'a.example.', name: 'isp', by: 'asn 64496' },
			],
		});
		assert.partialDeepStrictEqual(private_, { specialPurpose: { block: '10.0.0.0/8', purpose: 'private' }, place: {} });
	});

	for (const { name, operands, geodb, code, says } of [
		{
			name: 'what is no address, all of them',
			operands: ['8.8.8.8', '8.8.8', 'example.org', '8.8.8.0/24'],
			code: 2,
			says: /^(Cannot look up "(8\.8\.8|example\.org|8\.8\.8\.0\/24)": expected an IPv4 or IPv6 address\n?){3}$/,
		},
		{ name: 'nothing', operands: [], code: 2, says: /^Cannot run geo without an address/ },
		{
			name: 'without a database',
			operands: ['8.8.8.8'],
			geodb: '/nowhere/x.mmdb',
			code: 1,
			says: /^Cannot read the geo database \/nowhere\/x\.mmdb: ENOENT/,
		},
	]) {
		it(`refuses ${name}`, (t) => {
			const result = run(t, operands, geodb === undefined ? {} : { geodb });
			assert.equal(result.code, code);
			assert.equal(result.out, '');
			assert.match(result.err, says);
		});
	}

	for (const { name, files, says } of [
		{ name: 'that is not there', files: undefined, says: /^Cannot read the networks and places of ZONES: ENOENT/ },
		{
			name: 'with a broken steering file',
			files: { ...ZONES, 'a.example.yaml': 'networks: 5\n' },
			says: /^Cannot read the networks and places of a\.example\.: 1 problem, see meridian check$/,
		},
	]) {
		it(`looks up without a zones directory ${name}`, (t) => {
			const zonesDir = files === undefined ? '/nowhere/zones' : scratch(t, files);
			const { code, out, err } = run(t, ['8.8.8.8'], { zonesDir });
			assert.equal(code, 0);
			assert.match(err, says);
			assert.match(out, /subdivision US-CA/);
		});
	}
});

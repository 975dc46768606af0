import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { Reader, type Response } from 'maxmind';
import { Client, setClient } from '../../src/geo/client.ts';
import type { GeoData } from '../../src/geo/decide.ts';
import { type GeoFile, openRaw, readMmdbFile } from '../../src/geo/mmdb-file.ts';
import { NOWHERE } from '../../src/geo/place.ts';
import { placeOf } from '../../src/geo/record.ts';
import { type Address, type Family, printAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import { printPrefix } from '../../src/lib/prefix.ts';
import { addressOf, type MmdbSpec, writeMmdb } from '../mmdb-writer.ts';
import { placeAt } from './oracle.ts';

let directory = '';
before(() => {
	directory = mkdtempSync(join(tmpdir(), 'meridian-mmdb-'));
});
after(() => {
	// Only what mkdtemp has made.
	if (directory.startsWith(join(tmpdir(), 'meridian-mmdb-'))) rmSync(directory, { recursive: true });
});

let files = 0;
function load(bytes: Uint8Array): GeoFile {
	const path = join(directory, `${files++}.mmdb`);
	writeFileSync(path, bytes);
	return readMmdbFile(path);
}

const countryAt = (data: GeoData, text: string) => placeAt(data, addressOf(text)).country;

describe('readMmdbFile() on the database that comes with Meridian', () => {
	const manifest = createRequire(import.meta.url).resolve('@ip-location-db/geo-whois-asn-country-mmdb/package.json');
	const path = join(dirname(manifest), 'geo-whois-asn-country.mmdb');
	let data: GeoFile;
	let reader: Reader<Response>;
	before(() => {
		data = readMmdbFile(path);
		reader = new Reader(readFileSync(path));
	});

	for (const { address, country, continent } of [
		{ address: '8.8.8.8', country: 'US', continent: 'NA' },
		{ address: '84.128.0.1', country: 'DE', continent: 'EU' },
		{ address: '133.11.0.1', country: 'JP', continent: 'AS' },
		{ address: '2001:4860:4860::8888', country: 'US', continent: 'NA' },
		{ address: '2003::1', country: 'DE', continent: 'EU' },
		{ address: '2001:240::1', country: 'JP', continent: 'AS' },
		{ address: '::ffff:8.8.8.8', country: 'US', continent: 'NA' },
		{ address: '2002:5480:1::1', country: 'DE', continent: 'EU' },
		{ address: '127.0.0.1', country: undefined, continent: undefined },
		{ address: '0.0.0.0', country: undefined, continent: undefined },
	]) {
		it(`puts ${address} ${country === undefined ? 'nowhere' : `in ${country}`}`, () =>
			assert.deepEqual(placeAt(data, addressOf(address)), { ...NOWHERE, country, continent }));
	}

	for (const family of [4, 6] as const) {
		it(`agrees with maxmind on 20,000 addresses of IPv${family}`, () => {
			const chance = createChance(family);
			for (let i = 0; i < 20_000; i++) {
				const address = someAddress(family, () => chance.below(0x7fffffff) * 2 + chance.below(2), data);
				assert.deepEqual(placeAt(data, address), placeOf(reader.get(printAddress(address))), printAddress(address));
			}
		});
	}

	it('knows each place once, nowhere first', () => {
		assert.deepEqual(data.places[0], NOWHERE);
		assert.equal(new Set(data.places.map((place) => JSON.stringify(place))).size, data.places.length);
		assert.ok(data.places.length > 200 && data.places.length < 300);
	});
});

/** Anywhere, or for IPv6 mostly where something is known: at a start of some range, or just beside. */
function someAddress(family: Family, word: () => number, { ranges }: GeoData): Address {
	if (family === 4) return { family, words: Uint32Array.of(word(), 0, 0, 0) };
	const { starts } = ranges.ipv6;
	const at = 4 * (word() % (starts.length / 4));
	const words = word() % 4 === 0 ? Uint32Array.of(word(), word(), word(), word()) : starts.slice(at, at + 4);
	words[1] = (words[1] ?? 0) ^ (word() % 3);
	const client = new Client();
	setClient(client, 6, words);
	// Carriers of IPv4 are not looked up as IPv6.
	return client.family === 6 ? { family, words } : { family, words: Uint32Array.of(0x2a000000, word(), 0, 0) };
}

const COUNTRIES = { '84.0.0.0/8': { country_code: 'DE' }, '86.0.0.0/7': { country_code: 'FR' } };
const WITH_IPV6 = { ...COUNTRIES, '2a00::/12': { country_code: 'NL' } };
const ALIASES = ['::ffff:0:0/96', '2002::/16', '2001::/32'];

describe('readMmdbFile() on a small database', () => {
	for (const recordSize of [24, 28, 32] as const) {
		for (const ipVersion of [4, 6] as const) {
			it(`reads records of ${recordSize} bits in an IPv${ipVersion} tree`, () => {
				const data = load(writeMmdb({ networks: COUNTRIES, recordSize, ipVersion }));
				assert.equal(countryAt(data, '84.1.2.3'), 'DE');
				assert.equal(countryAt(data, '86.0.0.0'), 'FR');
				assert.equal(countryAt(data, '87.255.255.255'), 'FR');
				assert.equal(countryAt(data, '88.0.0.0'), undefined);
				assert.equal(countryAt(data, '::5401:203'), undefined, 'IPv4 does not show up below ::/96');
				assert.deepEqual(
					data.places.map(({ country }) => country),
					[undefined, 'DE', 'FR'],
				);
			});
		}
	}

	it('reads both families', () => {
		const data = load(writeMmdb({ networks: WITH_IPV6 }));
		assert.equal(countryAt(data, '84.1.2.3'), 'DE');
		assert.equal(countryAt(data, '2a0f:ffff::'), 'NL');
		assert.equal(countryAt(data, '2a10::'), undefined);
	});

	it('passes aliases of the IPv4 tree by', () => {
		const data = load(writeMmdb({ networks: WITH_IPV6, aliases: ALIASES }));
		assert.deepEqual(data.ranges, load(writeMmdb({ networks: WITH_IPV6 })).ranges);
		assert.equal(countryAt(data, '2002:5401:203::'), 'DE');
	});
});

describe('readMmdbFile() on a database with gaps', () => {
	it('takes IPv4 as one when the tree ends before ::/96', () => {
		const data = load(writeMmdb({ networks: { '::/8': { country_code: 'DE' } } }));
		assert.equal(countryAt(data, '192.0.2.1'), 'DE');
		assert.equal(countryAt(data, '::1:0:0:1'), 'DE');
		assert.equal(countryAt(data, '100::'), undefined);
	});

	it('is nowhere for IPv6 in an IPv4 tree', () => {
		const data = load(writeMmdb({ networks: { '0.0.0.0/0': { country_code: 'DE' } }, ipVersion: 4 }));
		assert.equal(countryAt(data, '192.0.2.1'), 'DE');
		assert.equal(countryAt(data, '2a00::1'), undefined);
	});

	it('is nowhere with a database that knows nothing', () => {
		const data = load(writeMmdb({ networks: {} }));
		assert.equal(countryAt(data, '192.0.2.1'), undefined);
		assert.deepEqual(data.places, [NOWHERE]);
	});

	it('gives records of equal content one place, and of no use none', () => {
		const networks = {
			'1.0.0.0/8': { country_code: 'DE', city: 'Bonn' },
			'2.0.0.0/8': { country_code: 'DE', city: 'Ulm' },
			'3.0.0.0/8': 'a text',
			'4.0.0.0/8': ['DE'],
			'5.0.0.0/8': { country_code: 5, big: -1.5, flag: true },
		};
		const data = load(writeMmdb({ networks }));
		assert.deepEqual(
			data.places.map(({ country }) => country),
			[undefined, 'DE'],
		);
		assert.equal(data.ranges.ipv4.values.length, 3);
	});

	it('reads nested schemas, with all that they know', () => {
		const record = {
			country: { iso_code: 'US' },
			continent: { code: 'NA' },
			subdivisions: [{ iso_code: 'CA' }],
			autonomous_system_number: 64496,
		};
		assert.deepEqual(placeAt(load(writeMmdb({ networks: { '1.0.0.0/8': record } })), addressOf('1.2.3.4')), {
			...NOWHERE,
			country: 'US',
			continent: 'NA',
			subdivision: 'US-CA',
			asn: 64496,
		});
	});

	it('tells how many networks it has, and what it knows of them', () => {
		const networks = {
			'1.0.0.0/8': { country_code: 'DE' },
			'2.0.0.0/8': { asn: 7 },
			'2a00::/12': { country_code: 'EU' },
		};
		const { networkCount, fields, ipVersion } = load(writeMmdb({ networks, aliases: ALIASES }));
		assert.equal(networkCount, 3);
		assert.deepEqual([...fields], ['country', 'continent', 'asn']);
		assert.equal(ipVersion, 6);
	});

	it('has no date when the file has none that can be', () => {
		for (const epoch of ['now', -1, 1e300, Number.NaN])
			assert.equal(load(writeMmdb({ networks: {}, metadata: { build_epoch: epoch } })).builtAt, undefined);
	});

	it('tells its type, its date, and a version that changes with its content', () => {
		const one = load(writeMmdb({ networks: COUNTRIES }));
		assert.equal(one.databaseType, 'Test');
		assert.equal(one.builtAt?.toISOString(), '2023-11-14T22:13:20.000Z');
		assert.equal(one.version, load(writeMmdb({ networks: COUNTRIES })).version);
		assert.notEqual(one.version, load(writeMmdb({ networks: WITH_IPV6 })).version);
	});

	it('agrees with maxmind on any networks', () => {
		const octet = fc.constantFrom(0, 1, 2, 127, 128, 255);
		const ipv4 = fc.tuple(octet, octet, fc.integer({ min: 1, max: 16 })).map(([a, b, length]) => {
			const word = ((a << 24) | (b << 16)) & (0xffffffff << (32 - length));
			return `${word >>> 24}.${(word >>> 16) & 255}.0.0/${length}`;
		});
		const networks = fc.dictionary(
			ipv4,
			fc.constantFrom('DE', 'FR', 'US').map((code) => ({ country_code: code })),
		);
		const spec = fc.record({ networks, recordSize: fc.constantFrom(24, 28, 32), ipVersion: fc.constantFrom(4, 6) });
		fc.assert(
			fc.property(spec, fc.array(fc.tuple(octet, octet), { minLength: 1 }), (made, addresses) => {
				const bytes = writeMmdb(made as MmdbSpec);
				const data = load(bytes);
				const reader = new Reader<Response>(bytes);
				for (const [a, b] of addresses) {
					const text = `${a}.${b}.0.1`;
					assert.equal(countryAt(data, text), placeOf(reader.get(text)).country, text);
				}
			}),
			{ numRuns: 60 },
		);
	});
});

describe('openRaw()', () => {
	const record = { country: { iso_code: 'US', names: { en: 'United States' } }, extra: [1, 'two'] };
	it('finds the network and the record as it stands in the file', () => {
		const { path } = load(writeMmdb({ networks: { '1.2.0.0/16': record, '2a00::/16': record } }));
		const find = openRaw(path);
		const shown = (text: string) => {
			const { network, record: found } = find(addressOf(text)) ?? assert.fail();
			return { network: printPrefix(network), found };
		};
		assert.deepEqual(shown('1.2.3.4'), { network: '1.2.0.0/16', found: record });
		assert.deepEqual(shown('2a00:1::1'), { network: '2a00::/16', found: record });
		assert.deepEqual(shown('1.3.0.1'), { network: '1.3.0.0/16', found: undefined });
	});

	it('has nothing on IPv6 in a file for IPv4', () => {
		const { path } = load(writeMmdb({ networks: { '32.0.0.0/8': record }, ipVersion: 4 }));
		assert.equal(openRaw(path)(addressOf('2001:4860::1')), undefined);
	});
});

describe('readMmdbFile() refuses', () => {
	it('a file that is not there', () => {
		assert.throws(
			() => readMmdbFile(join(directory, 'none.mmdb')),
			/^Error: Cannot read the geo database .*none\.mmdb: /,
		);
	});

	it('what is no file, without waiting for it', () => {
		assert.throws(
			() => readMmdbFile('/dev/zero'),
			/^Error: Cannot read the geo database \/dev\/zero: it is no regular file/,
		);
		assert.throws(() => readMmdbFile(directory), /it is no regular file/);
	});
});

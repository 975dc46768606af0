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
import { combineGeoData, type GeoFile, readMmdbFile } from '../../src/geo/mmdb-file.ts';
import { NOWHERE, type Place, placeOf } from '../../src/geo/place.ts';
import { familyRanges, findRange } from '../../src/geo/ranges.ts';
import { type Address, type Family, printAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import { addressOf, encode, type MmdbSpec, pointerTo, writeMmdb } from '../mmdb-writer.ts';

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

/** The place of an address, found as a query finds it. */
function placeAt({ ranges, places }: GeoData, { family, words }: Address): Place {
	const client = new Client();
	setClient(client, family, words);
	const own = familyRanges(ranges, client.family);
	return places[own.values[findRange(own, client.words)] ?? -1] ?? assert.fail();
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
			country: 'US',
			continent: 'NA',
			subdivision: 'US-CA',
			asn: 64496,
		});
	});

	it('tells its type, its date, and a version that changes with its content', () => {
		const one = load(writeMmdb({ networks: COUNTRIES }));
		assert.equal(one.databaseType, 'Test');
		assert.equal(one.builtAt.toISOString(), '2023-11-14T22:13:20.000Z');
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

/** Maps that each point twice at the next: 2^depth ways to the innermost. */
function bomb(depth: number): Uint8Array {
	const parts: Buffer[] = [];
	const size = 1 + 2 * (2 + 2);
	for (let i = 1; i <= depth; i++) {
		const next = pointerTo(i * size);
		parts.push(Buffer.concat([Buffer.from([0xe2]), encode('a'), next, encode('b'), next]));
	}
	parts.push(encode({ country_code: 'DE' }));
	return Buffer.concat(parts);
}

const WHOLE = writeMmdb({ networks: WITH_IPV6 });

const BROKEN = [
	{ name: 'an empty file', bytes: () => Buffer.alloc(0), reason: /it is no MaxMind DB file, or not a whole one/ },
	{ name: 'a text', bytes: () => Buffer.from('country,DE\n'.repeat(1000)), reason: /it is no MaxMind DB file/ },
	{
		name: 'the first half of a file',
		bytes: () => WHOLE.subarray(0, WHOLE.length / 2),
		reason: /or not a whole one/,
	},
	{
		name: 'metadata alone',
		bytes: () => WHOLE.subarray(WHOLE.lastIndexOf('MaxMind.com') - 3),
		reason: /it ends inside its search tree/,
	},
	{ name: 'metadata that are cut off', bytes: () => WHOLE.subarray(0, WHOLE.length - 90), reason: /./ },
	{
		name: 'a tree without a node',
		bytes: () => writeMmdb({ networks: {}, metadata: { node_count: 0 } }),
		reason: /it has no search tree/,
	},
	{
		name: 'a number of nodes in words',
		bytes: () => writeMmdb({ networks: {}, metadata: { node_count: 'one' } }),
		reason: /it has no search tree/,
	},
	{
		name: 'more nodes than there are',
		bytes: () => writeMmdb({ networks: WITH_IPV6, metadata: { node_count: 1e6 } }),
		reason: /it ends inside its search tree/,
	},
	{
		name: 'records of 20 bits',
		bytes: () => writeMmdb({ networks: {}, metadata: { record_size: 20 } }),
		reason: /record size/i,
	},
	{
		name: 'IP version 5',
		bytes: () => writeMmdb({ networks: {}, metadata: { ip_version: 5 } }),
		reason: /it is for IP version 5/,
	},
	{
		name: 'metadata without a version',
		bytes: () => writeMmdb({ networks: {}, metadata: { ip_version: 'six' } }),
		reason: /it is for IP version six/,
	},
	{
		name: 'a node that is its own child',
		bytes: () =>
			writeMmdb({
				networks: {},
				ipVersion: 4,
				edit: (tree) => {
					tree[0] = [0, 0];
				},
			}),
		reason: /a cycle, or branches that are shared/,
	},
	{
		name: 'the same in IPv6',
		bytes: () =>
			writeMmdb({
				networks: {},
				edit: (tree) => {
					tree[0] = [0, 0];
				},
			}),
		reason: /a cycle, or branches that are shared/,
	},
	{
		name: 'a cycle further down',
		bytes: () =>
			writeMmdb({
				networks: COUNTRIES,
				edit: (tree) => {
					tree[tree.length - 1] = [5, 7];
				},
			}),
		reason: /a cycle, or branches that are shared/,
	},
	{
		name: 'branches that are shared 30 times over, at once',
		bytes: () =>
			writeMmdb({
				networks: {},
				ipVersion: 4,
				edit: (tree) => {
					for (let i = 0; i < 30; i++) tree[i] = [i + 1, i + 1];
					tree[30] = ['nothing', 'nothing'];
				},
			}),
		reason: /a cycle, or branches that are shared/,
	},
	{
		name: 'a tree deeper than an address',
		bytes: () =>
			writeMmdb({
				networks: {},
				ipVersion: 4,
				edit: (tree) => {
					for (let i = 0; i < 33; i++) tree[i] = [i + 1, 'nothing'];
					tree[33] = ['nothing', 'nothing'];
				},
			}),
		reason: /deeper than an address/,
	},
	{
		name: 'a record behind the end',
		bytes: () =>
			writeMmdb({
				networks: {},
				edit: (tree) => {
					tree[0] = [{ dataAt: 100_000 }, 'nothing'];
				},
			}),
		reason: /./,
	},
	{
		name: 'a record in the space before the data',
		bytes: () =>
			writeMmdb({
				networks: {},
				edit: (tree) => {
					tree[0] = [{ dataAt: -8 }, 'nothing'];
				},
			}),
		reason: /./,
	},
	{
		name: 'a record of a type that there is not',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: Buffer.from([0x00, 0x7f]) }),
		reason: /Unknown type/,
	},
	{
		name: 'a record that points at itself',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: pointerTo(0) }),
		reason: /./,
	},
];

describe('readMmdbFile() refuses, with the file named,', () => {
	for (const { name, bytes, reason } of BROKEN) {
		it(name, () => {
			const startMs = performance.now();
			assert.throws(
				() => load(bytes()),
				(error: Error) => {
					assert.match(error.message, /^Cannot use the geo database .*\.mmdb: /);
					assert.match(error.message, reason);
					return true;
				},
			);
			assert.ok(performance.now() - startMs < 1000);
		});
	}

	it('a file that is not there', () => {
		assert.throws(
			() => readMmdbFile(join(directory, 'none.mmdb')),
			/^Error: Cannot read the geo database .*none\.mmdb: /,
		);
	});
});

describe('readMmdbFile()', () => {
	it('decodes shared parts of a record once, not once for each way to them', () => {
		const startMs = performance.now();
		const data = load(writeMmdb({ networks: { '1.0.0.0/8': {} }, data: bomb(40) }));
		assert.ok(performance.now() - startMs < 1000);
		assert.equal(countryAt(data, '1.2.3.4'), undefined);
	});

	it('loads or refuses any damage to a file, soon', () => {
		const whole = writeMmdb({ networks: WITH_IPV6, aliases: ALIASES });
		const damage = fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), {
			minLength: 1,
			maxLength: 6,
		});
		fc.assert(
			fc.property(damage, fc.nat({ max: 40 }), (changes, cut) => {
				const bytes = Buffer.from(whole.subarray(0, whole.length - (cut > 20 ? cut : 0)));
				for (const [at, octet] of changes) if (at < bytes.length) bytes[at] = octet;
				const startMs = performance.now();
				try {
					countryAt(load(bytes), '84.1.2.3');
				} catch (error) {
					assert.match((error as Error).message, /^Cannot use the geo database /);
				}
				assert.ok(performance.now() - startMs < 2000);
			}),
			{ numRuns: 300 },
		);
	});
});

describe('combineGeoData()', () => {
	const countries = () =>
		load(writeMmdb({ networks: { '1.0.0.0/8': { country_code: 'DE' }, '2a00::/16': { country_code: 'NL' } } }));
	const asns = () =>
		load(
			writeMmdb({
				networks: { '1.2.0.0/16': { autonomous_system_number: 7 }, '2.0.0.0/8': { autonomous_system_number: 8 } },
			}),
		);
	const cities = () =>
		load(
			writeMmdb({
				networks: {
					'1.0.0.0/9': { country: { iso_code: 'DE' }, subdivisions: [{ iso_code: 'BE' }] },
					'1.128.0.0/9': { country: { iso_code: 'FR' }, subdivisions: [{ iso_code: 'IDF' }] },
					'3.0.0.0/8': { country: { iso_code: 'US' } },
				},
			}),
		);

	it('is the one database when there is but one', () => {
		const one = countries();
		assert.equal(combineGeoData([one]), one);
	});

	for (const { address, place } of [
		{ address: '1.1.0.0', place: { country: 'DE', continent: 'EU', subdivision: 'DE-BE' } },
		{ address: '1.2.3.4', place: { country: 'DE', continent: 'EU', subdivision: 'DE-BE', asn: 7 } },
		{ address: '1.200.0.0', place: { country: 'DE', continent: 'EU' } },
		{ address: '2.0.0.1', place: { asn: 8 } },
		{ address: '3.0.0.1', place: { country: 'US', continent: 'NA' } },
		{ address: '4.0.0.1', place: {} },
		{ address: '2a00::1', place: { country: 'NL', continent: 'EU' } },
	]) {
		it(`fills what earlier ones lack: ${address} is ${JSON.stringify(place)}`, () =>
			assert.deepEqual(placeAt(combineGeoData([countries(), asns(), cities()]), addressOf(address)), {
				...NOWHERE,
				...place,
			}));
	}

	it('has a version of its own for each order', () => {
		assert.notEqual(combineGeoData([countries(), asns()]).version, combineGeoData([asns(), countries()]).version);
	});
});

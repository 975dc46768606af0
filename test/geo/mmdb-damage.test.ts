/**
 * Every file, good or broken, loads or is refused with a reason, in a time linear in its size.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type MmdbContent, readMmdb } from '../../src/geo/mmdb-tree.ts';
import { createChance } from '../../src/lib/chance.ts';
import type { Chance } from '../../src/lib/ports.ts';
import { addressOf, encode, pointerTo, type Tree, writeMmdb } from '../mmdb-writer.ts';
import { placeAt } from './oracle.ts';

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

const WITH_IPV6 = {
	'84.0.0.0/8': { country_code: 'DE' },
	'86.0.0.0/7': { country_code: 'FR' },
	'2a00::/12': { country_code: 'NL' },
};
const WHOLE = writeMmdb({ networks: WITH_IPV6 });

/** A list of lists of lists, each said to have millions of entries. */
const HUGE_LISTS = Buffer.concat(Array.from({ length: 200 }, () => Buffer.from([0x1f, 0x04, 0xff, 0xff, 0xff])));
const hugeMap = (more: Buffer) => Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), more]);

const BROKEN: readonly { name: string; bytes: () => Buffer; reason: RegExp }[] = [
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
		reason: /records of 20 bits/,
	},
	{
		name: 'IP version 5',
		bytes: () => writeMmdb({ networks: {}, metadata: { ip_version: 5 } }),
		reason: /it is for IP version 5/,
	},
	{
		name: 'metadata without a version',
		bytes: () => writeMmdb({ networks: {}, metadata: { ip_version: 'six' } }),
		reason: /it is for IP version "six"/,
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
				networks: WITH_IPV6,
				ipVersion: 6,
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
		reason: /of type 134, which there is not/,
	},
	{
		name: 'a record that points at itself',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: pointerTo(0) }),
		reason: /./,
	},
	{
		name: 'two records that point at each other',
		bytes: () =>
			writeMmdb({
				networks: { '1.0.0.0/8': {} },
				data: Buffer.concat([Buffer.from([0xe1]), encode('country'), pointerTo(0)]),
			}),
		reason: /nested too deep, or point in a circle/,
	},
	{
		name: 'a pointer behind the end',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: Buffer.from([0x38, 0xff, 0xff, 0xff, 0xff]) }),
		reason: /lies outside of its data/,
	},
	{
		name: 'a pointer into the metadata',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: pointerTo(10) }),
		reason: /lies outside of its data/,
	},
	{
		name: 'lists of millions, inside one another',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: HUGE_LISTS }),
		reason: /a length that cannot be/,
	},
	{
		name: 'a map of millions',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: hugeMap(Buffer.alloc(100, encode('a'))) }),
		reason: /a length that cannot be/,
	},
	{
		name: 'a text of millions',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: Buffer.from([0x5f, 0xff, 0xff, 0xff, 0x61]) }),
		reason: /a length that cannot be/,
	},
	{
		name: 'a number of 20 octets',
		bytes: () => writeMmdb({ networks: { '1.0.0.0/8': {} }, data: Buffer.alloc(30, 0xd4) }),
		reason: /a length that cannot be/,
	},
	{
		name: 'a key that is no text',
		bytes: () =>
			writeMmdb({ networks: { '1.0.0.0/8': {} }, data: Buffer.concat([Buffer.from([0xe1]), encode(1), encode(2)]) }),
		reason: /a key that is no text/,
	},
	{
		name: 'metadata that are a list',
		bytes: () => Buffer.concat([WHOLE.subarray(0, afterMark(WHOLE)), encode(['node_count', 1])]),
		reason: /its metadata are no map/,
	},
	{
		name: 'metadata of millions',
		bytes: () => Buffer.concat([WHOLE.subarray(0, afterMark(WHOLE)), HUGE_LISTS]),
		reason: /a length that cannot be/,
	},
	{
		name: 'metadata that point at themselves',
		bytes: () => Buffer.concat([WHOLE.subarray(0, afterMark(WHOLE)), pointerTo(0)]),
		reason: /point in a circle/,
	},
	{
		name: 'fewer nodes than there are',
		bytes: () => writeMmdb({ networks: WITH_IPV6, metadata: { node_count: 40 } }),
		reason: /./,
	},
	{
		name: 'another record size than it has',
		bytes: () => writeMmdb({ networks: WITH_IPV6, recordSize: 24, metadata: { record_size: 32 } }),
		reason: /./,
	},
	{
		name: 'a negative number of nodes',
		bytes: () => writeMmdb({ networks: {}, metadata: { node_count: -1 } }),
		reason: /it has no search tree/,
	},
	...['record_size', 'ip_version', 'binary_format_major_version', 'node_count'].map((key) => ({
		name: `a map for ${key}`,
		bytes: () => writeMmdb({ networks: {}, metadata: { [key]: { a: [1] } } }),
		reason: /^Error: it (has|is) /,
	})),
	{
		name: 'format 1',
		bytes: () => writeMmdb({ networks: {}, metadata: { binary_format_major_version: 1 } }),
		reason: /it is of format 1, expected 2/,
	},
	...Array.from({ length: 16 }, (_, sixteenths) => ({
		name: `${sixteenths} sixteenths of a file`,
		bytes: () => WHOLE.subarray(0, (WHOLE.length * sixteenths) / 16),
		reason: /it is no MaxMind DB file, or not a whole one|a length that cannot be/,
	})),
];

function afterMark(bytes: Buffer): number {
	return bytes.lastIndexOf('MaxMind.com') + 'MaxMind.com'.length;
}

describe('readMmdb() refuses', () => {
	for (const { name, bytes, reason } of BROKEN) {
		it(name, () => {
			const startMs = performance.now();
			assert.throws(() => readMmdb(bytes()), reason);
			assert.ok(performance.now() - startMs < 1000);
		});
	}
});

/** What every use of it touches. */
function use(content: MmdbContent): void {
	for (const address of ['84.1.2.3', '2a00::1', '255.255.255.255', 'ffff::'])
		placeAt({ ...content, version: '' }, addressOf(address));
}

function loadsOrRefuses(bytes: Uint8Array, limitMs: number): void {
	const startMs = performance.now();
	let content: MmdbContent | undefined;
	try {
		content = readMmdb(bytes);
	} catch (error) {
		assert.equal((error as Error).constructor, Error, `no reason of ours: ${(error as Error).stack}`);
	}
	if (content !== undefined) use(content);
	const tookMs = performance.now() - startMs;
	assert.ok(tookMs < limitMs, `took ${tookMs} ms`);
}

/** Some octets and bits of it changed, and now and then its end cut off. */
function damaged(whole: Buffer, chance: Chance): Buffer {
	const bytes = Buffer.from(whole.subarray(0, chance.below(4) === 0 ? 1 + chance.below(whole.length) : whole.length));
	for (let flips = 1 + chance.below(6); flips > 0; flips--) {
		const at = chance.below(bytes.length);
		bytes[at] = chance.below(2) === 0 ? (bytes[at] ?? 0) ^ (1 << chance.below(8)) : chance.below(256);
	}
	return bytes;
}

const ALIASES = ['::ffff:0:0/96', '2002::/16', '2001::/32'];
const CITY = {
	country: { iso_code: 'US', names: { en: 'United States', de: 'USA' } },
	continent: { code: 'NA' },
	subdivisions: [{ iso_code: 'CA', names: { en: 'California' } }],
	location: { latitude: 37.5, longitude: -122.25 },
	traits: { is_anycast: false, autonomous_system_number: 64496 },
};
const RICH = { ...WITH_IPV6, '1.0.0.0/8': CITY, '1.128.0.0/9': { ...CITY, traits: {} }, '2400::/12': CITY };

describe('readMmdb()', () => {
	it('decodes shared parts of a record once, not once for each way to them', () => {
		const startMs = performance.now();
		const { places } = readMmdb(writeMmdb({ networks: { '1.0.0.0/8': {} }, data: bomb(40) }));
		assert.ok(performance.now() - startMs < 1000);
		assert.equal(places.length, 1);
	});

	for (const recordSize of [24, 28, 32] as const) {
		for (const isShared of [false, true]) {
			const whole = writeMmdb({ networks: RICH, recordSize, isShared, aliases: recordSize === 28 ? [] : ALIASES });
			const which = `records of ${recordSize} bits${isShared ? ', shared' : ''}`;

			it(`loads or refuses any damage to a file, soon: ${which}`, () => {
				const chance = createChance(recordSize + (isShared ? 1 : 0));
				for (let run = 0; run < 1500; run++) loadsOrRefuses(damaged(whole, chance), 2000);
			});

			it(`refuses every beginning of a file: ${which}`, () => {
				for (let length = 0; length < whole.length; length++)
					assert.throws(() => readMmdb(whole.subarray(0, length)), Error, `${length} of ${whole.length} octets`);
			});
		}
	}

	it('loads or refuses any data section', () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (data) =>
				loadsOrRefuses(writeMmdb({ networks: { '1.0.0.0/8': {}, '2.0.0.0/8': {} }, data }), 1000),
			),
			{ numRuns: 2000 },
		);
	});
});

/** A full tree for IPv4 whose leaves lead to each octet of the data in turn. */
function crowdedTree(depth: number, dataOctets: number): (tree: Tree) => void {
	return (tree) => {
		const inner = 2 ** depth - 1;
		let leaf = 0;
		const next = () => ({ dataAt: leaf++ % dataOctets });
		tree.length = 0;
		for (let node = 0; node < inner; node++) {
			const left = 2 * node + 1;
			tree.push(left < inner ? [left, left + 1] : [next(), next()]);
		}
	};
}

/** Data in which every octet starts a record as long as the rest. */
const OVERLAPS: readonly { name: string; data: (octets: number) => Buffer }[] = [
	{ name: 'texts', data: (octets) => Buffer.concat([Buffer.alloc(octets, 0x5e), Buffer.alloc(70_000)]) },
	{
		name: 'lists of truth',
		data: (octets) =>
			Buffer.concat([
				Buffer.alloc(octets, Buffer.from([0x1e, 0x04, 0x02, 0x00])),
				Buffer.alloc(90_000, Buffer.from([0, 7])),
			]),
	},
	{
		name: 'maps',
		data: (octets) => Buffer.alloc(octets, Buffer.concat([Buffer.from([0xfe, 2, 0]), Buffer.alloc(40, encode('asn'))])),
	},
	{ name: 'pointers forward', data: (octets) => Buffer.alloc(octets, Buffer.from([0x28, 0x10, 0x00])) },
	{
		name: 'maps whose every part is a pointer at the next map',
		data: (octets) =>
			Buffer.alloc(
				octets,
				Buffer.concat([
					Buffer.from([0xe2]),
					encode('asn'),
					Buffer.from([0x28, 0, 9]),
					encode('code'),
					Buffer.from([0x28, 0, 9]),
				]),
			),
	},
];

describe('readMmdb() needs time in proportion to the file, when records overlap:', () => {
	for (const { name, data } of OVERLAPS) {
		it(name, () => {
			const octets = 200_000;
			const bytes = writeMmdb({
				networks: {},
				ipVersion: 4,
				data: data(octets),
				edit: crowdedTree(17, octets),
				recordSize: 32,
			});
			// Once each from every octet to the end would be 10^10 steps.
			loadsOrRefuses(bytes, 10_000);
		});
	}
});

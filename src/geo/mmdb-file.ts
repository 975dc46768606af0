/**
 * MaxMind DB files to ranges. The package decodes records; the search tree is walked here, because the
 * package can only look up single addresses.
 *
 * Alone in this room it opens files. A file is read whole and verified before anything of it is used.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Reader, type Response } from 'maxmind';
import { type Address, type Family, printAddress } from '../lib/address.ts';
import type { GeoData } from './decide.ts';
import { fillPlace, NOWHERE, type Place, placeOf } from './place.ts';
import { type FamilyRanges, overlay, RangesBuilder } from './ranges.ts';

export interface GeoFile extends GeoData {
	readonly path: string;
	/** The type that the file names itself, such as GeoLite2-City. */
	readonly databaseType: string;
	readonly builtAt: Date;
}

/**
 * Read one database.
 * @throws Error with a sentence that names the file, when it cannot be read or is no whole database
 */
export function readMmdbFile(path: string): GeoFile {
	let bytes: Buffer;
	try {
		bytes = readFileSync(path);
	} catch (cause) {
		throw new Error(`Cannot read the geo database ${path}: ${(cause as Error).message}`, { cause });
	}
	try {
		const walk = new TreeWalk(bytes);
		walk.run();
		return {
			path,
			databaseType: walk.metadata.databaseType,
			builtAt: walk.metadata.buildEpoch,
			ranges: { ipv4: walk.ipv4.build(), ipv6: walk.ipv6.build() },
			places: walk.places,
			version: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
		};
	} catch (cause) {
		throw new Error(`Cannot use the geo database ${path}: ${(cause as Error).message}`, { cause });
	}
}

/** Databases as one: each fills what the ones before it lack. */
export function combineGeoData(files: readonly [GeoData, ...GeoData[]]): GeoData {
	return files.reduce(combineTwo);
}

function combineTwo(first: GeoData, second: GeoData): GeoData {
	const places: Place[] = [];
	const numbers = new Map<string, number>();
	const numberOf = (place: Place) => {
		const key = JSON.stringify(place);
		const before = numbers.get(key);
		if (before !== undefined) return before;
		numbers.set(key, places.length);
		places.push(place);
		return places.length - 1;
	};
	numberOf(NOWHERE);
	const pairs = new Map<number, number>();
	const both = (family: Family, a: FamilyRanges, b: FamilyRanges) =>
		overlay(family, [a, b], ([one = 0, two = 0]) => {
			const key = one * second.places.length + two;
			const before = pairs.get(key);
			if (before !== undefined) return before;
			const number = numberOf(fillPlace(first.places[one] ?? NOWHERE, second.places[two] ?? NOWHERE));
			pairs.set(key, number);
			return number;
		});
	return {
		ranges: {
			ipv4: both(4, first.ranges.ipv4, second.ranges.ipv4),
			ipv6: both(6, first.ranges.ipv6, second.ranges.ipv6),
		},
		places,
		version: `${first.version}+${second.version}`,
	};
}

/** What stands before the metadata at the end of each file. */
const METADATA_MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

const RECORDS_CACHED_MAX = 65_536;

/** Parts of records by their offset: records share parts, and each is to be decoded once, not once for each way to it. */
class RecordCache {
	readonly #records = new Map<string | number, unknown>();

	get(offset: string | number): unknown {
		return this.#records.get(offset);
	}

	set(offset: string | number, record: unknown): void {
		if (this.#records.size >= RECORDS_CACHED_MAX) this.#records.clear();
		this.#records.set(offset, record);
	}
}

class TreeWalk {
	readonly metadata: Reader<Response>['metadata'];
	readonly ipv4 = new RangesBuilder(4);
	readonly ipv6 = new RangesBuilder(6);
	readonly places: Place[] = [NOWHERE];
	readonly #bytes: Buffer;
	readonly #reader: Reader<Response>;
	/** Place of each record, by its pointer; records with equal content share one. */
	readonly #placeAt = new Map<number, number>();
	readonly #placeNumbers = new Map<string, number>([[JSON.stringify(NOWHERE), 0]]);
	readonly #words = new Uint32Array(4);
	#visited = 0;
	#ipv4Node = -1;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
		if (!bytes.includes(METADATA_MARK)) throw new Error('it is no MaxMind DB file, or not a whole one');
		this.#reader = new Reader(bytes, { cache: new RecordCache() });
		this.metadata = this.#reader.metadata;
		const { recordSize, searchTreeSize, ipVersion, nodeCount } = this.metadata;
		if (!Number.isInteger(nodeCount) || nodeCount < 1) throw new Error('it has no search tree');
		if (recordSize !== 24 && recordSize !== 28 && recordSize !== 32)
			throw new Error(`it has records of ${recordSize} bits`);
		if (ipVersion !== 4 && ipVersion !== 6) throw new Error(`it is for IP version ${ipVersion}`);
		if (searchTreeSize + 16 > bytes.length) throw new Error('it ends inside its search tree');
	}

	run(): void {
		const zero = new Uint32Array(4);
		this.ipv4.add(zero, 0, 0);
		this.ipv6.add(zero, 0, 0);
		if (this.metadata.ipVersion === 4) {
			this.#walk(0, 0, 4);
			return;
		}
		this.#ipv4Node = this.#findIpv4Node();
		this.#walk(0, 0, 6);
		if (this.#ipv4Node < this.metadata.nodeCount) this.#walk(this.#ipv4Node, 0, 4);
		else this.#leaf(this.#ipv4Node, 4);
	}

	/** The node, or leaf, of ::/96, under which an IPv6 tree keeps the IPv4 addresses. */
	#findIpv4Node(): number {
		let node = 0;
		for (let depth = 0; depth < 96 && node < this.metadata.nodeCount; depth++) node = this.#child(node, 0);
		return node;
	}

	/** In order, so that ranges come ascending. `#words` holds the address of the subtree. */
	#walk(node: number, depth: number, family: Family): void {
		const { nodeCount } = this.metadata;
		// A tree has each node once; more visits mean a cycle or shared branches, which could take for ever.
		if (++this.#visited > nodeCount) throw new Error('its search tree has a cycle, or branches that are shared');
		const word = depth >>> 5;
		const bit = 1 << (31 - (depth & 31));
		for (let side = 0; side < 2; side++) {
			if (side === 1) this.#words[word] = (this.#words[word] ?? 0) | bit;
			const child = this.#child(node, side);
			// Aliases of the IPv4 tree (mapped, 6to4, Teredo): such clients are looked up as IPv4 addresses.
			if (family === 6 && child === this.#ipv4Node && child < nodeCount) this.ipv6.add(this.#words, 0, 0);
			else if (child >= nodeCount) this.#leaf(child, family);
			else if (depth + 1 >= (family === 4 ? 32 : 128)) throw new Error('its search tree is deeper than an address');
			else this.#walk(child, depth + 1, family);
		}
		this.#words[word] = (this.#words[word] ?? 0) & ~bit;
	}

	#leaf(value: number, family: Family): void {
		const place = value === this.metadata.nodeCount ? 0 : this.#placeOf(value, family);
		(family === 4 ? this.ipv4 : this.ipv6).add(this.#words, 0, place);
	}

	#placeOf(pointer: number, family: Family): number {
		const before = this.#placeAt.get(pointer);
		if (before !== undefined) return before;
		const address: Address = { family, words: this.#words };
		const place = placeOf(this.#reader.get(printAddress(address)));
		const key = JSON.stringify(place);
		let number = this.#placeNumbers.get(key);
		if (number === undefined) {
			number = this.places.length;
			this.#placeNumbers.set(key, number);
			this.places.push(place);
		}
		this.#placeAt.set(pointer, number);
		return number;
	}

	/** A record of a node: the next node, or from `nodeCount` on a leaf. */
	#child(node: number, side: number): number {
		const bytes = this.#bytes;
		switch (this.metadata.recordSize) {
			case 24:
				return bytes.readUIntBE(node * 6 + side * 3, 3);
			case 28: {
				const at = node * 7;
				const middle = bytes[at + 3] ?? 0;
				const high = side === 0 ? middle >>> 4 : middle & 15;
				return high * 0x1000000 + bytes.readUIntBE(at + side * 4, 3);
			}
			default:
				return bytes.readUInt32BE(node * 8 + side * 4);
		}
	}
}

/**
 * The octets of a MaxMind DB file to ranges and places.
 *
 *     search tree | 16 zero octets | data section | mark | metadata
 *
 * A file may say anything, so each node is visited once at most and each record is read once: the time is linear in
 * the size of the file, and what is unsound is refused.
 */

import type { Family } from '../lib/address.ts';
import { ValueReader, type ValueSection } from './mmdb-values.ts';
import { NOWHERE, type Place } from './place.ts';
import { type Ranges, RangesBuilder } from './ranges.ts';
import { placeOf, RECORD_KEYS } from './record.ts';

export interface MmdbContent {
	readonly metadata: MmdbMetadata;
	readonly ranges: Ranges;
	/** The first one is NOWHERE. */
	readonly places: readonly Place[];
	/** How many the tree has a record for. */
	readonly networkCount: number;
}

export interface MmdbMetadata {
	readonly nodeCount: number;
	/** Bits of one of the two records of a node. */
	readonly recordSize: 24 | 28 | 32;
	/** A tree for IPv6 has the IPv4 addresses below ::/96. */
	readonly ipVersion: Family;
	/** The type that the file names itself, such as GeoLite2-City. */
	readonly databaseType: string;
	/** Seconds since 1970; undefined when the file does not say. */
	readonly builtAtSec: number | undefined;
	/** Of the search tree and the zeros behind it. */
	readonly data: ValueSection;
}

/** @throws Error with half a sentence, when it is no whole and sound database */
export function readMmdb(bytes: Uint8Array): MmdbContent {
	return new TreeWalk(bytes, readMetadata(bytes)).run();
}

const MARK = Uint8Array.from([0xab, 0xcd, 0xef, ...new TextEncoder().encode('MaxMind.com')]);
/** The format has the mark within the last so many octets. */
const METADATA_OCTETS_MAX = 131_072;
const ZEROS = 16;
/** The last instant that a date can hold. */
const TIME_SEC_MAX = 8.64e12;

function readMetadata(bytes: Uint8Array): MmdbMetadata {
	const markAt = findMark(bytes);
	if (markAt < 0) throw new Error('it is no MaxMind DB file, or not a whole one');
	const start = markAt + MARK.length;
	const value = new ValueReader({ bytes, start, end: bytes.length }).read(0);
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('its metadata are no map');
	const metadata = value as Readonly<Record<string, unknown>>;
	const {
		node_count: nodeCount,
		record_size: recordSize,
		ip_version: ipVersion,
		binary_format_major_version: format = 2,
		build_epoch: builtAtSec,
		database_type: databaseType,
	} = metadata;
	if (format !== 2) throw new Error(`it is of format ${JSON.stringify(format)}, expected 2`);
	if (typeof nodeCount !== 'number' || !Number.isInteger(nodeCount) || nodeCount < 1)
		throw new Error('it has no search tree');
	if (recordSize !== 24 && recordSize !== 28 && recordSize !== 32)
		throw new Error(`it has records of ${JSON.stringify(recordSize)} bits, expected 24, 28 or 32`);
	if (ipVersion !== 4 && ipVersion !== 6)
		throw new Error(`it is for IP version ${JSON.stringify(ipVersion)}, expected 4 or 6`);
	const dataStart = (nodeCount * recordSize) / 4 + ZEROS;
	if (dataStart > markAt) throw new Error('it ends inside its search tree');
	return {
		nodeCount,
		recordSize,
		ipVersion,
		databaseType: typeof databaseType === 'string' ? databaseType : 'unknown',
		builtAtSec:
			typeof builtAtSec === 'number' && builtAtSec >= 0 && builtAtSec <= TIME_SEC_MAX ? builtAtSec : undefined,
		data: { bytes, start: dataStart, end: markAt },
	};
}

/** Where the last mark is; -1 without one. */
function findMark(bytes: Uint8Array): number {
	const last = bytes.length - MARK.length;
	for (let at = last; at >= 0 && at > last - METADATA_OCTETS_MAX; at--) {
		if (bytes[at] === MARK[0] && MARK.every((octet, i) => bytes[at + i] === octet)) return at;
	}
	return -1;
}

class TreeWalk {
	readonly #bytes: Uint8Array;
	readonly #metadata: MmdbMetadata;
	readonly #records: ValueReader;
	readonly #ipv4 = new RangesBuilder(4);
	readonly #ipv6 = new RangesBuilder(6);
	readonly #places: Place[] = [NOWHERE];
	/** Place of each record, by its pointer; records with equal content share one. */
	readonly #placeAt = new Map<number, number>();
	readonly #placeNumbers = new Map<string, number>([[JSON.stringify(NOWHERE), 0]]);
	/** The address of the subtree. */
	readonly #words = new Uint32Array(4);
	#visited = 0;
	#networkCount = 0;
	#ipv4Node = -1;

	constructor(bytes: Uint8Array, metadata: MmdbMetadata) {
		this.#bytes = bytes;
		this.#metadata = metadata;
		this.#records = new ValueReader(metadata.data, RECORD_KEYS);
	}

	run(): MmdbContent {
		const metadata = this.#metadata;
		const zero = new Uint32Array(4);
		this.#ipv4.add(zero, 0, 0);
		this.#ipv6.add(zero, 0, 0);
		if (metadata.ipVersion === 4) {
			this.#walk(0, 0, 4);
		} else {
			this.#ipv4Node = this.#findIpv4Node();
			this.#walk(0, 0, 6);
			if (this.#ipv4Node < metadata.nodeCount) this.#walk(this.#ipv4Node, 0, 4);
			else this.#leaf(this.#ipv4Node, 4);
		}
		const ranges = { ipv4: this.#ipv4.build(), ipv6: this.#ipv6.build() };
		return { metadata, ranges, places: this.#places, networkCount: this.#networkCount };
	}

	/** The node, or leaf, of ::/96. */
	#findIpv4Node(): number {
		let node = 0;
		for (let depth = 0; depth < 96 && node < this.#metadata.nodeCount; depth++) node = this.#child(node, 0);
		return node;
	}

	/** In order, so that ranges come ascending. */
	#walk(node: number, depth: number, family: Family): void {
		const { nodeCount } = this.#metadata;
		// A tree has each node once; more visits mean a cycle or shared branches, which could take for ever.
		if (++this.#visited > nodeCount) throw new Error('its search tree has a cycle, or branches that are shared');
		const word = depth >>> 5;
		const bit = 1 << (31 - (depth & 31));
		for (let side = 0; side < 2; side++) {
			if (side === 1) this.#words[word] = (this.#words[word] ?? 0) | bit;
			const child = this.#child(node, side);
			// Aliases of the IPv4 tree (mapped, 6to4, Teredo): such clients are looked up as IPv4 addresses.
			if (family === 6 && child === this.#ipv4Node && child < nodeCount) this.#ipv6.add(this.#words, 0, 0);
			else if (child >= nodeCount) this.#leaf(child, family);
			else if (depth + 1 >= (family === 4 ? 32 : 128)) throw new Error('its search tree is deeper than an address');
			else this.#walk(child, depth + 1, family);
		}
		this.#words[word] = (this.#words[word] ?? 0) & ~bit;
	}

	#leaf(value: number, family: Family): void {
		let place = 0;
		if (value !== this.#metadata.nodeCount) {
			this.#networkCount++;
			place = this.#placeOf(value);
		}
		(family === 4 ? this.#ipv4 : this.#ipv6).add(this.#words, 0, place);
	}

	#placeOf(pointer: number): number {
		const before = this.#placeAt.get(pointer);
		if (before !== undefined) return before;
		const place = placeOf(this.#records.read(pointer - this.#metadata.nodeCount - ZEROS));
		const key = JSON.stringify(place);
		let number = this.#placeNumbers.get(key);
		if (number === undefined) {
			number = this.#places.push(place) - 1;
			this.#placeNumbers.set(key, number);
		}
		this.#placeAt.set(pointer, number);
		return number;
	}

	#child(node: number, side: number): number {
		return childOf(this.#bytes, this.#metadata.recordSize, node, side);
	}
}

function childOf(bytes: Uint8Array, recordSize: 24 | 28 | 32, node: number, side: number): number {
	const octet = (at: number) => bytes[at] ?? 0;
	switch (recordSize) {
		case 24: {
			const at = node * 6 + side * 3;
			return (octet(at) << 16) | (octet(at + 1) << 8) | octet(at + 2);
		}
		case 28: {
			const at = node * 7 + side * 4;
			const middle = octet(node * 7 + 3);
			const high = side === 0 ? middle >>> 4 : middle & 15;
			return (high << 24) | (octet(at) << 16) | (octet(at + 1) << 8) | octet(at + 2);
		}
		case 32: {
			const at = node * 8 + side * 4;
			return ((octet(at) << 24) | (octet(at + 1) << 16) | (octet(at + 2) << 8) | octet(at + 3)) >>> 0;
		}
	}
}

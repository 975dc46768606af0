/**
 * A MaxMind DB file in another schema: the search tree stays as it is, and what its leaves point to is exchanged.
 * So half a million networks take a moment, and each distinct record is converted once.
 */

import { Reader } from 'maxmind';
import { type Family, printAddress } from '../src/lib/address.ts';
import { DataSection, fileOf } from './mmdb-writer.ts';

const SEPARATOR_OCTETS = 16;
const RECORD_OCTETS = 3;

/**
 * @param convert  what stands in place of a record; undefined when nothing is to be known there
 * @param databaseType  what readers tell schemas apart by, such as GeoLite2-Country
 * @throws Error for a tree of records other than 24 bits
 */
export function convertMmdb(bytes: Buffer, convert: (record: unknown) => unknown, databaseType: string): Buffer {
	const reader = new Reader(bytes);
	const { nodeCount, recordSize, ipVersion } = reader.metadata;
	if (recordSize !== 8 * RECORD_OCTETS) throw new Error(`Cannot convert records of ${recordSize} bits`);
	const tree = Buffer.from(bytes.subarray(0, reader.metadata.searchTreeSize));
	const data = new DataSection(undefined, false);
	const converted = new Map<number, number>();
	const family: Family = ipVersion === 4 ? 4 : 6;
	const words = new Uint32Array(4);
	const leafOf = (pointer: number) => {
		const before = converted.get(pointer);
		if (before !== undefined) return before;
		// The package decodes records of addresses only, so the walk keeps the address that led here.
		const record = convert(reader.get(printAddress({ family, words })));
		const leaf = record === undefined ? nodeCount : nodeCount + SEPARATOR_OCTETS + data.place(record);
		converted.set(pointer, leaf);
		return leaf;
	};
	const walk = (node: number, depth: number): void => {
		const word = depth >>> 5;
		const bit = 1 << (31 - (depth & 31));
		for (let side = 0; side < 2; side++) {
			if (side === 1) words[word] = (words[word] ?? 0) | bit;
			const at = (2 * node + side) * RECORD_OCTETS;
			const child = bytes.readUIntBE(at, RECORD_OCTETS);
			if (child < nodeCount) walk(child, depth + 1);
			else if (child > nodeCount) tree.writeUIntBE(leafOf(child), at, RECORD_OCTETS);
		}
		words[word] = (words[word] ?? 0) & ~bit;
	};
	walk(0, 0);
	return fileOf(tree, data, { nodeCount, recordSize, ipVersion }, { database_type: databaseType });
}

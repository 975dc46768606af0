/**
 * MaxMind DB files. Alone in this room it opens files. One is read whole, and verified before anything of it is used.
 */

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { Reader, type Response } from 'maxmind';
import { type Address, printAddress } from '../lib/address.ts';
import { type Prefix, prefixOf } from '../lib/prefix.ts';
import type { GeoData } from './decide.ts';
import { readMmdb } from './mmdb-tree.ts';
import { fieldsKnown, type GeoField } from './place.ts';

export interface GeoFile extends GeoData {
	readonly path: string;
	/** The type that the file names itself, such as GeoLite2-City. */
	readonly databaseType: string;
	/** Undefined when the file does not say. */
	readonly builtAt: Date | undefined;
	readonly ipVersion: 4 | 6;
	readonly networkCount: number;
	readonly fields: ReadonlySet<GeoField>;
	/** Changes when the file does. */
	readonly stamp: string;
}

/**
 * Read one database.
 * @throws Error with a sentence that names the file, when it cannot be read, is no whole database, or was written to
 *   meanwhile
 */
export function readMmdbFile(path: string): GeoFile {
	let bytes: Buffer<ArrayBuffer>;
	let stamp: string;
	try {
		stamp = stampOf(path);
		bytes = readFileSync(path);
	} catch (cause) {
		throw new Error(`Cannot read the geo database ${path}: ${(cause as Error).message}`, { cause });
	}
	try {
		const { metadata, ranges, places, networkCount } = readMmdb(bytes);
		if (stampOf(path) !== stamp) throw new Error('it was written to while it was read');
		const { databaseType, builtAtSec, ipVersion } = metadata;
		const version = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
		// Freed at once rather than when it is collected.
		if (bytes.length === bytes.buffer.byteLength) bytes.buffer.transfer(0);
		return {
			path,
			databaseType,
			builtAt: builtAtSec === undefined ? undefined : new Date(builtAtSec * 1000),
			ipVersion,
			networkCount,
			fields: fieldsKnown(places),
			stamp,
			ranges,
			places,
			version,
		};
	} catch (cause) {
		throw new Error(`Cannot use the geo database ${path}: ${(cause as Error).message}`, { cause });
	}
}

/**
 * What changes when a file is written to or another takes its place.
 * @throws the runtime's error when it is not there, and an Error when it is no file: a pipe would be waited on for ever
 */
export function stampOf(path: string): string {
	const stat = statSync(path, { bigint: true });
	if (!stat.isFile()) throw new Error('it is no regular file');
	const { dev, ino, size, mtimeNs, ctimeNs } = stat;
	return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

export interface RawFinding {
	/** The network of the file that holds the address. */
	readonly network: Prefix;
	/** As it stands in the file; undefined where it has none. */
	readonly record: unknown;
}

/**
 * Looks single addresses up in a file that `readMmdbFile` has taken, records as they are; undefined for an IPv6
 * address in a file for IPv4.
 * @throws Error when the file cannot be read
 */
export function openRaw(path: string): (address: Address) => RawFinding | undefined {
	const reader = new Reader<Response>(readFileSync(path));
	return (address) => {
		if (address.family === 6 && reader.metadata.ipVersion === 4) return undefined;
		const [record, length] = reader.getWithPrefixLength(printAddress(address));
		return { network: prefixOf(address, length), record: record ?? undefined };
	};
}

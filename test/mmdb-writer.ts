/**
 * Small MaxMind DB files, made on the spot: whole ones, and broken ones by an edit of the tree or the metadata.
 * The format: https://maxmind.github.io/MaxMind-DB/
 *
 *     search tree | 16 zero octets | data section | mark | metadata
 *
 * A record of the tree is a node, the number of nodes ("nothing known"), or beyond that a place in the data section.
 */

import { type Address, parseAddress } from '../src/lib/address.ts';
import { type Prefix, parsePrefix } from '../src/lib/prefix.ts';

export interface MmdbSpec {
	/** Records by prefix; a longer prefix is laid over a shorter one. IPv4 prefixes go below ::/96 in an IPv6 tree. */
	readonly networks: Readonly<Record<string, unknown>>;
	readonly recordSize?: 24 | 28 | 32;
	readonly ipVersion?: 4 | 6;
	/** IPv6 prefixes whose record is the node of the IPv4 tree. */
	readonly aliases?: readonly string[];
	/** Laid over the metadata. */
	readonly metadata?: Readonly<Record<string, unknown>>;
	/** Change the tree before it is written. */
	readonly edit?: (tree: Tree) => void;
	/** Write each part of a record once, with pointers at it from there on, as MaxMind does. */
	readonly isShared?: boolean;
	/** In place of the data section; the record of every network then lies at its start. */
	readonly data?: Uint8Array;
}

/** By node, its two records. */
export type Tree = [Entry, Entry][];
type Entry = number | 'nothing' | { readonly record: unknown } | { readonly dataAt: number };

const MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

export function writeMmdb(spec: MmdbSpec): Buffer {
	const { recordSize = 24, ipVersion = 6 } = spec;
	const tree = treeOf(spec, ipVersion);
	spec.edit?.(tree);
	const data = new DataSection(spec.data, spec.isShared ?? false);
	const count = tree.length;
	const recordOf = (entry: Entry): number => {
		if (typeof entry === 'number') return entry;
		if (entry === 'nothing') return count;
		return count + 16 + ('dataAt' in entry ? entry.dataAt : data.place(entry.record));
	};
	const nodes = tree.map(([left, right]) => nodeOctets(recordSize, recordOf(left), recordOf(right)));
	return fileOf(Buffer.concat(nodes), data, { nodeCount: count, recordSize, ipVersion }, spec.metadata);
}

export interface TreeSize {
	readonly nodeCount: number;
	readonly recordSize: number;
	readonly ipVersion: number;
}

/** A whole file, of a tree as it stands in it and what it points to. */
export function fileOf(
	tree: Uint8Array,
	data: DataSection,
	{ nodeCount, recordSize, ipVersion }: TreeSize,
	more: Readonly<Record<string, unknown>> = {},
): Buffer {
	const metadata = {
		node_count: uint32(nodeCount),
		record_size: uint16(recordSize),
		ip_version: uint16(ipVersion),
		database_type: 'Test',
		languages: ['en'],
		binary_format_major_version: uint16(2),
		binary_format_minor_version: uint16(0),
		build_epoch: uint64(1_700_000_000n),
		description: { en: 'made by a test' },
		...more,
	};
	return Buffer.concat([tree, Buffer.alloc(16), ...data.parts, MARK, encode(metadata)]);
}

function treeOf({ networks, aliases = [] }: MmdbSpec, ipVersion: 4 | 6): Tree {
	const tree: Tree = [['nothing', 'nothing']];
	const entries = Object.entries(networks).map(([text, record]) => ({ prefix: prefixOf(text, ipVersion), record }));
	entries.sort((a, b) => a.prefix.length - b.prefix.length);
	for (const { prefix, record } of entries) put(tree, prefix, { record });
	if (aliases.length === 0) return tree;
	const ipv4Node = walkTo(tree, prefixOf('::/96', 6), 96);
	for (const alias of aliases) put(tree, prefixOf(alias, ipVersion), ipv4Node);
	return tree;
}

/** A prefix in the bits of the tree. */
function prefixOf(text: string, ipVersion: 4 | 6): Prefix {
	const prefix = parsePrefix(text);
	if (typeof prefix === 'string') throw new Error(prefix);
	if (prefix.family === ipVersion) return prefix;
	if (ipVersion === 4) throw new Error(`No room for ${text} in an IPv4 tree`);
	const first = Uint32Array.of(0, 0, 0, prefix.first[0] ?? 0);
	return { family: 6, length: prefix.length + 96, first, last: first };
}

function put(tree: Tree, prefix: Prefix, entry: Entry): void {
	if (prefix.length === 0) {
		tree[0] = [entry, entry];
		return;
	}
	const node = walkTo(tree, prefix, prefix.length - 1);
	const records = tree[node];
	if (records !== undefined) records[bitAt(prefix.first, prefix.length - 1)] = entry;
}

/** The node after so many bits; a record on the way is pushed down. */
function walkTo(tree: Tree, prefix: Prefix, depth: number): number {
	let node = 0;
	for (let i = 0; i < depth; i++) {
		const records = tree[node];
		if (records === undefined) throw new Error(`No node ${node}`);
		const side = bitAt(prefix.first, i);
		const next = records[side];
		if (typeof next !== 'number') {
			tree.push([next, next]);
			records[side] = tree.length - 1;
		}
		node = records[side] as number;
	}
	return node;
}

function bitAt(words: Uint32Array, bit: number): 0 | 1 {
	return (((words[bit >>> 5] ?? 0) >>> (31 - (bit & 31))) & 1) as 0 | 1;
}

function nodeOctets(recordSize: 24 | 28 | 32, left: number, right: number): Buffer {
	const octets = Buffer.alloc(recordSize / 4);
	if (recordSize === 32) {
		octets.writeUInt32BE(left, 0);
		octets.writeUInt32BE(right, 4);
		return octets;
	}
	octets.writeUIntBE(left % 0x1000000, 0, 3);
	octets.writeUIntBE(right % 0x1000000, recordSize / 4 - 3, 3);
	if (recordSize === 28) octets[3] = (Math.floor(left / 0x1000000) << 4) | Math.floor(right / 0x1000000);
	return octets;
}

/** Records by their place; equal ones are there once. */
export class DataSection {
	readonly parts: Buffer[] = [];
	readonly #places = new Map<string, number>();
	readonly #isGiven: boolean;
	readonly #isShared: boolean;
	#length = 0;

	/** @param given  in place of what is made of the records */
	constructor(given: Uint8Array | undefined, isShared: boolean) {
		this.#isGiven = given !== undefined;
		this.#isShared = isShared;
		if (given !== undefined) this.parts.push(Buffer.from(given));
	}

	place(record: unknown): number {
		if (this.#isGiven) return 0;
		const key = encode(record).toString('latin1');
		const before = this.#places.get(key);
		if (before !== undefined) return before;
		const at = this.#length;
		if (this.#isShared) {
			this.#add(record);
			return at;
		}
		this.#push(encode(record));
		this.#places.set(key, at);
		return at;
	}

	/** Write a value here, or a pointer at where it stands already. */
	#add(value: unknown): void {
		const key = encode(value).toString('latin1');
		const before = this.#places.get(key);
		if (before !== undefined) {
			this.#push(pointerTo(before));
			return;
		}
		const at = this.#length;
		if (Array.isArray(value)) {
			this.#push(control(11, value.length));
			for (const part of value) this.#add(part);
		} else if (typeof value === 'object' && value !== null) {
			this.#push(control(7, Object.keys(value).length));
			for (const part of Object.entries(value).flat()) this.#add(part);
		} else {
			this.#push(encode(value));
		}
		this.#places.set(key, at);
	}

	#push(octets: Buffer): void {
		this.parts.push(octets);
		this.#length += octets.length;
	}
}

/** A number of a given width, as metadata needs it. */
class Unsigned {
	readonly type: number;
	readonly value: bigint;

	constructor(type: number, value: bigint) {
		this.type = type;
		this.value = value;
	}
}

const uint16 = (value: number) => new Unsigned(5, BigInt(value));
const uint32 = (value: number) => new Unsigned(6, BigInt(value));
const uint64 = (value: bigint) => new Unsigned(9, value);

/** Text, whole numbers from 0 (uint32), other numbers (double), truth, lists and tables. */
export function encode(value: unknown): Buffer {
	if (typeof value === 'string') {
		const octets = Buffer.from(value);
		return Buffer.concat([control(2, octets.length), octets]);
	}
	if (typeof value === 'boolean') return control(14, value ? 1 : 0);
	if (typeof value === 'number') {
		if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return encode(uint32(value));
		const octets = Buffer.alloc(8);
		octets.writeDoubleBE(value);
		return Buffer.concat([control(3, 8), octets]);
	}
	if (value instanceof Unsigned) {
		const hex = value.value === 0n ? '' : value.value.toString(16);
		const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
		return Buffer.concat([control(value.type, octets.length), octets]);
	}
	if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
	const entries = Object.entries(value as Record<string, unknown>);
	return Buffer.concat([control(7, entries.length), ...entries.flatMap(([key, part]) => [encode(key), encode(part)])]);
}

/** The octets before a value: its type, and its size or count. */
function control(type: number, size: number): Buffer {
	const short = size < 29 ? size : size < 285 ? 29 : 30;
	if (size >= 65821) throw new Error('Too long for a small database');
	const head = type > 7 ? [short, type - 7] : [(type << 5) | short];
	const rest = size < 29 ? [] : size < 285 ? [size - 29] : [(size - 285) >>> 8, (size - 285) & 255];
	return Buffer.from([...head, ...rest]);
}

/** A pointer to a place in the data section. */
export function pointerTo(at: number): Buffer {
	if (at < 2048) return Buffer.from([0x20 | (at >>> 8), at & 255]);
	const rest = at - 2048;
	if (rest >= 2 ** 19) throw new Error('Too far for a small database');
	return Buffer.from([0x28 | (rest >>> 16), (rest >>> 8) & 255, rest & 255]);
}

export function addressOf(text: string): Address {
	const address = parseAddress(text);
	if (address === undefined) throw new Error(`Cannot read ${text}`);
	return address;
}

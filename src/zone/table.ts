/**
 * All zones in one flat table: open addressing over the lower-cased wire name, nodes and RRsets as rows
 * of integers, octets in one arena. Workers read one copy of them all (snapshot/share.ts).
 *
 *     name --hash--> slots --> nodes --> rrsets --> bytes (RDATA)
 *                                |           '----> additional (targets with addresses)
 *                                '-> cut, dname, wildcard, parentSide: other nodes, found when the table was built
 *
 * A name stands in the table once, in the deepest zone that holds it. What a parent zone of ours knows of a
 * child apex (NS, DS) hangs on the child's node as its parent side.
 */

import { type Name, octet } from '../dns/name.ts';

/** Columns of a node row. Node references are stored as index + 1, so that 0 is none. */
export const NODE = {
	nameAt: 0,
	nameLength: 1,
	zone: 2,
	/** Topmost delegation at or above this node. */
	cut: 3,
	/** Topmost DNAME owner at or above this node; 0 where a cut lies above it. */
	dname: 4,
	/** The node `*` directly below. */
	wildcard: 5,
	firstRrset: 6,
	rrsetCount: 7,
	/** Index + 1 into `steeredTypes`. */
	steered: 8,
	parentSide: 9,
	columns: 10,
} as const;

export const RRSET = {
	type: 0,
	ttlSec: 1,
	count: 2,
	/** Records lie one behind another as 16-bit length and RDATA, uncompressed. */
	dataAt: 3,
	/** First entry and number of entries in `additional`. */
	additionalAt: 4,
	additionalCount: 5,
	/** Octets before the first compressible name of the RDATA, and how many such names follow. */
	nameSkip: 6,
	nameCount: 7,
	columns: 8,
} as const;

/** An address RRset's owner for the additional section: the target's name, and the node that has its addresses. */
export const ADDITIONAL = { nameAt: 0, node: 1, columns: 2 } as const;

export const ZONE = {
	apex: 0,
	soa: 1,
	negativeTtlSec: 2,
	apexLabels: 3,
	/** Octets of the SOA's MNAME and RNAME before the apex; OUT_OF_ZONE when they do not end in it. */
	mnamePrefix: 4,
	rnamePrefix: 5,
	columns: 6,
} as const;

export const OUT_OF_ZONE = 0xffff;

export interface ZoneTable {
	/** Pairs of hash and node + 1; a power of two of them. */
	readonly slots: Int32Array;
	readonly nodes: Uint32Array;
	readonly rrsets: Uint32Array;
	readonly zones: Uint32Array;
	readonly additional: Uint32Array;
	readonly bytes: Uint8Array;
	/** Most labels of any name: a longer query name starts its search here. */
	readonly labelsMax: number;
	/** For each steered name the types that its policy answers; ANY alone for every type. */
	readonly steeredTypes: readonly (readonly number[])[];
	readonly zoneCount: number;
}

/** The node whose name is the suffix of `name` that starts at `label`; -1 when there is none. */
export function findNode(table: Pick<ZoneTable, 'slots' | 'nodes' | 'bytes'>, name: Name, label: number): number {
	const { slots, nodes, bytes } = table;
	const hash = name.hashes[label] ?? 0;
	const start = name.starts[label] ?? 0;
	const length = name.length - start;
	const mask = slots.length / 2 - 1;
	for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
		const node = (slots[2 * slot + 1] ?? 0) - 1;
		if (node < 0) return -1;
		if (slots[2 * slot] !== hash) continue;
		const row = node * NODE.columns;
		if (nodes[row + NODE.nameLength] === length && isSame(bytes, nodes[row] ?? 0, name.wire, start, length))
			return node;
	}
}

function isSame(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
	for (let i = 0; i < length; i++) if (octet(a, aAt + i) !== octet(b, bAt + i)) return false;
	return true;
}

export function nodeColumn(table: ZoneTable, node: number, column: number): number {
	return table.nodes[node * NODE.columns + column] ?? 0;
}

export function rrsetColumn(table: ZoneTable, rrset: number, column: number): number {
	return table.rrsets[rrset * RRSET.columns + column] ?? 0;
}

export function zoneColumn(table: ZoneTable, zone: number, column: number): number {
	return table.zones[zone * ZONE.columns + column] ?? 0;
}

/** The RRset of a type at a node; -1 when it has none. */
export function findRrset(table: ZoneTable, node: number, type: number): number {
	const first = nodeColumn(table, node, NODE.firstRrset);
	const end = first + nodeColumn(table, node, NODE.rrsetCount);
	for (let rrset = first; rrset < end; rrset++) {
		if (table.rrsets[rrset * RRSET.columns + RRSET.type] === type) return rrset;
	}
	return -1;
}

/** Wire name of a node, a view into the table. */
export function nodeName(table: ZoneTable, node: number): Uint8Array {
	const at = nodeColumn(table, node, NODE.nameAt);
	return table.bytes.subarray(at, at + nodeColumn(table, node, NODE.nameLength));
}

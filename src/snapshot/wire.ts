/**
 * A snapshot as it crosses to a thread: the columns of one arena, and where the ranges of its nodes lie. What is
 * cloned for each thread is a handful of numbers, however large the zones are.
 *
 *     arena: slots | nodes | rrsets | ... | text of steering nodes and names | slots and columns
 *
 * Nodes and names stand in the arena as text, and a thread reads those of a name when it is first asked for: a swap
 * costs a thread the same for a hundred thousand steered names as for one.
 */

import type { FamilyRanges, Ranges } from '../geo/ranges.ts';
import type { PolicyNode, PoolNode, SteeredName, SteeringNode, SteeringTable } from '../steering/nodes.ts';
import { membersOf } from '../steering/nodes.ts';
import type { ZoneTable } from '../zone/table.ts';
import type { AnswerColumns } from './decisions.ts';
import type { AnswerData } from './snapshot.ts';

/** Columns of an arena, in this order; each begins at a multiple of 8 octets. */
export interface Columns {
	readonly slots: Int32Array;
	readonly nodes: Uint32Array;
	readonly rrsets: Uint32Array;
	readonly zones: Uint32Array;
	readonly additional: Uint32Array;
	readonly bytes: Uint8Array;
	readonly rdata: Uint8Array;
	readonly latencyMemory: Int32Array;
	/** By steered name: which of `typeSets` its policy answers. */
	readonly typeSetOf: Uint32Array;
	/** JSON of steering nodes, then of steered names, and where each ends. */
	readonly text: Uint8Array;
	readonly textEnds: Uint32Array;
	/** Slot of each target in the health words. */
	readonly targetSlots: Int32Array;
	/** AnswerColumns. */
	readonly nameColumns: Int32Array;
	readonly endpointColumns: Int32Array;
}

const COLUMN_TYPES = {
	slots: Int32Array,
	nodes: Uint32Array,
	rrsets: Uint32Array,
	zones: Uint32Array,
	additional: Uint32Array,
	bytes: Uint8Array,
	rdata: Uint8Array,
	latencyMemory: Int32Array,
	typeSetOf: Uint32Array,
	text: Uint8Array,
	textEnds: Uint32Array,
	targetSlots: Int32Array,
	nameColumns: Int32Array,
	endpointColumns: Int32Array,
} as const;

type ColumnType = new (buffer: ArrayBufferLike, at: number, length: number) => Int32Array | Uint32Array | Uint8Array;
type ColumnName = keyof typeof COLUMN_TYPES;
const COLUMN_NAMES = Object.keys(COLUMN_TYPES) as readonly ColumnName[];

export interface WireSnapshot {
	/** Id of the arena's buffer. */
	readonly arena: number;
	/** Elements of each column. */
	readonly lengths: Readonly<Record<ColumnName, number>>;
	readonly labelsMax: number;
	readonly zoneCount: number;
	readonly typeSets: readonly (readonly number[])[];
	readonly nodeCount: number;
	readonly nameCount: number;
	readonly targetCount: number;
	readonly addressesMax: number;
	/** Nodes name their ranges by the index here. */
	readonly ranges: readonly WireRanges[];
}

export interface WireRanges {
	/** Id of its buffer. */
	readonly buffer: number;
	/** How many ranges each family has. */
	readonly ipv4: number;
	readonly ipv6: number;
}

/** Where what a generation reads and counts has its place in memory that outlives it. */
export interface Places {
	/** Slot of each target in the health words. */
	readonly targetSlots: Int32Array;
	readonly columns: AnswerColumns;
}

export interface OpenSnapshot extends Places {
	readonly snapshot: AnswerData;
}

/** Octets of an arena for these columns. */
export function arenaOctets(lengths: WireSnapshot['lengths']): number {
	return COLUMN_NAMES.reduce((at, name) => aligned(at + lengths[name] * COLUMN_TYPES[name].BYTES_PER_ELEMENT), 0);
}

export function lengthsOf(columns: Columns): WireSnapshot['lengths'] {
	return Object.fromEntries(COLUMN_NAMES.map((name) => [name, columns[name].length])) as Record<ColumnName, number>;
}

/** The columns of an arena, as views. */
export function columnsOf(arena: SharedArrayBuffer, lengths: WireSnapshot['lengths']): Columns {
	let at = 0;
	const views = COLUMN_NAMES.map((name) => {
		const Column: ColumnType = COLUMN_TYPES[name];
		const view = new Column(arena, at, lengths[name]);
		at = aligned(at + view.byteLength);
		return [name, view];
	});
	return Object.fromEntries(views) as Columns;
}

export function copyColumns(from: Columns, to: Columns): void {
	for (const name of COLUMN_NAMES) to[name].set(from[name]);
}

function aligned(at: number): number {
	return (at + 7) & ~7;
}

const INDEX_WORDS = 65_537;
const WHOLE_WORDS = 65_536;

/** Words that the ranges of both families take. */
export function rangesWords({ ipv4, ipv6 }: Pick<WireRanges, 'ipv4' | 'ipv6'>): number {
	return 2 * ipv4 + 5 * ipv6 + 2 * (INDEX_WORDS + WHOLE_WORDS);
}

export function rangesOf(buffer: SharedArrayBuffer, { ipv4, ipv6 }: Pick<WireRanges, 'ipv4' | 'ipv6'>): Ranges {
	let at = 0;
	const words = (count: number) => {
		const view = new Uint32Array(buffer, at, count);
		at += view.byteLength;
		return view;
	};
	const family = (stride: 1 | 4, count: number): FamilyRanges => ({
		stride,
		starts: words(stride * count),
		values: words(count),
		index: words(INDEX_WORDS),
		whole: words(WHOLE_WORDS),
	});
	return { ipv4: family(1, ipv4), ipv6: family(4, ipv6) };
}

/** With the number of its ranges in their place. */
type Numbered<T extends { readonly decisions: Ranges }> = Omit<T, 'decisions'> & { readonly decisions: number };
type Vantages = NonNullable<PoolNode['vantages']>;
type NodeText =
	| (Omit<PoolNode, 'vantages'> & { readonly vantages?: Numbered<Vantages> })
	| Exclude<PolicyNode, { decisions: Ranges }>
	| Numbered<Extract<PolicyNode, { decisions: Ranges }>>;

/** @param numberOf  of ranges, in `WireSnapshot.ranges` */
export function printNode(node: SteeringNode, numberOf: (ranges: Ranges) => number): string {
	return JSON.stringify(numbered(node, numberOf));
}

function numbered(node: SteeringNode, numberOf: (ranges: Ranges) => number): NodeText {
	if ('decisions' in node) return { ...node, decisions: numberOf(node.decisions) };
	if (node.kind !== 'pool' || node.vantages === undefined) return node as NodeText;
	return { ...node, vantages: { ...node.vantages, decisions: numberOf(node.vantages.decisions) } };
}

/**
 * @param buffers  by id: those of the arena and of all ranges
 */
export function openSnapshot(wire: WireSnapshot, buffers: ReadonlyMap<number, SharedArrayBuffer>): OpenSnapshot {
	const columns = columnsOf(bufferOf(buffers, wire.arena), wire.lengths);
	const { slots, nodes, rrsets, zones, additional, bytes, typeSetOf, rdata, latencyMemory } = columns;
	const { labelsMax, zoneCount, targetCount, addressesMax } = wire;
	const steeredTypes: (readonly number[])[] = new Array(wire.nameCount);
	for (let name = 0; name < wire.nameCount; name++) steeredTypes[name] = wire.typeSets[typeSetOf[name] ?? 0] ?? [];
	const table: ZoneTable = { slots, nodes, rrsets, zones, additional, bytes, labelsMax, steeredTypes, zoneCount };
	const texts = new Texts(wire, columns, buffers);
	const steering: SteeringTable = {
		nodes: texts.nodes,
		names: texts.names,
		// Told by those who have the snapshot whole; who answers knows them by their index.
		endpoints: [],
		rdata,
		latencyMemory,
		targetCount,
		addressesMax,
		load: (name) => texts.load(name),
	};
	return {
		snapshot: { zones: table, steering },
		targetSlots: columns.targetSlots,
		columns: { names: columns.nameColumns, endpoints: columns.endpointColumns },
	};
}

/** Nodes and names that are read when they are needed. */
class Texts {
	readonly nodes: SteeringNode[];
	readonly names: SteeredName[];
	readonly #wire: WireSnapshot;
	readonly #columns: Columns;
	readonly #buffers: ReadonlyMap<number, SharedArrayBuffer>;
	readonly #decoder = new TextDecoder();

	constructor(wire: WireSnapshot, columns: Columns, buffers: ReadonlyMap<number, SharedArrayBuffer>) {
		this.nodes = new Array(wire.nodeCount);
		this.names = new Array(wire.nameCount);
		this.#wire = wire;
		this.#columns = columns;
		// Those of this snapshot; the map is its owner's to change.
		this.#buffers = new Map(wire.ranges.map(({ buffer }) => [buffer, bufferOf(buffers, buffer)]));
	}

	/** Read a steered name, and every node that its policy may come to. */
	load(index: number): SteeredName | undefined {
		if (index < 0 || index >= this.#wire.nameCount) return undefined;
		const name = this.#read(this.#wire.nodeCount + index) as SteeredName;
		const open = [name.root];
		for (let at = open.pop(); at !== undefined; at = open.pop()) {
			if (this.nodes[at] !== undefined) continue;
			const node = this.#node(at);
			this.nodes[at] = node;
			open.push(...membersOf(node));
		}
		this.names[index] = name;
		return name;
	}

	#node(index: number): SteeringNode {
		const text = this.#read(index) as NodeText;
		if ('decisions' in text) return { ...text, decisions: this.#ranges(text.decisions) } as SteeringNode;
		if (text.kind !== 'pool' || text.vantages === undefined) return text as SteeringNode;
		return { ...text, vantages: { ...text.vantages, decisions: this.#ranges(text.vantages.decisions) } };
	}

	#ranges(number: number): Ranges {
		const ranges = this.#wire.ranges[number];
		if (ranges === undefined) throw new Error(`Cannot find ranges ${number} of a snapshot`);
		return rangesOf(bufferOf(this.#buffers, ranges.buffer), ranges);
	}

	#read(entry: number): unknown {
		const { text, textEnds } = this.#columns;
		const start = entry === 0 ? 0 : (textEnds[entry - 1] ?? 0);
		// A copy of its own: shared octets may not be decoded.
		return JSON.parse(this.#decoder.decode(text.slice(start, textEnds[entry] ?? start)));
	}
}

function bufferOf(buffers: ReadonlyMap<number, SharedArrayBuffer>, id: number): SharedArrayBuffer {
	const buffer = buffers.get(id);
	if (buffer === undefined) throw new Error(`Cannot open a snapshot: its buffer ${id} never came`);
	return buffer;
}

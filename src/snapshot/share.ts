/**
 * Snapshots in memory that threads share, and that is used again once no thread reads it.
 *
 *     snapshot -> arena (zone table, RDATA, steering as text) --.
 *              -> ranges, those of before where they are equal --+-> wire.ts -> threads
 *
 * Two arenas take turns while threads keep up; one that a thread still reads is left alone, and a third one taken.
 */

import type { Ranges } from '../geo/ranges.ts';
import { SharedPool } from '../lib/shared-pool.ts';
import type { Snapshot } from './snapshot.ts';
import {
	arenaOctets,
	type Columns,
	columnsOf,
	copyColumns,
	lengthsOf,
	type Places,
	printNode,
	rangesOf,
	rangesWords,
	type WireRanges,
	type WireSnapshot,
} from './wire.ts';

export interface SharedSnapshot {
	/** The same, with its zones in the arena. */
	readonly snapshot: Snapshot;
	/** In the arena: the slot of each target. */
	readonly targetSlots: Int32Array;
	readonly wire: WireSnapshot;
	/** All that it lies in, by id. */
	readonly buffers: ReadonlyMap<number, SharedArrayBuffer>;
}

export class SnapshotMemory {
	readonly #pool: SharedPool;
	/** Ranges of snapshots in use, by what they were copied from: generations share them while rules and databases stay. */
	readonly #shared = new Map<Ranges, WireRanges & { readonly shared: SharedArrayBuffer }>();

	/** @param firstBuffer  id of its first buffer */
	constructor(firstBuffer = 1) {
		this.#pool = new SharedPool(firstBuffer);
	}

	/** All that it holds, used or free. */
	get octets(): number {
		return this.#pool.octets;
	}

	/** Ids of all that it holds. */
	get buffers(): readonly number[] {
		return this.#pool.ids;
	}

	/**
	 * @param inUse  snapshots that some thread may still read; the memory of all others is taken again
	 */
	share(snapshot: Snapshot, { targetSlots, columns: own }: Places, inUse: readonly SharedSnapshot[]): SharedSnapshot {
		this.#sweep(inUse);
		const buffers = new Map<number, SharedArrayBuffer>();
		const ranges: WireRanges[] = [];
		const numbers = new Map<Ranges, number>();
		const numberOf = (from: Ranges) => {
			const before = numbers.get(from);
			if (before !== undefined) return before;
			const { shared, ...wire } = this.#shareRanges(from);
			buffers.set(wire.buffer, shared);
			numbers.set(from, ranges.length);
			return ranges.push(wire) - 1;
		};
		const { zones, steering } = snapshot;
		const { nodes, names, rdata, latencyMemory, targetCount, addressesMax } = steering;
		const texts = new TextColumn();
		for (const node of nodes) texts.add(printNode(node, numberOf));
		for (const name of names) texts.add(JSON.stringify(name));
		const { typeSets, typeSetOf } = typeSetsOf(zones.steeredTypes);
		const columns = {
			...{ ...zones, rdata, latencyMemory, typeSetOf, ...texts.columns(), targetSlots },
			...{ nameColumns: own.names, endpointColumns: own.endpoints },
		} satisfies Columns;
		const lengths = lengthsOf(columns);
		const arena = this.#pool.take(arenaOctets(lengths));
		buffers.set(arena.id, arena.buffer);
		const copies = columnsOf(arena.buffer, lengths);
		copyColumns(columns, copies);
		const { slots, nodes: nodeRows, rrsets, zones: zoneRows, additional, bytes } = copies;
		const { labelsMax, zoneCount } = zones;
		return {
			snapshot: {
				...snapshot,
				zones: { ...zones, slots, nodes: nodeRows, rrsets, zones: zoneRows, additional, bytes },
				steering: { ...steering, latencyMemory: copies.latencyMemory },
			},
			targetSlots: copies.targetSlots,
			wire: {
				arena: arena.id,
				lengths,
				labelsMax,
				zoneCount,
				typeSets,
				nodeCount: nodes.length,
				nameCount: names.length,
				targetCount,
				addressesMax,
				ranges,
			},
			buffers,
		};
	}

	#sweep(inUse: readonly SharedSnapshot[]): void {
		const ids = new Set(inUse.flatMap(({ buffers }) => [...buffers.keys()]));
		this.#pool.sweep(ids);
		for (const [from, { buffer }] of this.#shared) if (!ids.has(buffer)) this.#shared.delete(from);
	}

	#shareRanges(from: Ranges): WireRanges & { readonly shared: SharedArrayBuffer } {
		const before = this.#shared.get(from);
		if (before !== undefined) return before;
		const counts = { ipv4: from.ipv4.values.length, ipv6: from.ipv6.values.length };
		const { id, buffer } = this.#pool.take(4 * rangesWords(counts));
		const to = rangesOf(buffer, counts);
		for (const family of ['ipv4', 'ipv6'] as const) {
			for (const column of ['starts', 'values', 'index', 'whole'] as const)
				to[family][column].set(from[family][column]);
		}
		const entry = { buffer: id, ...counts, shared: buffer };
		this.#shared.set(from, entry);
		return entry;
	}
}

/** Texts one behind another. */
class TextColumn {
	readonly #encoder = new TextEncoder();
	readonly #ends: number[] = [];
	#bytes = new Uint8Array(4096);
	#used = 0;

	add(text: string): void {
		// UTF-8 takes at most three octets for a UTF-16 unit.
		const most = this.#used + 3 * text.length;
		if (most > this.#bytes.length) {
			const larger = new Uint8Array(Math.max(2 * this.#bytes.length, most));
			larger.set(this.#bytes.subarray(0, this.#used));
			this.#bytes = larger;
		}
		this.#used += this.#encoder.encodeInto(text, this.#bytes.subarray(this.#used)).written;
		this.#ends.push(this.#used);
	}

	columns(): Pick<Columns, 'text' | 'textEnds'> {
		return { text: this.#bytes.subarray(0, this.#used), textEnds: Uint32Array.from(this.#ends) };
	}
}

/** There are few sets of types, however many names. */
function typeSetsOf(steeredTypes: readonly (readonly number[])[]): Pick<Columns, 'typeSetOf'> & {
	readonly typeSets: readonly (readonly number[])[];
} {
	const typeSets: (readonly number[])[] = [];
	const numbers = new Map<string, number>();
	const typeSetOf = Uint32Array.from(steeredTypes, (types) => {
		const key = types.join();
		const before = numbers.get(key);
		if (before !== undefined) return before;
		numbers.set(key, typeSets.length);
		return typeSets.push(types) - 1;
	});
	return { typeSets, typeSetOf };
}

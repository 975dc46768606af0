/**
 * The zone table from one build to the next: zones that have changed are taken out and put in again, the others stay
 * as they are. Between builds there is one copy of it, in the memory of those who answer.
 *
 * | what has changed                                          | what is built                  |
 * |-----------------------------------------------------------|--------------------------------|
 * | few zones, none above or below another zone of ours       | those zones                    |
 * | the numbers of steered names                              | their column                   |
 * | many zones, nested ones, or much of the table is left over | the whole table                |
 */

import { printName, sameName } from '../dns/name.ts';
import type { RecordList } from '../dns/record-list.ts';
import { type SteeredInput, TableBuilder, type ZoneInput } from './build-table.ts';
import type { ZoneTable } from './table.ts';

/** A share of the zones above which it is no dearer to build them all. */
const CHANGED_SHARE = 0.1;
/** Each zone that is new is held against the apexes of all others. */
const FRESH_MAX = 16;
/** Rows that are left over, as a share of all. */
const GARBAGE_SHARE = 0.25;

interface Kept {
	readonly zone: number;
	readonly input: ZoneInput;
}

export class TableKeeper {
	#builder: TableBuilder | undefined;
	/** The zones in the builder, by their records: a unit that has not changed has the very same ones. */
	#kept = new Map<RecordList, Kept>();

	/** @returns a table whose columns the next build may change */
	build(zones: readonly ZoneInput[]): ZoneTable {
		const builder = this.#builder;
		// What a build leaves unfinished is nothing to go on from.
		this.#builder = undefined;
		const table = builder === undefined ? undefined : this.#update(builder, zones);
		if (table === undefined) return this.#buildAll(zones);
		this.#builder = builder;
		return table;
	}

	/** The table that was built last lies in this copy from now on, until the next build changes it. */
	lend(copy: ZoneTable): void {
		this.#builder?.lend(copy);
	}

	#buildAll(zones: readonly ZoneInput[]): ZoneTable {
		const builder = new TableBuilder();
		const table = builder.addAll(zones);
		this.#kept = new Map(zones.map((input, zone) => [input.records, { zone, input }]));
		this.#builder = builder;
		return table;
	}

	/** The table with what has changed; undefined when it has to be built as a whole. */
	#update(builder: TableBuilder, zones: readonly ZoneInput[]): ZoneTable | undefined {
		if (builder.garbageShare > GARBAGE_SHARE) return undefined;
		const added: ZoneInput[] = [];
		const present = new Set<RecordList>();
		for (const input of zones) {
			const kept = this.#kept.get(input.records);
			if (kept === undefined || !hasSameOwners(kept.input.steered, input.steered)) added.push(input);
			else present.add(input.records);
		}
		const removed = [...this.#kept.values()].filter(({ input }) => !present.has(input.records));
		if (added.length + removed.length > CHANGED_SHARE * zones.length) return undefined;
		if (removed.some(({ zone }) => builder.isNested(zone))) return undefined;
		const removedApexes = new Set(removed.map(({ input }) => printName(input.apex)));
		const fresh = added.filter(({ apex }) => !removedApexes.has(printName(apex)));
		if (fresh.length > FRESH_MAX) return undefined;
		builder.reclaim();
		for (const { zone, input } of removed) {
			builder.remove(zone);
			this.#kept.delete(input.records);
		}
		// One that replaces another lies where that one lay, alone.
		if (fresh.some(({ apex }) => builder.wouldNest(apex, added))) return undefined;
		const newZones = builder.add(added);
		for (const [i, input] of added.entries()) this.#kept.set(input.records, { zone: newZones[i] ?? -1, input });
		builder.clearSteered();
		for (const input of zones) {
			const kept = this.#kept.get(input.records);
			if (kept === undefined || input.steered.length === 0) continue;
			builder.setSteered(kept.zone, input.steered);
			this.#kept.set(input.records, { zone: kept.zone, input });
		}
		return builder.table(zones.length);
	}
}

function hasSameOwners(a: readonly SteeredInput[], b: readonly SteeredInput[]): boolean {
	return a.length === b.length && a.every(({ owner }, i) => sameName(owner, b[i]?.owner ?? owner.subarray(1)));
}

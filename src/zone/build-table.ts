/**
 * Zones to the flat table of `table.ts`.
 *
 *     apexes -> owner names and their empty non-terminals -> RRsets -> cuts, DNAMEs, wildcards -> additional
 */

import { copyName, labelCount, Name, nameLength, octet, printName } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import { additionalName, canonicalRdata } from '../dns/rdata.ts';
import type { RecordList } from '../dns/record-list.ts';
import { compressibleNames, rrType } from '../dns/rr-type.ts';
import {
	ADDITIONAL,
	findNode,
	findRrset,
	NODE,
	nodeColumn,
	nodeName,
	OUT_OF_ZONE,
	RRSET,
	ZONE,
	type ZoneTable,
} from './table.ts';

export interface ZoneInput {
	/** Lower-cased wire name. */
	readonly apex: Uint8Array;
	/** Checked records: one SOA at the apex, every owner at or below it. */
	readonly records: RecordList;
	readonly steered: readonly SteeredInput[];
}

export interface SteeredInput {
	/** Lower-cased wire name at or below the apex. */
	readonly owner: Uint8Array;
	readonly types: readonly number[];
	/** Index into the table's `steeredTypes`, unique over all zones. */
	readonly index: number;
}

/** A growable column store of 32-bit rows. */
class Rows {
	count = 0;
	#words = new Uint32Array(ROOM_MIN);
	readonly #columns: number;

	constructor(columns: number) {
		this.#columns = columns;
	}

	/** All rows, and room behind them. */
	get words(): Uint32Array {
		return this.#words;
	}

	/** The rows there are. */
	get view(): Uint32Array {
		return this.#words.subarray(0, this.count * this.#columns);
	}

	/** Make room for so many more; what is not used is never touched, and costs nothing. */
	reserve(rows: number): void {
		const words = (this.count + rows) * this.#columns;
		if (words > this.#words.length) this.#words = grown(this.#words, words);
	}

	/** A new row of zeros. */
	add(): number {
		if ((this.count + 1) * this.#columns > this.#words.length) this.#words = grown(this.#words, 2 * this.#words.length);
		return this.count++;
	}

	/** Give the memory back, at once; the rows are still counted. */
	release(): void {
		this.#words.buffer.transfer(0);
		this.#words = new Uint32Array(0);
	}

	/** Take the rows back that were released. */
	restore(rows: Uint32Array): void {
		this.#words = new Uint32Array(rows.length + ROOM_MIN);
		this.#words.set(rows);
	}

	set(row: number, column: number, value: number): void {
		this.#words[row * this.#columns + column] = value;
	}

	get(row: number, column: number): number {
		return this.#words[row * this.#columns + column] ?? 0;
	}
}

/** Words of a column store to begin with. */
const ROOM_MIN = 1024;

function grown(words: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
	return new Uint32Array(words.buffer.transfer(4 * length));
}

/** Columns of the builder's own rows: what a node needs only while it is placed. Records are counted from 1. */
const DRAFT = { parent: 0, isApex: 1, firstRecord: 2, lastRecord: 3, columns: 4 } as const;

/** Builder's own columns of a zone: its nodes behind the apex, and whether another zone lies above or below it. */
const HOME = { firstNode: 0, endNode: 1, isNested: 2, columns: 3 } as const;

export class TableBuilder {
	readonly #zones: ZoneInput[] = [];
	readonly #nodes = new Rows(NODE.columns);
	/** Of the nodes from `#firstDraft` on. */
	#drafts = new Rows(DRAFT.columns);
	#firstDraft = 0;
	readonly #rrsets = new Rows(RRSET.columns);
	readonly #zoneRows = new Rows(ZONE.columns);
	readonly #homes = new Rows(HOME.columns);
	/** By record of all zones that are placed: the next one of its owner. */
	#nextRecord = new Uint32Array(0);
	/** By zone that is placed: where its records begin in `#nextRecord`. */
	readonly #recordsAt = new Map<number, number>();
	readonly #additional = new Rows(ADDITIONAL.columns);
	#steeredTypes: (readonly number[])[] = [];
	#bytes = new Uint8Array(4 * ROOM_MIN);
	#used = 0;
	#slots = new Int32Array(2 * ROOM_MIN);
	/** Where the table lies while the builder has none of its own. */
	#lent: ZoneTable | undefined;
	#labelsMax = 0;
	readonly #name = new Name();
	/** Numbers of zones that were taken out. */
	readonly #freeZones: number[] = [];
	#deadNodes = 0;
	/** Of the type that came last: RRsets of one type mostly follow one another. */
	#namesType = 0;
	#names = compressibleNames(0);

	/** Build the table of all zones, whatever lies inside one another; the first to be called, and once. */
	addAll(zones: readonly ZoneInput[]): ZoneTable {
		this.#place(
			zones,
			zones.map((_, zone) => zone),
		);
		return this.table(zones.length);
	}

	/** How much of the table nobody comes to any more. */
	get garbageShare(): number {
		return this.#deadNodes / Math.max(1, this.#nodes.count);
	}

	isNested(zone: number): boolean {
		return this.#homes.get(zone, HOME.isNested) === 1;
	}

	/** Whether an apex lies above or below that of a zone here or of another one of `others`. */
	wouldNest(apex: Uint8Array, others: readonly ZoneInput[]): boolean {
		copyName(apex, 0, this.#name);
		for (let label = 0; label <= this.#name.labelCount; label++) if (this.#find(this.#name, label) >= 0) return true;
		const labels = labelCount(apex, 0);
		const isBelow = (other: Uint8Array) => {
			copyName(other, 0, this.#name);
			return other !== apex && endsWith(this.#name, apex, labels);
		};
		const isFree = new Set(this.#freeZones);
		return (
			this.#zones.some((zone, i) => !isFree.has(i) && isBelow(zone.apex)) || others.some((other) => isBelow(other.apex))
		);
	}

	/** Take a zone out that no other lies above or below. */
	remove(zone: number): void {
		const apex = this.#zoneRows.get(zone, ZONE.apex);
		this.#unplace(apex);
		const end = this.#homes.get(zone, HOME.endNode);
		for (let node = this.#homes.get(zone, HOME.firstNode); node < end; node++) this.#unplace(node);
		this.#freeZones.push(zone);
	}

	/** Put zones in that lie neither above nor below others. @returns their numbers */
	add(zones: readonly ZoneInput[]): readonly number[] {
		const numbers = zones.map(() => this.#freeZones.pop() ?? -1);
		let next = this.#zones.length;
		const given = numbers.map((zone) => (zone < 0 ? next++ : zone));
		this.#place(zones, given);
		return given;
	}

	clearSteered(): void {
		this.#steeredTypes = [];
	}

	/** Number the steered names of a zone anew; they are those that it was added with. */
	setSteered(zone: number, steered: readonly SteeredInput[]): void {
		const apexLabels = this.#apexLabels(this.#zones[zone]?.apex ?? new Uint8Array(1));
		for (const { owner, types, index } of steered) {
			this.#steeredTypes[index] = types;
			const node = this.#ownerNode(owner, 0, zone, apexLabels);
			if (node >= 0) this.#nodes.set(node, NODE.steered, index + 1);
		}
	}

	/** From now on the table lies in this copy of it, which stays as it is until the builder changes anything. */
	lend(copy: ZoneTable): void {
		this.#lent = copy;
		for (const rows of [this.#nodes, this.#rrsets, this.#zoneRows, this.#additional]) rows.release();
		// Given back at once: what is only dropped stays until the next collection.
		this.#bytes.buffer.transfer(0);
		this.#bytes = new Uint8Array(0);
		this.#slots.buffer.transfer(0);
		this.#slots = new Int32Array(0);
	}

	/** Have a table of its own again; to be called before anything is asked or changed. */
	reclaim(): void {
		if (this.#lent === undefined) return;
		const { slots, nodes, rrsets, zones, additional, bytes } = this.#lent;
		this.#nodes.restore(nodes);
		this.#rrsets.restore(rrsets);
		this.#zoneRows.restore(zones);
		this.#additional.restore(additional);
		this.#bytes = new Uint8Array(bytes.length + ROOM_MIN);
		this.#bytes.set(bytes);
		this.#slots = new Int32Array(slots);
		this.#lent = undefined;
	}

	#place(zones: readonly ZoneInput[], numbers: readonly number[]): void {
		const firstNode = this.#nodes.count;
		this.#firstDraft = firstNode;
		this.#makeRoom(zones, numbers);
		for (const [i, zone] of zones.entries()) this.#addApex(numbers[i] ?? 0, zone);
		for (const [i, zone] of zones.entries()) this.#addOwners(numbers[i] ?? 0, zone);
		for (let node = firstNode; node < this.#nodes.count; node++) this.#addRrsets(node);
		this.#nextRecord.buffer.transfer(0);
		for (let node = firstNode; node < this.#nodes.count; node++) this.#inherit(node);
		this.#drafts.release();
		this.#drafts = new Rows(DRAFT.columns);
		// From here on nothing is appended but `additional`, so these views stay good.
		const table = this.table(0);
		for (const zone of numbers) this.#finishZone(table, zone);
		this.#addAdditional(table, firstNode);
	}

	/** Most records have an owner of their own, and are an RRset. */
	#makeRoom(zones: readonly ZoneInput[], numbers: readonly number[]): void {
		this.#recordsAt.clear();
		let count = 0;
		let octets = 0;
		let owners = 0;
		for (const [i, { records }] of zones.entries()) {
			this.#recordsAt.set(numbers[i] ?? 0, count);
			count += records.count;
			owners += records.countOwnerRuns();
			octets += records.octets.length;
		}
		this.#nextRecord = new Uint32Array(count);
		this.#nodes.reserve(count + zones.length);
		this.#drafts.reserve(count + zones.length);
		this.#rrsets.reserve(count);
		this.#reserve(octets + 2 * count);
		this.#growSlots(owners + zones.length);
	}

	/** Let no name lead to a node any more. */
	#unplace(node: number): void {
		copyName(this.#bytes, this.#nodes.get(node, NODE.nameAt), this.#name);
		unplace(this.#slots, this.#name.hashes[0] ?? 0, node);
		this.#deadNodes++;
	}

	/** The table over the builder's own arrays. */
	table(zoneCount: number): ZoneTable {
		return {
			slots: this.#slots,
			nodes: this.#nodes.view,
			rrsets: this.#rrsets.view,
			zones: this.#zoneRows.view,
			additional: this.#additional.view,
			bytes: this.#bytes.subarray(0, this.#used),
			labelsMax: this.#labelsMax,
			steeredTypes: this.#steeredTypes,
			zoneCount,
		};
	}

	#addApex(zone: number, input: ZoneInput): void {
		copyName(input.apex, 0, this.#name);
		const node = this.#addNode(this.#name, 0, zone);
		this.#enter(this.#name, 0, node);
		this.#drafts.set(node - this.#firstDraft, DRAFT.isApex, 1);
		this.#zones[zone] = input;
		if (zone === this.#zoneRows.count) {
			this.#zoneRows.add();
			this.#homes.add();
		}
		this.#homes.set(zone, HOME.isNested, 0);
		this.#zoneRows.set(zone, ZONE.apex, node);
	}

	#addOwners(zone: number, input: ZoneInput): void {
		const apexLabels = this.#apexLabels(input.apex);
		this.#noteNesting(zone);
		this.#homes.set(zone, HOME.firstNode, this.#nodes.count);
		const { records } = input;
		const { octets } = records;
		const recordsAt = this.#recordsAt.get(zone) ?? 0;
		let ownerAt = -1;
		let node = -1;
		for (let record = 0; record < records.count; record++) {
			const nextAt = records.ownerAt(record);
			// Records of one owner mostly follow one another, and then share their owner's octets.
			if (nextAt !== ownerAt) node = this.#ownerNode(octets, nextAt, zone, apexLabels);
			ownerAt = nextAt;
			if (node >= 0) this.#link(node - this.#firstDraft, recordsAt + record + 1);
		}
		for (const { owner: steeredOwner, types, index } of input.steered) {
			const steeredNode = this.#ownerNode(steeredOwner, 0, zone, apexLabels);
			this.#steeredTypes[index] = types;
			if (steeredNode >= 0) this.#nodes.set(steeredNode, NODE.steered, index + 1);
		}
		this.#homes.set(zone, HOME.endNode, this.#nodes.count);
	}

	/** Mark a zone whose apex `#name` holds, and the zones above it. */
	#noteNesting(zone: number): void {
		for (let label = 1; label <= this.#name.labelCount; label++) {
			const above = this.#find(this.#name, label);
			if (above < 0) continue;
			this.#homes.set(zone, HOME.isNested, 1);
			this.#homes.set(this.#nodes.get(above, NODE.zone), HOME.isNested, 1);
		}
	}

	#apexLabels(apex: Uint8Array): number {
		copyName(apex, 0, this.#name);
		return this.#name.labelCount;
	}

	/** The node for an owner name of a zone, made when new; -1 when a child zone of ours hides the name. */
	#ownerNode(octets: Uint8Array, at: number, zone: number, apexLabels: number): number {
		const name = this.#name;
		copyName(octets, at, name);
		const apexLabel = name.labelCount - apexLabels;
		for (let label = apexLabel - 1; label > 0; label--) {
			const above = this.#find(name, label);
			if (above < 0 || this.#nodes.get(above, NODE.zone) === zone) continue;
			// The record is hidden, but the names between our apex and the child's exist because of it (RFC 4592 §2.2.2).
			copyName(this.#bytes, this.#nodes.get(above, NODE.nameAt), name);
			this.#parentSide(above, zone, name.labelCount - apexLabels);
			return -1;
		}
		const found = this.#find(name, 0);
		// Most names stand right below their apex.
		if (found < 0 && apexLabel === 1) return this.#addChild(name, 0, zone, this.#zoneRows.get(zone, ZONE.apex));
		if (found < 0) return this.#addBranch(name, zone, apexLabel, 0);
		return this.#nodes.get(found, NODE.zone) === zone ? found : this.#parentSide(found, zone, apexLabel);
	}

	/**
	 * Make the missing nodes of `name` from below the apex down to the suffix at `lastLabel` (RFC 4592 §2.2.2).
	 * @returns the node of that suffix
	 */
	#addBranch(name: Name, zone: number, apexLabel: number, lastLabel: number): number {
		let parent = this.#find(name, apexLabel);
		for (let label = apexLabel - 1; label >= lastLabel; label--) {
			const node = this.#find(name, label);
			parent = node < 0 ? this.#addChild(name, label, zone, parent) : node;
		}
		return parent;
	}

	/** Make the node of the suffix at `label`, whose parent is there. */
	#addChild(name: Name, label: number, zone: number, parent: number): number {
		const node = this.#addNode(name, label, zone);
		this.#enter(name, label, node);
		this.#drafts.set(node - this.#firstDraft, DRAFT.parent, parent + 1);
		const start = name.starts[label] ?? 0;
		if (octet(name.wire, start) === 1 && octet(name.wire, start + 1) === 0x2a)
			this.#nodes.set(parent, NODE.wildcard, node + 1);
		return node;
	}

	/** What the parent zone knows of a child apex; a node of its own that no name leads to. `#name` holds its name. */
	#parentSide(childApex: number, zone: number, apexLabel: number): number {
		const known = this.#nodes.get(childApex, NODE.parentSide);
		if (known !== 0) return known - 1;
		// The names between the two apexes exist in the parent.
		const parent = this.#addBranch(this.#name, zone, apexLabel, 1);
		const node = this.#addNode(this.#name, 0, zone);
		this.#nodes.set(childApex, NODE.parentSide, node + 1);
		this.#drafts.set(node - this.#firstDraft, DRAFT.parent, parent + 1);
		return node;
	}

	#addNode(name: Name, label: number, zone: number): number {
		const node = this.#nodes.add();
		this.#drafts.add();
		const start = name.starts[label] ?? 0;
		const at = this.#append(name.wire, start, name.length - start);
		this.#nodes.set(node, NODE.nameAt, at);
		this.#nodes.set(node, NODE.nameLength, name.length - start);
		this.#nodes.set(node, NODE.zone, zone);
		this.#labelsMax = Math.max(this.#labelsMax, name.labelCount - label);
		return node;
	}

	#find(name: Name, label: number): number {
		return findNode({ slots: this.#slots, nodes: this.#nodes.words, bytes: this.#bytes }, name, label);
	}

	#enter(name: Name, label: number, node: number): void {
		if (4 * (node + 1) > this.#slots.length) this.#growSlots(1);
		place(this.#slots, name.hashes[label] ?? 0, node);
	}

	/** Make room for so many nodes more, where there is less. */
	#growSlots(nodes: number): void {
		const old = this.#slots;
		let length = old.length;
		while (length < 4 * (this.#nodes.count + nodes)) length *= 2;
		if (length === old.length) return;
		this.#slots = new Int32Array(length);
		for (let i = 0; i < old.length; i += 2) {
			const node = (old[i + 1] ?? 0) - 1;
			if (node >= 0) place(this.#slots, old[i] ?? 0, node);
		}
	}

	/** Hang a record on its owner's list, in the order of the file. */
	#link(draft: number, record: number): void {
		const last = this.#drafts.get(draft, DRAFT.lastRecord);
		if (last === 0) this.#drafts.set(draft, DRAFT.firstRecord, record);
		else this.#nextRecord[last - 1] = record;
		this.#drafts.set(draft, DRAFT.lastRecord, record);
	}

	#addRrsets(node: number): void {
		const first = this.#rrsets.count;
		this.#nodes.set(node, NODE.firstRrset, first);
		const zone = this.#nodes.get(node, NODE.zone);
		const firstRecord = this.#drafts.get(node - this.#firstDraft, DRAFT.firstRecord);
		const list = this.#zones[zone]?.records;
		if (firstRecord === 0 || list === undefined) return;
		const recordsAt = (this.#recordsAt.get(zone) ?? 0) + 1;
		if (this.#nextRecord[firstRecord - 1] === 0) this.#addSingle(firstRecord - recordsAt, list);
		else {
			const records: number[] = [];
			for (let next = firstRecord; next !== 0; next = this.#nextRecord[next - 1] ?? 0) records.push(next - recordsAt);
			const groups = Map.groupBy(records, (record) => list.type(record));
			for (const [type, group] of groups) this.#addRrset(type, group, list);
		}
		this.#nodes.set(node, NODE.rrsetCount, this.#rrsets.count - first);
	}

	/** The one record of an owner, as most are. */
	#addSingle(record: number, list: RecordList): void {
		const rrset = this.#addRrsetRow(list.type(record));
		this.#rrsets.set(rrset, RRSET.ttlSec, list.ttlSec(record));
		this.#rrsets.set(rrset, RRSET.count, 1);
		this.#addRdata(list, record);
	}

	/** Equal records count once, and the least TTL stands for the whole RRset (RFC 2181 §5). */
	#addRrset(type: number, records: readonly number[], list: RecordList): void {
		const rrset = this.#addRrsetRow(type);
		const seen = new Set<string>();
		let ttlSec = 0xffffffff;
		let count = 0;
		for (const record of records) {
			ttlSec = Math.min(ttlSec, list.ttlSec(record));
			if (records.length > 1) {
				const key = String.fromCharCode(...canonicalRdata(type, list.rdata(record)));
				if (seen.has(key)) continue;
				seen.add(key);
			}
			this.#addRdata(list, record);
			count++;
		}
		this.#rrsets.set(rrset, RRSET.ttlSec, ttlSec);
		this.#rrsets.set(rrset, RRSET.count, count);
	}

	#addRrsetRow(type: number): number {
		const rrset = this.#rrsets.add();
		this.#rrsets.set(rrset, RRSET.type, type);
		this.#rrsets.set(rrset, RRSET.dataAt, this.#used);
		if (type !== this.#namesType) {
			this.#namesType = type;
			this.#names = compressibleNames(type);
		}
		this.#rrsets.set(rrset, RRSET.nameSkip, this.#names.skip);
		this.#rrsets.set(rrset, RRSET.nameCount, this.#names.names);
		return rrset;
	}

	#addRdata(list: RecordList, record: number): void {
		const length = list.rdataLength(record);
		this.#reserve(length + 2);
		this.#bytes[this.#used++] = length >>> 8;
		this.#bytes[this.#used++] = length;
		this.#append(list.octets, list.rdataAt(record), length);
	}

	/** Settle the topmost cut or DNAME at or above a node. Parents have lower numbers, so theirs is settled already. */
	#inherit(node: number): void {
		const parent = this.#drafts.get(node - this.#firstDraft, DRAFT.parent) - 1;
		let cut = parent < 0 ? 0 : this.#nodes.get(parent, NODE.cut);
		let dname = parent < 0 ? 0 : this.#nodes.get(parent, NODE.dname);
		if (cut === 0 && dname === 0) {
			const isApex = this.#drafts.get(node - this.#firstDraft, DRAFT.isApex) === 1;
			if (!isApex && this.#has(node, TYPE.ns)) cut = node + 1;
			else if (this.#has(node, TYPE.dname)) dname = node + 1;
		}
		this.#nodes.set(node, NODE.cut, cut);
		this.#nodes.set(node, NODE.dname, dname);
	}

	#has(node: number, type: number): boolean {
		const first = this.#nodes.get(node, NODE.firstRrset);
		for (let rrset = first; rrset < first + this.#nodes.get(node, NODE.rrsetCount); rrset++) {
			if (this.#rrsets.get(rrset, RRSET.type) === type) return true;
		}
		return false;
	}

	/** RFC 2308 §3: negative answers live for the lesser of the SOA's TTL and its MINIMUM. */
	#finishZone(table: ZoneTable, zone: number): void {
		const soa = findRrset(table, this.#zoneRows.get(zone, ZONE.apex), TYPE.soa);
		this.#zoneRows.set(zone, ZONE.soa, soa);
		const row = soa * RRSET.columns;
		const dataAt = table.rrsets[row + RRSET.dataAt] ?? 0;
		const length = (octet(table.bytes, dataAt) << 8) | octet(table.bytes, dataAt + 1);
		const mnameAt = dataAt + 2;
		const rnameAt = mnameAt + nameLength(table.bytes, mnameAt);
		this.#zoneRows.set(zone, ZONE.mnamePrefix, this.#prefixBeforeApex(table, zone, mnameAt));
		this.#zoneRows.set(zone, ZONE.rnamePrefix, this.#prefixBeforeApex(table, zone, rnameAt));
		const view = new DataView(table.bytes.buffer, table.bytes.byteOffset);
		const minimumSec = view.getUint32(dataAt + 2 + length - 4);
		this.#zoneRows.set(zone, ZONE.negativeTtlSec, Math.min(minimumSec, table.rrsets[row + RRSET.ttlSec] ?? 0));
	}

	/** Octets of a name before its zone's apex, with which a negative answer is written without looking at names. */
	#prefixBeforeApex(table: ZoneTable, zone: number, nameAt: number): number {
		const apex = this.#zones[zone]?.apex ?? new Uint8Array(1);
		const apexLabels = labelCount(apex, 0);
		this.#zoneRows.set(zone, ZONE.apexLabels, apexLabels);
		copyName(table.bytes, nameAt, this.#name);
		return endsWith(this.#name, apex, apexLabels) ? this.#name.length - apex.length : OUT_OF_ZONE;
	}

	/** For each RRset whose type has targets: those that have addresses in this zone or below. */
	#addAdditional(table: ZoneTable, firstNode: number): void {
		for (let node = firstNode; node < this.#nodes.count; node++) {
			const first = this.#nodes.get(node, NODE.firstRrset);
			for (let rrset = first; rrset < first + this.#nodes.get(node, NODE.rrsetCount); rrset++) {
				const from = this.#additional.count;
				this.#rrsets.set(rrset, RRSET.additionalAt, from);
				this.#addTargets(table, node, rrset);
				this.#rrsets.set(rrset, RRSET.additionalCount, this.#additional.count - from);
			}
		}
	}

	#addTargets(table: ZoneTable, node: number, rrset: number): void {
		const type = this.#rrsets.get(rrset, RRSET.type);
		const row = rrType(type);
		if (row?.additionalAt === undefined && row?.mnemonic !== 'NAPTR') return;
		const apex = nodeName(table, this.#zoneRows.get(this.#nodes.get(node, NODE.zone), ZONE.apex));
		const apexLabels = labelCount(apex, 0);
		const seen = new Set<string>();
		let at = this.#rrsets.get(rrset, RRSET.dataAt);
		for (let i = 0; i < this.#rrsets.get(rrset, RRSET.count); i++) {
			const length = (octet(table.bytes, at) << 8) | octet(table.bytes, at + 1);
			const name = additionalName(type, table.bytes.subarray(at + 2, at + 2 + length));
			at += 2 + length;
			if (name === undefined) continue;
			let nameAt = name.byteOffset - table.bytes.byteOffset;
			// RFC 9460 §2.5: "." as a target stands for the owner.
			if (name.length === 1 && row.mnemonic !== 'NS') nameAt = this.#nodes.get(node, NODE.nameAt);
			copyName(table.bytes, nameAt, this.#name);
			const key = printName(this.#name.wire);
			const target = this.#addressNode(table);
			if (target < 0 || seen.has(key) || !endsWith(this.#name, apex, apexLabels)) continue;
			seen.add(key);
			const entry = this.#additional.add();
			this.#additional.set(entry, ADDITIONAL.nameAt, nameAt);
			this.#additional.set(entry, ADDITIONAL.node, target);
		}
	}

	/** The node that has addresses for `#name`: its own, or the wildcard that would answer for it (RFC 4592 §3.3.1); -1 for none. */
	#addressNode(table: ZoneTable): number {
		let label = 0;
		let node = findNode(table, this.#name, label);
		while (node < 0 && label < this.#name.labelCount) node = findNode(table, this.#name, ++label);
		if (node >= 0 && label > 0) node = nodeColumn(table, node, NODE.wildcard) - 1;
		if (node < 0) return -1;
		return findRrset(table, node, TYPE.a) >= 0 || findRrset(table, node, TYPE.aaaa) >= 0 ? node : -1;
	}

	#append(bytes: Uint8Array, offset: number, length: number): number {
		this.#reserve(length);
		const at = this.#used;
		// For the few octets of a name or an address a loop beats TypedArray.set with subarray.
		for (let i = 0; i < length; i++) this.#bytes[at + i] = octet(bytes, offset + i);
		this.#used += length;
		return at;
	}

	#reserve(length: number): void {
		if (this.#used + length <= this.#bytes.length) return;
		const larger = Math.max(2 * this.#bytes.length, this.#used + length);
		this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(larger));
	}
}

function place(slots: Int32Array, hash: number, node: number): void {
	const mask = slots.length / 2 - 1;
	let slot = hash & mask;
	while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
	slots[2 * slot] = hash;
	slots[2 * slot + 1] = node + 1;
}

/** Take an entry out, and move up those behind it that are reached over its place. */
function unplace(slots: Int32Array, hash: number, node: number): void {
	const mask = slots.length / 2 - 1;
	let hole = hash & mask;
	while (slots[2 * hole + 1] !== node + 1) {
		// No name leads to what a parent zone knows of its child.
		if (slots[2 * hole + 1] === 0) return;
		hole = (hole + 1) & mask;
	}
	for (let slot = (hole + 1) & mask; slots[2 * slot + 1] !== 0; slot = (slot + 1) & mask) {
		const home = (slots[2 * slot] ?? 0) & mask;
		if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
		slots[2 * hole] = slots[2 * slot] ?? 0;
		slots[2 * hole + 1] = slots[2 * slot + 1] ?? 0;
		hole = slot;
	}
	slots[2 * hole] = 0;
	slots[2 * hole + 1] = 0;
}

function endsWith(name: Name, suffix: Uint8Array, suffixLabels: number): boolean {
	if (name.labelCount < suffixLabels) return false;
	const start = name.starts[name.labelCount - suffixLabels] ?? 0;
	if (name.length - start !== suffix.length) return false;
	for (let i = 0; i < suffix.length; i++) if (octet(name.wire, start + i) !== octet(suffix, i)) return false;
	return true;
}

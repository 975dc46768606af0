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
	#words = new Uint32Array(1024);
	readonly #columns: number;

	constructor(columns: number) {
		this.#columns = columns;
	}

	get words(): Uint32Array {
		return this.#words;
	}

	/** A new row of zeros. */
	add(): number {
		if ((this.count + 1) * this.#columns > this.#words.length) {
			const larger = new Uint32Array(2 * this.#words.length);
			larger.set(this.#words);
			this.#words = larger;
		}
		return this.count++;
	}

	/** Rows that are added from now on are not of zeros. */
	clear(): void {
		this.count = 0;
	}

	set(row: number, column: number, value: number): void {
		this.#words[row * this.#columns + column] = value;
	}

	get(row: number, column: number): number {
		return this.#words[row * this.#columns + column] ?? 0;
	}
}

/** Columns of the builder's own rows: what a node needs only while the table grows. */
const DRAFT = { parent: 0, isApex: 1, firstRecord: 2, lastRecord: 3, columns: 4 } as const;
const LINK = { zone: 0, record: 1, next: 2, columns: 3 } as const;

/** Builder's own columns of a zone: its nodes behind the apex, and whether another zone lies above or below it. */
const HOME = { firstNode: 0, endNode: 1, isNested: 2, columns: 3 } as const;

export class TableBuilder {
	readonly #zones: ZoneInput[] = [];
	readonly #nodes = new Rows(NODE.columns);
	readonly #drafts = new Rows(DRAFT.columns);
	readonly #rrsets = new Rows(RRSET.columns);
	readonly #zoneRows = new Rows(ZONE.columns);
	readonly #homes = new Rows(HOME.columns);
	readonly #links = new Rows(LINK.columns);
	readonly #additional = new Rows(ADDITIONAL.columns);
	#steeredTypes: (readonly number[])[] = [];
	#bytes = new Uint8Array(65536);
	#used = 0;
	#slots = new Int32Array(2 * 1024);
	#labelsMax = 0;
	readonly #name = new Name();
	/** Numbers of zones that were taken out. */
	readonly #freeZones: number[] = [];
	#deadNodes = 0;

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
			const node = this.#ownerNode(owner, zone, apexLabels);
			if (node >= 0) this.#nodes.set(node, NODE.steered, index + 1);
		}
	}

	#place(zones: readonly ZoneInput[], numbers: readonly number[]): void {
		const firstNode = this.#nodes.count;
		this.#links.clear();
		for (const [i, zone] of zones.entries()) this.#addApex(numbers[i] ?? 0, zone);
		for (const [i, zone] of zones.entries()) this.#addOwners(numbers[i] ?? 0, zone);
		for (let node = firstNode; node < this.#nodes.count; node++) this.#addRrsets(node);
		for (let node = firstNode; node < this.#nodes.count; node++) this.#inherit(node);
		// From here on nothing is appended but `additional`, so these views stay good.
		const table = this.table(0);
		for (const zone of numbers) this.#finishZone(table, zone);
		this.#addAdditional(table, firstNode);
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
			nodes: this.#nodes.words.subarray(0, this.#nodes.count * NODE.columns),
			rrsets: this.#rrsets.words.subarray(0, this.#rrsets.count * RRSET.columns),
			zones: this.#zoneRows.words.subarray(0, this.#zoneRows.count * ZONE.columns),
			additional: this.#additional.words.subarray(0, this.#additional.count * ADDITIONAL.columns),
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
		this.#drafts.set(node, DRAFT.isApex, 1);
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
		let owner: Uint8Array | undefined;
		let node = -1;
		for (let record = 0; record < input.records.count; record++) {
			const next = input.records.owner(record);
			// Records of one owner mostly follow one another, and then share their owner's octets.
			if (owner?.byteOffset !== next.byteOffset || owner.length !== next.length)
				node = this.#ownerNode(next, zone, apexLabels);
			owner = next;
			if (node >= 0) this.#link(node, zone, record);
		}
		for (const { owner: steeredOwner, types, index } of input.steered) {
			const steeredNode = this.#ownerNode(steeredOwner, zone, apexLabels);
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
	#ownerNode(owner: Uint8Array, zone: number, apexLabels: number): number {
		const name = this.#name;
		copyName(owner, 0, name);
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
			let node = this.#find(name, label);
			if (node < 0) {
				node = this.#addNode(name, label, zone);
				this.#enter(name, label, node);
				this.#drafts.set(node, DRAFT.parent, parent + 1);
				const start = name.starts[label] ?? 0;
				if (octet(name.wire, start) === 1 && octet(name.wire, start + 1) === 0x2a) {
					this.#nodes.set(parent, NODE.wildcard, node + 1);
				}
			}
			parent = node;
		}
		return parent;
	}

	/** What the parent zone knows of a child apex; a node of its own that no name leads to. `#name` holds its name. */
	#parentSide(childApex: number, zone: number, apexLabel: number): number {
		const known = this.#nodes.get(childApex, NODE.parentSide);
		if (known !== 0) return known - 1;
		// The names between the two apexes exist in the parent.
		const parent = this.#addBranch(this.#name, zone, apexLabel, 1);
		const node = this.#addNode(this.#name, 0, zone);
		this.#nodes.set(childApex, NODE.parentSide, node + 1);
		this.#drafts.set(node, DRAFT.parent, parent + 1);
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
		if (4 * (node + 1) > this.#slots.length) this.#growSlots();
		place(this.#slots, name.hashes[label] ?? 0, node);
	}

	#growSlots(): void {
		const old = this.#slots;
		this.#slots = new Int32Array(2 * old.length);
		for (let i = 0; i < old.length; i += 2) {
			const node = (old[i + 1] ?? 0) - 1;
			if (node >= 0) place(this.#slots, old[i] ?? 0, node);
		}
	}

	/** Hang a record on its owner's list, in the order of the file. */
	#link(node: number, zone: number, record: number): void {
		const link = this.#links.add();
		this.#links.set(link, LINK.zone, zone);
		this.#links.set(link, LINK.record, record);
		this.#links.set(link, LINK.next, 0);
		const last = this.#drafts.get(node, DRAFT.lastRecord);
		if (last === 0) this.#drafts.set(node, DRAFT.firstRecord, link + 1);
		else this.#links.set(last - 1, LINK.next, link + 1);
		this.#drafts.set(node, DRAFT.lastRecord, link + 1);
	}

	#addRrsets(node: number): void {
		const first = this.#rrsets.count;
		this.#nodes.set(node, NODE.firstRrset, first);
		let link = this.#drafts.get(node, DRAFT.firstRecord);
		if (link === 0) return;
		const records: number[] = [];
		for (; link !== 0; link = this.#links.get(link - 1, LINK.next))
			records.push(this.#links.get(link - 1, LINK.record));
		const list = this.#zones[this.#nodes.get(node, NODE.zone)]?.records;
		if (list === undefined) return;
		const groups = Map.groupBy(records, (record) => list.type(record));
		for (const [type, group] of groups) this.#addRrset(type, group, list);
		this.#nodes.set(node, NODE.rrsetCount, this.#rrsets.count - first);
	}

	/** Equal records count once, and the least TTL stands for the whole RRset (RFC 2181 §5). */
	#addRrset(type: number, records: readonly number[], list: RecordList): void {
		const rrset = this.#rrsets.add();
		this.#rrsets.set(rrset, RRSET.type, type);
		this.#rrsets.set(rrset, RRSET.dataAt, this.#used);
		const seen = new Set<string>();
		let ttlSec = 0xffffffff;
		for (const record of records) {
			ttlSec = Math.min(ttlSec, list.ttlSec(record));
			const rdata = list.rdata(record);
			if (records.length > 1) {
				const key = String.fromCharCode(...canonicalRdata(type, rdata));
				if (seen.has(key)) continue;
				seen.add(key);
			}
			this.#reserve(rdata.length + 2);
			this.#bytes[this.#used++] = rdata.length >>> 8;
			this.#bytes[this.#used++] = rdata.length;
			this.#append(rdata, 0, rdata.length);
			this.#rrsets.set(rrset, RRSET.count, this.#rrsets.get(rrset, RRSET.count) + 1);
		}
		this.#rrsets.set(rrset, RRSET.ttlSec, ttlSec);
		const { skip, names } = compressibleNames(type);
		this.#rrsets.set(rrset, RRSET.nameSkip, skip);
		this.#rrsets.set(rrset, RRSET.nameCount, names);
	}

	/** Settle the topmost cut or DNAME at or above a node. Parents have lower numbers, so theirs is settled already. */
	#inherit(node: number): void {
		const parent = this.#drafts.get(node, DRAFT.parent) - 1;
		let cut = parent < 0 ? 0 : this.#nodes.get(parent, NODE.cut);
		let dname = parent < 0 ? 0 : this.#nodes.get(parent, NODE.dname);
		if (cut === 0 && dname === 0) {
			const isApex = this.#drafts.get(node, DRAFT.isApex) === 1;
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
		const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#used + length));
		larger.set(this.#bytes);
		this.#bytes = larger;
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

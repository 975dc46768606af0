/**
 * What is wrong with the records of one zone taken together. Each record alone was checked when it was scanned.
 *
 *     records -> owners numbered, RRsets found -> rules for an owner, for an RRset, for a target
 *
 * | problem                                                                | kind    |
 * |------------------------------------------------------------------------|---------|
 * | no SOA or NS at the apex, an owner outside the zone                    | error   |
 * | SOA away from the apex, or two that differ                             | error   |
 * | CNAME beside other data, two that differ; the same for DNAME and NS    | error   |
 * | records below a DNAME, different TTLs in an RRset                      | warning |
 * | a target of NS, MX or SRV that is an alias; a name server without glue | warning |
 *
 * A rule costs the same for each record, so a zone is checked in linear time.
 */

import { copyName, Name, octet, printName } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import { canonicalRdata } from '../dns/rdata.ts';
import type { RecordList } from '../dns/record-list.ts';
import { rrType, typeText } from '../dns/rr-type.ts';
import { NameIndex } from './name-index.ts';

export interface ZoneProblem {
	/** Line of the record that it speaks of; 1 for the zone as a whole. */
	readonly line: number;
	/** The included file that the line counts in; absent for the zone file itself. */
	readonly file?: string;
	readonly message: string;
	/** The zone can be served in spite of it. */
	readonly isWarning: boolean;
}

/** Errors and warnings are counted apart, so that no flood of warnings hides an error. */
const PROBLEMS_MAX = 100;

/** What an owner has, one bit each. */
const HAS = { soa: 1, ns: 2, cname: 4, dname: 8, address: 16, besideCname: 32, outside: 64 } as const;

/** RFC 4034 §2.5, §3 and §4 let these stand beside a CNAME: KEY, RRSIG, NSEC. */
const ALLOWED_BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.cname, 25, TYPE.rrsig, TYPE.nsec]);

/** Targets of other types may be aliases: SVCB and HTTPS by RFC 9460 §2.4.2. */
const MUST_NOT_BE_ALIAS: ReadonlySet<number> = new Set([TYPE.ns, TYPE.mx, TYPE.srv]);

/**
 * @param apex     lower-cased wire name
 * @param steered  lower-cased wire names whose addresses a policy gives: they need none in the file
 * @returns the problems in the order of their lines, at most `PROBLEMS_MAX` errors and as many warnings
 */
export function checkZone(
	apex: Uint8Array,
	records: RecordList,
	steered: readonly Uint8Array[] = [],
): readonly ZoneProblem[] {
	return new Checker(apex, records, steered).run();
}

class Checker {
	readonly #apex: Uint8Array;
	readonly #records: RecordList;
	readonly #owners = new NameIndex();
	/** By owner number. */
	#has = new Uint8Array(1024);
	/** By record: its owner's number. */
	readonly #ownerOf: Uint32Array;
	/** First record + 1 of each RRset, open addressing over owner and type. */
	readonly #rrsets: Int32Array;
	#hasDname = false;
	readonly #name = new Name();
	readonly #other = new Name();
	readonly #apexLabels: number;
	readonly #errors: ZoneProblem[] = [];
	readonly #warnings: ZoneProblem[] = [];

	constructor(apex: Uint8Array, records: RecordList, steered: readonly Uint8Array[]) {
		this.#apex = apex;
		this.#records = records;
		this.#ownerOf = new Uint32Array(records.count);
		this.#rrsets = new Int32Array(2 ** (33 - Math.clz32(records.count + 1)));
		copyName(apex, 0, this.#name);
		this.#apexLabels = this.#name.labelCount;
		this.#mark(this.#owners.add(this.#name), 0);
		for (const owner of steered) {
			copyName(owner, 0, this.#name);
			this.#mark(this.#owners.add(this.#name), HAS.address);
		}
	}

	run(): readonly ZoneProblem[] {
		this.#numberOwners();
		const apexHas = this.#has[APEX] ?? 0;
		const apexText = printName(this.#apex);
		if ((apexHas & HAS.soa) === 0)
			this.#error(undefined, `Cannot find the SOA of ${apexText}, expected one at the apex`);
		if ((apexHas & HAS.ns) === 0)
			this.#error(undefined, `Cannot find an NS record of ${apexText}, expected one at the apex`);
		this.#checkRrsets();
		for (let record = 0; record < this.#records.count; record++) this.#checkTargets(record);
		return [...this.#errors, ...this.#warnings].sort((a, b) => a.line - b.line);
	}

	#numberOwners(): void {
		const records = this.#records;
		let before: Uint8Array | undefined;
		let owner = -1;
		for (let record = 0; record < records.count; record++) {
			const wire = records.owner(record);
			if (before?.byteOffset !== wire.byteOffset) owner = this.#ownerNumber(wire, record);
			before = wire;
			this.#ownerOf[record] = owner;
			this.#mark(owner, hasBit(records.type(record)));
			if (records.type(record) === TYPE.dname) this.#hasDname = true;
		}
	}

	#ownerNumber(wire: Uint8Array, record: number): number {
		copyName(wire, 0, this.#name);
		const count = this.#owners.count;
		const owner = this.#owners.add(this.#name);
		if (this.#owners.count === count || this.#isInZone(this.#name)) return owner;
		this.#mark(owner, HAS.outside);
		const message = `Cannot hold ${printName(wire)} in this zone, expected names at or below ${printName(this.#apex)}`;
		this.#error(record, message);
		return owner;
	}

	#isInZone(name: Name): boolean {
		const label = name.labelCount - this.#apexLabels;
		return label >= 0 && this.#owners.find(name, label) === APEX;
	}

	/** The rules that hold an RRset's later records against its first, and an owner's RRsets against one another. */
	#checkRrsets(): void {
		const records = this.#records;
		const differing = new Set<number>();
		for (let record = 0; record < records.count; record++) {
			const owner = this.#ownerOf[record] ?? 0;
			if ((this.#owned(owner) & HAS.outside) !== 0) continue;
			const type = records.type(record);
			const first = this.#firstOf(owner, type, record);
			if (first === record) {
				this.#checkOwner(record, owner, type);
				continue;
			}
			if (records.ttlSec(first) !== records.ttlSec(record) && !differing.has(first)) {
				differing.add(first);
				this.#warnTtl(first, record);
			}
			if (isSingleton(type) && !this.#isSameRdata(first, record)) {
				const what = `a second ${typeText(type)} at ${this.#ownerText(record)}`;
				this.#error(record, `Cannot hold ${what}, expected only the one of line ${records.line(first)}`);
			}
		}
	}

	#warnTtl(first: number, record: number): void {
		const records = this.#records;
		const rrset = `${this.#ownerText(record)} ${typeText(records.type(record))}`;
		const [own, expected] = [records.ttlSec(record), records.ttlSec(first)];
		this.#warning(
			record,
			`Cannot keep TTL ${own} of ${rrset} beside TTL ${expected} of line ${records.line(first)}, expected one TTL for an RRset: the least is used`,
		);
	}

	/** For the first record of each RRset. */
	#checkOwner(record: number, owner: number, type: number): void {
		const has = this.#owned(owner);
		if (type === TYPE.soa && owner !== APEX) {
			const message = `Cannot hold an SOA at ${this.#ownerText(record)}, expected it at ${printName(this.#apex)} only`;
			this.#error(record, message);
		}
		if (type === TYPE.cname && (has & HAS.besideCname) !== 0) {
			this.#error(record, `Cannot hold a CNAME beside other data at ${this.#ownerText(record)}, expected it alone`);
		}
		if (type === TYPE.dname && owner !== APEX && (has & HAS.ns) !== 0) {
			this.#error(
				record,
				`Cannot hold a DNAME beside NS at ${this.#ownerText(record)}, expected one of the two (RFC 6672 §2.3)`,
			);
		}
		if (!this.#hasDname) return;
		copyName(this.#owners.name(owner), 0, this.#name);
		const dname = this.#closestAbove(this.#name, HAS.dname, 1);
		if (dname !== undefined) {
			const message = `Cannot serve ${this.#ownerText(record)} ${typeText(type)}, expected nothing below the DNAME at ${dname}`;
			this.#warning(record, message);
		}
	}

	/** The printed suffix of `name`, from `label` up to the apex, that has one of `bits`; undefined when none has. */
	#closestAbove(name: Name, bits: number, fromLabel: number): string | undefined {
		for (let label = fromLabel; label <= name.labelCount - this.#apexLabels; label++) {
			const owner = this.#owners.find(name, label);
			if (owner >= 0 && (this.#owned(owner) & bits) !== 0) return printName(this.#owners.name(owner));
		}
		return undefined;
	}

	#checkTargets(record: number): void {
		const type = this.#records.type(record);
		const skip = rrType(type)?.additionalAt;
		const owner = this.#ownerOf[record] ?? 0;
		if (skip === undefined || (this.#owned(owner) & HAS.outside) !== 0) return;
		const target = this.#name;
		copyName(this.#records.rdata(record), skip, target);
		if (!this.#isInZone(target)) return;
		const number = this.#owners.find(target, 0);
		const has = number < 0 ? 0 : this.#owned(number);
		const targetText = printName(target.wire);
		if ((has & HAS.cname) !== 0 && MUST_NOT_BE_ALIAS.has(type)) {
			const message = `Cannot follow ${typeText(type)} to ${targetText}: it is an alias, expected a name with addresses`;
			this.#warning(record, `${message} (RFC 2181 §10.3)`);
		} else if (type === TYPE.ns && owner !== APEX && (has & HAS.address) === 0 && !this.#isFromWildcard(target)) {
			const what = `an address of ${targetText}, a name server of ${this.#ownerText(record)}`;
			this.#warning(record, `Cannot find ${what}, expected A or AAAA in this zone (glue)`);
		}
	}

	/** Whether a wildcard may give an address to a name that has none of its own. Glue below a cut cannot come from one. */
	#isFromWildcard(target: Name): boolean {
		for (let label = 1; label <= target.labelCount - this.#apexLabels; label++) {
			const start = target.starts[label] ?? 0;
			copyName(Uint8Array.of(1, 0x2a, ...target.wire.subarray(start, target.length)), 0, this.#other);
			const wildcard = this.#owners.find(this.#other, 0);
			if (wildcard >= 0 && (this.#owned(wildcard) & HAS.address) !== 0) {
				return !this.#isBelowCut(target);
			}
		}
		return false;
	}

	/** At a cut counts too. */
	#isBelowCut(name: Name): boolean {
		for (let label = 0; label < name.labelCount - this.#apexLabels; label++) {
			const owner = this.#owners.find(name, label);
			if (owner >= 0 && (this.#owned(owner) & HAS.ns) !== 0) return true;
		}
		return false;
	}

	/** The first record of an RRset; `record` itself when it had none yet. */
	#firstOf(owner: number, type: number, record: number): number {
		const mask = this.#rrsets.length - 1;
		const hash = Math.imul(owner ^ Math.imul(type, 0x9e3779b1), 0x85ebca6b);
		for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
			const first = (this.#rrsets[slot] ?? 0) - 1;
			if (first < 0) {
				this.#rrsets[slot] = record + 1;
				return record;
			}
			if (this.#ownerOf[first] === owner && this.#records.type(first) === type) return first;
		}
	}

	#isSameRdata(one: number, other: number): boolean {
		const type = this.#records.type(one);
		const a = canonicalRdata(type, this.#records.rdata(one));
		const b = canonicalRdata(type, this.#records.rdata(other));
		return a.length === b.length && a.every((value, i) => value === octet(b, i));
	}

	#mark(owner: number, bits: number): void {
		if (owner >= this.#has.length) {
			const larger = new Uint8Array(2 * this.#has.length);
			larger.set(this.#has);
			this.#has = larger;
		}
		this.#has[owner] = this.#owned(owner) | bits;
	}

	#owned(owner: number): number {
		return this.#has[owner] ?? 0;
	}

	#ownerText(record: number): string {
		return printName(this.#records.owner(record));
	}

	/** @param record  that it speaks of; undefined for the zone as a whole */
	#error(record: number | undefined, message: string): void {
		report(this.#errors, { ...this.#place(record), message, isWarning: false });
	}

	#warning(record: number | undefined, message: string): void {
		report(this.#warnings, { ...this.#place(record), message, isWarning: true });
	}

	#place(record: number | undefined): { readonly line: number; readonly file?: string } {
		if (record === undefined) return { line: 1 };
		const file = this.#records.file(record);
		return { line: this.#records.line(record), ...(file === undefined ? {} : { file }) };
	}
}

/** The first name that is numbered. */
const APEX = 0;

function hasBit(type: number): number {
	const beside = ALLOWED_BESIDE_CNAME.has(type) ? 0 : HAS.besideCname;
	switch (type) {
		case TYPE.soa:
			return HAS.soa | beside;
		case TYPE.ns:
			return HAS.ns | beside;
		case TYPE.dname:
			return HAS.dname | beside;
		case TYPE.a:
		case TYPE.aaaa:
			return HAS.address | beside;
		case TYPE.cname:
			return HAS.cname;
		default:
			return beside;
	}
}

function isSingleton(type: number): boolean {
	return type === TYPE.soa || type === TYPE.cname || type === TYPE.dname;
}

function report(problems: ZoneProblem[], problem: ZoneProblem): void {
	if (problems.length < PROBLEMS_MAX) problems.push(problem);
	else if (problems.length === PROBLEMS_MAX) {
		const message = `Cannot list more ${problem.isWarning ? 'warnings' : 'problems'} of this zone: fix these first`;
		problems.push({ ...problem, message });
	}
}

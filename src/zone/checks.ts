/**
 * What is wrong with the records of one zone taken together. Each record alone was checked when it was scanned.
 *
 *     records -> owners numbered, RRsets found -> rules for an owner, for an RRset, for a target
 *
 * | problem                                                                  | kind    |
 * |--------------------------------------------------------------------------|---------|
 * | no SOA or NS at the apex, an owner outside the zone                      | error   |
 * | SOA away from the apex, or two that differ                               | error   |
 * | CNAME beside other data, two that differ; the same for DNAME and NS      | error   |
 * | records below a DNAME, different TTLs in an RRset, a record twice        | warning |
 * | NS at a wildcard, DS where nothing is delegated, `*` as an inner label   | warning |
 * | addresses or MX at what is no name of a host, SPF records without TXT    | warning |
 * | CNAMEs in a circle, and what target-rules.ts finds: missing glue and such | warning |
 *
 * A rule costs the same for each record, so a zone is checked in linear time.
 */

import { copyName, type Name, octet, printName } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import { canonicalRdata } from '../dns/rdata.ts';
import type { RecordList } from '../dns/record-list.ts';
import { typeText } from '../dns/rr-type.ts';
import { aliasLoops } from './alias-loops.ts';
import { CheckRoom } from './check-room.ts';
import { hasInnerWildcard, isHostOwner, startsWithWildcard } from './name-rules.ts';
import { APEX, HAS, Owners } from './owners.ts';
import { hasTarget, TargetRules } from './target-rules.ts';

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

/** RFC 4034 §2.5, §3 and §4 let these stand beside a CNAME: KEY, RRSIG, NSEC. */
const ALLOWED_BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.cname, 25, TYPE.rrsig, TYPE.nsec]);

/** The type of RFC 4408, given up by RFC 7208 §3.1. */
const SPF = 99;
const SPF_TEXT = new TextEncoder().encode('v=spf1');

/** Types whose owner is a host, or a domain with mail. */
const OWNED_BY_HOSTS: ReadonlySet<number> = new Set([TYPE.a, TYPE.aaaa, TYPE.mx]);

/**
 * @param apex     lower-cased wire name
 * @param steered  lower-cased wire names whose addresses a policy gives: they need none in the file
 * @param room     of one check at a time; absent: a new one
 * @returns the problems in the order of their lines, at most `PROBLEMS_MAX` errors and as many warnings
 */
export function checkZone(
	apex: Uint8Array,
	records: RecordList,
	steered: readonly Uint8Array[] = [],
	room: CheckRoom = new CheckRoom(),
): readonly ZoneProblem[] {
	return new Checker(apex, records, steered, room).run();
}

class Checker {
	readonly #apex: Uint8Array;
	readonly #records: RecordList;
	readonly #owners: Owners;
	/** By record: its owner's number. */
	readonly #ownerOf: Uint32Array;
	/** First record + 1 of each RRset, open addressing over owner and type. */
	readonly #rrsets: Int32Array;
	/** Records behind the first of their RRset, by a hash of RRset and RDATA. */
	readonly #seen = new Map<number, number>();
	/** First records of RRsets whose TTLs differ, and owners that are no hosts: each is told of once. */
	readonly #differing = new Set<number>();
	readonly #noHosts = new Set<number>();
	#hasDname = false;
	readonly #room: CheckRoom;
	readonly #name: Name;
	readonly #errors: ZoneProblem[] = [];
	readonly #warnings: ZoneProblem[] = [];

	constructor(apex: Uint8Array, records: RecordList, steered: readonly Uint8Array[], room: CheckRoom) {
		this.#apex = apex;
		this.#room = room;
		this.#name = room.name;
		this.#records = records;
		this.#ownerOf = new Uint32Array(records.count);
		this.#rrsets = new Int32Array(2 ** (33 - Math.clz32(records.count + 1)));
		this.#owners = new Owners(apex, records.countOwnerRuns() + steered.length, room);
		for (const owner of steered) this.#owners.mark(this.#owners.add(owner, 0), HAS.address);
	}

	run(): readonly ZoneProblem[] {
		this.#numberOwners();
		const apexHas = this.#owners.has(APEX);
		const apexText = printName(this.#apex);
		if ((apexHas & HAS.soa) === 0)
			this.#error(undefined, `Cannot find the SOA of ${apexText}, expected one at the apex`);
		if ((apexHas & HAS.ns) === 0)
			this.#error(undefined, `Cannot find an NS record of ${apexText}, expected one at the apex`);
		this.#checkSignatures();
		this.#checkRrsets();
		this.#checkTargets();
		this.#owners.release();
		return [...this.#errors, ...this.#warnings].sort((a, b) => a.line - b.line);
	}

	#numberOwners(): void {
		const records = this.#records;
		let before = -1;
		let owner = -1;
		for (let record = 0; record < records.count; record++) {
			const at = records.ownerAt(record);
			if (at !== before) owner = this.#ownerNumber(at, record);
			before = at;
			this.#ownerOf[record] = owner;
			const type = records.type(record);
			const isFirst = (this.#owners.has(owner) & HAS.record) === 0;
			this.#owners.mark(owner, hasBit(type) | (isFirst ? HAS.record : HAS.records));
			if (type === TYPE.txt && isSpfText(records.rdata(record))) this.#owners.mark(owner, HAS.spfText);
			if (type === TYPE.dname) this.#hasDname = true;
		}
	}

	#ownerNumber(at: number, record: number): number {
		const { octets } = this.#records;
		const { count } = this.#owners;
		const owner = this.#owners.add(octets, at);
		if (owner < count) return owner;
		const isOutside = (this.#owners.has(owner) & HAS.outside) !== 0;
		if (isOutside) {
			const message = `Cannot hold ${printName(octets, at)} in this zone, expected names at or below ${printName(this.#apex)}`;
			this.#error(record, message);
		} else if (hasInnerWildcard(octets, at)) {
			const message = `Cannot take ${printName(octets, at)} for a wildcard, expected "*" as its first label only`;
			this.#warning(record, `${message} (RFC 4592 §2.1.1)`);
		}
		return owner;
	}

	/** The rules that hold an RRset's later records against its first, and an owner's RRsets against one another. */
	#checkRrsets(): void {
		const records = this.#records;
		for (let record = 0; record < records.count; record++) {
			const owner = this.#ownerOf[record] ?? 0;
			if ((this.#owners.has(owner) & HAS.outside) !== 0) continue;
			const type = records.type(record);
			const first = this.#firstOf(owner, type, record);
			if (first === record) {
				this.#checkOwner(record, owner, type);
				continue;
			}
			this.#checkLater(first, record);
		}
	}

	/** For the others. */
	#checkLater(first: number, record: number): void {
		const records = this.#records;
		const type = records.type(record);
		if (records.ttlSec(first) !== records.ttlSec(record) && !this.#differing.has(first)) {
			this.#differing.add(first);
			this.#warnTtl(first, record);
		}
		const equal = this.#equalBefore(first, record);
		if (isSingleton(type) && equal === undefined) {
			const what = `a second ${typeText(type)} at ${this.#ownerText(record)}`;
			this.#error(record, `Cannot hold ${what}, expected only the one of line ${records.line(first)}`);
		}
		// A transfer ends with the SOA that it began with, and so does what was saved of one.
		if (equal !== undefined && type !== TYPE.soa) {
			const what = `this ${typeText(type)} of ${this.#ownerText(record)} twice`;
			this.#warning(record, `Cannot hold ${what}, expected it once: line ${records.line(equal)} has it too`);
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
		const has = this.#owners.has(owner);
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
		if (this.#hasDname) this.#checkAbove(record, owner, type);
		if (OWNED_BY_HOSTS.has(type)) this.#checkHost(record, owner, type);
		else this.#checkPlace(record, owner, type);
	}

	#checkHost(record: number, owner: number, type: number): void {
		const { octets } = this.#records;
		if (isHostOwner(octets, this.#records.ownerAt(record)) || this.#noHosts.has(owner)) return;
		this.#noHosts.add(owner);
		const what = `${typeText(type)} at ${this.#ownerText(record)}`;
		this.#warning(record, `Cannot reach ${what} as a host, expected letters, digits and hyphens in its name`);
	}

	#checkAbove(record: number, owner: number, type: number): void {
		copyName(this.#owners.name(owner), 0, this.#name);
		const dname = this.#owners.closestAbove(this.#name, HAS.dname);
		if (dname === undefined) return;
		const message = `Cannot serve ${this.#ownerText(record)} ${typeText(type)}, expected nothing below the DNAME at ${dname}`;
		this.#warning(record, message);
	}

	/** Types that say nothing where they are. */
	#checkPlace(record: number, owner: number, type: number): void {
		const has = this.#owners.has(owner);
		if (type === TYPE.ns && startsWithWildcard(this.#records.owner(record))) {
			const message = `Cannot delegate ${this.#ownerText(record)}: a wildcard is no cut, expected NS at a name of its own`;
			this.#warning(record, `${message} (RFC 4592 §4.2)`);
		}
		if (type === TYPE.ds && (owner === APEX || (has & HAS.ns) === 0)) {
			const message = `Cannot use the DS at ${this.#ownerText(record)}, expected it beside the NS records of a delegation`;
			this.#warning(record, `${message} (RFC 4035 §2.4)`);
		}
		if (type === SPF && (has & HAS.spfText) === 0) {
			const message = `Cannot make a policy of the SPF record at ${this.#ownerText(record)}, expected it as TXT`;
			this.#warning(record, `${message} (RFC 7208 §3.1)`);
		}
	}

	#checkTargets(): void {
		const records = this.#records;
		const owners = this.#owners;
		const rules = new TargetRules(owners, this.#room);
		const next = new Map<number, number>();
		const recordOf = new Map<number, number>();
		for (let record = 0; record < records.count; record++) {
			const owner = this.#ownerOf[record] ?? 0;
			if ((owners.has(owner) & HAS.outside) !== 0) continue;
			const type = records.type(record);
			if (!hasTarget(type) && type !== TYPE.cname) continue;
			for (const message of rules.problems(owner, type, records.rdata(record))) this.#warning(record, message);
			if (type !== TYPE.cname || recordOf.has(owner)) continue;
			copyName(records.rdata(record), 0, this.#name);
			recordOf.set(owner, record);
			next.set(owner, owners.find(this.#name));
		}
		for (const owner of aliasLoops(next)) {
			const record = recordOf.get(owner) ?? 0;
			const what = `the CNAME of ${this.#ownerText(record)}: it leads back to itself`;
			this.#warning(record, `Cannot follow ${what}, expected other data in the end`);
		}
	}

	/** The first record of an RRset; `record` itself when it had none yet. */
	#firstOf(owner: number, type: number, record: number): number {
		// Most owners have one record, and nobody comes to look for it.
		if ((this.#owners.has(owner) & HAS.records) === 0) return record;
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

	/** An equal record before it. When two hashes are alike, a later double may go unseen, which is no more than a warning. */
	#equalBefore(first: number, record: number): number | undefined {
		const type = this.#records.type(record);
		const rdata = canonicalRdata(type, this.#records.rdata(record));
		if (this.#hasRdata(first, rdata)) return first;
		let hash = Math.imul(first, 0x9e3779b1);
		for (const value of rdata) hash = Math.imul(hash ^ value, 0x01000193) ^ (hash >>> 15);
		const other = this.#seen.get(hash);
		if (other === undefined) this.#seen.set(hash, record);
		const isSameRrset = other !== undefined && this.#ownerOf[other] === this.#ownerOf[record];
		return isSameRrset && this.#records.type(other) === type && this.#hasRdata(other, rdata) ? other : undefined;
	}

	#hasRdata(record: number, canonical: Uint8Array): boolean {
		const own = canonicalRdata(this.#records.type(record), this.#records.rdata(record));
		return own.length === canonical.length && own.every((value, i) => value === octet(canonical, i));
	}

	/** A zone that was signed elsewhere is answered as if it were not: no RRSIG and no NSEC goes along. */
	#checkSignatures(): void {
		for (let record = 0; record < this.#records.count; record++) {
			if (this.#records.type(record) !== TYPE.rrsig || this.#ownerOf[record] !== APEX) continue;
			const effect = 'while the parent has a DS record of the zone, validating resolvers refuse its answers';
			this.#warning(record, `Nobody is sent the signatures of this zone: DNSSEC is not spoken here, and ${effect}`);
			return;
		}
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

function isSpfText(rdata: Uint8Array): boolean {
	return octet(rdata, 0) >= SPF_TEXT.length && SPF_TEXT.every((value, i) => value === octet(rdata, 1 + i));
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

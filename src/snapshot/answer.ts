/**
 * What the answer to a question is: the records of each section, chosen but not yet written.
 *
 *     name, type -> lookup -> outcome -> records --.
 *         ^                                        |
 *         '------------- CNAME, DNAME target ------'
 *
 * `respond()` and `explain` both ask here. Everything lands in one reused object.
 */

import { ASKED_NAMES } from '../dns/asked-names.ts';
import { copyName, labelCount, Name, replaceSuffix } from '../dns/name.ts';
import { RCODE, TYPE } from '../dns/protocol.ts';
import type { HealthWords } from '../health/verdict-table.ts';
import type { Family } from '../lib/address.ts';
import type { Chance } from '../lib/ports.ts';
import { choose, createWalk, setWalkClient } from '../steering/choose.ts';
import { PICK } from '../steering/draw.ts';
import { scope } from '../steering/scope.ts';
import type { Walk } from '../steering/walk.ts';
import { Lookup, lookup, OUTCOME } from '../zone/lookup.ts';
import {
	ADDITIONAL,
	findNode,
	findRrset,
	NODE,
	nodeColumn,
	OUT_OF_ZONE,
	RRSET,
	rrsetColumn,
	ZONE,
	type ZoneTable,
	zoneColumn,
} from '../zone/table.ts';
import { Decisions } from './decisions.ts';
import type { AnswerData } from './snapshot.ts';

/** Who asks: the address that decides, and the resolver's own. */
export class Asker {
	/** A client subnet option names the client; without one the scope is 0. */
	isNamed = false;
	family: Family = 4;
	words: Uint32Array = new Uint32Array(4);
	resolverFamily: Family = 4;
	resolverWords: Uint32Array = new Uint32Array(4);
}

/** Aliases followed in one answer; named stops after as many. */
export const CHAIN_MAX = 16;
/** Address RRsets added for the targets of one answer (RFC 1034 §4.3.2 step 6 asks for what is useful, not for all). */
const ADDITIONAL_MAX = 32;
/**
 * Glue of one referral, which must not be left out unsaid (RFC 9471 §2.1). So many RRsets of 16 octets and more, with
 * the NS records that call for them, are more than any message holds: what is left out here is cut there.
 */
const GLUE_MAX = 4096;

/**
 * What an entry of a section stands for.
 *
 * | source      | records                                                                                    |
 * |-------------|--------------------------------------------------------------------------------------------|
 * | table       | an RRset of the table                                                                      |
 * | picked      | addresses that a policy picked                                                             |
 * | alias       | a CNAME that a policy picked: `dataAt` is its target in the steering table's RDATA         |
 * | synthesized | the CNAME that a DNAME makes                                                               |
 * | soa         | an SOA whose names all end in the apex, which is a suffix of QNAME: `owners` holds the     |
 * |             | label at which, `nameSkips` and `nameCounts` the octets of MNAME and RNAME before the apex |
 */
export const SOURCE = { table: 0, picked: 1, synthesized: 2, soa: 3, alias: 4 } as const;

/**
 * An RRset of a section: all that is needed to write it. An owner from 0 up is the offset of a name in the table's
 * octets; below, `-1 - i` is link i of the chain, link 0 being QNAME.
 */
export class SectionEntry {
	owner = 0;
	/** One of SOURCE. */
	source: number = SOURCE.table;
	ttlSec = 0;
	type = 0;
	/** Records, and where the first one's length and RDATA stand in the table's octets. */
	records = 0;
	dataAt = 0;
	/** Octets of RDATA before the first name that may be compressed, and how many such names follow. */
	nameSkip = 0;
	nameCount = 0;
}

/**
 * RRsets of a section. Entries are objects, made when they are first needed and used again: a few of them are read
 * and written with far fewer instructions than a column for each field.
 */
export class Section {
	count = 0;
	/** The first `count` of them. */
	readonly entries: SectionEntry[] = [];
	readonly #entriesMax: number;

	constructor(entriesMax: number) {
		this.#entriesMax = entriesMax;
	}

	/** Add an RRset of the table; past the section's room it is left out. */
	addRrset(zones: ZoneTable, owner: number, rrset: number, ttlSec: number): SectionEntry | undefined {
		const type = rrsetColumn(zones, rrset, RRSET.type);
		const entry = this.addMade(SOURCE.table, owner, type, rrsetColumn(zones, rrset, RRSET.count), ttlSec);
		if (entry === undefined) return undefined;
		entry.dataAt = rrsetColumn(zones, rrset, RRSET.dataAt);
		entry.nameSkip = rrsetColumn(zones, rrset, RRSET.nameSkip);
		entry.nameCount = rrsetColumn(zones, rrset, RRSET.nameCount);
		return entry;
	}

	/** Add the SOA of a zone that QNAME lies in. */
	addSoa(zones: ZoneTable, zone: number, apexLabel: number, ttlSec: number): void {
		const entry = this.addRrset(zones, apexLabel, zoneColumn(zones, zone, ZONE.soa), ttlSec);
		if (entry === undefined) return;
		entry.source = SOURCE.soa;
		entry.nameSkip = zoneColumn(zones, zone, ZONE.mnamePrefix);
		entry.nameCount = zoneColumn(zones, zone, ZONE.rnamePrefix);
	}

	/** Add what is no RRset of the table. */
	addMade(source: number, owner: number, type: number, records: number, ttlSec: number): SectionEntry | undefined {
		if (this.count >= this.#entriesMax) return undefined;
		if (this.count === this.entries.length) this.entries.push(new SectionEntry());
		const entry = this.entries[this.count++];
		if (entry === undefined) return undefined;
		entry.source = source;
		entry.owner = owner;
		entry.ttlSec = ttlSec;
		entry.type = type;
		entry.records = records;
		return entry;
	}
}

export class Answer {
	rcode: number = RCODE.noerror;
	isAuthoritative = false;
	/** A referral: its glue is not to be left out silently (RFC 9471). */
	isReferral = false;
	/** A policy decided. */
	isSteered = false;
	/** It hangs on verdicts whose votes are too old. */
	isStale = false;
	/** What policies decided, name by name. */
	readonly decisions = new Decisions(CHAIN_MAX + 1);
	/** How many bits of the client's address the answer hangs on. */
	scope = 0;
	readonly answer = new Section(2 * CHAIN_MAX + 2);
	readonly authority = new Section(2);
	readonly additional = new Section(GLUE_MAX);
	/** QNAME. */
	asked = new Name();
	/** Names behind QNAME that aliases led to; entry 0 is unused. */
	readonly chain: readonly Name[] = Array.from({ length: CHAIN_MAX + 1 }, () => new Name());
	chainLength = 0;
	/** Addresses picked by a policy, as offsets into the steering table's RDATA. */
	picked = new Int32Array(0);
}

/** What was found for a name that may be asked for again. */
class KnownLookup extends Lookup {
	/** The name's when it was looked up. */
	stamp = 0;
	type = 0;
}

/** One snapshot with the room to answer from it; a worker makes a new one for each generation. */
export class World {
	readonly snapshot: AnswerData;
	readonly walk: Walk;
	/** What was found last. */
	found = new Lookup();
	readonly #passing = new Lookup();
	/** Of each name that has a slot: what was found for A, and for another type. */
	readonly #known: (KnownLookup | undefined)[] = new Array(2 * ASKED_NAMES);

	/** @param slots  slot of each of the snapshot's targets in the health words */
	constructor(snapshot: AnswerData, health: HealthWords, slots: Int32Array, chance: Chance) {
		this.snapshot = snapshot;
		this.walk = createWalk(snapshot.steering, health, slots, chance);
	}

	/** Look a name up, or find again what was found. */
	find(name: Name, type: number): Lookup {
		const found = name.slot < 0 ? this.#passing : this.#knownOf(name, type);
		// To store a reference may cost a call of the collector's.
		if (this.found !== found) this.found = found;
		if (found === this.#passing) lookup(this.snapshot.zones, name, type, found);
		return found;
	}

	#knownOf(name: Name, type: number): Lookup {
		const row = 2 * name.slot + (type === TYPE.a ? 0 : 1);
		let known = this.#known[row];
		if (known === undefined) {
			known = new KnownLookup();
			this.#known[row] = known;
		}
		if (known.type !== type || known.stamp !== name.stamp) {
			known.type = type;
			known.stamp = name.stamp;
			lookup(this.snapshot.zones, name, type, known);
		}
		return known;
	}
}

/** Answer a question of class IN; `out` is overwritten. */
export function answer(world: World, name: Name, type: number, asker: Asker, out: Answer): void {
	out.rcode = RCODE.noerror;
	out.isAuthoritative = true;
	out.isReferral = false;
	out.isSteered = false;
	out.isStale = false;
	out.decisions.clear();
	out.scope = 0;
	out.answer.count = 0;
	out.authority.count = 0;
	out.additional.count = 0;
	if (out.asked !== name) out.asked = name;
	out.chainLength = 0;
	let current = name;
	let link = 0;
	while (followOne(world, current, type, link, asker, out)) {
		link = out.chainLength;
		const next = out.chain[link];
		if (next === undefined) return;
		current = next;
	}
}

/** Add what one name of the chain gives; true when an alias leads on to the next link. */
function followOne(world: World, name: Name, type: number, link: number, asker: Asker, out: Answer): boolean {
	const { zones } = world.snapshot;
	const found = world.find(name, type);
	const owner = -1 - link;
	switch (found.outcome) {
		case OUTCOME.answer:
			addRrset(out.answer, zones, owner, found.rrset);
			addAdditional(zones, found.rrset, out);
			return false;
		case OUTCOME.steered:
			return addSteered(world, name, type, link, asker, out);
		case OUTCOME.cname:
			addRrset(out.answer, zones, owner, found.rrset);
			return followAlias(zones, found.rrset, out);
		case OUTCOME.dname:
			// A chain may come through one DNAME several times; its record is told once.
			if (!hasRrset(out.answer, zones, found.rrset)) {
				addRrset(out.answer, zones, nodeNameAt(zones, found.node), found.rrset);
			}
			return followDname(zones, found, name, type, owner, out);
		case OUTCOME.delegation:
			if (link === 0) out.isAuthoritative = false;
			out.isReferral = true;
			addRrset(out.authority, zones, nodeNameAt(zones, found.node), found.rrset);
			addAdditional(zones, found.rrset, out);
			return false;
		case OUTCOME.nodata:
			// RFC 8482 §4.1: one RRset is answer enough to ANY, and a policy may be all that gives one.
			found.steered = type === TYPE.any ? nodeColumn(zones, found.node, NODE.steered) - 1 : -1;
			if (found.steered >= 0)
				return addSteered(world, name, zones.steeredTypes[found.steered]?.[0] ?? TYPE.a, link, asker, out);
			addSoa(world, name, link, 0xffffffff, out);
			return false;
		case OUTCOME.nxdomain:
			// RFC 6604 §2: the RCODE of a chain is that of its last name.
			out.rcode = RCODE.nxdomain;
			addSoa(world, name, link, 0xffffffff, out);
			return false;
		default:
			// An alias may lead out of our zones; a question that starts there is not ours to answer.
			if (link === 0) {
				out.rcode = RCODE.refused;
				out.isAuthoritative = false;
			}
			return false;
	}
}

function addRrset(section: Section, zones: ZoneTable, owner: number, rrset: number): void {
	section.addRrset(zones, owner, rrset, rrsetColumn(zones, rrset, RRSET.ttlSec));
}

function hasRrset(section: Section, zones: ZoneTable, rrset: number): boolean {
	const dataAt = rrsetColumn(zones, rrset, RRSET.dataAt);
	for (let i = 0; i < section.count; i++) {
		const entry = section.entries[i];
		if (entry?.source === SOURCE.table && entry.dataAt === dataAt) return true;
	}
	return false;
}

function nodeNameAt(zones: ZoneTable, node: number): number {
	return nodeColumn(zones, node, NODE.nameAt);
}

/** The SOA that lets a negative answer be cached (RFC 2308 §3). */
function addSoa(world: World, name: Name, link: number, ttlSecMax: number, out: Answer): void {
	const { zones } = world.snapshot;
	const { zone } = world.found;
	const negativeTtlSec = zoneColumn(zones, zone, ZONE.negativeTtlSec);
	const ttlSec = ttlSecMax < negativeTtlSec ? ttlSecMax : negativeTtlSec;
	const apexLabels = zoneColumn(zones, zone, ZONE.apexLabels);
	const isShort =
		zoneColumn(zones, zone, ZONE.mnamePrefix) !== OUT_OF_ZONE &&
		zoneColumn(zones, zone, ZONE.rnamePrefix) !== OUT_OF_ZONE;
	// A pointer to the root label would be longer than the label.
	if (link === 0 && isShort && apexLabels > 0) {
		out.authority.addSoa(zones, zone, name.labelCount - apexLabels, ttlSec);
		return;
	}
	const apexAt = nodeNameAt(zones, zoneColumn(zones, zone, ZONE.apex));
	out.authority.addRrset(zones, apexAt, zoneColumn(zones, zone, ZONE.soa), ttlSec);
}

function addAdditional(zones: ZoneTable, rrset: number, out: Answer): void {
	const from = rrsetColumn(zones, rrset, RRSET.additionalAt);
	const end = from + rrsetColumn(zones, rrset, RRSET.additionalCount);
	const most = out.isReferral ? GLUE_MAX : ADDITIONAL_MAX;
	for (let i = from; i < end && out.additional.count < most; i++) {
		const row = i * ADDITIONAL.columns;
		const nameAt = zones.additional[row + ADDITIONAL.nameAt] ?? 0;
		const node = zones.additional[row + ADDITIONAL.node] ?? 0;
		const a = findRrset(zones, node, TYPE.a);
		if (a >= 0) addRrset(out.additional, zones, nameAt, a);
		const aaaa = findRrset(zones, node, TYPE.aaaa);
		if (aaaa >= 0) addRrset(out.additional, zones, nameAt, aaaa);
	}
}

/** Add what a policy decides; true when it is an alias that leads on. */
function addSteered(world: World, name: Name, type: number, link: number, asker: Asker, out: Answer): boolean {
	const { found, walk, snapshot } = world;
	const { steered } = found;
	// A name that may be an alias is steered for every type: what has no address family decides as IPv4 does.
	const family = type === TYPE.aaaa ? 6 : 4;
	setWalkClient(walk, asker.family, asker.words, asker.resolverFamily, asker.resolverWords);
	const pick = choose(walk, steered, family, !out.isSteered);
	out.isSteered = true;
	out.isStale = walk.hasSeenStale;
	out.decisions.add(steered, walk.pick, walk.state);
	if (asker.isNamed) {
		// A chain holds as far as its narrowest link (RFC 7871 §7.2.1).
		const bits = scope(walk, snapshot.steering.names[steered]?.root ?? -1);
		if (bits > out.scope) out.scope = bits;
	}
	if (pick === PICK.alias) return addAlias(world, type, link, out);
	if (pick === PICK.servfail) {
		out.rcode = RCODE.servfail;
		out.isAuthoritative = false;
		out.answer.count = 0;
		return false;
	}
	// RFC 8482 §4.1: addresses are answer enough to ANY.
	const given = type === TYPE.any ? TYPE.a : type;
	if (pick === PICK.addresses && (given === TYPE.a || given === TYPE.aaaa)) {
		if (out.picked !== walk.picked) out.picked = walk.picked;
		out.decisions.addEndpoints(walk.pickedEndpoints, walk.pickedCount);
		out.answer.addMade(SOURCE.picked, -1 - link, given, walk.pickedCount, walk.ttlSec);
	} else {
		addSoa(world, name, link, walk.ttlSec, out);
	}
	return false;
}

/** Add the CNAME that a policy picked; it leads on unless it is itself what was asked for. */
function addAlias({ walk, snapshot }: World, type: number, link: number, out: Answer): boolean {
	const at = walk.picked[0] ?? 0;
	const entry = out.answer.addMade(SOURCE.alias, -1 - link, TYPE.cname, 1, walk.ttlSec);
	if (entry !== undefined) entry.dataAt = at;
	out.decisions.addEndpoints(walk.pickedEndpoints, 1);
	if (type === TYPE.cname || type === TYPE.any) return false;
	return followName(snapshot.steering.rdata, at, out);
}

function followAlias(zones: ZoneTable, rrset: number, out: Answer): boolean {
	// RDATA stands behind its 16-bit length.
	return followName(zones.bytes, rrsetColumn(zones, rrset, RRSET.dataAt) + 2, out);
}

/** Take the target of a CNAME as the next link; false when the chain is too long or comes back to a name it had. */
function followName(bytes: Uint8Array, at: number, out: Answer): boolean {
	if (out.chainLength >= CHAIN_MAX) return false;
	const next = out.chain[out.chainLength + 1];
	if (next === undefined) return false;
	copyName(bytes, at, next);
	return takeLink(next, out);
}

/** Count the next link in, unless the chain would go round. */
function takeLink(next: Name, out: Answer): boolean {
	if (isSame(next, out.asked) || hasLink(next, out)) return false;
	out.chainLength++;
	return true;
}

/** Whether the suffix of a name from `firstLabel` on lies at or below a node of so many labels. */
function isAtOrBelowNode(name: Name, firstLabel: number, zones: ZoneTable, node: number, nodeLabels: number): boolean {
	const label = name.labelCount - nodeLabels;
	return label >= firstLabel && findNode(zones, name, label) === node;
}

function hasLink(name: Name, out: Answer): boolean {
	for (let i = 1; i <= out.chainLength; i++) {
		const link = out.chain[i];
		if (link !== undefined && isSame(link, name)) return true;
	}
	return false;
}

function isSame(a: Name, b: Name): boolean {
	if (a.length !== b.length || a.hashes[0] !== b.hashes[0]) return false;
	for (let i = 0; i < a.length; i++) if (a.wire[i] !== b.wire[i]) return false;
	return true;
}

/** RFC 6672 §3: the name with its tail replaced, as a CNAME that is made for this answer. */
function followDname(zones: ZoneTable, found: Lookup, name: Name, type: number, owner: number, out: Answer): boolean {
	if (out.chainLength >= CHAIN_MAX) return false;
	const next = out.chain[out.chainLength + 1];
	if (next === undefined) return false;
	const ownerLabels = labelCount(zones.bytes, nodeNameAt(zones, found.node));
	// RDATA stands behind its 16-bit length.
	const targetAt = rrsetColumn(zones, found.rrset, RRSET.dataAt) + 2;
	if (!replaceSuffix(name, name.labelCount - ownerLabels, zones.bytes, targetAt, next)) {
		out.rcode = RCODE.yxdomain;
		return false;
	}
	out.answer.addMade(SOURCE.synthesized, owner, TYPE.cname, 1, rrsetColumn(zones, found.rrset, RRSET.ttlSec));
	// A target at or below its own DNAME makes the name longer each time: once is all there is to learn.
	const isGrowing = isAtOrBelowNode(next, name.labelCount - ownerLabels, zones, found.node, ownerLabels);
	const isNew = takeLink(next, out) && !isGrowing;
	// The synthesised CNAME is itself the answer to a question for CNAME.
	return isNew && type !== TYPE.cname;
}

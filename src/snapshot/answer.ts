/**
 * What the answer to a question is: the records of each section, chosen but not yet written.
 *
 *     name, type -> lookup -> outcome -> records --.
 *         ^                                        |
 *         '------------- CNAME, DNAME target ------'
 *
 * `respond()` and `explain` both ask here. Everything lands in one reused object.
 */

import type { HealthWords } from '../health/verdict-table.ts';
import { copyName, labelCount, Name, replaceSuffix } from '../dns/name.ts';
import { RCODE, TYPE } from '../dns/protocol.ts';
import type { Family } from '../lib/address.ts';
import type { Chance } from '../lib/ports.ts';
import { choose, createWalk, setWalkClient } from '../steering/choose.ts';
import { PICK } from '../steering/pool.ts';
import { scope } from '../steering/scope.ts';
import type { Walk } from '../steering/walk.ts';
import { Lookup, lookup, OUTCOME } from '../zone/lookup.ts';
import {
	findRrset,
	NODE,
	nodeColumn,
	RRSET,
	rrsetColumn,
	ZONE,
	type ZoneTable,
	zoneColumn,
} from '../zone/table.ts';
import type { Snapshot } from './snapshot.ts';

/** Who asks: the address that decides, and the resolver's own. */
export class Asker {
	family: Family = 4;
	words: Uint32Array = new Uint32Array(4);
	resolverFamily: Family = 4;
	resolverWords: Uint32Array = new Uint32Array(4);
}

/** Aliases followed in one answer; named stops after as many. */
export const CHAIN_MAX = 16;
/** Address RRsets added for the targets of one answer (RFC 1034 §4.3.2 step 6 asks for what is useful, not for all). */
const ADDITIONAL_MAX = 32;

/** What an entry of a section stands for when it is no RRset of the table. */
export const ENTRY = { steered: -1, synthesized: -2 } as const;

/** Records of a section. An owner from 0 up is a node; below, `-1 - i` is link i of the chain, link 0 being QNAME. */
export class Section {
	count = 0;
	readonly owners: Int32Array;
	/** RRset of the table, or one of ENTRY. */
	readonly rrsets: Int32Array;
	readonly ttlSec: Uint32Array;

	constructor(entriesMax: number) {
		this.owners = new Int32Array(entriesMax);
		this.rrsets = new Int32Array(entriesMax);
		this.ttlSec = new Uint32Array(entriesMax);
	}

	add(owner: number, rrset: number, ttlSec: number): void {
		if (this.count >= this.owners.length) return;
		this.owners[this.count] = owner;
		this.rrsets[this.count] = rrset;
		this.ttlSec[this.count] = ttlSec;
		this.count++;
	}
}

export class Answer {
	rcode: number = RCODE.noerror;
	isAuthoritative = false;
	/** A referral: its glue is not to be left out silently (RFC 9471). */
	isReferral = false;
	/** How many bits of the client's address the answer hangs on. */
	scope = 0;
	readonly answer = new Section(2 * CHAIN_MAX + 2);
	readonly authority = new Section(2);
	readonly additional = new Section(ADDITIONAL_MAX);
	/** Names behind QNAME that aliases led to; entry 0 is unused. */
	readonly chain: readonly Name[] = Array.from({ length: CHAIN_MAX + 1 }, () => new Name());
	chainLength = 0;
	/** Addresses picked by a policy, as offsets into the steering table's octets. */
	picked = new Int32Array(0);
	pickedCount = 0;
}

/** One snapshot with the room to answer from it; a worker makes a new one for each generation. */
export class World {
	readonly snapshot: Snapshot;
	readonly walk: Walk;
	readonly found = new Lookup();

	/** @param slots  slot of each of the snapshot's targets in the health words */
	constructor(snapshot: Snapshot, health: HealthWords, slots: Int32Array, chance: Chance) {
		this.snapshot = snapshot;
		this.walk = createWalk(snapshot.steering, health, slots, chance);
	}
}

/** Answer a question of class IN; `out` is overwritten. */
export function answer(world: World, name: Name, type: number, asker: Asker, out: Answer): void {
	out.rcode = RCODE.noerror;
	out.isAuthoritative = true;
	out.isReferral = false;
	out.scope = 0;
	out.answer.count = 0;
	out.authority.count = 0;
	out.additional.count = 0;
	out.chainLength = 0;
	out.pickedCount = 0;
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
	const { found } = world;
	lookup(zones, name, type, found);
	const owner = -1 - link;
	switch (found.outcome) {
		case OUTCOME.answer:
			addRrset(out.answer, zones, owner, found.rrset);
			addAdditional(zones, found.rrset, out);
			return false;
		case OUTCOME.steered:
			addSteered(world, type, owner, asker, out);
			return false;
		case OUTCOME.cname:
			addRrset(out.answer, zones, owner, found.rrset);
			return followAlias(zones, found.rrset, name, out);
		case OUTCOME.dname:
			addRrset(out.answer, zones, found.node, found.rrset);
			return followDname(zones, found, name, type, owner, out);
		case OUTCOME.delegation:
			if (link === 0) out.isAuthoritative = false;
			out.isReferral = true;
			addRrset(out.authority, zones, found.node, found.rrset);
			addAdditional(zones, found.rrset, out);
			return false;
		case OUTCOME.nodata:
			addSoa(zones, found.zone, 0xffffffff, out);
			return false;
		case OUTCOME.nxdomain:
			// RFC 6604 §2: the RCODE of a chain is that of its last name.
			out.rcode = RCODE.nxdomain;
			addSoa(zones, found.zone, 0xffffffff, out);
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
	section.add(owner, rrset, rrsetColumn(zones, rrset, RRSET.ttlSec));
}

/** The SOA that lets a negative answer be cached (RFC 2308 §3). */
function addSoa(zones: ZoneTable, zone: number, ttlSecMax: number, out: Answer): void {
	const negativeTtlSec = zoneColumn(zones, zone, ZONE.negativeTtlSec);
	const ttlSec = ttlSecMax < negativeTtlSec ? ttlSecMax : negativeTtlSec;
	out.authority.add(zoneColumn(zones, zone, ZONE.apex), zoneColumn(zones, zone, ZONE.soa), ttlSec);
}

function addAdditional(zones: ZoneTable, rrset: number, out: Answer): void {
	const from = rrsetColumn(zones, rrset, RRSET.additionalAt);
	const end = from + rrsetColumn(zones, rrset, RRSET.additionalCount);
	for (let i = from; i < end; i++) {
		const node = zones.additional[i] ?? 0;
		const a = findRrset(zones, node, TYPE.a);
		if (a >= 0) addRrset(out.additional, zones, node, a);
		const aaaa = findRrset(zones, node, TYPE.aaaa);
		if (aaaa >= 0) addRrset(out.additional, zones, node, aaaa);
	}
}

function addSteered(world: World, type: number, owner: number, asker: Asker, out: Answer): void {
	const { found, walk, snapshot } = world;
	setWalkClient(walk, asker.family, asker.words, asker.resolverFamily, asker.resolverWords);
	const pick = choose(walk, found.steered, type === TYPE.a ? 4 : 6);
	out.scope = scope(walk, snapshot.steering.names[found.steered]?.root ?? -1);
	if (pick === PICK.addresses) {
		out.picked = walk.picked;
		out.pickedCount = walk.pickedCount;
		out.answer.add(owner, ENTRY.steered, walk.ttlSec);
	} else if (pick === PICK.nodata) {
		addSoa(snapshot.zones, found.zone, walk.ttlSec, out);
	} else {
		out.rcode = RCODE.servfail;
		out.isAuthoritative = false;
		out.answer.count = 0;
	}
}

/** Take the target of a CNAME as the next link; false when the chain is too long or comes back to a name it had. */
function followAlias(zones: ZoneTable, rrset: number, name: Name, out: Answer): boolean {
	if (out.chainLength >= CHAIN_MAX) return false;
	const next = out.chain[out.chainLength + 1];
	if (next === undefined) return false;
	// RDATA stands behind its 16-bit length.
	copyName(zones.bytes, rrsetColumn(zones, rrset, RRSET.dataAt) + 2, next);
	return takeLink(next, name, out);
}

/** Count the next link in, unless the chain would go round. */
function takeLink(next: Name, first: Name, out: Answer): boolean {
	if (out.chainLength === 0 ? isSame(next, first) : hasLink(next, out)) return false;
	out.chainLength++;
	return true;
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
	const ownerLabels = labelCount(zones.bytes, nodeColumn(zones, found.node, NODE.nameAt));
	// RDATA stands behind its 16-bit length.
	const targetAt = rrsetColumn(zones, found.rrset, RRSET.dataAt) + 2;
	if (!replaceSuffix(name, name.labelCount - ownerLabels, zones.bytes, targetAt, next)) {
		out.rcode = RCODE.yxdomain;
		return false;
	}
	out.answer.add(owner, ENTRY.synthesized, rrsetColumn(zones, found.rrset, RRSET.ttlSec));
	const isNew = takeLink(next, name, out);
	// The synthesised CNAME is itself the answer to a question for CNAME.
	return isNew && type !== TYPE.cname;
}

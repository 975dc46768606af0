/**
 * From a name and a type to one named outcome (RFC 1034 §4.3.2, RFC 4592, RFC 6672).
 *
 *     closest encloser -> cut above it? -> DNAME above it? -> the node itself, or the wildcard below it
 */

import type { Name } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import { findNode, findRrset, NODE, nodeColumn, ZONE, type ZoneTable, zoneColumn } from './table.ts';

/**
 * | outcome    | meaning                                                | node, rrset                      |
 * |------------|--------------------------------------------------------|----------------------------------|
 * | refused    | the name is in no zone of ours                         | -                                |
 * | nxdomain   | the name does not exist                                | closest encloser                 |
 * | nodata     | it exists without the type                             | the node                         |
 * | answer     | the RRset                                              | the node, its RRset              |
 * | cname      | an alias, and something else was asked                 | the node, its CNAME              |
 * | steered    | a policy decides                                       | the node                         |
 * | delegation | the name lies at or below a cut                        | the cut, its NS RRset            |
 * | dname      | the name lies below a DNAME                            | the DNAME's owner, its RRset     |
 */
export const OUTCOME = {
	refused: 0,
	nxdomain: 1,
	nodata: 2,
	answer: 3,
	cname: 4,
	steered: 5,
	delegation: 6,
	dname: 7,
} as const;

/** Result of a lookup; reused. */
export class Lookup {
	outcome: number = OUTCOME.refused;
	node = -1;
	rrset = -1;
	zone = -1;
	/** Index into the steered names, for outcome `steered`. */
	steered = -1;
	/** The label of the asked name at which `node` was found; 0 is the name itself. */
	label = 0;
	/** The records were made for this name from a wildcard. */
	isWildcard = false;
}

export function lookup(table: ZoneTable, name: Name, type: number, found: Lookup): void {
	found.isWildcard = false;
	found.steered = -1;
	found.rrset = -1;
	let label = Math.max(0, name.labelCount - table.labelsMax);
	let node = findNode(table, name, label);
	while (node < 0 && label < name.labelCount) node = findNode(table, name, ++label);
	found.label = label;
	if (node < 0) {
		found.outcome = OUTCOME.refused;
		found.node = -1;
		found.zone = -1;
		return;
	}
	let isExact = label === 0;
	// RFC 4035 §3.1.4.1: DS of a child apex is the parent's to answer.
	if (type === TYPE.ds && isExact && isApex(table, node)) {
		const parentSide = nodeColumn(table, node, NODE.parentSide) - 1;
		const above = parentSide >= 0 ? parentSide : nodeAbove(table, name);
		isExact = parentSide >= 0 || above < 0;
		if (above >= 0) node = above;
	}
	found.node = node;
	found.zone = nodeColumn(table, node, NODE.zone);
	const cut = nodeColumn(table, node, NODE.cut) - 1;
	if (cut >= 0 && !(type === TYPE.ds && isExact && cut === node)) {
		settle(found, OUTCOME.delegation, cut, findRrset(table, cut, TYPE.ns));
		return;
	}
	const dname = nodeColumn(table, node, NODE.dname) - 1;
	if (dname >= 0 && !(isExact && dname === node)) {
		settle(found, OUTCOME.dname, dname, findRrset(table, dname, TYPE.dname));
		return;
	}
	if (!isExact) {
		const wildcard = nodeColumn(table, node, NODE.wildcard) - 1;
		if (wildcard < 0) {
			found.outcome = OUTCOME.nxdomain;
			return;
		}
		found.isWildcard = true;
		node = wildcard;
	}
	lookupAt(table, node, type, found);
}

function isApex(table: ZoneTable, node: number): boolean {
	return zoneColumn(table, nodeColumn(table, node, NODE.zone), ZONE.apex) === node;
}

/** The closest node above a name, -1 when there is none. */
function nodeAbove(table: ZoneTable, name: Name): number {
	for (let label = 1; label <= name.labelCount; label++) {
		const node = findNode(table, name, label);
		if (node >= 0) return node;
	}
	return -1;
}

/** The outcome at a node that exists and is ours to answer for. */
function lookupAt(table: ZoneTable, node: number, type: number, found: Lookup): void {
	const steered = nodeColumn(table, node, NODE.steered) - 1;
	if (steered >= 0 && isSteered(table.steeredTypes[steered], type)) {
		found.steered = steered;
		settle(found, OUTCOME.steered, node, -1);
		return;
	}
	const rrset = type === TYPE.any ? firstRrset(table, node) : findRrset(table, node, type);
	if (rrset >= 0) {
		settle(found, OUTCOME.answer, node, rrset);
		return;
	}
	const cname = findRrset(table, node, TYPE.cname);
	settle(found, cname >= 0 ? OUTCOME.cname : OUTCOME.nodata, node, cname);
}

function isSteered(types: readonly number[] | undefined, type: number): boolean {
	if (types === undefined) return false;
	// A loop, since `includes` is a call, and the first one is mostly it.
	for (let i = 0; i < types.length; i++) if (types[i] === type) return true;
	return types[0] === TYPE.any;
}

/** RFC 8482 §4.1: one RRset is answer enough to ANY. */
function firstRrset(table: ZoneTable, node: number): number {
	return nodeColumn(table, node, NODE.rrsetCount) > 0 ? nodeColumn(table, node, NODE.firstRrset) : -1;
}

function settle(found: Lookup, outcome: number, node: number, rrset: number): void {
	found.outcome = outcome;
	found.node = node;
	found.rrset = rrset;
}

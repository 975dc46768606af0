/**
 * Zones for tests: from master-file text to a table, and from a question to its outcome as a sentence.
 */

import { scanMasterFile } from '../../src/dns/master-file.ts';
import { copyName, lowerName, Name, octet, printName } from '../../src/dns/name.ts';
import { printRdata } from '../../src/dns/rdata.ts';
import type { RecordList } from '../../src/dns/record-list.ts';
import { typeCode, typeText } from '../../src/dns/rr-type.ts';
import { type SteeredInput, TableBuilder, type ZoneInput } from '../../src/zone/build-table.ts';
import { Lookup, lookup, OUTCOME } from '../../src/zone/lookup.ts';
import {
	ADDITIONAL,
	NODE,
	nodeColumn,
	nodeName,
	RRSET,
	rrsetColumn,
	ZONE,
	type ZoneTable,
	zoneColumn,
} from '../../src/zone/table.ts';
import { wireName } from '../dns/make-query.ts';

export interface ZoneSpec {
	readonly apex: string;
	/** Relative to the apex, default TTL 300. SOA and NS of the apex are added. */
	readonly text: string;
	/** Owners that a policy answers for, with the types; numbered in this order, over all zones. */
	readonly steered?: readonly { readonly owner: string; readonly types: readonly string[] }[];
}

export function recordsOf(apex: string, text: string): RecordList {
	const { records, problems } = scanMasterFile(text, wireName(apex));
	if (problems.length > 0) throw new Error(JSON.stringify(problems));
	return records;
}

/** A zone of its own; with an index, `steered` in it is a steered name. */
export function zoneInput(apex: string, text: string, index?: number): ZoneInput {
	return {
		apex: lowerName(wireName(apex)),
		records: recordsOf(apex, `$TTL 300\n@ SOA ns.invalid. host.invalid. 1 1h 15m 1w 60\n@ NS ns.invalid.\n${text}`),
		steered: index === undefined ? [] : [{ owner: lowerName(wireName(`steered.${apex}`)), types: [1], index }],
	};
}

export function tableOf(...zones: readonly ZoneSpec[]): ZoneTable {
	let steeredCount = 0;
	return new TableBuilder().addAll(
		zones.map(({ apex, text, steered = [] }) => ({
			apex: lowerName(wireName(apex)),
			records: recordsOf(apex, `$TTL 300\n@ SOA ns.invalid. host.invalid. 1 1h 15m 1w 60\n@ NS ns.invalid.\n${text}`),
			steered: steered.map(
				({ owner, types }): SteeredInput => ({
					owner: lowerName(wireName(owner)),
					types: types.map((type) => typeCode(type) ?? 0),
					index: steeredCount++,
				}),
			),
		})),
	);
}

/**
 * | outcome                  | sentence                                  |
 * |--------------------------|-------------------------------------------|
 * | refused                  | refused                                   |
 * | nxdomain                 | nxdomain below CLOSEST-ENCLOSER           |
 * | nodata                   | nodata at NODE                            |
 * | steered                  | steered INDEX at NODE                     |
 * | answer, cname, dname ... | answer OWNER TYPE                         |
 *
 * From a wildcard: `wildcard ` before it. With more than one zone: ` in APEX` behind it.
 */
export function outcomeOf(table: ZoneTable, qname: string, qtype: string): string {
	const found = lookupOf(table, qname, qtype);
	if (found.outcome === OUTCOME.refused) return 'refused';
	const node = printName(nodeName(table, found.node));
	const apex = zoneColumn(table, found.zone, ZONE.apex);
	const zone = table.zoneCount > 1 ? ` in ${printName(nodeName(table, apex))}` : '';
	return `${found.isWildcard ? 'wildcard ' : ''}${sentence(table, found, node)}${zone}`;
}

function sentence(table: ZoneTable, found: Lookup, node: string): string {
	const kind = Object.keys(OUTCOME)[found.outcome] ?? '';
	if (found.outcome === OUTCOME.nxdomain) return `nxdomain below ${node}`;
	if (found.outcome === OUTCOME.nodata) return `nodata at ${node}`;
	if (found.outcome === OUTCOME.steered) return `steered ${found.steered} at ${node}`;
	return `${kind} ${node} ${typeText(rrsetColumn(table, found.rrset, RRSET.type))}`;
}

export function lookupOf(table: ZoneTable, qname: string, qtype: string): Lookup {
	const name = new Name();
	copyName(wireName(qname), 0, name);
	const found = new Lookup();
	lookup(table, name, typeCode(qtype) ?? 0, found);
	return found;
}

/** RDATA of an RRset as text, in the order of the table. */
export function rdataOf(table: ZoneTable, rrset: number): string[] {
	const printed: string[] = [];
	let at = rrsetColumn(table, rrset, RRSET.dataAt);
	for (let i = 0; i < rrsetColumn(table, rrset, RRSET.count); i++) {
		const length = (octet(table.bytes, at) << 8) | octet(table.bytes, at + 1);
		printed.push(printRdata(rrsetColumn(table, rrset, RRSET.type), table.bytes.slice(at + 2, at + 2 + length)));
		at += 2 + length;
	}
	return printed;
}

/** Names whose addresses belong into the additional section of an RRset. */
export function additionalOf(table: ZoneTable, rrset: number): string[] {
	const at = rrsetColumn(table, rrset, RRSET.additionalAt);
	return Array.from({ length: rrsetColumn(table, rrset, RRSET.additionalCount) }, (_, i) =>
		printName(table.bytes, table.additional[(at + i) * ADDITIONAL.columns + ADDITIONAL.nameAt]).toLowerCase(),
	);
}

/** RRset types of a node in the order of the table. */
export function typesOf(table: ZoneTable, node: number): string[] {
	const first = nodeColumn(table, node, NODE.firstRrset);
	return Array.from({ length: nodeColumn(table, node, NODE.rrsetCount) }, (_, i) =>
		typeText(rrsetColumn(table, first + i, RRSET.type)),
	);
}

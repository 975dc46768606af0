/**
 * Records as a master file (RFC 1035 §5): the SOA first, all others in their order; owners relative to the apex.
 */

import { isAtOrBelow, printName, sameName } from '../dns/name.ts';
import { printRdata } from '../dns/rdata.ts';
import type { RecordList } from '../dns/record-list.ts';
import { typeText } from '../dns/rr-type.ts';

/** A record of a zone by itself. */
export interface ZoneRecord {
	/** Wire name with its case kept. */
	readonly owner: Uint8Array;
	readonly type: number;
	readonly ttlSec: number;
	readonly rdata: Uint8Array;
}

export function printZone(apex: Uint8Array, records: Iterable<ZoneRecord>): string {
	const lines = [`$ORIGIN ${printName(apex)}`];
	for (const { owner, type, ttlSec, rdata } of records)
		lines.push(`${relativeName(owner, apex)}\t${ttlSec}\tIN\t${typeText(type)}\t${printRdata(type, rdata)}`);
	return `${lines.join('\n')}\n`;
}

export function* recordsOf(list: RecordList): Generator<ZoneRecord> {
	for (let i = 0; i < list.count; i++)
		yield { owner: list.owner(i), type: list.type(i), ttlSec: list.ttlSec(i), rdata: list.rdata(i) };
}

/** A name as it stands in a file of the zone: `@` for the apex, relative below it, absolute elsewhere. */
export function relativeName(name: Uint8Array, apex: Uint8Array): string {
	if (sameName(name, apex)) return '@';
	const text = printName(name);
	if (!isAtOrBelow(name, apex)) return text;
	// A label prints alike wherever it stands, so the apex is the end of the text.
	return text.slice(0, text.length - (apex.length === 1 ? 0 : printName(apex).length) - 1);
}

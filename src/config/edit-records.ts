/**
 * Changes on the records of a zone. Every one gives a new master file, whose serial is greater than the one before
 * (RFC 1982) when records have changed.
 */

import { EntryReader } from '../dns/entry-reader.ts';
import { isAtOrBelow, lowerName, printName, sameName, scanName } from '../dns/name.ts';
import { scanPeriod } from '../dns/period.ts';
import { TYPE } from '../dns/protocol.ts';
import { canonicalRdata, printRdata, scanRdata } from '../dns/rdata.ts';
import { isDataType, typeCode, typeText } from '../dns/rr-type.ts';
import type { Problem, Result } from '../lib/result.ts';
import { printZone, recordsOf, relativeName, type ZoneRecord } from './print-zone.ts';
import type { UnitContent } from './unit-content.ts';

/** A record set as the API gives and takes it. */
export interface RecordSet {
	readonly ttl: number;
	/** RDATA in presentation form; names without a final dot are relative to the apex. */
	readonly records: readonly string[];
}

export interface RecordKey {
	/** Lower-cased wire name. */
	readonly owner: Uint8Array;
	readonly type: number;
}

export interface SoaSettings {
	readonly mname: string;
	readonly rname: string;
	readonly serial: number;
	readonly refresh: number;
	readonly retry: number;
	readonly expire: number;
	readonly minimum: number;
	readonly ttl: number;
}

/** @returns the owner and type that texts name, or what is wrong with them */
export function recordKey(apex: Uint8Array, name: string, type: string): RecordKey | string {
	const owner = scanName(octetText(name), apex);
	if (typeof owner === 'string') return owner;
	if (!isAtOrBelow(owner, apex)) return `Cannot use the name "${name}": it is not in the zone ${printName(apex)}`;
	const code = typeCode(type);
	if (code === undefined) return `Cannot use the type "${type}": expected one such as A or TXT, or TYPE and its number`;
	if (!isDataType(code)) return `Cannot hold type ${typeText(code)} in a zone: it exists in queries only`;
	return { owner: lowerName(owner), type: code };
}

/** The record sets of a zone by key, as `name type`, in the order of the file. */
export function recordSets(
	content: UnitContent,
): ReadonlyMap<string, RecordSet & { readonly name: string; readonly type: string }> {
	const sets = new Map<string, { name: string; type: string; ttl: number; records: string[] }>();
	for (const { owner, type, ttlSec, rdata } of recordsOf(content.records)) {
		const name = relativeName(lowerName(owner), content.apex);
		const key = `${name} ${typeText(type)}`;
		let set = sets.get(key);
		if (set === undefined) {
			set = { name, type: typeText(type), ttl: ttlSec, records: [] };
			sets.set(key, set);
		}
		set.records.push(printRdata(type, rdata));
	}
	return sets;
}

export function recordSet(content: UnitContent, { owner, type }: RecordKey): RecordSet | undefined {
	const found = [...recordsOf(content.records)].filter((one) => one.type === type && sameName(one.owner, owner));
	const [first] = found;
	return first && { ttl: first.ttlSec, records: found.map(({ rdata }) => printRdata(type, rdata)) };
}

/** Put a record set in the place of what is there; undefined removes it. */
export function setRecordSet(content: UnitContent, key: RecordKey, set: RecordSet | undefined): Result<UnitContent> {
	if (key.type === TYPE.soa) {
		const message = 'Cannot change the SOA record as a record set: it is a resource of its own';
		return { ok: false, problems: [{ path: [], message }] };
	}
	const added = set === undefined ? { ok: true as const, value: [] } : scanRecordSet(content.apex, key, set);
	if (!added.ok) return added;
	const before = [...recordsOf(content.records)].filter(
		(one) => one.type === key.type && sameName(one.owner, key.owner),
	);
	if (setText(before) === setText(added.value)) return { ok: true, value: content };
	return { ok: true, value: withRecords(content, replaced(recordsOf(content.records), key, added.value)) };
}

function* replaced(
	records: Iterable<ZoneRecord>,
	{ owner, type }: RecordKey,
	added: readonly ZoneRecord[],
): Generator<ZoneRecord> {
	let isPlaced = false;
	for (const record of records) {
		if (record.type !== type || !sameName(record.owner, owner)) {
			yield record;
			continue;
		}
		// In the place of the first one of the set.
		if (!isPlaced) yield* added;
		isPlaced = true;
	}
	if (!isPlaced) yield* added;
}

/** Equal for equal sets, whatever their order. */
function setText(set: readonly ZoneRecord[]): string {
	return set
		.map(({ type, ttlSec, rdata }) => `${ttlSec} ${canonicalRdata(type, rdata).join()}`)
		.sort()
		.join(';');
}

/** Records of a set as text to records, or all that is wrong with them. */
export function scanRecordSet(
	apex: Uint8Array,
	{ owner, type }: RecordKey,
	set: RecordSet,
): Result<readonly ZoneRecord[]> {
	const problems: Problem[] = [];
	const records: ZoneRecord[] = [];
	const seen = new Set<string>();
	for (const [i, text] of set.records.entries()) {
		const complain = (message: string) => problems.push({ path: ['records', i], message });
		const reader = new EntryReader(octetText(text));
		const entry = reader.next();
		const rdata = entry?.problem ?? scanRdata(type, entry?.tokens ?? [], 0, apex);
		if (!(rdata instanceof Uint8Array)) complain(rdata.message);
		else if (reader.next() !== undefined) complain('Cannot use several lines as a record: expected one');
		else {
			const same = canonicalRdata(type, rdata).join();
			if (seen.has(same)) complain(`Cannot hold the record "${text}" twice`);
			seen.add(same);
			records.push({ owner, type, ttlSec: set.ttl, rdata });
		}
	}
	return problems.length === 0 ? { ok: true, value: records } : { ok: false, problems };
}

/** The SOA record of a zone that has one. */
export function soaOf(content: UnitContent): SoaSettings | undefined {
	for (const { type, ttlSec, rdata } of recordsOf(content.records)) {
		if (type !== TYPE.soa) continue;
		const [mname = '', rname = '', ...numbers] = printRdata(type, rdata).split(' ');
		const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = numbers.map(Number);
		return { mname, rname, serial, refresh, retry, expire, minimum, ttl: ttlSec };
	}
	return undefined;
}

/** @param soa  its serial counts when it is greater than the one that is there; else that one rises by one */
export function setSoa(content: UnitContent, soa: SoaSettings): Result<UnitContent> {
	const record = scanSoa(content.apex, soa);
	if (!record.ok) return record;
	const was = soaOf(content);
	const isSame =
		was !== undefined && setText([record.value]) === setText(scannedSoa(content.apex, { ...was, serial: soa.serial }));
	if (isSame && !isGreaterSerial(soa.serial, was.serial)) return { ok: true, value: content };
	const key = { owner: content.apex, type: TYPE.soa };
	return { ok: true, value: withRecords(content, replaced(recordsOf(content.records), key, [record.value])) };
}

function scannedSoa(apex: Uint8Array, soa: SoaSettings): readonly ZoneRecord[] {
	const scanned = scanSoa(apex, soa);
	return scanned.ok ? [scanned.value] : [];
}

export function scanSoa(apex: Uint8Array, soa: SoaSettings): Result<ZoneRecord> {
	const problems: Problem[] = [];
	for (const key of ['mname', 'rname'] as const) {
		const name = scanName(octetText(soa[key]), apex);
		if (typeof name === 'string') problems.push({ path: [key], message: name });
	}
	for (const key of ['refresh', 'retry', 'expire', 'minimum'] as const) {
		if (scanPeriod(String(soa[key])) === undefined)
			problems.push({ path: [key], message: `Cannot use ${soa[key]}: expected seconds below 2^31` });
	}
	if (problems.length > 0) return { ok: false, problems };
	const { mname, rname, serial, refresh, retry, expire, minimum, ttl } = soa;
	const set = { ttl, records: [[mname, rname, serial, refresh, retry, expire, minimum].join(' ')] };
	const scanned = scanRecordSet(apex, { owner: apex, type: TYPE.soa }, set);
	if (!scanned.ok) return { ok: false, problems: scanned.problems.map(({ message }) => ({ path: [], message })) };
	return { ok: true, value: scanned.value[0] as ZoneRecord };
}

/** A whole master file in the place of the one before. Its text stays as it is, but for a serial that must rise. */
export function setZoneFile(before: UnitContent | undefined, next: UnitContent): UnitContent {
	const was = before === undefined ? undefined : soaOf(before);
	const now = soaOf(next);
	if (before === undefined || was === undefined || now === undefined || isGreaterSerial(now.serial, was.serial))
		return next;
	if (sameRecords(before, next)) return now.serial === was.serial ? next : withSerial(next, was.serial);
	return withSerial(next, nextSerial(was.serial));
}

/** A zone of other records, printed anew; its serial rises. */
function withRecords(content: UnitContent, records: Iterable<ZoneRecord>): UnitContent {
	const next = content.withZone(printZone(content.apex, records));
	const was = soaOf(content)?.serial ?? 0;
	const now = soaOf(next)?.serial ?? 0;
	return isGreaterSerial(now, was) ? next : withSerial(next, nextSerial(was));
}

/** The same text with another serial; printed anew where its SOA stands in an included file. */
function withSerial(content: UnitContent, serial: number): UnitContent {
	const { zone = '', includes } = content.source;
	const patched = replaceSerial(zone, serial);
	if (patched !== undefined) return content.withZone(patched, includes);
	const soa = soaOf(content);
	if (soa === undefined) return content;
	const key = { owner: content.apex, type: TYPE.soa };
	const record = scannedSoa(content.apex, { ...soa, serial });
	return content.withZone(printZone(content.apex, replaced(recordsOf(content.records), key, record)));
}

/** @returns undefined when the text itself has no SOA record in its own form */
function replaceSerial(text: string, serial: number): string | undefined {
	const reader = new EntryReader(text);
	for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
		const { tokens } = entry;
		const type = tokens.findIndex((token, i) => i < 4 && !token.isQuoted && token.text.toUpperCase() === 'SOA');
		const token = type < 0 ? undefined : tokens[type + 3];
		if (token === undefined || tokens.length !== type + 8) continue;
		let lineStart = 0;
		for (let line = 1; line < token.line; line++) lineStart = text.indexOf('\n', lineStart) + 1;
		const at = lineStart + token.column - 1;
		return text.slice(0, at) + serial + text.slice(at + token.text.length);
	}
	return undefined;
}

/** RFC 1982 §3.2. */
function isGreaterSerial(a: number, b: number): boolean {
	const distance = (a - b) >>> 0;
	return distance > 0 && distance < 0x80000000;
}

/** Zero means nothing in particular to DNS, and something to several programs. */
function nextSerial(serial: number): number {
	return serial === 0xffffffff ? 1 : serial + 1;
}

/** Whether two versions of a zone hold the same records, but for the serial. */
function sameRecords(a: UnitContent, b: UnitContent): boolean {
	const lines = (content: UnitContent) => recordLines(content).filter(({ type }) => type !== TYPE.soa);
	const soaText = (content: UnitContent) => JSON.stringify({ ...soaOf(content), serial: 0 });
	if (soaText(a) !== soaText(b)) return false;
	const [left, right] = [lines(a), lines(b)];
	return left.length === right.length && left.every(({ line }, i) => line === right[i]?.line);
}

/** Records in canonical form as lines, sorted. */
export function recordLines({
	records,
	apex,
}: UnitContent): readonly { readonly type: number; readonly line: string }[] {
	const lines = [...recordsOf(records)].map(({ owner, type, ttlSec, rdata }) => {
		const name = relativeName(lowerName(owner), apex);
		return { type, line: `${name} ${ttlSec} IN ${typeText(type)} ${printRdata(type, canonicalRdata(type, rdata))}` };
	});
	return lines.sort((a, b) => (a.line < b.line ? -1 : a.line > b.line ? 1 : 0));
}

/** One character for each octet of the text in UTF-8. */
function octetText(text: string): string {
	return Array.from(new TextEncoder().encode(text), (octet) => String.fromCharCode(octet)).join('');
}

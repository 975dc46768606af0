/**
 * Edits of units: what each place of a unit holds, and what becomes of the unit when it is set, patched or removed.
 *
 * | place      | value                                                                  |
 * |------------|------------------------------------------------------------------------|
 * | unit       | master file, included files and steering as they were written          |
 * | zone       | name servers, SOA settings, record sets, steering; given, never read   |
 * | zone-file  | the master file, one character for each octet                          |
 * | soa        | SOA settings                                                           |
 * | record-set | TTL and records of a name and type                                     |
 * | document   | the steering document                                                  |
 * | steering   | one entry of a table of it, or one endpoint of a pool                  |
 */

import { printName } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import type { Path, Problem, Result } from '../lib/result.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { RecordSetShape, SoaShape, UnitShape, ZoneShape } from '../model/api-shapes.ts';
import { shapeReader } from '../model/check-document.ts';
import { isRecord, listAt, valueAt } from '../model/shape-walk.ts';
import {
	type RecordKey,
	type RecordSet,
	recordKey,
	recordSet,
	type SoaSettings,
	scanRecordSet,
	scanSoa,
	setRecordSet,
	setSoa,
	setZoneFile,
	soaOf,
} from './edit-records.ts';
import { mergePatch, pathOfPlace, type SteeringPlace, setSteering, steeringAt } from './edit-steering.ts';
import { printZone, type ZoneRecord } from './print-zone.ts';
import { etagOf, UnitContent } from './unit-content.ts';

export type Place =
	| { readonly kind: 'unit' | 'zone' | 'zone-file' | 'soa' | 'document' }
	| { readonly kind: 'record-set'; readonly name: string; readonly type: string }
	| ({ readonly kind: 'steering' } & SteeringPlace);

export type Edit = { readonly unit: string; readonly place: Place } & (
	| { readonly action: 'put' | 'patch'; readonly value: unknown }
	| { readonly action: 'delete' }
);

const readRecordSet = shapeReader(RecordSetShape);
const readSoa = shapeReader(SoaShape);
const readZone = shapeReader(ZoneShape);
const readUnit = shapeReader(UnitShape);

/** What a place holds; undefined when there is nothing. */
export function valueAtPlace(content: UnitContent | undefined, place: Place): unknown {
	if (content === undefined) return undefined;
	const { zone, includes, steering } = content.source;
	switch (place.kind) {
		case 'unit':
		case 'zone':
			return {
				...(zone === undefined ? {} : { zone }),
				...(includes === undefined ? {} : { includes }),
				...(steering?.kind === 'text' ? { steeringText: steering.text } : { steering: content.document }),
			};
		case 'zone-file':
			return zone;
		case 'soa':
			return soaOf(content);
		case 'document':
			return content.document;
		case 'record-set': {
			const key = recordKey(content.apex, place.name, place.type);
			return typeof key === 'string' ? undefined : recordSet(content, key);
		}
		case 'steering':
			return steeringAt(content.document, place);
	}
}

/** Changes when the place does, and with nothing else; undefined when there is nothing. */
export function etagAtPlace(content: UnitContent | undefined, place: Place): string | undefined {
	if (content !== undefined && (place.kind === 'unit' || place.kind === 'zone')) return content.etag;
	const value = valueAtPlace(content, place);
	if (value === undefined) return undefined;
	// The serial rises with every record of the zone.
	if (place.kind === 'soa') return etagOf({ ...(value as SoaSettings), serial: 0 });
	if (place.kind === 'record-set') {
		const { ttl, records } = value as RecordSet;
		return etagOf([ttl, records.toSorted()]);
	}
	return etagOf(value);
}

/**
 * @param before  undefined where there is no such unit
 * @returns the unit as it becomes, undefined when it is removed; or what is wrong with the value, with paths in it
 */
export function applyEdit(before: UnitContent | undefined, edit: Edit): Result<UnitContent | undefined> {
	const { place } = edit;
	if (edit.action === 'delete') return removePlace(before, place);
	const value = edit.action === 'put' ? edit.value : mergePatch(patchable(before, place), edit.value);
	switch (place.kind) {
		case 'unit':
			return putUnit(before, edit.unit, value);
		case 'zone':
			return putZone(before, edit.unit, value);
		case 'zone-file': {
			if (typeof value !== 'string') return wrong([], 'Cannot use this as a master file: expected text');
			const steering = before?.source.steering;
			return checkedZone(before, new UnitContent({ unit: edit.unit, zone: value, includes: undefined, steering }));
		}
		default:
			return before === undefined ? wrong([], `There is no zone ${edit.unit}`) : putPart(before, place, value);
	}
}

function putPart(before: UnitContent, place: Place, value: unknown): Result<UnitContent> {
	switch (place.kind) {
		case 'soa': {
			const soa = readSoa(value);
			if (!soa.ok) return soa;
			const serial = (soa.value as Partial<SoaSettings>).serial ?? soaOf(before)?.serial ?? 0;
			return setSoa(before, { ...(soa.value as SoaSettings), serial });
		}
		case 'record-set': {
			const key = recordKey(before.apex, place.name, place.type);
			if (typeof key === 'string') return wrong([], key);
			const set = readRecordSet(value);
			if (set.ok) return setRecordSet(before, key, set.value as RecordSet);
			return { ok: false, problems: [...set.problems, ...mistakenRecords(before.apex, key, value, set.problems)] };
		}
		case 'document':
			if (!isRecord(value)) return wrong([], 'Cannot use this as a steering document: expected an object');
			return { ok: true, value: before.withDocument(value) };
		case 'steering':
			return putSteering(before, place, value);
		default:
			throw new Error(`${place.kind} is no part of a unit`);
	}
}

function putSteering(before: UnitContent, place: SteeringPlace, value: unknown): Result<UnitContent> {
	if (place.endpoint === undefined)
		return { ok: true, value: before.withDocument(setSteering(before.document, place, value)) };
	if (steeringAt(before.document, { table: place.table, name: place.name }) === undefined)
		return wrong([], `There is no pool "${place.name}"`);
	if (!isRecord(value)) return wrong([], 'Cannot use this as an endpoint: expected an object');
	const { name = place.endpoint } = value;
	if (name !== place.endpoint)
		return wrong(['name'], `Cannot use the name ${JSON.stringify(name)}: the resource is that of "${place.endpoint}"`);
	const endpoint = { name, ...value };
	return { ok: true, value: before.withDocument(setSteering(before.document, place, endpoint)) };
}

function removePlace(before: UnitContent | undefined, place: Place): Result<UnitContent | undefined> {
	if (before === undefined) return { ok: true, value: undefined };
	switch (place.kind) {
		case 'unit':
		case 'zone':
			return { ok: true, value: undefined };
		case 'document':
			return { ok: true, value: before.withDocument({}) };
		case 'steering':
			return { ok: true, value: before.withDocument(setSteering(before.document, place, undefined)) };
		case 'record-set': {
			const key = recordKey(before.apex, place.name, place.type);
			return typeof key === 'string' ? wrong([], key) : setRecordSet(before, key, undefined);
		}
		default:
			return wrong([], `Cannot remove the ${place.kind === 'soa' ? 'SOA record' : 'master file'} of a zone`);
	}
}

/** What a merge patch is merged into. */
function patchable(before: UnitContent | undefined, place: Place): unknown {
	const value = valueAtPlace(before, place);
	// A serial that is patched counts; one that is not would speak against the one that rises.
	return place.kind === 'soa' ? mergePatch(value, { serial: null }) : value;
}

function putUnit(before: UnitContent | undefined, unit: string, value: unknown): Result<UnitContent> {
	const read = readUnit(value);
	if (!read.ok) return read;
	const { zone, includes, steering, steeringText } = read.value as {
		readonly zone?: string;
		readonly includes?: Readonly<Record<string, string>>;
		readonly steering?: unknown;
		readonly steeringText?: string;
	};
	if (steering !== undefined && steeringText !== undefined)
		return wrong(['steeringText'], 'Cannot use steeringText beside steering: expected one of the two');
	if (unit === COMMON_UNIT && zone !== undefined) return wrong(['zone'], 'Cannot have a master file in common');
	if (unit !== COMMON_UNIT && zone === undefined)
		return wrong([], 'Cannot do without "zone": expected the text of a master file');
	const source =
		steeringText === undefined
			? steering === undefined
				? undefined
				: { kind: 'document' as const, document: steering }
			: { kind: 'text' as const, text: steeringText };
	const content = new UnitContent({ unit, zone, includes, steering: source });
	const [mistake] = content.steeringProblems;
	if (mistake !== undefined) return wrong(['steeringText'], `line ${mistake.line}: ${mistake.message}`);
	return zone === undefined ? { ok: true, value: content } : checkedZone(before, content, ['zone']);
}

/** The zone with a serial that is right, unless its master file is none. */
function checkedZone(before: UnitContent | undefined, next: UnitContent, at: Path = []): Result<UnitContent> {
	if (/[\u0100-\uffff]/.test(next.source.zone ?? ''))
		return wrong(at, 'Cannot use this as a master file: expected one character up to U+00FF for each octet');
	const problems = next.recordProblems.map(({ line, column, file, message }) => {
		const place = file === undefined ? `line ${line}, column ${column}` : `${file}, line ${line}`;
		return { path: at, message: `${place}: ${message}` };
	});
	return problems.length > 0 ? { ok: false, problems } : { ok: true, value: setZoneFile(before, next) };
}

interface GivenZone {
	readonly soa: Partial<SoaSettings>;
	readonly nameServers: readonly string[];
	readonly recordSets: readonly (RecordSet & { readonly name: string; readonly type: string })[];
	readonly steering?: unknown;
}

function putZone(before: UnitContent | undefined, unit: string, value: unknown): Result<UnitContent> {
	const read = readZone(value);
	if (!read.ok) return { ok: false, problems: [...read.problems, ...mistakenSets(unit, value, read.problems)] };
	const { soa, nameServers, recordSets, steering } = read.value as GivenZone;
	const source = steering === undefined ? undefined : { kind: 'document' as const, document: steering };
	const empty = new UnitContent({ unit, zone: '', includes: undefined, steering: source });
	const { apex } = empty;
	const problems: Problem[] = [];
	const records: ZoneRecord[] = [];
	const take = (scanned: Result<readonly ZoneRecord[]>, place: (path: Path) => Path) => {
		if (scanned.ok) records.push(...scanned.value);
		else problems.push(...scanned.problems.map(({ path, message }) => ({ path: place(path), message })));
	};
	const filled = {
		mname: nameServers[0] ?? '',
		rname: `hostmaster.${printName(apex)}`,
		serial: 1,
		...soa,
	} as SoaSettings;
	const scannedSoa = scanSoa(apex, filled);
	take(scannedSoa.ok ? { ok: true, value: [scannedSoa.value] } : scannedSoa, (path) =>
		path[0] === 'mname' && soa.mname === undefined ? ['nameServers', 0] : ['soa', ...path],
	);
	const ofServers = scanRecordSet(apex, { owner: apex, type: TYPE.ns }, { ttl: filled.ttl, records: nameServers });
	take(ofServers, ([, index = 0]) => ['nameServers', index]);
	const seen = new Set<string>();
	for (const [i, { name, type, ...set }] of recordSets.entries()) {
		const key = recordKey(apex, name, type);
		if (typeof key === 'string') problems.push({ path: ['recordSets', i], message: key });
		else {
			const text = `${printName(key.owner)} ${key.type}`;
			if (seen.has(text)) problems.push({ path: ['recordSets', i], message: `Cannot define ${name} ${type} twice` });
			seen.add(text);
			take(scanRecordSet(apex, key, set), (path) => ['recordSets', i, ...path]);
		}
	}
	// The name server's own mistake is one mistake.
	const first = problems.findIndex(({ path }) => path[0] === 'nameServers' && path[1] === 0);
	const once = problems.filter(({ path }, i) => i === first || path[0] !== 'nameServers' || path[1] !== 0);
	if (once.length > 0) return { ok: false, problems: once };
	return { ok: true, value: setZoneFile(before, empty.withZone(printZone(apex, records))) };
}

/** What is wrong with records beside the shape of their set; those whose own shape is wrong have been told of. */
function mistakenRecords(
	apex: Uint8Array,
	key: RecordKey,
	value: unknown,
	told: readonly Pick<Problem, 'path'>[],
): readonly Problem[] {
	const records = valueAt(value, ['records']);
	if (!Array.isArray(records) || told.some(({ path }) => path.length === 0 || path[0] === 'records')) return [];
	const scanned = scanRecordSet(apex, key, { ttl: 0, records });
	return scanned.ok ? [] : scanned.problems;
}

/** The same of all record sets of a zone that have a name and a type. */
function mistakenSets(unit: string, value: unknown, told: readonly Problem[]): readonly Problem[] {
	const { apex } = new UnitContent({ unit, zone: '', includes: undefined, steering: undefined });
	return listAt(value, 'recordSets').flatMap((set, i) => {
		const [name, type] = [valueAt(set, ['name']), valueAt(set, ['type'])];
		const ofSet = told
			.filter(({ path }) => path[0] === 'recordSets' && (path.length === 1 || path[1] === i))
			.map(({ path }) => ({ path: path.slice(2) }));
		if (typeof name !== 'string' || typeof type !== 'string') return [];
		if (ofSet.some(({ path }) => path[0] === 'name' || path[0] === 'type')) return [];
		const key = recordKey(apex, name, type);
		if (typeof key === 'string') return [{ path: ['recordSets', i], message: key }];
		const place = (path: Path) => ['recordSets', i, ...path];
		return mistakenRecords(apex, key, set, ofSet).map(({ path, message }) => ({ path: place(path), message }));
	});
}

/**
 * Where in the value of an edit a place of the steering document lies.
 * @returns undefined when the edit did not give it
 */
export function pathInValue(
	{ place }: Edit,
	document: Readonly<Record<string, unknown>>,
	path: Path,
): Path | undefined {
	if (place.kind === 'unit' || place.kind === 'zone') return ['steering', ...path];
	if (place.kind === 'document') return path;
	if (place.kind !== 'steering') return undefined;
	const own = pathOfPlace(document, place);
	return own.every((step, i) => path[i] === step) ? path.slice(own.length) : undefined;
}

function wrong(path: Path, message: string): { readonly ok: false; readonly problems: readonly Problem[] } {
	return { ok: false, problems: [{ path, message }] };
}

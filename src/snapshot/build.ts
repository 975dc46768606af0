/**
 * The one validation: boot, reload, `check` and every later change go through it.
 *
 *     units (zones and common) -> zone checks -> steering compiled -> zone table -> steered names against zones
 */

import { copyName, isAtOrBelow, lowerName, Name, printName, sameName, scanName } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import type { RecordList, RecordPlace } from '../dns/record-list.ts';
import { typeCode, typeText } from '../dns/rr-type.ts';
import type { GeoData } from '../geo/decide.ts';
import type { Path } from '../lib/result.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { SteeringDocument } from '../model/steering.ts';
import { type CompiledName, compileSteering, type ModelReaders } from '../steering/compile.ts';
import type { MergeCache } from '../steering/merge-cache.ts';
import type { GeoNotes } from '../steering/nodes.ts';
import type { SteeredInput } from '../zone/build-table.ts';
import { Lookup, lookup, OUTCOME } from '../zone/lookup.ts';
import { findNode, findRrset, NODE, nodeColumn, nodeName, ZONE, type ZoneTable, zoneColumn } from '../zone/table.ts';
import type { BuildCache } from './build-cache.ts';
import type { Snapshot } from './snapshot.ts';

export interface ZoneUnit {
	/** Lower-cased wire name. */
	readonly apex: Uint8Array;
	readonly records: RecordList;
	readonly steering: SteeringDocument;
}

export interface Units<Z extends ZoneUnit = ZoneUnit> {
	readonly common: SteeringDocument;
	readonly zones: readonly Z[];
}

/** A problem of a unit, in its zone file (a line) or in its steering file (a path). */
export interface BuildProblem {
	/** COMMON_UNIT or the apex as text. */
	readonly unit: string;
	readonly at: RecordPlace | { readonly path: Path };
	readonly message: string;
	/** It can be served all the same. */
	readonly isWarning: boolean;
}

export interface BuildContext {
	readonly geo: GeoData;
	readonly merges: MergeCache;
	readonly cache: BuildCache;
	readonly model: ModelReaders;
	/** Regions that have had a prober. */
	readonly vantages: readonly string[];
	/** What operators have switched, brought into the document of a unit; absent where nothing is. */
	readonly switched?: ((unit: string, document: SteeringDocument) => SteeringDocument) | undefined;
}

export interface Built {
	/** Undefined when there is a problem that is no warning. The next build with the same cache may change its zones. */
	readonly snapshot: Snapshot | undefined;
	readonly problems: readonly BuildProblem[];
	/** What explanations tell beyond the snapshot, by geo node. */
	readonly geoNotes: ReadonlyMap<number, GeoNotes>;
}

export function build(units: Units, context: BuildContext): Built {
	const problems: BuildProblem[] = [];
	// Of a hundred thousand zones few may be steered.
	const steering: ZoneUnit[] = [];
	for (const zone of units.zones) {
		const facts = context.cache.facts(zone);
		if (facts.hasSteering) steering.push(zone);
		for (const { message, isWarning, ...at } of facts.problems)
			problems.push({ unit: facts.unit, at, message, isWarning });
	}
	const unitOf = (zone: ZoneUnit) => context.cache.facts(zone).unit;
	const { switched = (_unit: string, document: SteeringDocument) => document } = context;
	const documentOf = (unit: string, document: SteeringDocument) => ({ unit, document: switched(unit, document) });
	const compiled = compileSteering(
		steering.map((zone) => documentOf(unitOf(zone), zone.steering)),
		documentOf(COMMON_UNIT, units.common),
		{ ...context, nameOctets },
	);
	for (const { unit, path, message, isWarning } of compiled.problems)
		problems.push({ unit, at: { path }, message, isWarning });
	const steered = resolveOwners(steering, unitOf, compiled.names, problems);
	const steeredOf = (zone: ZoneUnit) => (zone.steering.names.size === 0 ? [] : (steered.get(unitOf(zone)) ?? []));
	const { geoNotes } = compiled;
	if (hasErrors(problems)) return { snapshot: undefined, problems, geoNotes };
	const zones = context.cache.tables.build(
		units.zones.map((zone) => ({ apex: zone.apex, records: zone.records, steered: steeredOf(zone) })),
	);
	for (const zone of steering) checkSteered(zones, zone, steeredOf(zone), problems);
	checkNameServers(zones, units.zones, context.cache, [...steered.values()].flat(), problems);
	if (hasErrors(problems)) return { snapshot: undefined, problems, geoNotes };
	return { snapshot: { zones, steering: compiled.table, targets: compiled.targets }, problems, geoNotes };
}

function hasErrors(problems: readonly BuildProblem[]): boolean {
	return problems.some(({ isWarning }) => !isWarning);
}

function nameOctets(text: string): Uint8Array | string {
	const name = scanName(text, Uint8Array.of(0));
	return typeof name === 'string' ? name : lowerName(name);
}

/** A steered name of a zone, with the key under which its file has it. */
interface SteeredOwner extends SteeredInput {
	readonly key: string;
	/** CNAME targets that its policy may give. */
	readonly aliases: readonly Uint8Array[];
}

/** Owners as wire names, by unit; what is no name, not of the zone or there twice is a problem. */
function resolveOwners(
	zones: readonly ZoneUnit[],
	unitOf: (zone: ZoneUnit) => string,
	names: readonly CompiledName[],
	problems: BuildProblem[],
): Map<string, SteeredOwner[]> {
	const apexes = new Map(zones.map((zone) => [unitOf(zone), zone.apex]));
	const steered = new Map<string, SteeredOwner[]>();
	const taken = new Set<string>();
	for (const { unit, owner: key, types, aliases, index } of names) {
		const apex = apexes.get(unit) ?? Uint8Array.of(0);
		const own = steered.get(unit) ?? [];
		steered.set(unit, own);
		const complain = (message: string) =>
			problems.push({ unit, at: { path: ['names', key] }, message, isWarning: false });
		const scanned = scanName(key, apex);
		if (typeof scanned === 'string') {
			complain(scanned);
			continue;
		}
		const owner = lowerName(scanned);
		const place = `${unit} ${printName(owner)}`;
		if (!isAtOrBelow(owner, apex)) complain(`Cannot steer "${key}": it is not in the zone ${unit}`);
		else if (taken.has(place)) complain(`Cannot steer "${key}" twice`);
		else own.push({ key, owner, types: steeredTypes(types, aliases), aliases, index });
		taken.add(place);
	}
	return steered;
}

/** A CNAME answers for every type (RFC 1034 §3.6.2), which ANY stands for. */
function steeredTypes(types: readonly string[], aliases: readonly Uint8Array[]): readonly number[] {
	return aliases.length > 0 ? [TYPE.any] : types.map((type) => typeCode(type) ?? 0);
}

/** What a steered name must not be, given the zones. */
function checkSteered(
	table: ZoneTable,
	zone: ZoneUnit,
	steered: readonly SteeredOwner[],
	problems: BuildProblem[],
): void {
	if (steered.length === 0) return;
	const unit = printName(zone.apex);
	for (const { key, owner, types, aliases } of steered) {
		const complain = (message: string) =>
			problems.push({ unit, at: { path: ['names', key] }, message, isWarning: false });
		const node = closestNode(table, owner);
		const home = nodeName(table, zoneColumn(table, nodeColumn(table, node, NODE.zone), ZONE.apex));
		const cut = nodeColumn(table, node, NODE.cut) - 1;
		const dname = nodeColumn(table, node, NODE.dname) - 1;
		if (!sameName(home, zone.apex)) complain(`Cannot steer "${key}": it lies in another zone, ${printName(home)}`);
		else if (cut >= 0)
			complain(`Cannot steer "${key}": it lies at or below the delegation ${printName(nodeName(table, cut))}`);
		else if (dname >= 0 && dname !== node) {
			complain(`Cannot steer "${key}": it lies below the DNAME ${printName(nodeName(table, dname))}`);
		} else if (aliases.length > 0) {
			for (const why of aliasFaults(table, node, zone, owner, aliases))
				complain(`Cannot steer "${key}" to a CNAME: ${why}`);
		} else {
			for (const type of [...types, TYPE.cname]) {
				if (findRrset(table, node, type) >= 0)
					complain(`Cannot steer "${key}": the zone file has ${typeText(type)} records there`);
			}
		}
	}
}

/** RFC 1034 §3.6.2: where a CNAME stands nothing else does. */
function aliasFaults(
	table: ZoneTable,
	node: number,
	zone: ZoneUnit,
	owner: Uint8Array,
	aliases: readonly Uint8Array[],
): readonly string[] {
	const faults: string[] = [];
	if (sameName(owner, zone.apex)) faults.push('it is the apex, which holds SOA and NS');
	else if (sameName(nodeName(table, node), owner) && nodeColumn(table, node, NODE.rrsetCount) > 0)
		faults.push('the zone file has records there');
	if (aliases.some((target) => sameName(target, owner))) faults.push('its target is the name itself');
	return faults;
}

/** The node of a name, or of its nearest ancestor that has one; a steered name lies at or below an apex, so there is one. */
function closestNode(table: ZoneTable, owner: Uint8Array): number {
	const name = new Name();
	copyName(owner, 0, name);
	let label = 0;
	while (label < name.labelCount && findNode(table, name, label) < 0) label++;
	return findNode(table, name, label);
}

/** NS records whose target is steered, in whichever zone; resolvers would follow a delegation that moves under them. */
function checkNameServers(
	table: ZoneTable,
	zones: readonly ZoneUnit[],
	cache: BuildCache,
	steered: readonly SteeredOwner[],
	problems: BuildProblem[],
): void {
	if (steered.length === 0) return;
	const owners = new Set(steered.map(({ owner }) => printName(owner)));
	const hasWildcard = steered.some(({ owner }) => isWildcard(owner));
	for (const zone of zones) {
		const { unit, nameServers } = cache.facts(zone);
		for (const [target, record] of nameServers) {
			if (!owners.has(target) && !(hasWildcard && isSteeredByWildcard(table, target))) continue;
			const file = zone.records.file(record);
			problems.push({
				unit,
				at: { line: zone.records.line(record), ...(file === undefined ? {} : { file }) },
				message: `Cannot use the name server ${target}: it is steered, and a delegation must not hang on a policy`,
				isWarning: false,
			});
		}
	}
}

function isWildcard(owner: Uint8Array): boolean {
	return owner[0] === 1 && owner[1] === 0x2a;
}

/** A name that a steered wildcard gives addresses (RFC 4592 §3.3). */
function isSteeredByWildcard(table: ZoneTable, text: string): boolean {
	const octets = nameOctets(text);
	if (typeof octets === 'string') return false;
	const name = new Name();
	copyName(octets, 0, name);
	const found = new Lookup();
	return [TYPE.a, TYPE.aaaa].some((type) => {
		lookup(table, name, type, found);
		return found.outcome === OUTCOME.steered;
	});
}

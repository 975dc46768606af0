/**
 * Changes that are right and may still be a disaster: what is refused unless it is forced.
 *
 * | guard           | refuses a change that                                                          |
 * |-----------------|--------------------------------------------------------------------------------|
 * | last-pool       | leaves a steered name without a pool that may answer                            |
 * | capacity        | takes more than half of the enabled weights in use in a region                  |
 * | records         | takes more than half of the records of a zone                                   |
 * | without-answer  | leaves clients without an answer that they had                                  |
 *
 * They go by the configuration, as it stands when all overrides have ended: an override is no reason to refuse a change,
 * nor does one make room for it. But `without-answer` looks at what is switched now as well.
 */

import { recordSets } from '../config/edit-records.ts';
import type { UnitContent } from '../config/unit-content.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { usesOf } from '../model/policy-uses.ts';
import type { PoolDocument, SteeringDocument, Use } from '../model/steering.ts';
import type { SilencedName } from './configuration.ts';

export interface GuardFinding {
	readonly guard: 'last-pool' | 'capacity' | 'records' | 'without-answer';
	readonly unit: string;
	readonly message: string;
}

/** One version of everything. */
export interface Version {
	unit(name: string): UnitContent | undefined;
}

export interface GuardedChange {
	readonly before: Version;
	readonly after: Version;
	/** Units that the change touches. */
	readonly touched: readonly string[];
	/** Of all units; asked for when common is touched. */
	readonly names: () => readonly string[];
	readonly silenced: readonly SilencedName[];
}

export function guardFindings(change: GuardedChange): readonly GuardFinding[] {
	const { before, after, touched, silenced } = change;
	const findings: GuardFinding[] = [];
	for (const unit of touched) if (unit !== COMMON_UNIT) findings.push(...recordFindings(unit, before, after));
	// A pool of common is lost to every zone that uses it.
	const zones = touched.includes(COMMON_UNIT) ? change.names() : touched;
	for (const unit of zones) {
		if (unit === COMMON_UNIT || before.unit(unit) === undefined || after.unit(unit) === undefined) continue;
		findings.push(...nameFindings(unit, before, after));
		if (touched.includes(unit))
			findings.push(...capacityFindings(unit, poolsOfZone(before, unit), poolsOfZone(after, unit)));
	}
	if (touched.includes(COMMON_UNIT)) {
		const ofCommon = (version: Version) => [
			...new Map(
				zones.flatMap((unit) => [...poolsOfZone(version, unit)].filter(([key]) => key.startsWith(`${COMMON_UNIT} `))),
			),
		];
		findings.push(...capacityFindings(COMMON_UNIT, new Map(ofCommon(before)), new Map(ofCommon(after))));
	}
	const told = new Set(findings.map(({ unit, message }) => `${unit} ${message.split('"')[1]}`));
	for (const { unit, name, type, networks, isAsSwitched } of silenced) {
		if (told.has(`${unit} ${name}`)) continue;
		const whom = networks.length === 0 ? 'all clients' : `clients such as ${networks.join(', ')}`;
		findings.push({
			guard: 'without-answer',
			unit,
			message: `It leaves ${whom} without an answer to "${name}" ${type}${isAsSwitched === true ? ', as things are switched now' : ''}`,
		});
	}
	return findings;
}

/** By zone or common, and name: `common eu`. */
type Pools = ReadonlyMap<string, PoolDocument>;

function documentOf(version: Version, unit: string): SteeringDocument | undefined {
	const steering = version.unit(unit)?.steering;
	return steering?.ok === true ? steering.value : undefined;
}

function poolsOfZone(version: Version, unit: string): Pools {
	const own = documentOf(version, unit);
	const pools = new Map<string, PoolDocument>();
	if (own === undefined || unit === COMMON_UNIT) return pools;
	for (const { policy } of own.names.values())
		for (const [key, pool] of poolsOfUse(version, unit, policy)) pools.set(key, pool);
	return pools;
}

/** All pools that a policy may come to. */
function poolsOfUse(version: Version, unit: string, use: Use): Pools {
	const documents = [unit, COMMON_UNIT].map((name) => ({ name, document: documentOf(version, name) }));
	const pools = new Map<string, PoolDocument>();
	const seen = new Set<string>();
	const visit = (one: Use): void => {
		if (typeof one !== 'string') {
			for (const member of usesOf(one)) visit(member);
			return;
		}
		if (seen.has(one)) return;
		seen.add(one);
		for (const { name, document } of documents) {
			const pool = document?.pools.get(one);
			const policy = document?.policies.get(one);
			if (pool !== undefined) pools.set(`${name} ${one}`, pool);
			if (policy !== undefined) visit(policy);
		}
	};
	visit(use);
	return pools;
}

function isOff(state: string): boolean {
	return state === 'down' || state === 'drain';
}

/** The sum of the weights that operators have not switched off. */
function weightOf({ state, endpoints }: PoolDocument): number {
	if (isOff(state)) return 0;
	return endpoints.reduce((sum, endpoint) => sum + (isOff(endpoint.state) ? 0 : endpoint.weight), 0);
}

function isAble({ state, endpoints }: PoolDocument): boolean {
	return !isOff(state) && endpoints.some((endpoint) => !isOff(endpoint.state));
}

function nameFindings(unit: string, before: Version, after: Version): readonly GuardFinding[] {
	const findings: GuardFinding[] = [];
	const now = documentOf(after, unit)?.names;
	for (const [name, { policy }] of documentOf(before, unit)?.names ?? []) {
		const isServed = [...poolsOfUse(before, unit, policy).values()].some(isAble);
		if (!isServed) continue;
		const next = now?.get(name);
		if (next === undefined) {
			if (hasRecords(after, unit, name)) continue;
			findings.push({ guard: 'without-answer', unit, message: `It leaves all clients without an answer to "${name}"` });
		} else if (![...poolsOfUse(after, unit, next.policy).values()].some(isAble)) {
			findings.push({ guard: 'last-pool', unit, message: `It takes the last pool of the name "${name}"` });
		}
	}
	return findings;
}

/** Whether the zone itself answers for a name that is steered no longer. */
function hasRecords(version: Version, unit: string, name: string): boolean {
	const content = version.unit(unit);
	if (content === undefined) return false;
	const own = name.toLowerCase();
	const suffix = own === '@' ? unit : `${own}.${unit}`;
	return [...recordSets(content).values()].some(
		(set) => ['A', 'AAAA', 'CNAME'].includes(set.type) && [own, suffix].includes(set.name),
	);
}

function capacityFindings(unit: string, before: Pools, after: Pools): readonly GuardFinding[] {
	const [was, is] = [before, after].map(weightByRegion) as [Map<string, number>, Map<string, number>];
	return [...was].flatMap(([region, weight]) => {
		const left = is.get(region) ?? 0;
		if (weight === 0 || left >= weight / 2) return [];
		const where = region === '' ? 'of pools without a region' : `of the region "${region}"`;
		return [{ guard: 'capacity', unit, message: `It takes the capacity ${where} from ${weight} to ${left}` } as const];
	});
}

function weightByRegion(pools: Pools): Map<string, number> {
	const weights = new Map<string, number>();
	for (const pool of pools.values()) {
		const region = pool.region ?? '';
		weights.set(region, (weights.get(region) ?? 0) + weightOf(pool));
	}
	return weights;
}

/** A record that is given another value is not removed. */
function recordFindings(unit: string, before: Version, after: Version): readonly GuardFinding[] {
	const [old, next] = [before.unit(unit), after.unit(unit)];
	if (old === undefined || (next !== undefined && next.source.zone === old.source.zone)) return [];
	const left = next === undefined ? undefined : recordSets(next);
	let total = 0;
	let removed = 0;
	for (const [key, { records }] of recordSets(old)) {
		total += records.length;
		removed += Math.max(0, records.length - (left?.get(key)?.records.length ?? 0));
	}
	if (removed <= total / 2) return [];
	return [{ guard: 'records', unit, message: `It takes ${removed} of the ${total} records of ${unit}` }];
}

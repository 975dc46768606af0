/**
 * What operators have switched beside the configuration, brought into the documents that answers are built from.
 * Pure: the time is an argument, so that an override ends everywhere by itself, whoever can be asked.
 *
 * | names       | switches                                             |
 * |-------------|------------------------------------------------------|
 * | an endpoint | its `state`, in the place of the one that stands there |
 * | a pool      | the pool's `state`                                   |
 * | a region    | the `state` of every pool of that region             |
 * | (a trip)    | its pool, down; or a member of a failover policy, which then counts as none there |
 *
 * Where several name the same pool `drain` comes before `down`, and `down` before `up`: what an operator takes out of
 * service stays out, until everything that does so has ended. A pool that was switched down or drained takes its
 * endpoints along, also those that were switched up (steering/compile-pool.ts).
 */

import { memberName } from '../lib/member-name.ts';
import type { Path } from '../lib/result.ts';
import { isRecord } from '../model/shape-walk.ts';
import type { EndpointDocument, PoolDocument, SteeringDocument } from '../model/steering.ts';

export type SwitchedState = 'up' | 'down' | 'drain';

export type SwitchTarget =
	| { readonly kind: 'region'; readonly region: string }
	| { readonly kind: 'pool'; readonly unit: string; readonly pool: string }
	| { readonly kind: 'endpoint'; readonly unit: string; readonly pool: string; readonly endpoint: string };

/** A member of a failover policy, out of service in that policy alone; no operator switches it, it trips. */
export interface MemberTarget {
	readonly kind: 'member';
	readonly unit: string;
	/** Its name, or for one that stands in place where, such as `names.www.policy`. */
	readonly policy: string;
	/** As memberName (lib/member-name.ts) has it. */
	readonly member: string;
}

export interface Switch {
	readonly state: SwitchedState;
	readonly target: SwitchTarget | MemberTarget;
	/** Milliseconds since 1970; undefined for one that has no end. */
	readonly untilMs: number | undefined;
}

const STRENGTH: Readonly<Record<SwitchedState, number>> = { up: 1, down: 2, drain: 3 };

/** Those that count at a time. */
export function switchesAt(switches: readonly Switch[], nowMs: number): readonly Switch[] {
	return switches.filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs);
}

/** When the next one ends; undefined when none does. */
export function nextEndMs(switches: readonly Switch[], nowMs: number): number | undefined {
	const ends = switchesAt(switches, nowMs).flatMap(({ untilMs }) => untilMs ?? []);
	return ends.length === 0 ? undefined : Math.min(...ends);
}

/**
 * The document of a unit with what is switched.
 * @param switches  those that count now
 * @returns the same object where nothing of it is named
 */
export function switchedDocument(
	unit: string,
	document: SteeringDocument,
	switches: readonly Switch[],
): SteeringDocument {
	if (switches.length === 0) return document;
	const tripped = trippedDocument(unit, document, switches);
	const pools = switchedPools(unit, document, switches);
	return pools === undefined ? tripped : { ...tripped, pools };
}

/** @returns undefined where none is named */
function switchedPools(
	unit: string,
	document: SteeringDocument,
	switches: readonly Switch[],
): ReadonlyMap<string, PoolDocument> | undefined {
	let pools: Map<string, PoolDocument> | undefined;
	for (const [name, pool] of document.pools) {
		const switched = switchedPool(unit, name, pool, switches);
		if (switched === pool) continue;
		pools ??= new Map(document.pools);
		pools.set(name, switched);
	}
	return pools;
}

/** The document with members that have tripped marked in their policies. */
function trippedDocument(unit: string, document: SteeringDocument, switches: readonly Switch[]): SteeringDocument {
	const members = switches.flatMap(({ target }) => (target.kind === 'member' && target.unit === unit ? [target] : []));
	if (members.length === 0) return document;
	const marked = <T>(value: T, path: Path, place: string): T => {
		if (Array.isArray(value)) return value.map((one, i) => marked(one, [...path, i], [...path, i].join('.'))) as T;
		if (!isRecord(value)) return value;
		const entries = Object.entries(value).map(([key, one]) => {
			const inside = [...path, key];
			return [key, marked(one, inside, inside.join('.'))] as const;
		});
		const copy = Object.fromEntries(entries);
		const own = members.filter(({ policy }) => policy === place);
		const uses = value['members'];
		if (own.length === 0 || value['kind'] !== 'failover' || !Array.isArray(uses)) return copy as T;
		const names = new Set(own.map(({ member }) => member));
		return { ...copy, tripped: uses.flatMap((use, i) => (names.has(memberName(use, i)) ? [i] : [])) } as T;
	};
	const policies = new Map(
		[...document.policies].map(([name, policy]) => [name, marked(policy, ['policies', name], name)]),
	);
	const names = new Map(
		[...document.names].map(([name, own]) => {
			const path = ['names', name, 'policy'];
			return [name, { ...own, policy: marked(own.policy, path, path.join('.')) }];
		}),
	);
	return { ...document, policies, names };
}

/** Pools that a target names in a document. */
export function poolsNamed(unit: string, { pools }: SteeringDocument, target: SwitchTarget): readonly string[] {
	return [...pools].flatMap(([name, pool]) => {
		if (!namesPool(target, unit, name, pool) && !namesEndpointOf(target, unit, name)) return [];
		const isThere = target.kind !== 'endpoint' || pool.endpoints.some((endpoint) => endpoint.name === target.endpoint);
		return isThere ? [name] : [];
	});
}

function switchedPool(unit: string, name: string, pool: PoolDocument, switches: readonly Switch[]): PoolDocument {
	const ofPool = strongest(switches.filter(({ target }) => namesPool(target, unit, name, pool)));
	const ofEndpoints = switches.filter(({ target }) => namesEndpointOf(target, unit, name));
	if (ofPool === undefined && ofEndpoints.length === 0) return pool;
	const endpoints = pool.endpoints.map((endpoint) => switchedEndpoint(endpoint, ofEndpoints));
	return { ...pool, state: ofPool ?? pool.state, endpoints };
}

function switchedEndpoint(endpoint: EndpointDocument, switches: readonly Switch[]): EndpointDocument {
	const own = switches.filter(({ target }) => target.kind === 'endpoint' && target.endpoint === endpoint.name);
	const state = strongest(own);
	return state === undefined ? endpoint : { ...endpoint, state };
}

function namesPool(target: Switch['target'], unit: string, name: string, { region }: PoolDocument): boolean {
	if (target.kind === 'region') return region === target.region;
	return target.kind === 'pool' && target.unit === unit && target.pool === name;
}

function namesEndpointOf(target: Switch['target'], unit: string, name: string): boolean {
	return target.kind === 'endpoint' && target.unit === unit && target.pool === name;
}

function strongest(switches: readonly Switch[]): SwitchedState | undefined {
	let found: SwitchedState | undefined;
	for (const { state } of switches) if (found === undefined || STRENGTH[state] > STRENGTH[found]) found = state;
	return found;
}

/**
 * Steering for tests: from documents, as plain objects, to answers as words.
 *
 *     pool('a b:4', { answers: 2 })  ->  steer({ zone })  ->  world.set('a', 'down')  ->  world.ask('www')  ->  'b'
 */

import { scanName } from '../../src/dns/name.ts';
import type { GeoData } from '../../src/geo/decide.ts';
import { noGeoData } from '../../src/geo/decide.ts';
import { createHealthWords, noteChange, VERDICT_WORD, WORD, wordWith } from '../../src/health/verdict-table.ts';
import { type Family, printAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import type { Chance } from '../../src/lib/ports.ts';
import { printPath } from '../../src/lib/result.ts';
import { readSteering } from '../../src/model/check-document.ts';
import { durationMs } from '../../src/model/duration.ts';
import { monitorOf } from '../../src/model/monitor.ts';
import { usesOf } from '../../src/model/policy-uses.ts';
import { DEPTH_MAX, type SteeringDocument } from '../../src/model/steering.ts';
import { choose, createWalk, setWalkClient } from '../../src/steering/choose.ts';
import { type Compiled, compileSteering } from '../../src/steering/compile.ts';
import { PICK } from '../../src/steering/draw.ts';
import { MergeCache } from '../../src/steering/merge-cache.ts';
import { scope } from '../../src/steering/scope.ts';
import type { Walk } from '../../src/steering/walk.ts';
import { addressOf } from '../mmdb-writer.ts';

type Keys = Readonly<Record<string, unknown>>;

export interface SteerSpec {
	/** The document of the zone example.org; monitors m and n, and the regional r, are there without being written. */
	readonly zone: Keys;
	readonly common?: Keys;
	readonly geo?: GeoData;
	readonly merges?: MergeCache;
	readonly chance?: Chance;
	/** Regions that round-trip times are measured from; the first one is `World.rtt`'s. */
	readonly vantages?: readonly string[];
}

export interface Question {
	readonly family?: Family;
	readonly client?: string;
	readonly resolver?: string;
}

const MONITORS = {
	m: { kind: 'tcp', port: 80 },
	n: { kind: 'tcp', port: 81 },
	r: { kind: 'tcp', port: 82, regional: true },
};

/**
 * A pool of endpoints that monitor m checks: `a` has an address of each family, `a:4`, `a:6`, `a:44` what is said,
 * and `a:c` the CNAME a.cdn.example. An address is made from the endpoint's name, so that one name is the same check wherever it stands.
 */
export function pool(endpoints: string, keys: Keys = {}, byName: Readonly<Record<string, Keys>> = {}): Keys {
	return {
		monitor: 'm',
		endpoints: endpoints.split(' ').map((text) => {
			const [name = '', families = '46'] = text.split(':');
			if (families === 'c') return { name, cname: `${aliasFor(name)}.`, ...byName[name] };
			return { name, addresses: [...families].map((family, i) => addressFor(name, family, i)), ...byName[name] };
		}),
		...keys,
	};
}

function addressFor(name: string, family: string, i: number): string {
	const number = [...name].reduce((sum, letter) => sum * 37 + letter.charCodeAt(0), 0) % 65521;
	return family === '4' ? `198.${18 + i}.${number >>> 8}.${number & 255}` : `2001:db8:${i}::${number.toString(16)}`;
}

const aliasFor = (name: string) => `${name}.cdn.example`;

export const failover = (...members: unknown[]) => ({ kind: 'failover', members });
export const latency = (...members: unknown[]) => ({ kind: 'latency', members });
export const proximity = (...members: unknown[]) => ({ kind: 'proximity', members });
export const all = (...members: unknown[]) => ({ kind: 'all', members });
export const geo = (rules: readonly unknown[], fallback?: unknown) => ({
	kind: 'geo',
	rules,
	...(fallback === undefined ? {} : { default: fallback }),
});
export const weighted = (...members: readonly (readonly [unknown, number])[]) => ({
	kind: 'weighted',
	members: members.map(([use, weight]) => ({ use, weight })),
});

/** The same for each client's network. */
export const sticky = (...members: readonly (readonly [unknown, number])[]) => ({
	...weighted(...members),
	by: 'client',
});

function documentOf(value: Keys, kind: 'common' | 'zone'): SteeringDocument {
	const result = readSteering(value, kind);
	if (result.ok) return result.value;
	throw new Error(result.problems.map(({ path, message }) => `${printPath(path)}: ${message}`).join('\n'));
}

export function compile({ zone, common = {}, geo, merges, vantages }: SteerSpec): Compiled {
	return compileZones(
		[{ unit: 'example.org.', value: { ...zone, monitors: { ...MONITORS, ...tableOf(zone) } } }],
		common,
		geo,
		merges,
		vantages,
	);
}

const tableOf = (zone: Keys) => zone['monitors'] as Keys | undefined;

export function compileZones(
	zones: readonly { readonly unit: string; readonly value: Keys }[],
	common: Keys,
	geo: GeoData = noGeoData(),
	merges: MergeCache = new MergeCache(),
	vantages: readonly string[] = [],
): Compiled {
	return compileSteering(
		zones.map(({ unit, value }) => ({ unit, document: documentOf(value, 'zone') })),
		{ unit: 'common', document: documentOf(common, 'common') },
		{ geo, merges, vantages, nameOctets, model: { depthMax: DEPTH_MAX, durationMs, monitorOf, usesOf } },
	);
}

function nameOctets(text: string): Uint8Array | string {
	return scanName(text, Uint8Array.of(0));
}

/** `unit path: message` of each error. */
export function problemsOf(compiled: Compiled): readonly string[] {
	return linesOf(compiled.problems.filter(({ isWarning }) => !isWarning));
}

/** The same of each warning. */
export function warningsOf(compiled: Compiled): readonly string[] {
	return linesOf(compiled.problems.filter(({ isWarning }) => isWarning));
}

function linesOf(problems: Compiled['problems']): readonly string[] {
	return problems.map(({ unit, path, message }) => `${unit} ${printPath(path)}: ${message}`);
}

export function steer(spec: SteerSpec): World {
	const compiled = compile(spec);
	if (problemsOf(compiled).length > 0) throw new Error(problemsOf(compiled).join('\n'));
	return new World(compiled, spec.chance ?? createChance(1), spec.vantages?.length);
}

export class World {
	readonly compiled: Compiled;
	readonly walk: Walk;
	readonly #roots: ReadonlyMap<string, number>;
	readonly #names: Readonly<Record<Family, ReadonlyMap<number, string>>>;

	/** @param vantages  regions that have a round-trip time for each target */
	constructor(compiled: Compiled, chance: Chance, vantages = 1) {
		this.compiled = compiled;
		const count = compiled.targets.length;
		this.walk = createWalk(
			compiled.table,
			createHealthWords(count, Math.max(1, vantages)),
			Int32Array.from({ length: count }, (_, i) => i),
			chance,
		);
		this.#names = { 4: endpointNames(compiled, 4), 6: endpointNames(compiled, 6) };
		this.#roots = new Map(compiled.names.map(({ owner, index }) => [owner, index]));
	}

	/** Set the word of `a`, or of its address of one family (`a/6`), or of its second address (`a.1`). */
	set(endpoint: string, vote: keyof typeof VERDICT_WORD, monitor: 'm' | 'n' | 'all' = 'all'): this {
		for (const target of this.#targetsOf(endpoint, monitor)) this.walk.health.verdicts[target] = VERDICT_WORD[vote];
		noteChange(this.walk.health);
		return this;
	}

	/** An endpoint has come up so long ago, and its pool starts it slowly. */
	ramp(endpoint: string, upForMs: number): this {
		const word = wordWith('up', { upForMs });
		for (const target of this.#targetsOf(endpoint, 'all')) this.walk.health.verdicts[target] = word;
		noteChange(this.walk.health);
		return this;
	}

	/** Set the word that a vantage has of its own for an endpoint of monitor r; `none` for the common one. */
	regional(endpoint: string, vote: 'up' | 'down' | 'none', vantage = 0): this {
		const { regional, verdicts } = this.walk.health;
		for (const target of this.#targetsOf(endpoint, 'all')) {
			verdicts[target] = (verdicts[target] ?? 0) | WORD.regional;
			regional[vantage * verdicts.length + target] = vote === 'none' ? 0 : VERDICT_WORD[vote];
		}
		noteChange(this.walk.health);
		return this;
	}

	/** Set the round-trip time of an endpoint, in milliseconds, as measured from one of the vantages. */
	rtt(endpoint: string, ms: number, vantage = 0): this {
		const { rttUs, verdicts } = this.walk.health;
		for (const target of this.#targetsOf(endpoint, 'all')) rttUs[vantage * verdicts.length + target] = 1000 * ms;
		return this;
	}

	#targetsOf(endpoint: string, monitor: 'm' | 'n' | 'all'): readonly number[] {
		const [, name = '', i = '', family = ''] = /^([^./]+)(?:\.(\d))?(?:\/([46]))?$/.exec(endpoint) ?? [];
		const places = i === '' ? [0, 1, 2, 3] : [Number(i)];
		const families = family === '' ? ['4', '6'] : [family];
		const addresses = places.flatMap((place) => families.map((one) => addressFor(name, one, place)));
		const texts = [...addresses.map((text) => printAddress(addressOf(text))), aliasFor(name)];
		const ports = monitor === 'all' ? [80, 81, 82] : [monitor === 'm' ? 80 : 81];
		const found = this.compiled.targets.flatMap(({ address, port }, target) =>
			texts.includes(address) && ports.includes(port) ? [target] : [],
		);
		if (found.length === 0) throw new Error(`Nothing checks ${endpoint}`);
		return found;
	}

	/** Names of the endpoints picked, or `nodata` or `servfail`. */
	ask(owner: string, question: Question = {}): string {
		const { picked, names } = this.#choose(owner, question);
		if (picked === PICK.addresses || picked === PICK.alias) return names.join(' ');
		return picked === PICK.nodata ? 'nodata' : 'servfail';
	}

	ttlSec(owner: string, question: Question = {}): number {
		this.#choose(owner, question);
		return this.walk.ttlSec;
	}

	scope(owner: string, question: Question = {}): number {
		this.#choose(owner, question);
		return scope(this.walk, this.compiled.table.names[this.#index(owner)]?.root ?? -1);
	}

	/** How often each answer came. */
	count(owner: string, times: number, question: Question = {}): Readonly<Record<string, number>> {
		const counts: Record<string, number> = {};
		for (let i = 0; i < times; i++) {
			const answer = this.ask(owner, question);
			counts[answer] = (counts[answer] ?? 0) + 1;
		}
		return counts;
	}

	#index(owner: string): number {
		const index = this.#roots.get(owner);
		if (index === undefined) throw new Error(`${owner} is not steered`);
		return index;
	}

	#choose(owner: string, { family = 4, client = '8.8.8.8', resolver = '9.9.9.9' }: Question) {
		const { walk } = this;
		const who = addressOf(client);
		const via = addressOf(resolver);
		setWalkClient(walk, who.family, who.words, via.family, via.words);
		const picked = choose(walk, this.#index(owner), family, true);
		const names = Array.from(walk.picked.subarray(0, walk.pickedCount), (at) => this.#nameAt(at, family));
		return { picked, names };
	}

	#nameAt(octetsAt: number, family: Family): string {
		const name = this.#names[family].get(octetsAt);
		if (name === undefined) throw new Error(`What stands at ${octetsAt} is of no endpoint`);
		return name;
	}
}

/** Endpoints by where their addresses of a family stand. */
function endpointNames({ table }: Compiled, family: Family): ReadonlyMap<number, string> {
	const names = new Map<number, string>();
	for (const node of table.nodes) {
		if (node.kind !== 'pool') continue;
		for (const { name, addresses } of (family === 4 ? node.ipv4 : node.ipv6).endpoints) {
			for (const [i, { octetsAt }] of addresses.entries())
				if (!names.has(octetsAt)) names.set(octetsAt, i === 0 ? name : `${name}.${i}`);
		}
	}
	return names;
}

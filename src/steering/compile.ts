/**
 * From steering documents to nodes: names resolved, the graph checked, geography decided.
 *
 *     documents -> scopes (zone, then common) -> nodes, each compiled once -> table
 *
 * Every mistake is reported with the document and the path it stands in; a node with a mistake is left out,
 * and what refers to it is not blamed again.
 */

import { continentOf } from '../geo/continents.ts';
import type { GeoData } from '../geo/decide.ts';
import type { Target } from '../health/target.ts';
import { type Address, addressOctets } from '../lib/address.ts';
import { parsePrefix } from '../lib/prefix.ts';
import type { Path, Problem } from '../lib/result.ts';
import type { Monitor } from '../model/monitor.ts';
import type { MonitorDocument } from '../model/monitor-shapes.ts';
import type { PolicyDocument, SteeringDocument, Use } from '../model/steering.ts';
import { compileGeo, type MergeCache } from './compile-geo.ts';
import { compilePool } from './compile-pool.ts';
import type { SteeringNode, SteeringTable } from './nodes.ts';

export interface SteeringUnit {
	/** COMMON_UNIT (lib/unit.ts) or the apex with its dot. */
	readonly unit: string;
	readonly document: SteeringDocument;
}

export interface UnitProblem extends Problem {
	readonly unit: string;
}

export interface CompiledName {
	readonly unit: string;
	/** As written: relative to the apex. */
	readonly owner: string;
	readonly types: readonly string[];
	/** Index into the table's names. */
	readonly index: number;
}

export interface Compiled {
	readonly table: SteeringTable;
	readonly names: readonly CompiledName[];
	/** In the order of the nodes' target indexes. */
	readonly targets: readonly Target[];
	readonly problems: readonly UnitProblem[];
}

/** What the model knows and this room takes as an argument. */
export interface ModelReaders {
	/** Policies inside policies, by name or in place. */
	readonly depthMax: number;
	/** Milliseconds of a duration that has passed its shape. */
	readonly durationMs: (text: string) => number;
	readonly monitorOf: (document: MonitorDocument) => Monitor;
}

export function compileSteering(
	zones: readonly SteeringUnit[],
	common: SteeringUnit,
	geo: GeoData,
	merges: MergeCache,
	model: ModelReaders,
): Compiled {
	const compiler = new Compiler(zones, common, geo, merges, model);
	return compiler.run();
}

/** Codes that people write for others. */
const MISTAKEN_COUNTRIES: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' };

/** A node under construction by name: 'open' while its members are compiled, so that a cycle is seen. */
type Known = number | 'open' | 'failed';

export class Compiler {
	readonly geo: GeoData;
	readonly merges: MergeCache;
	readonly model: ModelReaders;
	readonly common: SteeringUnit;
	readonly regions = new Set<string>();
	readonly problems: UnitProblem[] = [];
	readonly #zones: readonly SteeringUnit[];
	readonly #nodes: SteeringNode[] = [];
	readonly #depths: number[] = [];
	readonly #known = new Map<string, Known>();
	/** Names of the policies being compiled, outermost first. */
	readonly #open: string[] = [];
	readonly #targets: Target[] = [];
	readonly #targetNumbers = new Map<string, number>();
	readonly #octets: number[] = [];
	#latencyNodes = 0;
	#countries: ReadonlySet<string | undefined> | undefined;
	/** Policies being compiled, inside one another. */
	#nesting = 0;

	constructor(
		zones: readonly SteeringUnit[],
		common: SteeringUnit,
		geo: GeoData,
		merges: MergeCache,
		model: ModelReaders,
	) {
		this.#zones = zones;
		this.common = common;
		this.geo = geo;
		this.merges = merges;
		this.model = model;
	}

	run(): Compiled {
		const units = [this.common, ...this.#zones];
		for (const unit of units) this.#addRegions(unit);
		for (const unit of units) {
			this.#checkNames(unit);
			this.#checkVoters(unit);
			for (const [name, { countries }] of unit.document.places) this.checkCountries(unit, countries, ['places', name]);
		}
		for (const unit of units) {
			for (const name of unit.document.pools.keys()) this.#named(unit, name);
			for (const name of unit.document.policies.keys()) this.#named(unit, name);
		}
		const names: CompiledName[] = [];
		const steered: SteeringTable['names'][number][] = [];
		for (const unit of this.#zones) {
			for (const [owner, { policy, ttl, types }] of unit.document.names) {
				const root = this.use(unit, policy, ['names', owner, 'policy']);
				if (root === undefined) continue;
				names.push({ unit: unit.unit, owner, types, index: steered.length });
				steered.push({ name: `${unit.unit} ${owner}`, root, ttlSec: this.model.durationMs(ttl) / 1000 });
			}
		}
		const table: SteeringTable = {
			nodes: this.#nodes,
			names: steered,
			addressOctets: Uint8Array.from(this.#octets),
			latencyMemory: new Int32Array(new SharedArrayBuffer(8 * this.#latencyNodes)),
			targetCount: this.#targets.length,
		};
		return { table, names, targets: this.#targets, problems: this.problems };
	}

	report(unit: SteeringUnit, path: Path, message: string): void {
		this.problems.push({ unit: unit.unit, path, message });
	}

	/** A code that no country has matches nobody, and is found in production when nothing checks it here. */
	checkCountries(unit: SteeringUnit, countries: readonly string[] | undefined, path: Path): void {
		for (const [i, code] of (countries ?? []).entries()) {
			if (this.#isCountry(code)) continue;
			const meant = MISTAKEN_COUNTRIES[code];
			const hint = meant === undefined ? 'expected an ISO 3166 country code' : `did you mean ${meant}?`;
			this.report(unit, [...path, 'countries', i], `Cannot find the country "${code}": ${hint}`);
		}
	}

	/** By the standard, or by a loaded database. */
	#isCountry(code: string): boolean {
		if (continentOf(code) !== undefined) return true;
		this.#countries ??= new Set(this.geo.places.map(({ country }) => country));
		return this.#countries.has(code);
	}

	/** Look a name of one table up: in the document, then in the common one. */
	find<K extends 'monitors' | 'networks' | 'places'>(
		unit: SteeringUnit,
		key: K,
		name: string,
	): (SteeringDocument[K] extends ReadonlyMap<string, infer T> ? T : never) | undefined {
		type Entry = SteeringDocument[K] extends ReadonlyMap<string, infer T> ? T : never;
		return (unit.document[key].get(name) ?? this.common.document[key].get(name)) as Entry | undefined;
	}

	/** The number of a target, the same for the same check. */
	target(target: Target): number {
		const before = this.#targetNumbers.get(target.key);
		if (before !== undefined) return before;
		this.#targetNumbers.set(target.key, this.#targets.length);
		this.#targets.push(target);
		return this.#targets.length - 1;
	}

	/** Where the octets of an address will stand. */
	octets(address: Address): number {
		const at = this.#octets.length;
		this.#octets.push(...addressOctets(address));
		return at;
	}

	/** The node for what stands where a policy is taken; undefined after a mistake, which has been reported. */
	use(unit: SteeringUnit, use: Use, path: Path): number | undefined {
		if (typeof use !== 'string') return this.#policy(unit, use, path, `${unit.unit} ${path.join('.')}`);
		const home = this.#homeOf(unit, use);
		if (home === undefined) {
			const known = [unit, this.common].flatMap(({ document }) => [
				...document.pools.keys(),
				...document.policies.keys(),
			]);
			const hint = known.length === 0 ? 'there are none' : `there are ${[...new Set(known)].slice(0, 20).join(', ')}`;
			this.report(unit, path, `Cannot find a pool or policy "${use}": ${hint}`);
			return undefined;
		}
		const key = `${home.unit} ${use}`;
		if (this.#known.get(key) === 'open') {
			const cycle = [...this.#open.slice(this.#open.indexOf(key)), key].map((name) => name.slice(home.unit.length + 1));
			this.report(unit, path, `Cannot use "${use}" here: it leads back to itself (${cycle.join(' -> ')})`);
			return undefined;
		}
		return this.#named(home, use);
	}

	#homeOf(unit: SteeringUnit, name: string): SteeringUnit | undefined {
		return [unit, this.common].find(({ document }) => document.pools.has(name) || document.policies.has(name));
	}

	#named(home: SteeringUnit, name: string): number | undefined {
		const key = `${home.unit} ${name}`;
		const before = this.#known.get(key);
		if (before !== undefined) return typeof before === 'number' ? before : undefined;
		this.#known.set(key, 'open');
		this.#open.push(key);
		const pool = home.document.pools.get(name);
		const policy = home.document.policies.get(name);
		let node: number | undefined;
		if (pool !== undefined) {
			const compiled = compilePool(this, home, name, pool);
			node = compiled === undefined ? undefined : this.#add(compiled, 0);
		} else if (policy !== undefined) {
			node = this.#policy(home, policy, ['policies', name], key);
		}
		this.#open.pop();
		this.#known.set(key, node ?? 'failed');
		return node;
	}

	#policy(unit: SteeringUnit, policy: PolicyDocument, path: Path, name: string): number | undefined {
		// Cut off on the way down, for a chain of thousands would exhaust the stack.
		if (this.#nesting >= this.model.depthMax) {
			this.report(unit, path, `Cannot nest policies deeper than ${this.model.depthMax}`);
			return undefined;
		}
		this.#nesting++;
		const node = this.#compile(unit, policy, path, name);
		this.#nesting--;
		if (node === undefined) return undefined;
		const members = node.kind === 'geo' ? node.rankings.flat() : node.kind === 'pool' ? [] : node.members;
		const depth = 1 + members.reduce((most, member) => Math.max(most, this.#depths[member] ?? 0), 0);
		if (depth > this.model.depthMax) {
			this.report(unit, path, `Cannot nest policies deeper than ${this.model.depthMax}`);
			return undefined;
		}
		return this.#add(node, depth);
	}

	#compile(unit: SteeringUnit, policy: PolicyDocument, path: Path, name: string): SteeringNode | undefined {
		switch (policy.kind) {
			case 'geo':
				return compileGeo(this, unit, policy, path, name);
			case 'weighted': {
				const members = this.#members(
					unit,
					policy.members.map(({ use }) => use),
					(i) => [...path, 'members', i, 'use'],
				);
				if (members === undefined) return undefined;
				const weights = policy.members.map(({ weight }) => weight);
				return { kind: 'weighted', name, looksAtClient: this.#looksAtClient(members), members, weights };
			}
			case 'failover':
			case 'latency': {
				const members = this.#members(unit, policy.members, (i) => [...path, 'members', i]);
				if (members === undefined) return undefined;
				const common = { name, looksAtClient: this.#looksAtClient(members), members };
				if (policy.kind === 'failover') return { kind: 'failover', ...common };
				return { kind: 'latency', ...common, memoryAt: 2 * this.#latencyNodes++ };
			}
			default:
				return policy satisfies never;
		}
	}

	#members(unit: SteeringUnit, uses: readonly Use[], pathOf: (i: number) => Path): readonly number[] | undefined {
		const members = uses.map((use, i) => this.use(unit, use, pathOf(i)));
		return members.every((member) => member !== undefined) ? members : undefined;
	}

	#looksAtClient(members: readonly number[]): boolean {
		return members.some((member) => this.#nodes[member]?.looksAtClient === true);
	}

	#add(node: SteeringNode, depth: number): number {
		this.#nodes.push(node);
		this.#depths.push(depth);
		return this.#nodes.length - 1;
	}

	/** Regions are global: one name, one place. */
	#addRegions(unit: SteeringUnit): void {
		for (const name of unit.document.regions.keys()) {
			if (this.regions.has(name))
				this.report(unit, ['regions', name], `Cannot define the region "${name}" twice: regions are global`);
			this.regions.add(name);
		}
	}

	/** Regions that a monitor lets vote. */
	#checkVoters(unit: SteeringUnit): void {
		for (const [name, { from }] of unit.document.monitors) {
			for (const [i, region] of (from ?? []).entries()) {
				if (!this.regions.has(region))
					this.report(unit, ['monitors', name, 'from', i], `Cannot find the region "${region}"`);
			}
		}
	}

	/** A short name must mean one thing: in the zone or in common, a pool or a policy. */
	#checkNames(unit: SteeringUnit): void {
		const { document } = unit;
		for (const name of document.policies.keys()) {
			if (document.pools.has(name))
				this.report(unit, ['policies', name], `Cannot use the name "${name}" for a pool and a policy`);
		}
		for (const [name, prefixes] of document.networks) this.#checkPrefixes(unit, name, prefixes);
		if (unit === this.common) return;
		const shared = this.common.document;
		for (const key of ['monitors', 'networks', 'places'] as const) {
			for (const name of document[key].keys()) {
				if (shared[key].has(name))
					this.report(unit, [key, name], `Cannot define "${name}" here: common defines it too`);
			}
		}
		for (const key of ['pools', 'policies'] as const) {
			for (const name of document[key].keys()) {
				if (shared.pools.has(name) || shared.policies.has(name)) {
					this.report(unit, [key, name], `Cannot define "${name}" here: common defines it too`);
				}
			}
		}
	}

	#checkPrefixes(unit: SteeringUnit, name: string, prefixes: readonly string[]): void {
		for (const [i, text] of prefixes.entries()) {
			const prefix = parsePrefix(text);
			if (typeof prefix === 'string') this.report(unit, ['networks', name, i], prefix);
		}
	}
}

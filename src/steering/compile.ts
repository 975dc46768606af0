/**
 * From steering documents to nodes: names resolved, the graph checked, geography decided.
 *
 *     documents -> scopes (zone, then common) -> nodes, each compiled once -> table
 *
 * Every mistake is reported with the document and the path it stands in; a node with a mistake is left out,
 * and what refers to it is not blamed again.
 */

import { type GeoData, noGeoData } from '../geo/decide.ts';
import { fieldsKnown, type GeoField } from '../geo/place.ts';
import type { Ranges } from '../geo/ranges.ts';
import type { Target } from '../health/target.ts';
import { type Address, addressOctets } from '../lib/address.ts';
import type { Path, Problem } from '../lib/result.ts';
import type { Monitor } from '../model/monitor.ts';
import type { MonitorDocument } from '../model/monitor-shapes.ts';
import type { PolicyDocument, Region, SteeringDocument, Use } from '../model/steering.ts';
import { checkDefinitions } from './check-definitions.ts';
import { compilePolicy } from './compile-policy.ts';
import { compilePool } from './compile-pool.ts';
import { warnOfGraph } from './graph.ts';
import type { MergeCache } from './merge-cache.ts';
import {
	type EndpointName,
	type GeoNotes,
	membersOf,
	mostAddresses,
	type PoolNode,
	type SteeringNode,
	type SteeringTable,
} from './nodes.ts';

export interface SteeringUnit {
	/** COMMON_UNIT (lib/unit.ts) or the apex with its dot. */
	readonly unit: string;
	readonly document: SteeringDocument;
}

export interface UnitProblem extends Problem {
	readonly unit: string;
	/** It can be served all the same. */
	readonly isWarning: boolean;
}

export interface CompiledName {
	readonly unit: string;
	/** As written: relative to the apex. */
	readonly owner: string;
	/** The first one answers ANY. */
	readonly types: readonly string[];
	/** Its policy reaches a pool of CNAMEs, which answers for every type: its targets in wire form. */
	readonly aliases: readonly Uint8Array[];
	/** Index into the table's names. */
	readonly index: number;
}

export interface Compiled {
	readonly table: SteeringTable;
	readonly names: readonly CompiledName[];
	/** In the order of the nodes' target indexes. */
	readonly targets: readonly Target[];
	readonly problems: readonly UnitProblem[];
	/** By geo node. */
	readonly geoNotes: ReadonlyMap<number, GeoNotes>;
}

/** What the model knows and this room takes as an argument. */
export interface ModelReaders {
	/** Policies inside policies, by name or in place. */
	readonly depthMax: number;
	/** Milliseconds of a duration that has passed its shape. */
	readonly durationMs: (text: string) => number;
	readonly monitorOf: (document: MonitorDocument) => Monitor;
	/** What a policy chooses among. */
	readonly usesOf: (policy: PolicyDocument) => readonly Use[];
}

export interface SteeringContext {
	readonly geo: GeoData;
	readonly merges: MergeCache;
	readonly model: ModelReaders;
	/** Regions that have had a prober; a round-trip time is kept under its region's place here. */
	readonly vantages: readonly string[];
	/** The wire form of an absolute name, lower-cased, or what is wrong with it. */
	readonly nameOctets: (text: string) => Uint8Array | string;
}

export function compileSteering(
	zones: readonly SteeringUnit[],
	common: SteeringUnit,
	context: SteeringContext,
): Compiled {
	return new Compiler(zones, common, context).run();
}

/** A node under construction by name: 'open' while its members are compiled, so that a cycle is seen. */
type Known = number | 'open' | 'failed';

/** Where a node stands: in the document that defines it. */
export interface Origin {
	readonly unit: SteeringUnit;
	readonly path: Path;
}

export class Compiler {
	readonly geo: GeoData;
	readonly merges: MergeCache;
	readonly model: ModelReaders;
	readonly vantages: readonly string[];
	readonly nameOctets: SteeringContext['nameOctets'];
	readonly common: SteeringUnit;
	readonly regions = new Map<string, Region>();
	readonly problems: UnitProblem[] = [];
	/** Problems that are no warnings. */
	mistakes = 0;
	readonly nodes: SteeringNode[] = [];
	/** By node. */
	readonly origins: Origin[] = [];
	/** Of a database that knows nothing: one range for each family. */
	readonly nowhere: Ranges = noGeoData().ranges;
	/** By geo node, which gets its number when it is complete. */
	readonly geoNotes = new Map<SteeringNode, GeoNotes>();
	readonly #zones: readonly SteeringUnit[];
	readonly #depths: number[] = [];
	readonly #known = new Map<string, Known>();
	/** Names of the policies being compiled, outermost first. */
	readonly #open: string[] = [];
	readonly #targets: Target[] = [];
	readonly #endpoints: EndpointName[] = [];
	readonly #targetNumbers = new Map<string, number>();
	readonly #rdata: number[] = [];
	readonly #rdataPlaces = new Map<string, number>();
	#memoryWords = 0;
	#countries: ReadonlySet<string | undefined> | undefined;
	#fields: ReadonlySet<GeoField> | undefined;
	/** Policies being compiled, inside one another. */
	#nesting = 0;

	constructor(zones: readonly SteeringUnit[], common: SteeringUnit, context: SteeringContext) {
		this.#zones = zones;
		this.common = common;
		this.geo = context.geo;
		this.merges = context.merges;
		this.model = context.model;
		this.vantages = context.vantages;
		this.nameOctets = context.nameOctets;
	}

	run(): Compiled {
		const units = [this.common, ...this.#zones];
		for (const unit of units) this.#addRegions(unit);
		for (const unit of units) checkDefinitions(this, unit);
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
				const pools = this.poolsOf([root]);
				const aliases = pools.flatMap((pool) => this.#aliasesOf(pool));
				names.push({ unit: unit.unit, owner, types: heldFirst(types, pools), aliases, index: steered.length });
				steered.push({ name: `${unit.unit} ${owner}`, root, ttlSec: this.model.durationMs(ttl) / 1000 });
			}
		}
		const table: SteeringTable = {
			nodes: this.nodes,
			names: steered,
			endpoints: this.#endpoints,
			rdata: Uint8Array.from(this.#rdata),
			latencyMemory: new Int32Array(this.#memoryWords),
			targetCount: this.#targets.length,
			addressesMax: mostAddresses(this.nodes),
		};
		// What is wrong with a policy that has mistakes is not known.
		if (this.mistakes === 0) warnOfGraph(this, units, names, steered);
		const geoNotes = new Map<number, GeoNotes>();
		for (const [index, node] of this.nodes.entries()) {
			const notes = this.geoNotes.get(node);
			if (notes !== undefined) geoNotes.set(index, notes);
		}
		return { table, names, targets: this.#targets, problems: this.problems, geoNotes };
	}

	report(unit: SteeringUnit, path: Path, message: string): void {
		this.mistakes++;
		this.problems.push({ unit: unit.unit, path, message, isWarning: false });
	}

	warn(unit: string, path: Path, message: string): void {
		this.problems.push({ unit, path, message, isWarning: true });
	}

	/** Countries that a loaded database has. */
	databaseCountries(): ReadonlySet<string | undefined> {
		this.#countries ??= new Set(this.geo.places.map(({ country }) => country));
		return this.#countries;
	}

	/** What some loaded database knows of some network. */
	databaseFields(): ReadonlySet<GeoField> {
		this.#fields ??= fieldsKnown(this.geo.places);
		return this.#fields;
	}

	#aliasesOf(pool: PoolNode): readonly Uint8Array[] {
		if (pool.holds !== 'aliases') return [];
		return pool.ipv4.endpoints.flatMap(({ addresses }) =>
			addresses.map(({ octetsAt }) => nameAt(this.#rdata, octetsAt)),
		);
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

	/**
	 * The number of a target, the same for the same check.
	 * @param rampUpMs  of the pool that uses it
	 */
	target(target: Target, rampUpMs: number): number {
		const number = this.#targetNumbers.get(target.key) ?? this.#targets.length;
		this.#targetNumbers.set(target.key, number);
		const known = this.#targets[number] ?? target;
		this.#targets[number] = rampUpMs > (known.rampUpMs ?? 0) ? { ...known, rampUpMs } : known;
		return number;
	}

	/** The number that an endpoint is counted by. */
	endpoint(endpoint: EndpointName): number {
		this.#endpoints.push(endpoint);
		return this.#endpoints.length - 1;
	}

	/** Where the octets of an address will stand. */
	addressAt(address: Address): number {
		return this.rdataAt(addressOctets(address));
	}

	/** Where octets will stand that an answer may hold; equal ones stand once. */
	rdataAt(octets: Uint8Array): number {
		const key = `${octets.length} ${octets}`;
		const before = this.#rdataPlaces.get(key);
		if (before !== undefined) return before;
		const at = this.#rdata.length;
		this.#rdata.push(...octets);
		this.#rdataPlaces.set(key, at);
		return at;
	}

	/** Take words that remember last winners. */
	takeMemory(words: number): number {
		const at = this.#memoryWords;
		this.#memoryWords += words;
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

	/** The nodes of a list of members; undefined after a mistake in one, which has been reported. */
	members(unit: SteeringUnit, uses: readonly Use[], path: Path): readonly number[] | undefined {
		const members = uses.map((use, i) => this.use(unit, use, [...path, 'members', i]));
		return members.every((member) => member !== undefined) ? members : undefined;
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
			node = compiled === undefined ? undefined : this.#add(compiled, 0, { unit: home, path: ['pools', name] });
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
		const node = compilePolicy(this, unit, policy, path, name);
		this.#nesting--;
		if (node === undefined) return undefined;
		const depth = 1 + membersOf(node).reduce((most, member) => Math.max(most, this.#depths[member] ?? 0), 0);
		if (depth > this.model.depthMax) {
			this.report(unit, path, `Cannot nest policies deeper than ${this.model.depthMax}`);
			return undefined;
		}
		return this.#add(node, depth, { unit, path });
	}

	looksAtClient(members: readonly number[]): boolean {
		return members.some((member) => this.nodes[member]?.looksAtClient === true);
	}

	/** The pools that some nodes reach, each once. */
	poolsOf(roots: readonly number[]): readonly PoolNode[] {
		const seen = new Set(roots);
		const pools: PoolNode[] = [];
		// What is added while the set is gone through is gone through too.
		for (const index of seen) {
			const node = this.nodes[index];
			if (node?.kind === 'pool') pools.push(node);
			else if (node !== undefined) for (const member of membersOf(node)) seen.add(member);
		}
		return pools;
	}

	#add(node: SteeringNode, depth: number, origin: Origin): number {
		this.nodes.push(node);
		this.#depths.push(depth);
		this.origins.push(origin);
		return this.nodes.length - 1;
	}

	/** Regions are global: one name, one place. */
	#addRegions(unit: SteeringUnit): void {
		for (const [name, region] of unit.document.regions) {
			if (this.regions.has(name))
				this.report(unit, ['regions', name], `Cannot define the region "${name}" twice: regions are global`);
			this.regions.set(name, region);
		}
	}
}

/** Types that some pool has addresses for before those that none has. */
function heldFirst(types: readonly string[], pools: readonly PoolNode[]): readonly string[] {
	const isHeld = (type: string) => pools.some(({ ipv4, ipv6 }) => (type === 'AAAA' ? ipv6 : ipv4).hasAddresses);
	return [...types.filter(isHeld), ...types.filter((type) => !isHeld(type))];
}

/** The name in wire form that stands at an offset. */
function nameAt(octets: readonly number[], at: number): Uint8Array {
	let end = at;
	while ((octets[end] ?? 0) > 0) end += (octets[end] ?? 0) + 1;
	return Uint8Array.from(octets.slice(at, end + 1));
}

/**
 * Clients that a change would leave without an answer: of two compiled versions of a name, where in the address space
 * the old one gives addresses when all is up, and the new one gives none.
 */

import { SPECIAL_DECISION } from '../geo/decide.ts';
import { type FamilyRanges, familyRanges, overlay, scopeInRange } from '../geo/ranges.ts';
import type { Family } from '../lib/address.ts';
import { prefixOf, printPrefix } from '../lib/prefix.ts';
import { type GeoNode, membersOf, type SteeringNode, type SteeringTable } from './nodes.ts';
import { familyOf } from './pool.ts';

export interface Silenced {
	/** As the table has it: the unit and the name, with a space between. */
	readonly name: string;
	readonly family: Family;
	/** Some of the networks; empty when it is every client. */
	readonly networks: readonly string[];
}

const NETWORKS_MAX = 5;
const FAMILIES = [4, 6] as const;

/** @param names  of those to look at, as the tables have them */
export function silencedNames(
	before: SteeringTable,
	after: SteeringTable,
	names: ReadonlySet<string>,
): readonly Silenced[] {
	const silenced: Silenced[] = [];
	const next = new Map(after.names.map(({ name, root }) => [name, root]));
	for (const { name, root } of before.names) {
		const rootAfter = next.get(name);
		if (rootAfter === undefined || !names.has(name)) continue;
		for (const family of FAMILIES) {
			const networks = lostNetworks(new Graph(before, family), root, new Graph(after, family), rootAfter);
			if (networks !== undefined) silenced.push({ name, family, networks });
		}
	}
	return silenced;
}

/** @returns undefined when nobody loses anything */
function lostNetworks(before: Graph, root: number, after: Graph, rootAfter: number): readonly string[] | undefined {
	const [old, fresh] = [before.geoNodes(root), after.geoNodes(rootAfter)];
	const networks: string[] = [];
	let isEveryone = true;
	let isAnyone = false;
	for (const family of FAMILIES) {
		const lost = lostRanges(family, { graph: before, root, geo: old }, { graph: after, root: rootAfter, geo: fresh });
		for (const [range, value] of lost.values.entries()) {
			if (value === KEPT) isEveryone = false;
			if (value !== LOST) continue;
			isAnyone = true;
			if (networks.length < NETWORKS_MAX) networks.push(networkOf(family, lost, range));
		}
	}
	if (!isAnyone) return undefined;
	return isEveryone ? [] : networks;
}

/** Special-purpose space is decided by the address of the resolver, which stands elsewhere. */
const KEPT = 0;
const LOST = 1;
const ELSEWHERE = 2;

interface Side {
	readonly graph: Graph;
	readonly root: number;
	readonly geo: readonly number[];
}

function lostRanges(family: Family, old: Side, fresh: Side): FamilyRanges {
	const divisions = [old, fresh].flatMap(({ graph, geo }) =>
		geo.map((node) => familyRanges((graph.nodes[node] as GeoNode).decisions, family)),
	);
	const known = new Map<string, number>();
	return overlay(family, divisions, (values) => {
		const key = values.join();
		let value = known.get(key);
		if (value === undefined) {
			const decisionsOf = ({ geo }: Side, from: number) => new Map(geo.map((node, i) => [node, values[from + i] ?? 0]));
			const [was, is] = [decisionsOf(old, 0), decisionsOf(fresh, old.geo.length)];
			const isElsewhere = values.some((decision) => decision >= SPECIAL_DECISION);
			const isLost = old.graph.gives(old.root, was) && !fresh.graph.gives(fresh.root, is);
			value = isElsewhere ? ELSEWHERE : isLost ? LOST : KEPT;
			known.set(key, value);
		}
		return value;
	});
}

function networkOf(family: Family, ranges: FamilyRanges, range: number): string {
	const words = new Uint32Array(4);
	for (let i = 0; i < ranges.stride; i++) words[i] = ranges.starts[range * ranges.stride + i] ?? 0;
	return printPrefix(prefixOf({ family, words }, scopeInRange(ranges, range, words)));
}

/** A table as queries of one family see it. */
class Graph {
	readonly nodes: readonly SteeringNode[];
	readonly #family: Family;

	constructor({ nodes }: SteeringTable, family: Family) {
		this.nodes = nodes;
		this.#family = family;
	}

	/** Those that a root leads to. */
	geoNodes(root: number): readonly number[] {
		const seen = new Set([root]);
		// What is added while the set is gone through is gone through too.
		for (const index of seen) {
			const node = this.nodes[index];
			if (node !== undefined) for (const member of membersOf(node)) seen.add(member);
		}
		return [...seen].filter((index) => this.nodes[index]?.kind === 'geo');
	}

	/** Whether clients with these decisions of geo nodes get addresses, when all that is probed is up. */
	gives(root: number, decisions: ReadonlyMap<number, number>): boolean {
		return this.#outcome(root, decisions) === 'data';
	}

	#outcome(index: number, decisions: ReadonlyMap<number, number>): 'data' | 'nodata' | 'none' {
		const node = this.nodes[index];
		if (node === undefined) return 'none';
		if (node.kind === 'pool') {
			const own = this.#family === 4 ? node.ipv4 : node.ipv6;
			if ((!own.hasAddresses && node.noAddress === 'pass') || familyOf(node, this.#family).endpoints.length === 0)
				return 'none';
			return own.hasAddresses ? 'data' : 'nodata';
		}
		const tried = triedBy(node, decisions.get(index) ?? 0);
		const outcomes = tried.map((member) => this.#outcome(member, decisions)).filter((outcome) => outcome !== 'none');
		// In order, the first one that is not none decides; where each may be drawn, one that gives is enough to be heard.
		const isOrdered = node.kind === 'geo' || node.kind === 'failover';
		if (isOrdered) return outcomes[0] ?? 'none';
		return outcomes.includes('data') ? 'data' : (outcomes[0] ?? 'none');
	}
}

function triedBy(node: Exclude<SteeringNode, { kind: 'pool' }>, decision: number): readonly number[] {
	if (node.kind === 'geo') return node.rankings[decision] ?? [];
	return node.kind === 'failover' ? node.tried : node.members;
}

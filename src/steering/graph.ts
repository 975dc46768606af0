/**
 * What is right and yet hardly meant: branches that nothing can reach, pools and policies that nobody uses, names
 * that give an answer to some clients and none to others, latency without anything that is measured.
 */

import type { Family } from '../lib/address.ts';
import type { CompiledName, Compiler, SteeringUnit } from './compile.ts';
import { dataNeeds, LACK_EFFECTS } from './data-needs.ts';
import { membersOf, type PoolNode, type SteeredName, type SteeringNode } from './nodes.ts';
import { familyOf } from './pool.ts';

export function warnOfGraph(
	compiler: Compiler,
	units: readonly SteeringUnit[],
	names: readonly CompiledName[],
	steered: readonly SteeredName[],
): void {
	for (const { unit, path, needs } of dataNeeds(units)) {
		if (!compiler.databaseFields().has(needs))
			compiler.warn(unit, path, `No loaded database has data of ${needs}: ${LACK_EFFECTS[needs]}`);
	}
	const graph = new Graph(compiler);
	graph.warnOfUnused(steered);
	for (const [index, node] of compiler.nodes.entries()) graph.warnOfBranches(index, node);
	for (const name of names) graph.warnOfGaps(name, steered[name.index]?.root ?? -1);
}

/** What a node can come to when all that is probed is up: an answer, NODATA, or nothing at all. */
const GIVES = { none: 1, nodata: 2, data: 4 } as const;

class Graph {
	readonly #compiler: Compiler;
	readonly #isNeverDown = new Map<number, boolean>();
	readonly #gives: Readonly<Record<Family, Map<number, number>>> = { 4: new Map(), 6: new Map() };

	constructor(compiler: Compiler) {
		this.#compiler = compiler;
	}

	/** Pools and policies that have a name and that no policy and no steered name refers to. */
	warnOfUnused(steered: readonly SteeredName[]): void {
		const used = new Set([...steered.map(({ root }) => root), ...this.#compiler.nodes.flatMap(membersOf)]);
		for (const [index, origin] of this.#compiler.origins.entries()) {
			const [table, name, ...inner] = origin.path;
			if (used.has(index) || inner.length > 0 || (table !== 'pools' && table !== 'policies')) continue;
			this.#compiler.warn(
				origin.unit.unit,
				origin.path,
				`Nobody uses the ${table === 'pools' ? 'pool' : 'policy'} "${name}"`,
			);
		}
	}

	warnOfBranches(index: number, node: SteeringNode): void {
		const origin = this.#compiler.origins[index];
		if (origin === undefined || node.kind === 'pool' || node.kind === 'geo') return;
		const warn = (position: number, why: string) =>
			this.#compiler.warn(
				origin.unit.unit,
				[...origin.path, 'members', position],
				`Nothing can reach this member: ${why}`,
			);
		if (node.kind === 'failover') {
			// A trickle reaches one more.
			let sure = node.trickle > 0 ? 2 : 1;
			for (const [i, member] of node.members.entries()) {
				const first = node.members.indexOf(member);
				if (first < i) warn(i, `members[${first}] is the same`);
				else if (sure === 0) warn(i, 'one before it is never down, for nothing probes it');
				else if (this.isNeverDown(member)) sure--;
			}
		} else if (node.kind === 'weighted') {
			const sure = node.members.findIndex((member, i) => node.weights[i] !== 0 && this.isNeverDown(member));
			for (const [i, weight] of node.weights.entries()) {
				if (weight === 0 && sure >= 0)
					warn(i, `weight 0 serves when the others are down, and nothing probes members[${sure}]`);
			}
		} else if (node.kind === 'latency' && !this.#isMeasured(node.members)) {
			this.#compiler.warn(
				origin.unit.unit,
				origin.path,
				'Nothing measures a round-trip time here: no pool that this reaches has a monitor',
			);
		}
	}

	#isMeasured(members: readonly number[]): boolean {
		return this.#compiler
			.poolsOf(members)
			.some(({ ipv4, ipv6 }) =>
				[ipv4, ipv6].some(({ endpoints }) =>
					endpoints.some(({ addresses }) => addresses.some(({ targets }) => targets.length > 0)),
				),
			);
	}

	/** Types of a steered name that some clients get an answer to and others NODATA. */
	warnOfGaps({ unit, owner, types }: CompiledName, root: number): void {
		const isIdle = ([4, 6] as const).every((family) => this.#givesOf(root, family) === GIVES.none);
		if (isIdle) {
			const why = 'all that this name reaches is switched off or matches no client';
			this.#compiler.warn(unit, ['names', owner], `Nobody gets an answer: ${why}`);
		}
		for (const type of types) {
			const family = type === 'A' ? 4 : 6;
			const gives = this.#givesOf(root, family);
			if ((gives & GIVES.data) === 0 || gives === GIVES.data) continue;
			const lacking = this.#compiler.poolsOf([root]).filter((pool) => poolGives(pool, family) !== GIVES.data);
			const why =
				lacking.length > 0
					? `${lacking.map(({ name }) => name.slice(name.indexOf(' ') + 1)).join(', ')} ${lacking.length > 1 ? 'have' : 'has'} none to give`
					: 'a geo policy has no default';
			this.#compiler.warn(unit, ['names', owner], `Type ${type} answers some clients and gives others NODATA: ${why}`);
		}
	}

	/** GIVES of all clients together. */
	#givesOf(index: number, family: Family): number {
		const before = this.#gives[family].get(index);
		if (before !== undefined) return before;
		const node = this.#compiler.nodes[index];
		const result = node === undefined ? GIVES.none : this.#findGives(node, family);
		this.#gives[family].set(index, result);
		return result;
	}

	#findGives(node: SteeringNode, family: Family): number {
		const listed = (members: readonly number[]) => members.map((member) => this.#givesOf(member, family));
		switch (node.kind) {
			case 'pool':
				return poolGives(node, family);
			case 'failover':
				return firstGives(listed(node.members));
			case 'geo':
				return node.rankings.reduce((sum, ranking) => sum | firstGives(listed(ranking)), 0);
			default: {
				const each = listed(node.members);
				// A union gives something as soon as one of its members does.
				if (node.kind === 'all' && each.includes(GIVES.data)) return GIVES.data;
				const some = each.reduce((sum, gives) => sum | (gives & ~GIVES.none), 0);
				return each.every((gives) => (gives & GIVES.none) !== 0) ? some | GIVES.none : some;
			}
		}
	}

	/** Up whatever the probes say, for every client and both families. */
	isNeverDown(index: number): boolean {
		const before = this.#isNeverDown.get(index);
		if (before !== undefined) return before;
		const node = this.#compiler.nodes[index];
		const result = node !== undefined && this.#findNeverDown(node);
		this.#isNeverDown.set(index, result);
		return result;
	}

	#findNeverDown(node: SteeringNode): boolean {
		if (node.kind === 'pool') return isPoolNeverDown(node, 4) && isPoolNeverDown(node, 6);
		const isSure = (member: number) => this.isNeverDown(member);
		return node.kind === 'geo' ? node.rankings.every((ranking) => ranking.some(isSure)) : node.members.some(isSure);
	}
}

/** What comes of trying members in their order: one that may be none leaves room for the next. */
function firstGives(members: readonly number[]): number {
	let sum = 0;
	for (const gives of members) {
		sum |= gives & ~GIVES.none;
		if ((gives & GIVES.none) === 0) return sum;
	}
	return sum | GIVES.none;
}

function poolGives(pool: PoolNode, family: Family): number {
	const own = family === 4 ? pool.ipv4 : pool.ipv6;
	if (!own.hasAddresses && pool.noAddress === 'pass') return GIVES.none;
	if (familyOf(pool, family).endpoints.length === 0) return GIVES.none;
	return own.hasAddresses ? GIVES.data : GIVES.nodata;
}

function isPoolNeverDown(pool: PoolNode, family: Family): boolean {
	const own = family === 4 ? pool.ipv4 : pool.ipv6;
	const { endpoints, requiredHealthy } = familyOf(pool, family);
	if (endpoints.length === 0 || (!own.hasAddresses && pool.noAddress === 'pass')) return false;
	const sure = endpoints.filter(
		({ isForcedUp, addresses }) => isForcedUp || addresses.some(({ targets }) => targets.length === 0),
	);
	return sure.length >= requiredHealthy;
}

/**
 * All that may come of a steered name for a client, worked out in the plainest way: a draw is a branch, and every branch
 * is taken. Knows documents and nothing of how they are compiled or walked.
 *
 *     up      has a pick                 down    has a last resort, whose healthy endpoints come first
 *     none    its parent steps over it
 */

import type { Place } from '../../src/geo/place.ts';

export interface PlainEndpoint {
	readonly name: string;
	readonly addresses: readonly string[];
	readonly weight?: number;
	readonly state?: State;
}

type State = 'up' | 'down' | 'drain';

export interface PlainPool {
	readonly region: string;
	readonly endpoints: readonly PlainEndpoint[];
	readonly monitor?: string;
	readonly minHealthy?: number | string;
	readonly onAllDown?: 'all' | 'nodata' | 'servfail';
	readonly noAddress?: 'pass';
	readonly answers?: number;
	readonly by?: 'client';
	readonly state?: State;
}

export type Use = string | PlainPolicy;

export type PlainPolicy =
	| { readonly kind: 'failover' | 'all'; readonly members: readonly Use[]; readonly trickle?: string }
	| { readonly kind: 'latency'; readonly members: readonly string[] }
	| { readonly kind: 'weighted'; readonly by: string; readonly members: readonly { use: Use; weight: number }[] }
	| {
			readonly kind: 'proximity';
			readonly members: readonly { readonly use: string; readonly weight: number; readonly bias: number }[];
	  }
	| { readonly kind: 'geo'; readonly rules: readonly PlainRule[]; readonly default?: Use };

export interface PlainRule {
	/** One key with one value. */
	readonly match: Readonly<Record<string, readonly (string | number)[]>>;
	readonly use: Use;
	readonly fence: boolean;
}

export interface PlainWorld {
	readonly pools: Readonly<Record<string, PlainPool>>;
	readonly policies: Readonly<Record<string, PlainPolicy>>;
	readonly regions: Readonly<Record<string, { readonly latitude: number; readonly longitude: number }>>;
	/** Addresses that are probed and down. */
	readonly down: ReadonlySet<string>;
}

export interface PlainClient {
	readonly place: Partial<Place>;
	/** Names of the networks that hold it, the longest prefix first. */
	readonly networks: readonly string[];
}

export interface Outcome {
	readonly kind: 'addresses' | 'nodata' | 'servfail';
	readonly ttlSec: number;
	/** Addresses in the answer, and those that they are among. */
	readonly count: number;
	readonly among: ReadonlySet<string>;
}

/** What is picked: a pool, or what the members of a union pick. */
type Pick = PlainPool | { readonly union: readonly Pick[] };

type Found =
	| { readonly state: 'none' }
	| { readonly state: 'up'; readonly pick: Pick }
	| { readonly state: 'down'; readonly pick: Pick; readonly hasHealthy: boolean };

const TIE_SHARE = 1.05;
const TIE_KM = 100;
const UNION_MAX = 8;

export function outcomesOf(
	world: PlainWorld,
	root: Use,
	family: 4 | 6,
	client: PlainClient,
	ttlSec: number,
): readonly Outcome[] {
	const branches = new Branches();
	const outcomes: Outcome[] = [];
	do {
		const visit = new Visit(world, family, client, branches);
		outcomes.push(visit.outcome(visit.find(root), ttlSec));
	} while (branches.next());
	return outcomes;
}

/** All ways through a tree of choices, one after another. */
class Branches {
	readonly #taken: { choice: number; of: number }[] = [];
	#at = 0;

	choose<T>(from: readonly T[]): T {
		const step = this.#taken[this.#at] ?? { choice: 0, of: from.length };
		this.#taken[this.#at++] = step;
		return from[step.choice] as T;
	}

	next(): boolean {
		this.#taken.length = this.#at;
		this.#at = 0;
		for (let last = this.#taken.at(-1); last !== undefined; last = this.#taken.at(-1)) {
			if (++last.choice < last.of) return true;
			this.#taken.pop();
		}
		return false;
	}
}

/** One query: each node is found once. */
class Visit {
	readonly #world: PlainWorld;
	readonly #family: 4 | 6;
	readonly #client: PlainClient;
	readonly #branches: Branches;
	readonly #found = new Map<PlainPool | PlainPolicy, Found>();
	#hasSeenDown = false;

	constructor(world: PlainWorld, family: 4 | 6, client: PlainClient, branches: Branches) {
		this.#world = world;
		this.#family = family;
		this.#client = client;
		this.#branches = branches;
	}

	find(use: Use): Found {
		const node = typeof use === 'string' ? (this.#world.pools[use] ?? this.#world.policies[use]) : use;
		if (node === undefined) throw new Error(`there is no ${use}`);
		const before = this.#found.get(node);
		if (before !== undefined) return before;
		const found = 'endpoints' in node ? this.#findPool(node) : this.#findPolicy(node);
		this.#found.set(node, found);
		return found;
	}

	outcome(found: Found, ownSec: number): Outcome {
		const isCautious = this.#hasSeenDown || found.state === 'down';
		const ttlSec = isCautious ? Math.max(Math.floor(ownSec / 2), Math.min(5, ownSec)) : ownSec;
		const none = { ttlSec, count: 0, among: new Set<string>() };
		if (found.state === 'none') return { kind: 'nodata', ...none };
		if ('union' in found.pick) {
			const among = this.#unionOf(found.pick);
			return { kind: among.size === 0 ? 'nodata' : 'addresses', ttlSec, count: Math.min(UNION_MAX, among.size), among };
		}
		const { hasFamily, enabled, healthy } = this.#seen(found.pick);
		if (!hasFamily) return { kind: 'nodata', ...none };
		const isOpen = found.state === 'down' && !found.hasHealthy;
		const { onAllDown = 'all', answers = 1 } = found.pick;
		if (isOpen && onAllDown !== 'all') return { kind: onAllDown, ...none };
		const among = new Set(this.#addressesOf(found.pick, isOpen ? enabled : healthy, isOpen));
		return { kind: 'addresses', ttlSec, count: Math.min(answers, among.size), among };
	}

	#findPool(pool: PlainPool): Found {
		const { hasFamily, enabled, healthy, needed } = this.#seen(pool);
		if ((!hasFamily && pool.noAddress === 'pass') || enabled.length === 0) return { state: 'none' };
		if (healthy.length < enabled.length) this.#hasSeenDown = true;
		if (healthy.length >= needed) return { state: 'up', pick: pool };
		return { state: 'down', pick: pool, hasHealthy: healthy.length > 0 };
	}

	/** Without an address of the family a pool is as its other family. */
	#seen(pool: PlainPool) {
		const holding = (family: 4 | 6) =>
			pool.endpoints.filter(({ addresses }) => addresses.some((address) => familyOf(address) === family));
		const own = holding(this.#family);
		const hasFamily = own.length > 0;
		const holders = hasFamily ? own : holding(this.#family === 4 ? 6 : 4);
		const present = holders.filter((endpoint) => stateOf(pool, endpoint) !== 'drain');
		const enabled = present.filter((endpoint) => stateOf(pool, endpoint) !== 'down');
		const healthy = enabled.filter((endpoint) =>
			endpoint.addresses.some((address) => this.#isSeen(pool, address) && this.#isUp(pool, endpoint, address)),
		);
		const { minHealthy = 1 } = pool;
		const asked =
			typeof minHealthy === 'number' ? minHealthy : Math.ceil((Number.parseInt(minHealthy, 10) * present.length) / 100);
		return { hasFamily, enabled, healthy, needed: Math.min(asked, present.length) };
	}

	#isSeen(pool: PlainPool, address: string): boolean {
		const hasOwn = pool.endpoints.some(({ addresses }) => addresses.some((one) => familyOf(one) === this.#family));
		return (familyOf(address) === this.#family) === hasOwn;
	}

	#isUp(pool: PlainPool, endpoint: PlainEndpoint, address: string): boolean {
		return stateOf(pool, endpoint) === 'up' || pool.monitor === undefined || !this.#world.down.has(address);
	}

	/** Weight 0 serves when nothing else is left. */
	#addressesOf(pool: PlainPool, endpoints: readonly PlainEndpoint[], isOpen: boolean): string[] {
		const weighted = endpoints.filter(({ weight = 1 }) => weight > 0);
		return (weighted.length > 0 ? weighted : endpoints).flatMap((endpoint) =>
			endpoint.addresses.filter(
				(address) => familyOf(address) === this.#family && (isOpen || this.#isUp(pool, endpoint, address)),
			),
		);
	}

	#unionOf(pick: Pick): Set<string> {
		if ('union' in pick) return new Set(pick.union.flatMap((one) => [...this.#unionOf(one)]));
		return new Set(this.#addressesOf(pick, this.#seen(pick).healthy, false));
	}

	#findPolicy(policy: PlainPolicy): Found {
		switch (policy.kind) {
			case 'failover':
				return this.#failover(policy.members, policy.trickle !== undefined && this.#branches.choose([false, true]));
			case 'geo':
				return this.#failover(this.#ranking(policy.rules, policy.default), false);
			case 'weighted':
				return this.#weighted(policy.members);
			case 'proximity':
				return this.#proximity(policy.members);
			case 'latency':
				return this.#failover(this.#byDistance(policy.members), false, policy.members);
			default: {
				const found = policy.members.map((member) => this.find(member));
				const picks = found.flatMap((one) => (one.state === 'up' ? [one.pick] : []));
				return picks.length > 0 ? { state: 'up', pick: { union: picks } } : lastResort(found);
			}
		}
	}

	/** @param compared  members that are all looked at before one is taken */
	#failover(members: readonly Use[], isTrickle: boolean, compared: readonly Use[] = []): Found {
		for (const member of compared) this.find(member);
		const tried: Found[] = [];
		let passed: Found | undefined;
		for (const member of members) {
			const found = this.find(member);
			if (found.state === 'up' && (passed !== undefined || !isTrickle)) return found;
			if (found.state === 'up') passed = found;
			tried.push(found);
		}
		return passed ?? lastResort(tried);
	}

	#weighted(members: readonly { readonly use: Use; readonly weight: number }[]): Found {
		const left = [...members];
		const tried: Found[] = [];
		while (left.length > 0) {
			const member = this.#branches.choose(drawable(left));
			left.splice(left.indexOf(member), 1);
			const found = this.find(member.use);
			if (found.state === 'up') return found;
			tried.push(found);
		}
		return lastResort(tried);
	}

	#proximity(members: readonly { readonly use: string; readonly weight: number; readonly bias: number }[]): Found {
		const placed = members.map((member) => ({ ...member, km: biased(this.#distanceKm(member.use), member.bias) }));
		if (this.#client.place.coordinates !== undefined) placed.sort((a, b) => a.km - b.km);
		const tried: Found[] = [];
		for (const [i, member] of placed.entries()) {
			const found = this.find(member.use);
			tried.push(found);
			if (found.state !== 'up') continue;
			if (this.#client.place.coordinates === undefined) return found;
			const reachKm = Math.max(member.km * TIE_SHARE, member.km + TIE_KM);
			const tie = placed.slice(i).filter(({ use, km }) => km <= reachKm && this.find(use).state === 'up');
			return this.find(this.#branches.choose(drawable(tie)).use);
		}
		return lastResort(tried);
	}

	#byDistance(members: readonly string[]): readonly string[] {
		return [...members].sort((a, b) => this.#distanceKm(a) - this.#distanceKm(b));
	}

	/** 0 for all members when it is not known where the client is. */
	#distanceKm(pool: string): number {
		const from = this.#client.place.coordinates;
		const to = this.#world.regions[this.#world.pools[pool]?.region ?? ''];
		if (from === undefined || to === undefined) return 0;
		const radians = Math.PI / 180;
		const cosine =
			Math.sin(from.latitude * radians) * Math.sin(to.latitude * radians) +
			Math.cos(from.latitude * radians) *
				Math.cos(to.latitude * radians) *
				Math.cos((to.longitude - from.longitude) * radians);
		return 6371 * Math.acos(Math.min(1, cosine));
	}

	#ranking(rules: readonly PlainRule[], fallback: Use | undefined): readonly Use[] {
		const { asn, subdivision, country, continent } = this.#client.place;
		const claims: readonly (readonly [string, string | number | undefined])[] = [
			...this.#client.networks.map((name) => ['networks', name] as const),
			['asns', asn],
			['subdivisions', subdivision],
			['countries', country],
			['continents', continent],
		];
		const ranking: Use[] = [];
		for (const [key, value] of claims) {
			const rule = rules.find(({ match }) => value !== undefined && match[key]?.includes(value) === true);
			if (rule === undefined) continue;
			ranking.push(rule.use);
			if (rule.fence) return ranking;
		}
		return fallback === undefined ? ranking : [...ranking, fallback];
	}
}

function lastResort(tried: readonly Found[]): Found {
	const down = tried.filter((found) => found.state === 'down');
	return down.find(({ hasHealthy }) => hasHealthy) ?? down[0] ?? { state: 'none' };
}

function drawable<T extends { readonly weight: number }>(members: readonly T[]): readonly T[] {
	const weighted = members.filter(({ weight }) => weight > 0);
	return weighted.length > 0 ? weighted : members;
}

function stateOf(pool: PlainPool, endpoint: PlainEndpoint): State | 'auto' {
	const states = [pool.state, endpoint.state];
	return (['drain', 'down', 'up'] as const).find((state) => states.includes(state)) ?? 'auto';
}

function biased(km: number, bias: number): number {
	return bias >= 0 ? km * (1 - bias / 100) : km / (1 + bias / 100);
}

function familyOf(address: string): 4 | 6 {
	return address.includes(':') ? 6 : 4;
}

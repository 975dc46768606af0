/**
 * What every reachable node of a policy graph may pick for an address, worked out in the plainest way: the vector
 * over which the scope is to be constant. Health, draws and times have no part in it.
 */

import type { Place } from '../../src/geo/place.ts';
import { SPECIAL_PURPOSE } from '../../src/geo/special-purpose.ts';
import type { Family } from '../../src/lib/address.ts';
import { type Prefix, printPrefix } from '../../src/lib/prefix.ts';
import { coveringOf, prefix } from '../geo/oracle.ts';

export const CARRIERS = ['::ffff:0:0/96', '64:ff9b::/96', '2002::/16', '2001::/32'].map(prefix);

/** What rules may claim, each by one rule at most: the index of that rule, or 3 for none. */
export interface Claims {
	readonly networks: readonly number[];
	readonly asn: number;
	readonly subdivision: number;
	readonly countries: readonly [number, number, number];
	readonly continents: readonly [number, number];
	readonly fences: readonly [boolean, boolean, boolean];
	readonly hasDefault: boolean;
}

/** Members are names of pools and of policies behind this one. */
export type Policy =
	| { readonly kind: 'geo'; readonly claims: Claims; readonly members: readonly string[] }
	/** A policy as its member is in the region us. */
	| { readonly kind: 'proximity'; readonly members: readonly string[]; readonly biases: readonly number[] }
	| { readonly kind: 'latency' | 'weighted' | 'failover' | 'all'; readonly members: readonly string[] }
	| { readonly kind: 'sticky'; readonly members: readonly string[] };

export interface Made {
	readonly records: readonly (readonly [Prefix, number])[];
	readonly networks: readonly Prefix[];
	/** `p0` is the root. */
	readonly policies: Readonly<Record<string, Policy>>;
	readonly vantages: readonly string[];
	readonly clients: readonly bigint[];
}

export interface Surroundings {
	/** By number in `Made.records`. */
	readonly places: readonly Partial<Place>[];
	/** Regions by name, and those of the pools that have one. */
	readonly regions: Readonly<Record<string, readonly [latitude: number, longitude: number]>>;
	readonly regionOf: Readonly<Record<string, string | undefined>>;
	/** Pools whose clients keep their endpoint. */
	readonly stickyPools: ReadonlySet<string>;
	/** Pools whose health hangs on the client's vantage. */
	readonly regionalPools: ReadonlySet<string>;
}

export const COUNTRIES = ['DE', 'FR', 'US'];
export const CONTINENTS = ['EU', 'NA'];

const holds = (block: Prefix, number: bigint, family: Family) => coveringOf([block], number, family).length > 0;

export class PlainRanking {
	readonly #made: Made;
	readonly #around: Surroundings;
	readonly #family: Family;
	/** A private address of IPv4 that stands in for clients who are nowhere. */
	readonly #resolver: bigint;
	/** What was found in this walk, in order. */
	#found: string[] = [];
	#seen = new Set<string>();
	isSticky = false;

	constructor(made: Made, around: Surroundings, family: Family, resolver: bigint) {
		this.#made = made;
		this.#around = around;
		this.#family = family;
		this.#resolver = resolver;
	}

	vector(number: bigint): string {
		this.#found = [];
		this.#seen = new Set();
		this.isSticky = false;
		this.#visit('p0', number);
		return this.#found.join('\n');
	}

	#visit(name: string, number: bigint): void {
		if (this.#seen.has(name)) return;
		this.#seen.add(name);
		const policy = this.#made.policies[name];
		if (policy === undefined) {
			if (this.#around.stickyPools.has(name)) this.isSticky = true;
			if (this.#around.regionalPools.has(name)) this.#note(name, this.#vantage(number));
			return;
		}
		if (policy.kind === 'sticky') this.isSticky = true;
		let next = policy.members;
		if (policy.kind === 'geo') {
			const own = this.#geo(policy.claims, policy.members, number, this.#family);
			this.#note(name, own);
			next = typeof own === 'string' ? this.#geoOfResolver(policy.claims, policy.members) : own;
		} else if (policy.kind === 'proximity') {
			const points = policy.members.map((member) => this.#regions[this.#around.regionOf[member] ?? 'us']);
			this.#note(
				name,
				this.#placed(number, (at) => proximity(points, policy.biases, at)),
			);
		} else if (policy.kind === 'latency') {
			this.#note(name, this.#latency(policy.members, number));
		}
		for (const member of next) this.#visit(member, number);
	}

	#note(name: string, what: unknown): void {
		this.#found.push(`${name} ${JSON.stringify(what)}`);
	}

	get #regions(): Surroundings['regions'] {
		return this.#around.regions;
	}

	/** The region that all pools below share. */
	#pointOf(member: string): Point | undefined {
		const regions = new Set<string | undefined>();
		const gather = (name: string): void => {
			const policy = this.#made.policies[name];
			if (policy === undefined) regions.add(this.#around.regionOf[name]);
			else for (const one of usedMembers(policy)) gather(one);
		};
		gather(member);
		return regions.size === 1 ? this.#regions[[...regions][0] ?? ''] : undefined;
	}

	#latency(members: readonly string[], number: bigint): unknown {
		const points = members.map((member) => this.#pointOf(member));
		const vantages = this.#made.vantages.map((name) => this.#regions[name]);
		const count = (list: readonly (Point | undefined)[]) => new Set(list.filter((one) => one !== undefined)).size;
		if (count(points) < 2 && count(vantages) < 2) return 'all alike';
		return this.#placed(number, (at) => [nearest(vantages, at)[0] ?? 0, nearest(points, at)]);
	}

	#vantage(number: bigint): unknown {
		const vantages = this.#made.vantages.map((name) => this.#regions[name]);
		return vantages.length < 2 ? 'all alike' : this.#placed(number, (at) => nearest(vantages, at)[0] ?? 0);
	}

	/** The name of the block where an address of it has no place of its own. */
	#placed(number: bigint, rank: (at: Point | undefined) => unknown): unknown {
		const block = this.#blockOf(number);
		if (block !== undefined) return block;
		const coordinates = this.#placeOf(number, this.#family)?.coordinates;
		return rank(coordinates === undefined ? undefined : [coordinates.latitude, coordinates.longitude]);
	}

	#blockOf(number: bigint): string | undefined {
		const block = [...SPECIAL_PURPOSE, ...CARRIERS].filter((one) => holds(one, number, this.#family)).at(-1);
		return block === undefined ? undefined : printPrefix(block);
	}

	#placeOf(number: bigint, family: Family): Partial<Place> | undefined {
		const prefixes = this.#made.records.map(([one]) => one);
		const record = coveringOf(prefixes, number, family).at(-1);
		return record === undefined ? undefined : this.#around.places[this.#made.records[record]?.[1] ?? -1];
	}

	/** Members in the order in which they are tried; the name of the block where that is not for the address to say. */
	#geo(claims: Claims, members: readonly string[], number: bigint, family: Family): readonly string[] | string {
		const carrier = CARRIERS.find((one) => holds(one, number, family));
		if (carrier !== undefined) return printPrefix(carrier);
		const networks = coveringOf(this.#made.networks, number, family)
			.reverse()
			.filter((i) => claims.networks[i] !== 3);
		const special = SPECIAL_PURPOSE.filter((one) => holds(one, number, family)).at(-1);
		if (special !== undefined && networks.length === 0) return printPrefix(special);
		const place = special === undefined ? this.#placeOf(number, family) : undefined;
		const matched = [
			...networks.map((i) => claims.networks[i] ?? 3),
			place?.asn === 7 ? claims.asn : 3,
			place?.subdivision === undefined ? 3 : claims.subdivision,
			claims.countries[COUNTRIES.indexOf(place?.country ?? '')] ?? 3,
			claims.continents[CONTINENTS.indexOf(place?.continent ?? '')] ?? 3,
		].filter((rule) => rule !== 3);
		const ranking: string[] = [];
		for (const rule of matched) {
			ranking.push(members[rule] ?? '');
			if (claims.fences[rule] === true) return [...new Set(ranking)];
		}
		if (claims.hasDefault) ranking.push(members[3] ?? '');
		return [...new Set(ranking)];
	}

	/** A network that covers the resolver, else the default. */
	#geoOfResolver(claims: Claims, members: readonly string[]): readonly string[] {
		// Of the other family no network is made, so only the one of IPv4 can be covered.
		const ranking = this.#family === 4 ? this.#geo(claims, members, this.#resolver, 4) : '';
		if (typeof ranking !== 'string') return ranking;
		return claims.hasDefault ? [members[3] ?? ''] : [];
	}
}

/** Those that a rule with a match, or a default, leads to. */
function usedMembers(policy: Policy): readonly string[] {
	if (policy.kind !== 'geo') return policy.members;
	const { networks, asn, subdivision, countries, continents, hasDefault } = policy.claims;
	const claimants = [...networks, asn, subdivision, ...countries, ...continents];
	return policy.members.filter((_, rule) => (rule === 3 ? hasDefault : claimants.includes(rule)));
}

type Point = readonly [latitude: number, longitude: number];

/** By the angle between two vectors from the middle of the earth. */
function distanceKm(a: Point, b: Point): number {
	const vector = ([latitude, longitude]: Point) => {
		const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
		return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
	};
	const [u, v] = [vector(a), vector(b)];
	const cosine = u.reduce((sum, one, i) => sum + one * (v[i] ?? 0), 0);
	return 6371 * Math.acos(Math.min(1, Math.max(-1, cosine)));
}

/** Members from the nearest on, each with those that are as near. */
function proximity(points: readonly (Point | undefined)[], biases: readonly number[], at: Point | undefined): unknown {
	if (at === undefined) return points.map((_, i) => [i, []]);
	const km = points.map((point, i) => {
		const own = point === undefined ? 0 : distanceKm(at, point);
		const bias = biases[i] ?? 0;
		return bias > 0 ? own * (1 - bias / 100) : own / (1 + bias / 100);
	});
	const order = [...km.keys()].sort((a, b) => (km[a] ?? 0) - (km[b] ?? 0) || a - b);
	return order.map((member, place) => {
		const own = km[member] ?? 0;
		const isTie = (other: number) => (km[other] ?? 0) <= Math.max(own * 1.05, own + 100);
		return [member, order.slice(place + 1).filter(isTie)];
	});
}

function nearest(points: readonly (Point | undefined)[], at: Point | undefined): readonly number[] {
	const km = points.map((point) => (point === undefined || at === undefined ? 1e9 : distanceKm(at, point)));
	return [...km.keys()].sort((a, b) => (km[a] ?? 0) - (km[b] ?? 0) || a - b);
}

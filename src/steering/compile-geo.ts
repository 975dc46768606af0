/**
 * From a geo policy's rules to rankings and merged ranges.
 *
 * | specificity | match                          |
 * |-------------|--------------------------------|
 * | 1           | network, longest prefix first  |
 * | 2           | autonomous system              |
 * | 3           | subdivision                    |
 * | 4           | country                        |
 * | 5           | continent                      |
 * | 6           | default                        |
 */

import { type GeoData, mergeDecisions } from '../geo/decide.ts';
import { type GeoField, NOWHERE, type Place } from '../geo/place.ts';
import type { Ranges } from '../geo/ranges.ts';
import { type Prefix, parsePrefix, printPrefix } from '../lib/prefix.ts';
import type { Path } from '../lib/result.ts';
import type { Match, PolicyDocument } from '../model/steering.ts';
import { checkCountries } from './check-definitions.ts';
import type { Compiler, SteeringUnit } from './compile.ts';
import type { GeoNode } from './nodes.ts';

type GeoPolicy = Extract<PolicyDocument, { kind: 'geo' }>;

interface Merged {
	readonly decisions: Ranges;
	/** Each a list of target numbers. */
	readonly rankings: readonly (readonly number[])[];
	readonly unknownRanking: number;
	/** Rules that stand in some ranking. */
	readonly reached: ReadonlySet<number>;
}

/** What decides: plain data, so that it can be a key. */
interface RuleSet {
	/** Rule and prefix text. */
	readonly networks: readonly (readonly [number, string])[];
	/** `country DE` and so on to its rule. */
	readonly places: readonly (readonly [string, number])[];
	/** By rule: the number of its target (equal for rules that use the same node), and whether it is a fence. */
	readonly targets: readonly number[];
	readonly fences: readonly boolean[];
	readonly defaultTarget: number | undefined;
}

/** The node, or undefined after a mistake, which has been reported. */
export function compileGeo(
	compiler: Compiler,
	unit: SteeringUnit,
	policy: GeoPolicy,
	path: Path,
	name: string,
): GeoNode | undefined {
	const before = compiler.mistakes;
	const claims = new Claims(compiler, unit);
	for (const [rule, { match }] of policy.rules.entries()) claims.add(rule, match, [...path, 'rules', rule, 'match']);
	const members = policy.rules.map(({ use }, rule) => compiler.use(unit, use, [...path, 'rules', rule, 'use']));
	const fallback = policy.default === undefined ? undefined : compiler.use(unit, policy.default, [...path, 'default']);
	if (compiler.mistakes > before || members.includes(undefined)) return undefined;
	if (policy.default !== undefined && fallback === undefined) return undefined;
	const targets = [...new Set([...members, fallback])].filter((member) => member !== undefined);
	const rules: RuleSet = {
		networks: claims.networks,
		places: claims.places,
		targets: members.map((member) => targets.indexOf(member ?? -1)),
		fences: policy.rules.map(({ fence }) => fence),
		defaultTarget: fallback === undefined ? undefined : targets.indexOf(fallback),
	};
	const key = `geo ${compiler.geo.version} ${JSON.stringify(rules)}`;
	const { decisions, rankings, unknownRanking, reached } = compiler.merges.get(key, () => merge(compiler.geo, rules));
	for (const rule of policy.rules.keys()) {
		if (!reached.has(rule) && isKnowable(compiler, claims, rule)) {
			const why = 'no network of the loaded databases is in it, or what is more specific takes them all';
			compiler.warn(unit.unit, [...path, 'rules', rule], `Nothing can reach this rule: ${why}`);
		}
	}
	const node: GeoNode = {
		kind: 'geo',
		name,
		looksAtClient: true,
		members: targets,
		decisions,
		rankings: rankings.map((ranking) => ranking.map((target) => targets[target] ?? -1)),
		unknownRanking,
	};
	compiler.geoNotes.set(node, {
		networks: claims.networks.map(([rule, prefix], i) => ({ rule, prefix, name: claims.names[i] ?? '' })),
		places: new Map(claims.places),
		rules: policy.rules.map(({ fence }, rule) => ({ member: members[rule] ?? -1, isFence: fence })),
		fallback,
	});
	return node;
}

/** Whether the databases could tell of its matches; where they could not, that is what is told of. */
function isKnowable(compiler: Compiler, { places }: Claims, rule: number): boolean {
	const known = compiler.databaseFields();
	return places.every(([key, claimant]) => claimant !== rule || known.has(key.slice(0, key.indexOf(' ')) as GeoField));
}

/** Which rule claims which place; two rules that claim the same one are a mistake. */
class Claims {
	readonly networks: [number, string][] = [];
	/** Of the networks that each prefix stands in. */
	readonly names: string[] = [];
	readonly places: [string, number][] = [];
	readonly #compiler: Compiler;
	readonly #unit: SteeringUnit;
	readonly #claimed = new Map<string, number>();

	constructor(compiler: Compiler, unit: SteeringUnit) {
		this.#compiler = compiler;
		this.#unit = unit;
	}

	add(rule: number, match: Match, path: Path): void {
		for (const [i, name] of (match.networks ?? []).entries()) {
			const prefixes = this.#compiler.find(this.#unit, 'networks', name);
			if (prefixes === undefined) this.#reportUnknown('networks', name, [...path, 'networks', i]);
			for (const text of prefixes ?? []) this.#addNetwork(rule, text, name, [...path, 'networks', i]);
		}
		for (const [i, name] of (match.places ?? []).entries()) {
			const place = this.#compiler.find(this.#unit, 'places', name);
			if (place === undefined) this.#reportUnknown('places', name, [...path, 'places', i]);
			else this.#addPlaces(rule, place, [...path, 'places', i]);
		}
		this.#addPlaces(rule, match, path);
		checkCountries(this.#compiler, this.#unit, match.countries, path);
	}

	#reportUnknown(key: 'networks' | 'places', name: string, path: Path): void {
		const what = key === 'networks' ? 'the networks' : 'the place';
		this.#compiler.reportUnknown(this.#unit, path, what, name, this.#compiler.known(this.#unit, key));
	}

	#addNetwork(rule: number, text: string, name: string, path: Path): void {
		const prefix = parsePrefix(text);
		// A prefix that cannot be read is reported where it stands.
		if (typeof prefix === 'string') return;
		const canonical = printPrefix(prefix);
		if (!this.#claim(canonical, rule, path)) return;
		this.networks.push([rule, canonical]);
		this.names.push(name);
	}

	#addPlaces(rule: number, place: Match, path: Path): void {
		const lists = {
			asn: place.asns,
			subdivision: place.subdivisions,
			country: place.countries,
			continent: place.continents,
		};
		for (const [kind, values] of Object.entries(lists)) {
			for (const value of values ?? []) {
				const key = `${kind} ${value}`;
				if (this.#claim(key, rule, path)) this.places.push([key, rule]);
			}
		}
	}

	/** True for a first claim; a second one by the same rule says nothing new. */
	#claim(key: string, rule: number, path: Path): boolean {
		const before = this.#claimed.get(key);
		if (before === undefined) {
			this.#claimed.set(key, rule);
			return true;
		}
		if (before !== rule) {
			this.#compiler.report(
				this.#unit,
				path,
				`Cannot claim ${key} here: rules[${before}] of this policy claims it already`,
			);
		}
		return false;
	}
}

function merge(geo: GeoData, rules: RuleSet): Merged {
	const places = new Map(rules.places);
	const prefixes = rules.networks
		.map(([, text]) => parsePrefix(text))
		.filter((prefix): prefix is Prefix => typeof prefix !== 'string');
	const rankings: (readonly number[])[] = [];
	const numbers = new Map<string, number>();
	const reached = new Set<number>();
	const decide = (place: Place, covering: readonly number[]) => {
		const matched: (number | undefined)[] = covering.map((network) => rules.networks[network]?.[0]);
		matched.push(
			places.get(`asn ${place.asn}`),
			places.get(`subdivision ${place.innerSubdivision}`),
			places.get(`subdivision ${place.subdivision}`),
			places.get(`country ${place.country}`),
			places.get(`continent ${place.continent}`),
		);
		const ranking = rank(rules, matched, reached);
		const key = ranking.join();
		const before = numbers.get(key);
		if (before !== undefined) return before;
		numbers.set(key, rankings.length);
		rankings.push(ranking);
		return rankings.length - 1;
	};
	const unknownRanking = decide(NOWHERE, []);
	return { decisions: mergeDecisions(geo, prefixes, decide), rankings, unknownRanking, reached };
}

/**
 * Targets in the order in which they are tried; a fence ends the list before the less specific and the default.
 * @param reached  takes the rules that stand in it
 */
function rank(rules: RuleSet, matched: readonly (number | undefined)[], reached: Set<number>): number[] {
	const ranking = new Set<number>();
	for (const rule of matched) {
		if (rule === undefined) continue;
		reached.add(rule);
		ranking.add(rules.targets[rule] ?? -1);
		if (rules.fences[rule] === true) return [...ranking];
	}
	if (rules.defaultTarget !== undefined) ranking.add(rules.defaultTarget);
	return [...ranking];
}

/**
 * The scope is sound and tight: within the prefix that it names every address has the same ranking, and in the
 * prefix of one bit less some address has another. Rankings are worked out here in the plainest way.
 *
 * A ranking changes only where some block starts or ends, so one address of each piece stands for all of it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { GeoData } from '../../src/geo/decide.ts';
import type { Place } from '../../src/geo/place.ts';
import { SPECIAL_PURPOSE } from '../../src/geo/special-purpose.ts';
import { type Family, printAddress } from '../../src/lib/address.ts';
import { type Prefix, prefixOf, printPrefix } from '../../src/lib/prefix.ts';
import {
	bitsOf,
	coveringOf,
	crowdedNumber,
	crowdedPrefix,
	geoDataOf,
	numberOf,
	prefix,
	wordsOf,
} from '../geo/oracle.ts';
import { pool, steer } from './steer.ts';

const CARRIERS = ['::ffff:0:0/96', '64:ff9b::/96', '2002::/16', '2001::/32'].map(prefix);

const PLACES: readonly Partial<Place>[] = [
	{ country: 'DE', continent: 'EU' },
	{ country: 'FR', continent: 'EU', asn: 7 },
	{ country: 'US', continent: 'NA', subdivision: 'US-CA' },
	{ country: 'US', continent: 'NA' },
];

/** What rules may claim, each by one rule at most: the index of that rule, or 3 for none. */
interface Claims {
	readonly networks: readonly number[];
	readonly asn: number;
	readonly subdivision: number;
	readonly countries: readonly [number, number, number];
	readonly continents: readonly [number, number];
	readonly uses: readonly [string, string, string];
	readonly fences: readonly [boolean, boolean, boolean];
	readonly fallback: string | undefined;
}

interface Made {
	readonly records: readonly (readonly [Prefix, number])[];
	readonly networks: readonly Prefix[];
	readonly outer: Claims;
	readonly inner: Claims;
	readonly clients: readonly bigint[];
}

function claims(uses: readonly string[]): fc.Arbitrary<Claims> {
	const rule = fc.integer({ min: 0, max: 3 });
	const use = fc.constantFrom(...uses);
	return fc.record({
		networks: fc.tuple(rule, rule, rule),
		asn: rule,
		subdivision: rule,
		countries: fc.tuple(rule, rule, rule),
		continents: fc.tuple(rule, rule),
		uses: fc.tuple(use, use, use),
		fences: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
		fallback: fc.option(use, { nil: undefined }),
	});
}

function madeOf(family: Family): fc.Arbitrary<Made> {
	const one = crowdedPrefix(family);
	return fc.record({
		records: fc.uniqueArray(fc.tuple(one, fc.nat({ max: PLACES.length - 1 })), {
			maxLength: 6,
			selector: ([text]) => printPrefix(text),
		}),
		networks: fc.uniqueArray(one, { minLength: 3, maxLength: 3, selector: printPrefix }),
		outer: claims(['a', 'b', 'inner']),
		inner: claims(['a', 'b', 'c']),
		clients: fc.array(crowdedNumber(family), { minLength: 8, maxLength: 8 }),
	});
}

const COUNTRIES = ['DE', 'FR', 'US'];
const CONTINENTS = ['EU', 'NA'];

function policyOf({ networks, asn, subdivision, countries, continents, uses, fences, fallback }: Claims): object {
	const pick = (texts: readonly string[], by: readonly number[], rule: number) =>
		texts.filter((_, i) => by[i] === rule);
	const rules = uses.flatMap((use, rule) => {
		const lists = {
			networks: pick(['n0', 'n1', 'n2'], networks, rule),
			asns: asn === rule ? [7] : [],
			subdivisions: subdivision === rule ? ['US-CA'] : [],
			countries: pick(COUNTRIES, countries, rule),
			continents: pick(CONTINENTS, continents, rule),
		};
		const match = Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
		return Object.keys(match).length === 0 ? [] : [{ match, use, fence: fences[rule] }];
	});
	return { kind: 'geo', rules, ...(fallback === undefined ? {} : { default: fallback }) };
}

/** What one policy may pick for an address, in order; the name of the block where that is not for it to say. */
function plainRanking(claim: Claims, made: Made, number: bigint, family: Family): readonly string[] | string {
	const holds = (block: Prefix) => coveringOf([block], number, family).length > 0;
	const carrier = CARRIERS.find(holds);
	if (carrier !== undefined) return printPrefix(carrier);
	const networks = coveringOf(made.networks, number, family)
		.reverse()
		.filter((i) => claim.networks[i] !== 3);
	const special = SPECIAL_PURPOSE.filter(holds).at(-1);
	if (special !== undefined && networks.length === 0) return printPrefix(special);
	const record = coveringOf(
		made.records.map(([one]) => one),
		number,
		family,
	).at(-1);
	const place = special === undefined && record !== undefined ? PLACES[made.records[record]?.[1] ?? -1] : undefined;
	const matched = [
		...networks.map((i) => claim.networks[i] ?? 3),
		place?.asn === 7 ? claim.asn : 3,
		place?.subdivision === undefined ? 3 : claim.subdivision,
		claim.countries[COUNTRIES.indexOf(place?.country ?? '')] ?? 3,
		claim.continents[CONTINENTS.indexOf(place?.continent ?? '')] ?? 3,
	].filter((rule) => rule !== 3);
	const ranking: string[] = [];
	for (const rule of matched) {
		ranking.push(claim.uses[rule] ?? '');
		if (claim.fences[rule] === true) return [...new Set(ranking)];
	}
	if (claim.fallback !== undefined) ranking.push(claim.fallback);
	return [...new Set(ranking)];
}

/** For a block that is not ours to place the resolver decides, by a network that covers it, else the default. */
function resolverRanking(claim: Claims, made: Made, family: Family): readonly string[] {
	// Of the other family no network is made, so only the one of IPv4 can be covered.
	const ranking = family === 4 ? plainRanking(claim, made, 0x0a000001n, 4) : '';
	if (typeof ranking !== 'string') return ranking;
	return claim.fallback === undefined ? [] : [claim.fallback];
}

/** The rankings of all that an address may reach, as a text. */
function plainVector(made: Made, number: bigint, family: Family): string {
	const outer = plainRanking(made.outer, made, number, family);
	const tried = typeof outer === 'string' ? resolverRanking(made.outer, made, family) : outer;
	const inner = tried.includes('inner') ? plainRanking(made.inner, made, number, family) : '-';
	return JSON.stringify([outer, inner]);
}

/** An address of each piece of a prefix. */
function pieces(made: Made, within: Prefix, family: Family): bigint[] {
	const low = numberOf(within.first, family);
	const high = numberOf(within.last, family);
	const blocks = [...made.records.map(([one]) => one), ...made.networks, ...SPECIAL_PURPOSE, ...CARRIERS];
	const starts = blocks
		.filter((block) => block.family === family)
		.flatMap(({ first, last }) => [numberOf(first, family), numberOf(last, family) + 1n]);
	return [low, ...starts.filter((start) => low < start && start <= high)];
}

function recordsOf(made: Made): GeoData {
	return geoDataOf(Object.fromEntries(made.records.map(([one, place]) => [printPrefix(one), PLACES[place] ?? {}])));
}

for (const family of [4, 6] as const) {
	describe(`the scope of IPv${family}`, () => {
		it('is sound and tight over any rules, databases and clients', () => {
			fc.assert(
				fc.property(madeOf(family), (made) => {
					const zone = {
						networks: Object.fromEntries(made.networks.map((one, i) => [`n${i}`, [printPrefix(one)]])),
						pools: { a: pool('a'), b: pool('b'), c: pool('c') },
						policies: { inner: policyOf(made.inner) },
						names: { www: { policy: policyOf(made.outer) } },
					};
					const world = steer({ zone, geo: recordsOf(made) });
					for (const number of made.clients) {
						if (CARRIERS.some((carrier) => coveringOf([carrier], number, family).length > 0)) continue;
						const address = { family, words: wordsOf(number, family) };
						const client = printAddress(address);
						const bits = world.scope('www', { client, resolver: '10.0.0.1' });
						const own = plainVector(made, number, family);
						const isAlike = (length: number) =>
							pieces(made, prefixOf(address, length), family).every((one) => plainVector(made, one, family) === own);
						assert.ok(isAlike(bits), `${client}/${bits} is too short`);
						assert.ok(bits === 0 || !isAlike(bits - 1), `${client}/${bits} is too long`);
						assert.ok(bits <= bitsOf(family));
					}
				}),
				{ numRuns: 100 },
			);
		});
	});
}

describe('the scope of addresses that carry IPv4', () => {
	it('is that of the carried address, behind what comes before it', () => {
		fc.assert(
			fc.property(madeOf(4), (made) => {
				const zone = {
					networks: Object.fromEntries(made.networks.map((one, i) => [`n${i}`, [printPrefix(one)]])),
					pools: { a: pool('a'), b: pool('b'), c: pool('c') },
					policies: { inner: policyOf(made.inner) },
					names: { www: { policy: policyOf(made.outer) } },
				};
				const world = steer({ zone, geo: recordsOf(made) });
				for (const number of made.clients) {
					const word = Number(number);
					const client = printAddress({ family: 4, words: wordsOf(number, 4) });
					const question = { resolver: '10.0.0.1' };
					const bits = world.scope('www', { ...question, client });
					const answer = world.ask('www', { ...question, client });
					for (const { words, before } of [
						{ words: [0, 0, 0xffff, word], before: 96 },
						{ words: [0x64ff9b, 0, 0, word], before: 96 },
						{ words: [(0x20020000 | (word >>> 16)) >>> 0, (word << 16) >>> 0, 5, 6], before: 16 },
						{ words: [0x20010000, 1, 2, ~word >>> 0], before: 96 },
					]) {
						const carrier = printAddress({ family: 6, words: Uint32Array.from(words) });
						assert.equal(world.ask('www', { ...question, client: carrier }), answer, carrier);
						assert.equal(world.scope('www', { ...question, client: carrier }), before + bits, carrier);
					}
				}
			}),
			{ numRuns: 30 },
		);
	});
});

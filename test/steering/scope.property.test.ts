/**
 * The scope is sound and tight: within the prefix that it names every address has the same ranking, and in the
 * prefix of one bit less some address has another. Policies are of all kinds, nested at random; rankings are worked
 * out in the plainest way (plain-ranking.ts). Where a sticky node is in play the scope is at least /24 or /56, and
 * as tight as that allows.
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
import type { Chance } from '../../src/lib/ports.ts';
import { type Prefix, prefixOf, printPrefix } from '../../src/lib/prefix.ts';
import { bitsOf, coveringOf, crowdedNumber, crowdedPrefix, geoDataOf, numberOf, wordsOf } from '../geo/oracle.ts';
import {
	CARRIERS,
	type Claims,
	CONTINENTS,
	COUNTRIES,
	type Made,
	PlainRanking,
	type Policy,
	type Surroundings,
} from './plain-ranking.ts';
import { failover, pool, steer, sticky, type World, weighted } from './steer.ts';

const coordinates = (latitude: number, longitude: number): Partial<Place> => ({
	coordinates: { latitude, longitude, precision: 'database' },
});

const REGIONS = { us: [39, -77.5], eu: [53.3, -6.3], ap: [35.6, 139.8], br: [-23.5, -46.6] } as const;

const AROUND: Surroundings = {
	places: [
		{ country: 'DE', continent: 'EU', ...coordinates(50.1, 8.7) },
		{ country: 'FR', continent: 'EU', asn: 7, ...coordinates(43.3, 5.4) },
		{ country: 'US', continent: 'NA', subdivision: 'US-CA', ...coordinates(37.4, -122.1) },
		{ country: 'US', continent: 'NA', ...coordinates(25.8, -80.2) },
		{ country: 'US', continent: 'NA' },
		coordinates(-6.2, 106.8),
	],
	regions: REGIONS,
	regionOf: { a: 'us', b: 'eu', c: 'ap', s: 'br', r: 'us', q: 'eu' },
	stickyPools: new Set(['s']),
	regionalPools: new Set(['r', 'q']),
};
const POOLS = { a: pool('a', { region: 'us' }), b: pool('b', { region: 'eu' }), c: pool('c', { region: 'ap' }) };
const REGIONAL_POOLS = {
	r: pool('r x', { monitor: 'r', region: 'us' }),
	q: pool('q', { monitor: ['m', 'r'], region: 'eu' }),
};
const STICKY_POOL = pool('s t', { region: 'br', by: 'client' });

function claims(): fc.Arbitrary<Claims> {
	const rule = fc.integer({ min: 0, max: 3 });
	return fc.record({
		networks: fc.tuple(rule, rule, rule),
		asn: rule,
		subdivision: rule,
		countries: fc.tuple(rule, rule, rule),
		continents: fc.tuple(rule, rule),
		fences: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
		hasDefault: fc.boolean(),
	});
}

const KINDS = ['geo', 'proximity', 'latency', 'weighted', 'failover', 'all', 'sticky'] as const;
const DEPTH = 5;

/** Policy number `depth`, of pools and of policies behind it, so that there is no way round. */
function policyAt(depth: number, kinds: readonly Policy['kind'][], pools: readonly string[]): fc.Arbitrary<Policy> {
	const behind = Array.from({ length: DEPTH - depth - 1 }, (_, i) => `p${depth + i + 1}`);
	// Names of policies twice, so that graphs go deep.
	const member = fc.constantFrom(...pools, ...behind, ...behind);
	const members = fc.array(member, { minLength: 1, maxLength: 4 });
	return fc.constantFrom(...kinds).chain((kind): fc.Arbitrary<Policy> => {
		if (kind === 'geo')
			return fc.record({
				kind: fc.constant(kind),
				claims: claims(),
				members: fc.tuple(member, member, member, member),
			});
		if (kind === 'proximity') {
			const bias = fc.constantFrom(0, 0, 0, 40, -40, 99, -99);
			return fc.record({ kind: fc.constant(kind), members, biases: fc.tuple(bias, bias, bias, bias) });
		}
		return fc.record({ kind: fc.constant(kind), members });
	});
}

function madeOf(family: Family, kinds: readonly Policy['kind'][], pools: readonly string[]): fc.Arbitrary<Made> {
	const one = crowdedPrefix(family);
	return fc.record({
		records: fc.uniqueArray(fc.tuple(one, fc.nat({ max: AROUND.places.length - 1 })), {
			maxLength: 7,
			selector: ([text]) => printPrefix(text),
		}),
		networks: fc.uniqueArray(one, { minLength: 3, maxLength: 3, selector: printPrefix }),
		policies: fc
			.tuple(...Array.from({ length: DEPTH }, (_, depth) => policyAt(depth, kinds, pools)))
			.map((policies) => Object.fromEntries(policies.map((policy, i) => [`p${i}`, policy]))),
		vantages: fc.subarray(Object.keys(REGIONS)),
		clients: fc.array(crowdedNumber(family), { minLength: 8, maxLength: 8 }),
	});
}

function documentOf(policy: Policy): object {
	const { members } = policy;
	switch (policy.kind) {
		case 'geo':
			return geoDocument(policy.claims, members);
		case 'proximity':
			// A member without a region of its own is given one.
			return {
				kind: 'proximity',
				members: members.map((use, i) => ({
					use,
					bias: policy.biases[i],
					...(use in AROUND.regionOf ? {} : { region: 'us' }),
				})),
			};
		case 'weighted':
			return weighted(...members.map((use, i) => [use, i] as const));
		case 'sticky':
			return sticky(...members.map((use, i) => [use, i + 1] as const));
		case 'failover':
			return { ...failover(...members), trickle: '1%' };
		default:
			return { kind: policy.kind, members };
	}
}

function geoDocument(claim: Claims, members: readonly string[]): object {
	const { networks, asn, subdivision, countries, continents, fences, hasDefault } = claim;
	const pick = (texts: readonly string[], by: readonly number[], rule: number) =>
		texts.filter((_, i) => by[i] === rule);
	const rules = members.slice(0, 3).flatMap((use, rule) => {
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
	return { kind: 'geo', rules, ...(hasDefault ? { default: members[3] } : {}) };
}

function worldOf(made: Made, chance?: Chance): World {
	const zone = {
		regions: Object.fromEntries(
			Object.entries(REGIONS).map(([name, [latitude, longitude]]) => [name, { latitude, longitude }]),
		),
		networks: Object.fromEntries(made.networks.map((one, i) => [`n${i}`, [printPrefix(one)]])),
		pools: { ...POOLS, ...REGIONAL_POOLS, s: STICKY_POOL },
		policies: Object.fromEntries(Object.entries(made.policies).map(([name, policy]) => [name, documentOf(policy)])),
		names: { www: { policy: 'p0' } },
	};
	return steer({ zone, geo: recordsOf(made), vantages: made.vantages, ...(chance === undefined ? {} : { chance }) });
}

function recordsOf(made: Made): GeoData {
	return geoDataOf(
		Object.fromEntries(made.records.map(([one, place]) => [printPrefix(one), AROUND.places[place] ?? {}])),
	);
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

const RESOLVER = { text: '10.0.0.1', number: 0x0a000001n };

function assertScope(made: Made, world: World, number: bigint, family: Family): void {
	const address = { family, words: wordsOf(number, family) };
	const client = printAddress(address);
	const plain = new PlainRanking(made, AROUND, family, RESOLVER.number);
	const own = plain.vector(number);
	const least = plain.isSticky ? (family === 4 ? 24 : 56) : 0;
	const bits = world.scope('www', { client, resolver: RESOLVER.text });
	const isAlike = (length: number) =>
		pieces(made, prefixOf(address, length), family).every((one) => plain.vector(one) === own);
	assert.ok(bits >= least && bits <= bitsOf(family), `${client}/${bits}`);
	assert.ok(isAlike(bits), `${client}/${bits} is too short`);
	assert.ok(bits === least || !isAlike(bits - 1), `${client}/${bits} is too long`);
}

const unsticky = KINDS.filter((kind) => kind !== 'sticky');

for (const family of [4, 6] as const) {
	describe(`the scope of IPv${family} is sound and tight over any rules, databases and clients`, () => {
		for (const { name, kinds, pools } of [
			{ name: 'of geo in geo', kinds: ['geo'], pools: ['a', 'b', 'c'] },
			{ name: 'of proximity among regions', kinds: ['proximity'], pools: ['a', 'b', 'c'] },
			{ name: 'of latency from several vantages', kinds: ['latency'], pools: ['a', 'b', 'c'] },
			{ name: 'of regional pools alone', kinds: ['failover'], pools: ['a', 'r', 'q'] },
			{ name: 'of regional pools in all kinds', kinds: KINDS, pools: ['a', 'b', 's', 'r', 'q'] },
			{ name: 'of all kinds in one another', kinds: unsticky, pools: ['a', 'b', 'c'] },
			{ name: 'of all kinds, some of them sticky', kinds: KINDS, pools: ['a', 'b', 'c', 's'] },
		] as const) {
			it(name, () => {
				fc.assert(
					fc.property(madeOf(family, kinds, pools), (made) => {
						const world = worldOf(made);
						for (const number of made.clients) {
							if (CARRIERS.some((carrier) => coveringOf([carrier], number, family).length > 0)) continue;
							assertScope(made, world, number, family);
						}
					}),
					{ numRuns: 150 },
				);
			});
		}
	});
}

describe('the scope of regional health', () => {
	it('holds for all clients within it, whatever each vantage says', () => {
		const says = fc.constantFrom('up', 'down', 'none');
		const verdicts = fc.array(fc.record({ r: says, x: says, q: says }), { minLength: 4, maxLength: 4 });
		const policies = madeOf(4, ['geo', 'proximity', 'latency', 'failover', 'all'], ['a', 'r', 'q']);
		const share = fc.constantFrom(0, 0.5, 0.999);
		fc.assert(
			fc.property(policies, verdicts, share, (made, byVantage, draw) => {
				const world = worldOf(made, { below: (bound) => Math.floor(draw * bound) });
				for (const [vantage] of made.vantages.entries()) {
					const own = byVantage[vantage] ?? assert.fail();
					for (const name of ['r', 'x', 'q'] as const) world.regional(name, own[name], vantage);
				}
				for (const number of made.clients) {
					const client = { family: 4, words: wordsOf(number, 4) } as const;
					const questionOf = (words: Uint32Array) => ({
						client: printAddress({ family: 4, words }),
						resolver: RESOLVER.text,
					});
					const own = questionOf(client.words);
					const answer = world.ask('www', own);
					for (const one of pieces(made, prefixOf(client, world.scope('www', own)), 4))
						assert.equal(world.ask('www', questionOf(wordsOf(one, 4))), answer);
				}
			}),
			{ numRuns: 200 },
		);
	});
});

describe('the scope', () => {
	it('is the same whatever is down, measured or drawn', () => {
		const votes = fc.array(fc.constantFrom('up', 'down', 'unknown', 'waiting'), { minLength: 4, maxLength: 4 });
		const times = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 4, maxLength: 4 });
		fc.assert(
			fc.property(madeOf(4, KINDS, ['a', 'b', 'c', 's']), votes, times, (made, votesNow, timesMs) => {
				const calm = worldOf(made);
				const world = worldOf(made);
				for (const [i, endpoint] of ['a', 'b', 'c', 's'].entries()) {
					world.set(endpoint, votesNow[i] as 'up');
					world.rtt(endpoint, timesMs[i] ?? 0);
				}
				for (const number of made.clients) {
					const client = printAddress({ family: 4, words: wordsOf(number, 4) });
					const bits = calm.scope('www', { client });
					for (let i = 0; i < 3; i++) assert.equal(world.scope('www', { client, family: i === 0 ? 6 : 4 }), bits);
				}
			}),
			{ numRuns: 50 },
		);
	});
});

describe('the scope of addresses that carry IPv4', () => {
	it('is that of the carried address, behind what comes before it', () => {
		const kinds = KINDS.filter((kind) => kind !== 'weighted' && kind !== 'all' && kind !== 'failover');
		fc.assert(
			fc.property(madeOf(4, kinds, ['a', 'b', 'c', 's']), (made) => {
				const world = worldOf(made);
				for (const number of made.clients) {
					const word = Number(number);
					const client = printAddress({ family: 4, words: wordsOf(number, 4) });
					const question = { resolver: RESOLVER.text };
					const bits = world.scope('www', { ...question, client });
					for (const { words, before } of [
						{ words: [0, 0, 0xffff, word], before: 96 },
						{ words: [0x64ff9b, 0, 0, word], before: 96 },
						{ words: [(0x20020000 | (word >>> 16)) >>> 0, (word << 16) >>> 0, 5, 6], before: 16 },
						{ words: [0x20010000, 1, 2, ~word >>> 0], before: 96 },
					]) {
						const carrier = printAddress({ family: 6, words: Uint32Array.from(words) });
						const expected =
							bits === 0 && world.scope('www', { ...question, client: carrier }) === 0 ? 0 : before + bits;
						assert.equal(world.scope('www', { ...question, client: carrier }), expected, carrier);
					}
				}
			}),
			{ numRuns: 50 },
		);
	});
});

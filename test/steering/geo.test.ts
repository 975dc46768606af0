import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { geoDataOf } from '../geo/oracle.ts';
import { failover, geo, pool, type Question, steer, type World, weighted } from './steer.ts';

const DATA = geoDataOf({
	'1.0.0.0/8': { country: 'DE', continent: 'EU' },
	'1.1.0.0/16': { country: 'DE', continent: 'EU', asn: 64500 },
	'2.0.0.0/8': { country: 'FR', continent: 'EU' },
	'3.0.0.0/8': { country: 'US', continent: 'NA', subdivision: 'US-CA' },
	'4.0.0.0/8': { country: 'US', continent: 'NA' },
	'5.0.0.0/8': { country: 'SE', continent: 'EU' },
	'6.0.0.0/8': { country: 'GB', continent: 'EU', subdivision: 'GB-ENG', innerSubdivision: 'GB-LND' },
	'10.0.0.0/8': { country: 'DE', continent: 'EU' },
	'2a00::/16': { country: 'DE', continent: 'EU' },
	'2a01::/16': { country: 'US', continent: 'NA' },
});

const NETWORKS = {
	office: ['1.2.0.0/16', '2a00:1::/32'],
	room: ['1.2.3.0/24'],
	lab: ['10.9.0.0/16', '2001:db8:9::/48'],
	all6: ['::/0'],
};

function worldOf(policy: unknown, down = ''): World {
	const pools = Object.fromEntries('abcdef'.split('').map((name) => [name, pool(name)]));
	const zone = {
		networks: NETWORKS,
		places: { nordics: { countries: ['SE', 'NO'] }, mixed: { asns: [64500], continents: ['NA'] } },
		pools: { ...pools, off: pool('x', { state: 'drain' }) },
		names: { www: { policy } },
	};
	const world = steer({ zone, geo: DATA });
	for (const name of down.split(' ')) if (name !== '') world.set(name, 'down');
	return world;
}

const rule = (match: object, use: unknown, keys: object = {}) => ({ match, use, ...keys });

/** One rule of each specificity, for a client to which all of them apply. */
const EACH = [
	rule({ continents: ['EU'] }, 'e'),
	rule({ countries: ['DE'] }, 'd'),
	rule({ asns: [64500] }, 'b'),
	rule({ networks: ['office'] }, 'a'),
];

interface Case extends Question {
	readonly name: string;
	readonly policy: unknown;
	readonly down?: string;
	readonly gives: string;
}

function each(cases: readonly Case[]): void {
	for (const { name, policy, down, gives, ...question } of cases)
		it(name, () => assert.equal(worldOf(policy, down).ask('www', question), gives));
}

describe('geo', () => {
	each([
		{ name: 'picks a continent', policy: geo(EACH), client: '2.0.0.1', gives: 'e' },
		{ name: 'picks a country before its continent', policy: geo(EACH), client: '1.0.0.1', gives: 'd' },
		{ name: 'picks an ASN before the country', policy: geo(EACH), client: '1.1.0.1', gives: 'b' },
		{ name: 'picks a network before all', policy: geo(EACH), client: '1.2.0.1', gives: 'a' },
		{ name: 'cares for no order of rules', policy: geo([...EACH].reverse()), client: '1.1.0.1', gives: 'b' },
		{
			name: 'picks a subdivision before the country',
			policy: geo([rule({ countries: ['US'] }, 'a'), rule({ subdivisions: ['US-CA'] }, 'b')]),
			client: '3.0.0.1',
			gives: 'b',
		},
		{
			name: 'picks the inner subdivision before the outer one',
			policy: geo([rule({ subdivisions: ['GB-ENG'] }, 'a'), rule({ subdivisions: ['GB-LND'] }, 'b')]),
			client: '6.1.2.3',
			gives: 'b',
		},
		{
			name: 'picks the outer subdivision where only that is named',
			policy: geo([rule({ countries: ['GB'] }, 'a'), rule({ subdivisions: ['GB-ENG'] }, 'b')]),
			client: '6.1.2.3',
			gives: 'b',
		},
		{
			name: 'picks the country where the subdivision is not known',
			policy: geo([rule({ countries: ['US'] }, 'a'), rule({ subdivisions: ['US-CA'] }, 'b')]),
			client: '4.0.0.1',
			gives: 'a',
		},
		{
			name: 'picks an ASN before a subdivision',
			policy: geo([rule({ countries: ['DE'] }, 'a'), rule({ asns: [64500], subdivisions: ['DE-BE'] }, 'b')]),
			client: '1.1.1.1',
			gives: 'b',
		},
		{
			name: 'picks the longer of two networks',
			policy: geo([rule({ networks: ['office'] }, 'a'), rule({ networks: ['room'] }, 'b')]),
			client: '1.2.3.4',
			gives: 'b',
		},
		{
			name: 'takes match lists as a union',
			policy: geo([rule({ countries: ['FR'], continents: ['NA'] }, 'a')]),
			client: '3.0.0.1',
			gives: 'a',
		},
		{
			name: 'knows a place by its name',
			policy: geo([rule({ places: ['nordics'] }, 'a')], 'b'),
			client: '5.0.0.1',
			gives: 'a',
		},
		{
			name: 'knows a place of several kinds',
			policy: geo([rule({ places: ['mixed'] }, 'a')], 'b'),
			client: '1.1.0.1',
			gives: 'a',
		},
		{ name: 'gives the default to others', policy: geo(EACH, 'f'), client: '4.0.0.1', gives: 'f' },
		{ name: 'gives the default to an address of nowhere', policy: geo(EACH, 'f'), client: '99.0.0.1', gives: 'f' },
		{ name: 'is NODATA without a match and a default', policy: geo(EACH), client: '4.0.0.1', gives: 'nodata' },
		{ name: 'is the default alone', policy: geo([], 'f'), client: '1.0.0.1', gives: 'f' },
		{ name: 'is NODATA with nothing at all', policy: geo([]), client: '1.0.0.1', gives: 'nodata' },
		{ name: 'places IPv6', policy: geo(EACH), client: '2a00::1', gives: 'd' },
		{ name: 'knows networks of IPv6', policy: geo(EACH), client: '2a00:1::1', gives: 'a' },
	]);
});

describe('geo, when a match is down,', () => {
	const client = '1.2.3.4';
	const nested = [
		rule({ networks: ['office'] }, 'b'),
		rule({ networks: ['room'] }, 'a'),
		rule({ countries: ['DE'] }, 'c'),
	];
	each([
		{ name: 'falls to the network around', policy: geo(nested, 'f'), client, down: 'a', gives: 'b' },
		{ name: 'falls to the country', policy: geo(nested, 'f'), client, down: 'a b', gives: 'c' },
		{ name: 'falls to the default', policy: geo(nested, 'f'), client, down: 'a b c', gives: 'f' },
		{ name: 'gives the most specific when all are', policy: geo(nested, 'f'), client, down: 'a b c f', gives: 'a' },
		{
			name: 'does not fall to a place that does not match',
			policy: geo(nested),
			client: '1.0.0.1',
			down: 'c',
			gives: 'c',
		},
		{
			name: 'falls over none',
			policy: geo([rule({ countries: ['DE'] }, 'off'), rule({ continents: ['EU'] }, 'b')]),
			client,
			gives: 'b',
		},
		{
			name: 'stays within a fence',
			policy: geo([rule({ countries: ['DE'] }, 'a', { fence: true }), rule({ continents: ['EU'] }, 'b')], 'c'),
			client: '1.0.0.1',
			down: 'a',
			gives: 'a',
		},
		{
			name: 'falls into a fence, and stays there',
			policy: geo([rule({ networks: ['office'] }, 'a'), rule({ countries: ['DE'] }, 'b', { fence: true })], 'c'),
			client: '1.2.0.1',
			down: 'a b',
			gives: 'a',
		},
		{
			name: 'is none within a fence around none',
			policy: failover(geo([rule({ countries: ['DE'] }, 'off', { fence: true })], 'b'), 'c'),
			client: '1.0.0.1',
			gives: 'c',
		},
		{
			name: 'takes a healthy last resort of the less specific',
			policy: geo([rule({ countries: ['DE'] }, 'a')], geo([], weighted(['b', 1]))),
			client: '1.0.0.1',
			down: 'a b',
			gives: 'a',
		},
	]);
});

describe('geo, for a client in special-purpose space,', () => {
	const policy = geo(EACH, 'f');
	each([
		{ name: 'lets the resolver decide', policy, client: '10.1.1.1', resolver: '1.0.0.1', gives: 'd' },
		{ name: 'lets the resolver decide by its network', policy, client: '192.168.0.1', resolver: '1.2.0.1', gives: 'a' },
		{ name: 'lets a resolver of the other family decide', policy, client: 'fd00::1', resolver: '1.0.0.1', gives: 'd' },
		{
			name: 'gives the default when the resolver is special too',
			policy,
			client: '10.1.1.1',
			resolver: '127.0.0.1',
			gives: 'f',
		},
		{
			name: 'gives the default when the resolver is nowhere',
			policy,
			client: '10.1.1.1',
			resolver: '99.0.0.1',
			gives: 'f',
		},
		{ name: 'believes no database', policy, client: '10.1.1.1', resolver: '10.1.1.1', gives: 'f' },
		{
			name: 'lets a network decide that covers it',
			policy: geo([rule({ networks: ['lab'] }, 'a')], 'f'),
			client: '10.9.1.1',
			resolver: '1.0.0.1',
			gives: 'a',
		},
		{
			name: 'lets a network of IPv6 decide',
			policy: geo([rule({ networks: ['lab'] }, 'a')], 'f'),
			client: '2001:db8:9::1',
			gives: 'a',
		},
		{
			name: 'does not go from such a network to the place of a database',
			policy: geo([rule({ networks: ['lab'] }, 'a'), rule({ countries: ['DE'] }, 'b')], 'f'),
			client: '10.9.1.1',
			down: 'a',
			gives: 'f',
		},
		{
			name: 'asks each policy by its own networks',
			policy: geo([], geo([rule({ networks: ['lab'] }, 'a')], 'f')),
			client: '10.9.1.1',
			gives: 'a',
		},
	]);
});

describe('the scope', () => {
	const countries = geo([rule({ countries: ['DE'] }, 'a'), rule({ networks: ['room'] }, 'c')], 'b');
	for (const { name, policy = countries, client, resolver = '9.9.9.9', bits } of [
		{ name: 'is 0 for a pool', policy: 'a', client: '1.0.0.1', bits: 0 },
		{
			name: 'is 0 where no policy looks at the client',
			policy: failover('a', weighted(['b', 1])),
			client: '1.0.0.1',
			bits: 0,
		},
		{ name: 'is that of the country’s range', client: '1.128.0.1', bits: 9 },
		{ name: 'is that of a network', client: '1.2.3.4', bits: 24 },
		{ name: 'is long beside a network', client: '1.2.2.1', bits: 24 },
		{ name: 'merges what is decided alike', client: '3.0.0.1', bits: 7 },
		{ name: 'is that of an address not found', client: '99.0.0.1', bits: 6 },
		{ name: 'is that of a special block', client: '10.1.1.1', bits: 8 },
		{ name: 'is the same whoever the resolver is', client: '10.1.1.1', resolver: '1.0.0.1', bits: 8 },
		{ name: 'is that of a small special block', client: '203.0.113.5', bits: 24 },
		{ name: 'is that of a special block of IPv6', client: '2001:db8::1', bits: 32 },
		{ name: 'is that of a block of IPv6', client: '2a00::1', bits: 16 },
		{ name: 'of 6to4 is counted behind 16 bits', client: '2002:102:304::1', bits: 16 + 24 },
		{ name: 'of 6to4 in special space too', client: '2002:a01:101::1', bits: 16 + 8 },
		{ name: 'of a mapped address is counted behind 96', client: '::ffff:1.2.3.4', bits: 96 + 24 },
		{ name: 'of NAT64 is counted behind 96', client: '64:ff9b::1.2.3.4', bits: 96 + 24 },
		// 1.2.3.4 inverted
		{ name: 'of Teredo is counted behind 96', client: '2001::fefd:fcfb', bits: 96 + 24 },
		{
			name: 'ends at a carrier, although a network covers both',
			policy: geo([rule({ networks: ['all6'] }, 'a')], 'b'),
			client: '2003::1',
			bits: 16,
		},
		{
			name: 'is the longest of what may be reached',
			policy: geo([rule({ continents: ['EU'] }, 'd')], countries),
			client: '1.2.3.4',
			bits: 24,
		},
		{
			name: 'is not that of what may not be reached',
			policy: geo([rule({ continents: ['EU'] }, 'd', { fence: true })], countries),
			client: '1.2.3.4',
			bits: 8,
		},
		{
			name: 'goes through policies that do not look',
			policy: failover('d', weighted(['d', 1], [countries, 0])),
			client: '1.2.3.4',
			bits: 24,
		},
	] as readonly { name: string; policy?: unknown; client: string; resolver?: string; bits: number }[]) {
		it(`${name} (${client})`, () => assert.equal(worldOf(policy).scope('www', { client, resolver }), bits));
	}

	it('does not change with health, draws or round-trip times', () => {
		const policy = failover(weighted(['d', 1], [countries, 1]), geo([rule({ continents: ['EU'] }, 'e')], 'f'));
		const world = worldOf(policy);
		for (const client of ['1.2.3.4', '2.0.0.1', '99.0.0.1', '10.0.0.1', '2a00::1', '2002:102:304::1']) {
			const scopes = new Set<number>();
			for (let i = 0; i < 64; i++) {
				for (const [bit, name] of [...'abcdef'].entries()) {
					world.set(name, (i >>> bit) % 2 === 0 ? 'up' : 'down');
					world.rtt(name, 1 + ((i * 7 + bit * 13) % 90));
				}
				scopes.add(world.scope('www', { client }));
				scopes.add(world.scope('www', { client, family: 6 }));
			}
			assert.equal(scopes.size, 1, client);
		}
	});
});

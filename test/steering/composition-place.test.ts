/**
 * The kinds that ask where the client is: geo, proximity, latency.
 */

import { rows } from './rows.ts';
import { all, failover, geo, latency, pool, proximity, weighted } from './steer.ts';

const rule = (match: object, use: unknown) => ({ match, use });
const LEVELS = geo(
	[
		rule({ continents: ['EU'] }, 'eu'),
		rule({ countries: ['DE'] }, 'd'),
		rule({ subdivisions: ['US-CA'] }, 'us'),
		rule({ asns: [64500] }, 'c'),
		rule({ networks: ['office'] }, 'b'),
		rule({ networks: ['room'] }, 'a'),
	],
	'ap',
);

rows('geo by specificity', [
	{ does: 'takes the longest network', policy: LEVELS, client: '1.2.3.4', gives: 'a', scope: 24 },
	{
		does: 'takes a network around it when that is down',
		policy: LEVELS,
		client: '1.2.3.4',
		down: 'a',
		gives: 'b',
		scope: 24,
	},
	{ does: 'then the country', policy: LEVELS, client: '1.2.3.4', down: 'a b', gives: 'd' },
	{ does: 'then the continent', policy: LEVELS, client: '1.2.3.4', down: 'a b d', gives: 'e' },
	{ does: 'then the default', policy: LEVELS, client: '1.2.3.4', down: 'a b d e', gives: 'p' },
	{ does: 'takes the network', policy: LEVELS, client: '1.2.9.1', gives: 'b', scope: 21 },
	{ does: 'takes the ASN', policy: LEVELS, client: '1.1.0.1', gives: 'c', scope: 16 },
	{
		does: 'takes the country when the ASN is down',
		policy: LEVELS,
		client: '1.1.0.1',
		down: 'c',
		gives: 'd',
		scope: 16,
	},
	{ does: 'takes the subdivision', policy: LEVELS, client: '3.0.0.1', gives: 'u', scope: 8 },
	{ does: 'takes the default without the subdivision', policy: LEVELS, client: '4.0.0.1', gives: 'p', scope: 6 },
	{ does: 'takes the country', policy: LEVELS, client: '1.128.0.1', gives: 'd', scope: 9 },
	{ does: 'takes the continent', policy: LEVELS, client: '2.0.0.1', gives: 'e', scope: 8 },
	{ does: 'takes the default for whom no database knows', policy: LEVELS, client: '9.0.0.1', gives: 'p', scope: 7 },
	{ does: 'places IPv6', policy: LEVELS, client: '2a00:8000::1', type: 'AAAA', gives: 'd', scope: 17 },
	{ does: 'places IPv6 networks', policy: LEVELS, client: '2a00:1::1', gives: 'b', scope: 32 },
	{ does: 'places mapped addresses', policy: LEVELS, client: '::ffff:1.2.3.4', gives: 'a', scope: 120 },
	{ does: 'places 6to4 addresses', policy: LEVELS, client: '2002:102:304::1', gives: 'a', scope: 40 },
	{
		does: 'asks for the resolver of a private client',
		policy: LEVELS,
		client: '10.0.0.1',
		resolver: '1.1.0.1',
		gives: 'c',
		scope: 8,
	},
	{
		does: 'places a private client by its network',
		policy: geo([rule({ networks: ['lab'] }, 'a')], 'b'),
		client: '10.9.0.1',
		resolver: '1.1.0.1',
		gives: 'a',
		scope: 16,
	},
	{ does: 'knows named places', policy: geo([rule({ places: ['dach'] }, 'a')], 'b'), client: '1.0.0.1', gives: 'a' },
	{
		does: 'asks again inside',
		policy: geo([rule({ continents: ['EU'] }, geo([rule({ countries: ['FR'] }, 'a')], 'b'))], 'c'),
		client: '2.0.0.1',
		gives: 'a',
		scope: 8,
	},
]);

const near = (region: string, use = 'a', keys = {}) => ({ use, region, ...keys });
const client = '7.0.0.1';

rows('proximity', [
	{ does: 'takes the nearest', policy: proximity('us', 'eu', 'ap'), client: '1.0.0.1', gives: 'e', scope: 8 },
	{ does: 'takes it wherever it stands', policy: proximity('ap', 'us', 'eu'), client: '4.0.0.1', gives: 'u' },
	{
		does: 'takes the second nearest when that is down',
		policy: proximity('ap', 'us', 'eu'),
		client: '1.0.0.1',
		down: 'e',
		gives: 'u',
		ttlSec: 15,
	},
	{ does: 'takes the third', policy: proximity('ap', 'us', 'eu'), client: '1.0.0.1', down: 'e u', gives: 'p' },
	{
		does: 'takes the order of members for an unknown place',
		policy: proximity('ap', 'us', 'eu'),
		client: '8.0.0.1',
		gives: 'p',
	},
	{
		does: 'takes the order for a country without coordinates',
		policy: proximity('us', 'ap'),
		client: '6.0.0.1',
		gives: 'u',
	},
	{
		does: 'takes the next in order there',
		policy: proximity('ap', 'us', 'eu'),
		client: '8.0.0.1',
		down: 'p',
		gives: 'u',
	},
	{
		does: 'asks for the resolver of a private client',
		policy: proximity('us', 'eu'),
		client: '10.0.0.1',
		resolver: '1.0.0.1',
		gives: 'e',
		scope: 8,
	},
	{ does: 'places IPv6', policy: proximity('eu', 'us'), client: '2a01::1', type: 'AAAA', gives: 'u', scope: 16 },
	{
		does: 'takes the region of what a policy reaches',
		policy: proximity('us', weighted(['eu', 1])),
		client: '1.0.0.1',
		gives: 'e',
	},
	{ does: 'ties within 100 km', policy: proximity(near('e10'), near('e10_8', 'b')), client, gives: 'a|b' },
	{ does: 'does not tie beyond 100 km', policy: proximity(near('e10'), near('e10_95', 'b')), client, gives: 'a' },
	{ does: 'ties within 5 %', policy: proximity(near('e60'), near('e62_9', 'b')), client, gives: 'a|b' },
	{ does: 'does not tie beyond 5 %', policy: proximity(near('e60'), near('e63_1', 'b')), client, gives: 'a' },
	{
		does: 'ties with the nearest, not in a chain',
		policy: proximity(near('e10'), near('e10_8', 'b'), near('e11_6', 'c')),
		client,
		gives: 'a|b',
	},
	{
		does: 'ties with the nearest that is up',
		policy: proximity(near('e10'), near('e10_8', 'b'), near('e11_6', 'c')),
		client,
		down: 'a',
		gives: 'b|c',
	},
	{
		does: 'leaves what is down out of a tie',
		policy: proximity(near('e10'), near('e10_8', 'b')),
		client,
		down: 'b',
		gives: 'a',
	},
	{
		does: 'breaks a tie by weight',
		policy: proximity(near('e10', 'a', { weight: 0 }), near('e10_8', 'b')),
		client,
		gives: 'b',
	},
	{
		does: 'gives weight 0 of a tie what is left',
		policy: proximity(near('e10', 'a', { weight: 0 }), near('e10_8', 'b')),
		client,
		down: 'b',
		gives: 'a',
	},
	{
		does: 'looks at no weight without a tie',
		policy: proximity(near('e10', 'a', { weight: 0 }), near('e20', 'b')),
		client,
		gives: 'a',
	},
]);

/** 1111.95 km and 2223.90 km; as Route 53 has it: d * (1 - b / 100) above 0, d / (1 + b / 100) below. */
const biased = (nearBias: number, farBias: number) =>
	proximity(near('e10', 'a', { bias: nearBias }), near('e20', 'b', { bias: farBias }));

rows('the bias of proximity', [
	{ does: 'is nothing at 0', policy: biased(0, 0), client, gives: 'a' },
	{ does: '40 is not enough for twice the distance (1334 km)', policy: biased(0, 40), client, gives: 'a' },
	{ does: '50 halves a distance (1112 km, a tie)', policy: biased(0, 50), client, gives: 'a|b' },
	{ does: '60 draws clients in (890 km)', policy: biased(0, 60), client, gives: 'b' },
	{ does: '99 takes a hundredth (22 km)', policy: biased(0, 99), client, gives: 'b' },
	{ does: '-40 keeps too few off (1853 km)', policy: biased(-40, 0), client, gives: 'a' },
	{ does: '-50 doubles a distance (2224 km, a tie)', policy: biased(-50, 0), client, gives: 'a|b' },
	{ does: '-60 keeps clients off (2780 km)', policy: biased(-60, 0), client, gives: 'b' },
	{ does: '-99 takes it a hundred times', policy: biased(-99, -90), client, gives: 'b' },
	{ does: 'of both is weighed against one another', policy: biased(20, 50), client, gives: 'a' },
	{ does: 'means nothing for an unknown place', policy: biased(-99, 99), client: '8.0.0.1', gives: 'a' },
]);

const placed = latency('us', 'eu');
const plain = latency('a', 'b', 'c');

rows('latency', [
	{ does: 'takes the least', policy: plain, rtt: { a: [50, 50], b: [20, 20], c: [70, 70] }, gives: 'b', scope: 7 },
	{
		does: 'takes the least that is up',
		policy: plain,
		rtt: { a: [50, 50], b: [20, 20] },
		down: 'b',
		gives: 'a',
		ttlSec: 15,
	},
	{
		does: 'ties within 10 ms, the least first',
		policy: plain,
		rtt: { a: [30, 30], b: [25, 25], c: [28, 28] },
		gives: 'b',
	},
	{ does: 'puts a member without data behind', policy: plain, rtt: { c: [900, 900] }, gives: 'c' },
	{
		does: 'measures from the nearest vantage',
		policy: placed,
		client: '1.0.0.1',
		rtt: { u: [10, 90], e: [90, 10] },
		gives: 'e',
		scope: 8,
	},
	{
		does: 'measures from the other for others',
		policy: placed,
		client: '4.0.0.1',
		rtt: { u: [10, 90], e: [90, 10] },
		gives: 'u',
	},
	{
		does: 'measures from the first for an unknown place',
		policy: placed,
		client: '8.0.0.1',
		rtt: { u: [90, 10], e: [10, 90] },
		gives: 'e',
	},
	{
		does: 'believes the vantage, not the map',
		policy: placed,
		client: '1.0.0.1',
		rtt: { u: [90, 10], e: [10, 90] },
		gives: 'u',
	},
	{
		does: 'takes what one vantage has not for unknown',
		policy: placed,
		client: '1.0.0.1',
		rtt: { u: [10, 80], e: [10, 0] },
		gives: 'u',
	},
	{ does: 'falls to proximity without any data', policy: placed, client: '1.0.0.1', gives: 'e', scope: 8 },
	{
		does: 'falls to it where only another vantage has data',
		policy: placed,
		client: '1.0.0.1',
		rtt: { u: [1, 0], e: [90, 0] },
		gives: 'e',
	},
	{ does: 'then to the order', policy: latency('ap', 'us', 'eu'), client: '8.0.0.1', gives: 'p' },
	{ does: 'keeps the order of members without a region', policy: latency('c', 'a'), client: '8.0.0.1', gives: 'c' },
	{
		does: 'takes the median of a pool',
		policy: latency('one', 'a'),
		pools: { one: pool('x y v') },
		rtt: { x: [1, 1], y: [60, 60], v: [70, 70], a: [45, 45] },
		gives: 'a',
	},
	{
		does: 'of a union takes the median of all of it',
		policy: latency(all('a', 'b', 'c'), 'd'),
		rtt: { a: [1, 1], b: [60, 60], c: [70, 70], d: [40, 40] },
		gives: 'd',
	},
	{
		does: 'has a scope for the private',
		policy: placed,
		client: '10.0.0.1',
		resolver: '1.0.0.1',
		rtt: { u: [10, 90], e: [90, 10] },
		gives: 'e',
		scope: 8,
	},
	{
		does: 'of a failover measures what that picks',
		policy: latency(failover('a', 'b'), 'c'),
		rtt: { a: [90, 90], b: [1, 1], c: [50, 50] },
		gives: 'c',
	},
]);

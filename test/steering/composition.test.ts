/**
 * The composition rules as a table, to be held against the text: a node is up with a pick, down with a last
 * resort, or none. Parents step over none, choose among up, and when nobody is up hand on the first last resort
 * that has a healthy endpoint, else the first.
 */

import { rows } from './rows.ts';
import { all, failover, geo, latency, proximity, sticky, weighted } from './steer.ts';

const rule = (match: object, use: unknown, keys: object = {}) => ({ match, use, ...keys });
const fence = { fence: true };

const german = geo([rule({ countries: ['DE'] }, weighted(['a', 1], ['b', 1]))]);
const fenced = geo([
	rule({ countries: ['DE'] }, weighted(['a', 1], ['b', 1]), fence),
	rule({ continents: ['EU'] }, 'c'),
]);
const client = '1.0.0.1';

rows('failover of geo of weighted', [
	{ does: 'draws in the region', policy: failover(german, 'c', 'd'), client, gives: 'a|b', ttlSec: 30, scope: 8 },
	{ does: 'keeps to what is up there', policy: failover(german, 'c', 'd'), client, down: 'a', gives: 'b', ttlSec: 15 },
	{ does: 'leaves a region that is down', policy: failover(german, 'c', 'd'), client, down: 'a b', gives: 'c' },
	{ does: 'leaves it twice', policy: failover(german, 'c', 'd'), client, down: 'a b c', gives: 'd', ttlSec: 15 },
	{
		does: 'hands on the region’s last resort when all is down',
		policy: failover(german, 'c', 'd'),
		client,
		down: 'a b c d',
		gives: 'a|b',
		ttlSec: 15,
		scope: 8,
	},
	{
		does: 'steps over a geo without a match',
		policy: failover(german, 'c'),
		client: '2.0.0.1',
		gives: 'c',
		ttlSec: 30,
	},
	{ does: 'has the scope of no match too', policy: failover(german, 'c'), client: '4.0.0.1', gives: 'c', scope: 6 },
	{
		does: 'gives others a last resort of their own',
		policy: failover(german, 'c', 'd'),
		client: '2.0.0.1',
		down: 'c d',
		gives: 'c',
	},
	{
		does: 'goes by the default of the geo first',
		policy: failover(geo([rule({ countries: ['DE'] }, 'a')], 'b'), 'c'),
		client,
		down: 'a',
		gives: 'b',
	},
	{
		does: 'draws its weights within what is up',
		policy: failover(weighted([german, 1], ['c', 1]), 'd'),
		client,
		gives: 'a|b|c',
	},
	{
		does: 'has its sticky weights follow the client',
		policy: failover(geo([rule({ countries: ['DE'] }, sticky(['a', 1], ['b', 1]))]), 'c'),
		client,
		gives: 'b',
		scope: 24,
	},
]);

rows('a fence', [
	{ does: 'changes nothing while its match is up', policy: fenced, client, gives: 'a|b', ttlSec: 30 },
	{ does: 'keeps from the less specific', policy: fenced, client, down: 'a b', gives: 'a|b', ttlSec: 15 },
	{ does: 'does not hold others', policy: fenced, client: '2.0.0.1', gives: 'c' },
	{
		does: 'keeps from the default',
		policy: geo([rule({ countries: ['DE'] }, 'a', fence)], 'b'),
		client,
		down: 'a',
		gives: 'a',
	},
	{
		does: 'is down as a whole, so that a parent moves on',
		policy: failover(fenced, 'd'),
		client,
		down: 'a b',
		gives: 'd',
	},
	{
		does: 'is none around what is switched off',
		policy: geo([rule({ countries: ['DE'] }, 'off', fence)], 'b'),
		client,
		gives: 'nodata',
		ttlSec: 30,
	},
	{
		does: 'lets a parent step over it then',
		policy: failover(geo([rule({ countries: ['DE'] }, 'off', fence)], 'b'), 'c'),
		client,
		gives: 'c',
	},
	{
		does: 'keeps what onAllDown says',
		policy: geo([rule({ countries: ['DE'] }, 'quiet', fence)], 'b'),
		client,
		down: 'n',
		gives: 'nodata',
		ttlSec: 15,
	},
	{
		does: 'further out holds what a narrower one lets through',
		policy: geo(
			[rule({ asns: [64500] }, 'a'), rule({ countries: ['DE'] }, 'b', fence), rule({ continents: ['EU'] }, 'c')],
			'd',
		),
		client: '1.1.0.1',
		down: 'a b',
		gives: 'a',
	},
	{
		does: 'around an EU latency keeps clients in the EU',
		policy: geo([rule({ continents: ['EU'] }, latency('a', 'b'), fence)], 'us'),
		client,
		rtt: { a: [90, 90], b: [80, 80], u: [1, 1] },
		gives: 'b',
	},
]);

rows('none', [
	{ does: 'is NODATA at the root, with the TTL of the name', policy: 'off', gives: 'nodata', ttlSec: 30 },
	{ does: 'is a pool put down', policy: failover('put', 'a'), gives: 'a', ttlSec: 30 },
	{ does: 'is stepped over by failover', policy: failover('off', 'put', 'a'), gives: 'a', ttlSec: 30 },
	{ does: 'is stepped over by weighted', policy: weighted(['off', 99], ['a', 1]), gives: 'a' },
	{ does: 'is stepped over by sticky weighted', policy: sticky(['off', 65535], ['a', 1]), gives: 'a' },
	{ does: 'is stepped over by latency', policy: latency('off', 'a'), gives: 'a' },
	{
		does: 'is stepped over by proximity',
		policy: proximity({ use: 'off', region: 'eu' }, 'us'),
		client,
		gives: 'u',
	},
	{ does: 'is stepped over by all', policy: all('off', 'a', 'put'), gives: 'a' },
	{ does: 'is stepped over by geo', policy: geo([rule({ countries: ['DE'] }, 'off')], 'a'), client, gives: 'a' },
	{ does: 'comes of a geo without match or default', policy: failover(german, german, 'c'), gives: 'c' },
	{ does: 'comes of all members none', policy: failover(weighted(['off', 1]), all('off', 'put'), 'a'), gives: 'a' },
	{
		does: 'goes up through every kind',
		policy: all(latency(failover(weighted([geo([], 'off'), 1])))),
		gives: 'nodata',
	},
	{ does: 'is no last resort', policy: failover('off', 'a'), down: 'a', gives: 'a', ttlSec: 15 },
	{ does: 'is no last resort of weighted', policy: weighted(['off', 9], ['a', 1]), down: 'a', gives: 'a' },
	{
		does: 'is NODATA with the scope of the geo that decides so',
		policy: german,
		client: '4.0.0.1',
		gives: 'nodata',
		scope: 6,
	},
]);

rows('a last resort', [
	{
		does: 'is the first when none has a healthy endpoint',
		policy: failover('a', 'b'),
		down: 'a b',
		gives: 'a',
		ttlSec: 15,
	},
	{ does: 'is the first with a healthy one', policy: failover('a', 'half', 'half2'), down: 'a h1 g1', gives: 'h2' },
	{ does: 'gives the healthy endpoints of its pool', policy: 'half', down: 'h1', gives: 'h2', ttlSec: 15 },
	{
		does: 'is handed up through two levels',
		policy: failover(failover('a', 'b'), failover('c', 'half')),
		down: 'a b c h1',
		gives: 'h2',
	},
	{
		does: 'keeps the order of levels where both have one',
		policy: failover(failover('a', 'half2'), 'half'),
		down: 'a g1 h1',
		gives: 'g2',
	},
	{
		does: 'by weights goes in the order of the draws',
		policy: weighted(['half', 1], ['half2', 1]),
		down: 'h1 g1',
		gives: 'g2|h2',
	},
	{
		does: 'by weights prefers health to luck',
		policy: weighted(['a', 65535], ['half', 1]),
		down: 'a h1',
		gives: 'h2',
	},
	{
		does: 'by weights takes the healthy one of weight 0 too',
		policy: weighted(['a', 9], ['half', 0]),
		down: 'a h1',
		gives: 'h2',
	},
	{
		does: 'by client is the same for each client',
		policy: sticky(['a', 1], ['b', 1], ['c', 1]),
		down: 'a b c',
		gives: 'a',
	},
	{
		does: 'by geo goes from the most specific',
		policy: geo([rule({ countries: ['DE'] }, 'a'), rule({ continents: ['EU'] }, 'b')], 'c'),
		client,
		down: 'a b c',
		gives: 'a',
	},
	{
		does: 'by geo is the less specific that has health',
		policy: geo([rule({ countries: ['DE'] }, 'a'), rule({ continents: ['EU'] }, 'half')], 'c'),
		client,
		down: 'a h1 c',
		gives: 'h2',
	},
	{
		does: 'by proximity goes from the nearest',
		policy: proximity('us', 'eu'),
		client,
		down: 'u e',
		gives: 'e',
		ttlSec: 15,
	},
	{ does: 'by latency goes from the nearest too', policy: latency('us', 'eu'), client, down: 'u e', gives: 'e' },
	{ does: 'of all is that of one member', policy: all('a', 'b'), down: 'a b', gives: 'a', ttlSec: 15 },
	{ does: 'of all is that with health', policy: all('a', 'half'), down: 'a h1', gives: 'h2' },
	{ does: 'keeps onAllDown: nodata', policy: failover('quiet', 'a'), down: 'n a', gives: 'nodata', ttlSec: 15 },
	{ does: 'keeps onAllDown: servfail', policy: failover('broken', 'a'), down: 'z a', gives: 'servfail', ttlSec: 15 },
	{ does: 'does not reach a later onAllDown', policy: failover('a', 'broken'), down: 'z a', gives: 'a' },
	{ does: 'is left as soon as one member is up', policy: failover('broken', 'a'), down: 'z', gives: 'a', ttlSec: 15 },
]);

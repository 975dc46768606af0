/**
 * Pools as members of policies: states, minHealthy, onAllDown, families, CNAMEs.
 */

import { rows } from './rows.ts';
import { all, failover, geo, latency, pool, proximity, sticky, weighted } from './steer.ts';

const states = (byName: Readonly<Record<string, string>>) =>
	Object.fromEntries(Object.entries(byName).map(([name, state]) => [name, { state }]));
const of = (endpoints: string, keys = {}, byName: Readonly<Record<string, string>> = {}) => ({
	one: pool(endpoints, keys, states(byName)),
});
const next = failover('one', 'd');

rows('unknown and waiting', [
	{ does: 'counts what is unknown as up', policy: 'two', gives: 't1|t2' },
	{ does: 'counts it beside what is up', policy: 'two', up: 't1', gives: 't1|t2' },
	{ does: 'counts it beside what is down', policy: 'two', down: 't1', gives: 't2' },
	{ does: 'counts it towards minHealthy', policy: failover('half', 'd'), up: 'h1', gives: 'h1|h2' },
	{ does: 'lets a newcomer wait for one known to be up', policy: 'two', up: 't1', waiting: 't2', gives: 't1' },
	{ does: 'lets no newcomer wait for what is down', policy: 'two', down: 't1', waiting: 't2', gives: 't2' },
	{ does: 'lets no newcomer wait for what is unknown', policy: 'two', waiting: 't2', gives: 't1|t2' },
	{ does: 'lets nobody wait where all are new', policy: 'two', waiting: 't1 t2', gives: 't1|t2' },
	{ does: 'counts a newcomer towards minHealthy', policy: failover('half', 'd'), up: 'h1', waiting: 'h2', gives: 'h1' },
	{ does: 'keeps a newcomer out of a union', policy: all('two', 'a'), up: 't1', waiting: 't2', gives: 'a t1' },
	{
		does: 'keeps a newcomer out of a sticky pool',
		policy: 'one',
		pools: of('a b', { by: 'client' }),
		up: 'a',
		waiting: 'b',
		gives: 'a',
	},
]);

rows('down against drain', [
	{ does: 'counts down as failed', policy: next, pools: of('a b', { minHealthy: 2 }, { a: 'down' }), gives: 'd' },
	{ does: 'counts drain as absent', policy: next, pools: of('a b', { minHealthy: 2 }, { a: 'drain' }), gives: 'b' },
	{
		does: 'counts down as failed for a share',
		policy: next,
		pools: of('a b c', { minHealthy: '60%' }, { a: 'down' }),
		down: 'b',
		gives: 'd',
	},
	{
		does: 'counts drain as absent for a share',
		policy: next,
		pools: of('a b c', { minHealthy: '50%' }, { a: 'drain' }),
		down: 'b',
		gives: 'c',
	},
	{ does: 'asks for at most those there are', policy: next, pools: of('a b', { minHealthy: 5 }), gives: 'a|b' },
	{ does: 'then asks for all', policy: next, pools: of('a b', { minHealthy: 5 }), down: 'a', gives: 'd' },
	{ does: 'takes 100% as all', policy: next, pools: of('a b c', { minHealthy: '100%' }), down: 'c', gives: 'd' },
	{ does: 'takes 1% as one', policy: next, pools: of('a b c', { minHealthy: '1%' }), down: 'a b', gives: 'c' },
	{
		does: 'is none when all are drained',
		policy: next,
		pools: of('a b', {}, { a: 'drain', b: 'drain' }),
		gives: 'd',
		ttlSec: 30,
	},
	{
		does: 'is none when all are down by hand',
		policy: next,
		pools: of('a b', {}, { a: 'down', b: 'down' }),
		gives: 'd',
		ttlSec: 30,
	},
	{
		does: 'takes drain of the pool for all of it',
		policy: next,
		pools: of('a', { state: 'drain' }, { a: 'up' }),
		gives: 'd',
	},
	{
		does: 'takes down of the pool for all of it',
		policy: next,
		pools: of('a', { state: 'down' }, { a: 'up' }),
		gives: 'd',
	},
	{
		does: 'takes up of the pool for all of it',
		policy: next,
		pools: of('a b', { state: 'up' }),
		down: 'a b',
		gives: 'a|b',
		ttlSec: 30,
	},
	{
		does: 'takes drain of an endpoint in a pool up',
		policy: next,
		pools: of('a b', { state: 'up' }, { a: 'drain' }),
		gives: 'b',
	},
	{
		does: 'holds one endpoint up',
		policy: next,
		pools: of('a b', {}, { a: 'up' }),
		down: 'a b',
		gives: 'a',
		ttlSec: 15,
	},
	{
		does: 'drains in the middle of a failover of geo',
		policy: failover(geo([{ match: { countries: ['DE'] }, use: 'one' }], 'a'), 'b'),
		pools: of('x y', {}, { x: 'drain', y: 'drain' }),
		client: '1.0.0.1',
		gives: 'a',
		ttlSec: 30,
	},
]);

rows('all down', [
	{ does: 'answers with all', policy: 'one', pools: of('a b'), down: 'a b', gives: 'a|b', ttlSec: 15 },
	{
		does: 'answers with as many as asked for',
		policy: 'one',
		pools: of('a b', { answers: 2 }),
		down: 'a b',
		gives: 'a b',
	},
	{
		does: 'answers NODATA',
		policy: 'one',
		pools: of('a', { onAllDown: 'nodata' }),
		down: 'a',
		gives: 'nodata',
		ttlSec: 15,
	},
	{ does: 'answers SERVFAIL', policy: 'one', pools: of('a', { onAllDown: 'servfail' }), down: 'a', gives: 'servfail' },
	{ does: 'leaves out what is drained', policy: 'one', pools: of('a b', {}, { a: 'drain' }), down: 'b', gives: 'b' },
	{
		does: 'leaves out what is down by hand',
		policy: 'one',
		pools: of('a b', {}, { a: 'down' }),
		down: 'b',
		gives: 'b',
	},
	{
		does: 'answers with what is healthy, below minHealthy',
		policy: 'one',
		pools: of('a b c', { minHealthy: 3, onAllDown: 'nodata' }),
		down: 'a',
		gives: 'b|c',
	},
	{
		does: 'fails open by client',
		policy: 'one',
		pools: of('a b c', { by: 'client' }),
		down: 'a b c',
		gives: 'b',
		scope: 24,
	},
	{ does: 'fails open with CNAMEs', policy: failover('cdn', 'cdn2'), down: 'cdn cdx', gives: 'cdn', ttlSec: 15 },
]);

rows('a family that a pool has not', [
	{ does: 'is NODATA', policy: failover('v4', 'd'), type: 'AAAA', gives: 'nodata', ttlSec: 30 },
	{
		does: 'takes the verdict of the other family',
		policy: failover('v4', 'd'),
		type: 'AAAA',
		down: 'f',
		gives: 'd',
		ttlSec: 15,
	},
	{ does: 'is NODATA the other way round', policy: failover('v6', 'd'), gives: 'nodata' },
	{ does: 'takes that verdict the other way round', policy: failover('v6', 'd'), down: 's', gives: 'd' },
	{ does: 'is passed where the pool says so', policy: failover('pass4', 'd'), type: 'AAAA', gives: 'd', ttlSec: 30 },
	{ does: 'is passed by weighted', policy: weighted(['pass4', 99], ['d', 1]), type: 'AAAA', gives: 'd' },
	{ does: 'is not passed for the family that is there', policy: failover('pass4', 'd'), gives: 'q' },
	{ does: 'is NODATA where all pass', policy: failover('pass4'), type: 'AAAA', gives: 'nodata', ttlSec: 30 },
	{ does: 'is NODATA by weight', policy: weighted(['v4', 1], ['d', 1]), type: 'AAAA', gives: 'd|nodata' },
	{
		does: 'is NODATA, not overseas, by proximity',
		policy: proximity({ use: 'v4', region: 'eu' }, 'us'),
		type: 'AAAA',
		client: '2a00::1',
		gives: 'nodata',
	},
	{ does: 'adds nothing to a union', policy: all('v4', 'd'), type: 'AAAA', gives: 'd' },
	{ does: 'is NODATA of a union of such', policy: all('v4'), type: 'AAAA', gives: 'nodata' },
	{
		does: 'is NODATA on a last resort, whatever onAllDown says',
		policy: 'one',
		pools: of('a:4', { onAllDown: 'servfail' }),
		type: 'AAAA',
		down: 'a',
		gives: 'nodata',
		ttlSec: 15,
	},
	{
		does: 'is none where the other family is drained',
		policy: failover('one', 'd'),
		pools: of('a:4', { state: 'drain' }),
		type: 'AAAA',
		gives: 'd',
	},
	{
		does: 'counts minHealthy by the other family',
		policy: next,
		pools: of('a:4 b:4', { minHealthy: 2 }),
		type: 'AAAA',
		down: 'a',
		gives: 'd',
	},
	{
		does: 'has each family its own verdict',
		policy: next,
		pools: of('a b'),
		type: 'AAAA',
		down: 'a/6 b/6',
		gives: 'd',
	},
	{
		does: 'leaves the other family where it is',
		policy: next,
		pools: of('a b'),
		down: 'a/6 b/6',
		gives: 'a|b',
		ttlSec: 30,
	},
]);

rows('a pool of CNAMEs', [
	{ does: 'answers its target', policy: 'cdn', gives: 'cdn', ttlSec: 30, scope: 0 },
	{ does: 'answers it for both families', policy: 'cdn', type: 'AAAA', gives: 'cdn' },
	{
		does: 'has one verdict for both',
		policy: failover('cdn', 'cdn2'),
		type: 'AAAA',
		down: 'cdn',
		gives: 'cdx',
		ttlSec: 15,
	},
	{ does: 'draws by weight', policy: weighted(['cdn', 1], ['cdn2', 1]), gives: 'cdn|cdx' },
	{ does: 'is behind the own site', policy: failover('a', 'cdn'), gives: 'a' },
	{ does: 'stands in for the own site', policy: failover('a', 'cdn'), down: 'a', gives: 'cdn', ttlSec: 15 },
	{ does: 'stands in for a family that passes', policy: failover('pass4', 'cdn'), type: 'AAAA', gives: 'cdn' },
	{ does: 'does not stand in for one that is NODATA', policy: failover('v4', 'cdn'), type: 'AAAA', gives: 'nodata' },
	{
		does: 'is split by network operator',
		policy: geo([{ match: { asns: [64500] }, use: 'cdn' }], 'cdn2'),
		client: '1.1.0.1',
		gives: 'cdn',
		scope: 16,
	},
	{
		does: 'falls to the other by geo',
		policy: geo([{ match: { asns: [64500] }, use: 'cdn' }], 'cdn2'),
		client: '1.1.0.1',
		down: 'cdn',
		gives: 'cdx',
	},
	{
		does: 'gives 5 % of the clients to the CDN',
		policy: sticky(['a', 95], ['cdn', 5]),
		client: '1.2.3.4',
		gives: 'a',
		scope: 24,
	},
	{
		does: 'is drained as any other',
		policy: 'both',
		pools: { both: pool('cdn:c cdx:c', {}, states({ cdn: 'drain' })) },
		gives: 'cdx',
	},
	{ does: 'draws among its own targets', policy: 'both', pools: { both: pool('cdn:c cdx:c') }, gives: 'cdn|cdx' },
	{
		does: 'gives one target although both are up',
		policy: 'both',
		pools: { both: pool('cdn:c cdx:c') },
		type: 'AAAA',
		gives: 'cdn|cdx',
	},
	{
		does: 'is measured as any other',
		policy: latency('cdn', 'cdn2'),
		rtt: { cdn: [80, 80], cdx: [20, 20] },
		gives: 'cdx',
	},
]);

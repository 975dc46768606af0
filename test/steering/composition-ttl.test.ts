/**
 * Members and endpoints of weight 0, and the TTL rule.
 */

import { rows } from './rows.ts';
import { all, failover, latency, pool, sticky, weighted } from './steer.ts';

rows('weight 0', [
	{ does: 'gets nothing while another is up', policy: weighted(['a', 1], ['b', 0]), gives: 'a' },
	{ does: 'serves when every other is down', policy: weighted(['a', 1], ['b', 0]), down: 'a', gives: 'b', ttlSec: 15 },
	{ does: 'serves when every other is none', policy: weighted(['off', 1], ['b', 0]), gives: 'b' },
	{ does: 'is evened out among several', policy: weighted(['a', 1], ['b', 0], ['c', 0]), down: 'a', gives: 'b|c' },
	{
		does: 'is passed over when it is down itself',
		policy: weighted(['a', 1], ['b', 0], ['c', 0]),
		down: 'a b',
		gives: 'c',
	},
	{ does: 'gets nothing by client either', policy: sticky(['a', 1], ['b', 0]), gives: 'a' },
	{ does: 'serves by client when every other is down', policy: sticky(['a', 1], ['b', 0]), down: 'a', gives: 'b' },
	{
		does: 'of an endpoint keeps it out of a union',
		policy: all('w0', 'b'),
		pools: { w0: pool('a y', {}, { y: { weight: 0 } }) },
		gives: 'a b',
	},
	{
		does: 'of an endpoint is the reserve of a union too',
		policy: all('w0', 'b'),
		pools: { w0: pool('a y', {}, { y: { weight: 0 } }) },
		down: 'a',
		gives: 'b y',
	},
	{
		does: 'of an endpoint serves a union while the others wait',
		policy: all('w0'),
		pools: { w0: pool('a y', {}, { y: { weight: 0 } }) },
		up: 'y',
		waiting: 'a',
		gives: 'y',
	},
	{
		does: 'of an endpoint serves a pool while the others wait',
		policy: 'w0',
		pools: { w0: pool('a y', {}, { y: { weight: 0 } }) },
		up: 'y',
		waiting: 'a',
		gives: 'y',
	},
]);

rows('the TTL', [
	{ does: 'is that of the name', policy: 'two', gives: 't1|t2', ttlSec: 30 },
	{ does: 'is halved while an endpoint of the pool is down', policy: 'two', down: 't1', gives: 't2', ttlSec: 15 },
	{ does: 'is halved once', policy: failover('a', 'b', 'two'), down: 'a b t1', gives: 't2', ttlSec: 15 },
	{ does: 'has a floor of 5 s', policy: 'two', ttl: '9s', down: 't1', gives: 't2', ttlSec: 5 },
	{ does: 'never rises to the floor', policy: 'two', ttl: '4s', down: 't1', gives: 't2', ttlSec: 4 },
	{ does: 'may be 0', policy: 'two', ttl: '0s', down: 't1', gives: 't2', ttlSec: 0 },
	{ does: 'is that of a day too', policy: 'two', ttl: '24h', down: 't1', gives: 't2', ttlSec: 43200 },
	{ does: 'is not halved by drain', policy: failover('off', 'a'), gives: 'a', ttlSec: 30 },
	{
		does: 'is not halved by a drained endpoint',
		policy: 'one',
		pools: { one: pool('a y', {}, { y: { state: 'drain' } }) },
		down: 'y',
		gives: 'a',
		ttlSec: 30,
	},
	{ does: 'is not halved by what an operator holds up', policy: 'held', down: 'k', gives: 'k', ttlSec: 30 },
	{
		does: 'is not halved by a pool that was not visited',
		policy: failover('a', 'two'),
		down: 't1',
		gives: 'a',
		ttlSec: 30,
	},
	{
		does: 'is halved by a member of weighted that is down',
		policy: weighted(['a', 65535], ['b', 0]),
		down: 'a',
		gives: 'b',
		ttlSec: 15,
	},
	{
		does: 'is halved by any member of a latency, which visits all',
		policy: latency('a', 'b'),
		down: 'b',
		gives: 'a',
		ttlSec: 15,
	},
	{ does: 'is halved by any member of a union', policy: all('a', 'b'), down: 'b', gives: 'a', ttlSec: 15 },
	{ does: 'is not halved for the other family', policy: 'two', down: 't1/6', gives: 't1|t2', ttlSec: 30 },
	{ does: 'is halved for the family', policy: 'two', type: 'AAAA', down: 't1/6', gives: 't2', ttlSec: 15 },
	{ does: 'is not halved by what is unknown', policy: 'two', up: 't1', gives: 't1|t2', ttlSec: 30 },
	{ does: 'is not halved by a newcomer that waits', policy: 'two', up: 't1', waiting: 't2', gives: 't1', ttlSec: 30 },
]);

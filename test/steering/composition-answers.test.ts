/**
 * Several addresses, a share for the next, the same for the same client.
 */

import { rows } from './rows.ts';
import { all, failover, geo, pool, sticky, weighted } from './steer.ts';

const rule = (match: object, use: unknown) => ({ match, use });
const ROOM = geo([rule({ networks: ['room'] }, 'a')], 'b');

const trickle = (share: string, ...members: unknown[]) => ({ ...failover(...members), trickle: share });

rows('all', [
	{ does: 'unites', policy: all('a', 'b', 'two'), gives: 'a b t1 t2', ttlSec: 30, scope: 0 },
	{ does: 'leaves out what is down', policy: all('a', 'two'), down: 't1', gives: 'a t2', ttlSec: 15 },
	{ does: 'leaves out a member that is down as a whole', policy: all('a', 'half'), down: 'h1', gives: 'a', ttlSec: 15 },
	{ does: 'gives an address once', policy: all('a', 'a', 'same'), pools: { same: pool('a b') }, gives: 'a b' },
	{
		does: 'gives 8 of 8',
		policy: all('big'),
		pools: { big: pool('i1 i2 i3 i4 i5 i6 i7 i8') },
		gives: 'i1 i2 i3 i4 i5 i6 i7 i8',
	},
	{ does: 'nests', policy: all(all('a', 'b'), all('c')), gives: 'a b c' },
	{
		does: 'unites what policies pick',
		policy: all(failover('a', 'b'), weighted(['c', 1], ['d', 1])),
		gives: 'a c|a d',
	},
	{ does: 'follows a failover inside', policy: all(failover('a', 'b'), 'c'), down: 'a', gives: 'b c' },
	{ does: 'is one member of a failover', policy: failover(all('a', 'b'), 'c'), down: 'a b', gives: 'c' },
	{ does: 'is one member of weighted', policy: weighted([all('a', 'b'), 1], ['c', 1]), gives: 'a b|c' },
	{
		does: 'has the scope of what is inside',
		policy: all(geo([rule({ countries: ['DE'] }, 'a')]), 'b'),
		client: '1.0.0.1',
		gives: 'a b',
		scope: 8,
	},
	{ does: 'gives the addresses of the family', policy: all('v4', 'v6', 'a'), type: 'AAAA', gives: 'a s' },
	{
		does: 'cares for no count of answers of its pools',
		policy: all('one'),
		pools: { one: pool('a b', { answers: 1 }) },
		gives: 'a b',
	},
]);

rows('a trickle', [
	{ does: 'gives the next a share', policy: trickle('50%', 'a', 'b', 'c'), gives: 'a|b' },
	{ does: 'gives the next that is up a share', policy: trickle('50%', 'a', 'b', 'c'), down: 'b', gives: 'a|c' },
	{ does: 'goes on from the first that is up', policy: trickle('50%', 'a', 'b', 'c'), down: 'a', gives: 'b|c' },
	{ does: 'steps over none', policy: trickle('50%', 'off', 'a', 'put', 'b'), gives: 'a|b', ttlSec: 30 },
	{ does: 'stays where nobody else is up', policy: trickle('50%', 'a', 'b'), down: 'b', gives: 'a' },
	{ does: 'is nothing at 0%', policy: trickle('0%', 'a', 'b'), gives: 'a' },
	{ does: 'has a last resort as ever', policy: trickle('50%', 'a', 'b'), down: 'a b', gives: 'a', ttlSec: 15 },
	{ does: 'changes no scope', policy: trickle('50%', 'a', 'b'), client: '1.0.0.1', gives: 'a|b', scope: 0 },
]);

// Which member a network gets is as good as drawn, but it is to stay: another hash would move every client.
rows('sticky', [
	{
		does: 'gives a client the same member',
		policy: sticky(['a', 1], ['b', 1], ['c', 1]),
		client: '1.0.0.1',
		gives: 'a',
		scope: 24,
	},
	{
		does: 'gives its whole /24 the same',
		policy: sticky(['a', 1], ['b', 1], ['c', 1]),
		client: '1.0.0.254',
		gives: 'a',
	},
	{ does: 'looks at 56 bits of IPv6', policy: sticky(['a', 1], ['b', 1]), client: '2a00::1', gives: 'a', scope: 56 },
	{
		does: 'has the longer scope of a geo inside',
		policy: sticky([ROOM, 1]),
		client: '::ffff:1.2.3.4',
		gives: 'a',
		scope: 120,
	},
	{
		does: 'moves on when its member is down',
		policy: sticky(['a', 1], ['b', 1]),
		client: '2a00::1',
		down: 'a',
		gives: 'b',
	},
	{
		does: 'pool has the scope of stickiness',
		policy: 'one',
		pools: { one: pool('a b', { by: 'client' }) },
		client: '2a00::1',
		gives: 'a',
		scope: 56,
	},
	{
		does: 'pool gives the same two',
		policy: 'one',
		pools: { one: pool('a b c', { by: 'client', answers: 2 }) },
		client: '1.0.0.1',
		gives: 'a c',
	},
	{
		does: 'pool in a weighted by query is drawn first',
		policy: weighted(['one', 1], ['d', 1]),
		pools: { one: pool('a b', { by: 'client' }) },
		client: '1.0.0.1',
		gives: 'a|d',
		scope: 24,
	},
	{
		does: 'is not asked for where geo does not lead',
		policy: geo([rule({ countries: ['DE'] }, sticky(['a', 1], ['b', 1]))], 'c'),
		client: '2.0.0.1',
		gives: 'c',
		scope: 7,
	},
]);

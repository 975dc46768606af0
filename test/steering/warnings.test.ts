/**
 * What is right and yet hardly meant is told as a warning, once and where it stands.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { geoDataOf } from '../geo/oracle.ts';
import { compile, failover, geo, latency, pool, warningsOf, weighted } from './steer.ts';

type Keys = Readonly<Record<string, unknown>>;

const still = (endpoints: string, keys: Keys = {}) => pool(endpoints, { ...keys, monitor: undefined });
const POOLS = { a: pool('a'), b: pool('b'), still: still('s'), v4: pool('f:4'), v6: pool('g:6') };

/** Warnings about a name whose policy this is, among pools of which the unused ones are not spoken of. */
function warningsFor(policy: unknown, pools: Keys = {}): readonly string[] {
	const zone = { pools: { ...POOLS, ...pools }, names: { www: { policy } } };
	return warningsOf(compile({ zone, geo: geoDataOf({ '1.0.0.0/8': { country: 'DE', continent: 'EU' } }) }))
		.filter((text) => !text.includes('Nobody uses'))
		.map((text) => text.replace('example.org. ', ''));
}

const trickling = (...members: string[]) => ({ ...failover(...members), trickle: '1%' });
const eu = { match: { continents: ['EU'] }, use: 'a' };

const REACH = 'Nothing can reach this member';
const NOT_DOWN = 'one before it is never down, for nothing probes it';

for (const [title, rows] of Object.entries({
	'a branch that nothing can reach': [
		{ name: 'behind a pool that is probed', policy: failover('a', 'b'), says: [] },
		{
			name: 'behind a pool that nothing probes',
			policy: failover('a', 'still', 'b'),
			says: [`names.www.policy.members[2]: ${REACH}: ${NOT_DOWN}`],
		},
		{
			name: 'behind a policy that is never down',
			policy: failover(weighted(['still', 1], ['a', 1]), 'b'),
			says: [`names.www.policy.members[1]: ${REACH}: ${NOT_DOWN}`],
		},
		{ name: 'behind a pool that is drained', policy: failover('drained', 'b'), says: [] },
		{
			name: 'behind a pool that an operator holds up',
			policy: failover('held', 'b'),
			says: [`names.www.policy.members[1]: ${REACH}: ${NOT_DOWN}`],
		},
		{ name: 'behind a pool that one family passes over', policy: failover('pass', 'b'), says: [] },
		{ name: 'that a trickle reaches', policy: trickling('still', 'a'), says: [] },
		{
			name: 'the same again',
			policy: failover('a', 'b', 'a'),
			says: [`names.www.policy.members[2]: ${REACH}: members[0] is the same`],
		},
		{
			name: 'weight 0 beside what is never down',
			policy: weighted(['a', 0], ['still', 1]),
			says: [
				`names.www.policy.members[0]: ${REACH}: weight 0 serves when the others are down, and nothing probes members[1]`,
			],
		},
		{ name: 'weight 0 beside what may be down', policy: weighted(['a', 0], ['b', 1]), says: [] },
		{ name: 'behind geo that leaves some without', policy: failover(geo([eu]), 'b'), says: [] },
	],
	'a type that answers some and not others': [
		{ name: 'every type everywhere', policy: weighted(['a', 1], ['b', 1]), says: [] },
		{
			name: 'one family here, another there',
			policy: weighted(['v4', 1], ['v6', 1]),
			says: [
				'names.www: Type A answers some clients and gives others NODATA: v6 has none to give',
				'names.www: Type AAAA answers some clients and gives others NODATA: v4 has none to give',
			],
		},
		{ name: 'one family nowhere', policy: failover('v4', 'v4b'), says: [] },
		{ name: 'only behind what is up first', policy: failover('a', 'v4'), says: [] },
		{ name: 'a pool that is passed over', policy: failover('pass', 'a'), says: [] },
		{
			name: 'geo without a default',
			policy: geo([eu]),
			says: ['A', 'AAAA'].map(
				(type) => `names.www: Type ${type} answers some clients and gives others NODATA: a geo policy has no default`,
			),
		},
		{ name: 'geo without a default, and something behind it', policy: failover(geo([eu]), 'b'), says: [] },
		{
			name: 'nothing for anybody',
			policy: failover('drained'),
			says: ['names.www: Nobody gets an answer: all that this name reaches is switched off or matches no client'],
		},
		{ name: 'a union with a member that has it', policy: { kind: 'all', members: ['v4', 'v6'] }, says: [] },
	],
	'round-trip times that nobody measures': [
		{ name: 'of pools that are probed', policy: latency('a', 'still'), says: [] },
		{
			name: 'of none',
			policy: latency('still', 'still2'),
			says: ['names.www.policy: Nothing measures a round-trip time here: no pool that this reaches has a monitor'],
		},
	],
})) {
	describe(`warnings of ${title}:`, () => {
		const pools = {
			drained: still('d', { state: 'drain' }),
			held: pool('u', { state: 'up' }),
			pass: still('p:4', { noAddress: 'pass' }),
			v4b: pool('k:4'),
			still2: still('t'),
		};
		for (const { name, policy, says } of rows) {
			it(name, () => assert.deepEqual(warningsFor(policy, pools), says));
		}
	});
}

describe('warnings of what nobody uses', () => {
	it('names pools and policies that nothing refers to, and not what only those use', () => {
		const zone = {
			pools: { a: pool('a'), b: pool('b'), c: pool('c') },
			policies: { used: failover('a'), idle: failover('b') },
			names: { www: { policy: 'used' } },
		};
		assert.deepEqual(warningsOf(compile({ zone })), [
			'example.org. pools.c: Nobody uses the pool "c"',
			'example.org. policies.idle: Nobody uses the policy "idle"',
		]);
	});

	it('counts the uses of common by every zone', () => {
		const common = { pools: { shared: still('s'), lost: still('l') } };
		const zone = { names: { www: { policy: 'shared' } } };
		assert.deepEqual(warningsOf(compile({ zone, common })), ['common pools.lost: Nobody uses the pool "lost"']);
	});
});

describe('warnings of networks', () => {
	it('name prefixes whose addresses are looked up as the IPv4 addresses in them', () => {
		const inside = ['2002:c000:204::/48', '64:ff9b::/96', '::ffff:192.0.2.0/120', '2001::/32'];
		const around = ['2000::/3', '2001::/16', '64:ff9b:1::/48', '192.0.2.0/24'];
		const zone = { networks: { n: [...inside, ...around] }, pools: { a: pool('a') }, names: { www: { policy: 'a' } } };
		const because = (carrier: string) => `its addresses (${carrier}) are looked up as the IPv4 addresses in them`;
		assert.deepEqual(warningsOf(compile({ zone })), [
			`example.org. networks.n[0]: Nothing can be in 2002:c000:204::/48: ${because('6to4')}`,
			`example.org. networks.n[1]: Nothing can be in 64:ff9b::/96: ${because('NAT64')}`,
			`example.org. networks.n[2]: Nothing can be in ::ffff:192.0.2.0/120: ${because('mapped')}`,
			`example.org. networks.n[3]: Nothing can be in 2001::/32: ${because('Teredo')}`,
		]);
	});
});

describe('a warning', () => {
	const dead = geo([{ match: { countries: ['FR'] }, use: 'a' }], 'b');
	const data = geoDataOf({ '1.0.0.0/8': { country: 'DE', continent: 'EU' } });
	for (const { name, policy } of [
		{ name: 'a geo policy around it', policy: geo([eu], dead) },
		{ name: 'a proximity policy around it', policy: { kind: 'proximity', members: [{ use: dead, region: 'here' }] } },
		{ name: 'both', policy: geo([], { kind: 'proximity', members: [{ use: dead, region: 'here' }] }) },
	]) {
		it(`inside keeps ${name} in service`, () => {
			const zone = { regions: { here: { latitude: 0, longitude: 0 } }, pools: POOLS, names: { www: { policy } } };
			const compiled = compile({ zone, geo: data });
			assert.deepEqual(
				compiled.names.map(({ owner }) => owner),
				['www'],
			);
			assert.equal(warningsOf(compiled).filter((text) => text.includes('Nothing can reach this rule')).length, 1);
		});
	}
});

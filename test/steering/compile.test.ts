import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MergeCache } from '../../src/steering/merge-cache.ts';
import type { GeoNode } from '../../src/steering/nodes.ts';
import { geoDataOf } from '../geo/oracle.ts';
import { compile, compileZones, failover, geo, latency, pool, problemsOf, steer, weighted } from './steer.ts';

type Keys = Readonly<Record<string, unknown>>;

const rule = (match: object, use: unknown) => ({ match, use });
const chain = (length: number) =>
	Object.fromEntries(Array.from({ length }, (_, i) => [`p${i}`, failover(i + 1 < length ? `p${i + 1}` : 'a')]));

const pools = { a: pool('a'), b: pool('b') };

const MISTAKES: readonly { name: string; zone: Keys; common?: Keys; says: readonly string[] }[] = [
	{ name: 'nothing of what is right', zone: { pools, names: { www: { policy: failover('a', 'b') } } }, says: [] },
	{
		name: 'a policy that is not there, with those that are',
		zone: { pools, names: { www: { policy: 'c' } } },
		common: { policies: { world: failover('z') }, pools: { z: pool('z', { monitor: undefined }) } },
		says: ['example.org. names.www.policy: Cannot find a pool or policy "c": there are a, b, z, world'],
	},
	{
		name: 'each of several, where it stands',
		zone: { policies: { p: failover('x', weighted(['y', 1])), q: geo([rule({ countries: ['DE'] }, 'x')], 'y') } },
		says: ['p.members[0]', 'p.members[1].members[0].use', 'q.rules[0].use', 'q.default'].map(
			(at, i) =>
				`example.org. policies.${at}: Cannot find a pool or policy "${i % 2 === 0 ? 'x' : 'y'}": there are p, q`,
		),
	},
	{
		name: 'a zone’s name in common, which does not see zones',
		zone: { pools },
		common: { policies: { world: failover('a') } },
		says: ['common policies.world.members[0]: Cannot find a pool or policy "a": there are world'],
	},
	{
		name: 'a mistake once, however many use what has it',
		zone: {
			policies: { p: failover('x'), q: failover('p'), r: failover('q', 'p') },
			names: { www: { policy: 'r' } },
		},
		says: ['example.org. policies.p.members[0]: Cannot find a pool or policy "x": there are p, q, r'],
	},
	{
		name: 'a policy that uses itself',
		zone: { policies: { p: failover('p') } },
		says: ['example.org. policies.p.members[0]: Cannot use "p" here: it leads back to itself (p -> p)'],
	},
	{
		name: 'a cycle, once',
		zone: { pools, policies: { p: failover('a', 'q'), q: weighted(['r', 1]), r: geo([], latency('p')) } },
		says: [
			'example.org. policies.r.default.members[0]: Cannot use "p" here: it leads back to itself (p -> q -> r -> p)',
		],
	},
	{
		name: 'a cycle in common',
		zone: { names: { www: { policy: 'p' } } },
		common: { policies: { p: failover('q'), q: failover('p') } },
		says: ['common policies.q.members[0]: Cannot use "p" here: it leads back to itself (p -> q -> p)'],
	},
	{ name: 'no depth of 16', zone: { pools, policies: chain(16) }, says: [] },
	{
		name: 'a depth of 17 by names',
		zone: { pools, policies: chain(17) },
		says: ['example.org. policies.p16: Cannot nest policies deeper than 16'],
	},
	{
		name: 'a depth of 17 whatever was compiled first',
		zone: { pools, policies: Object.fromEntries(Object.entries(chain(17)).reverse()) },
		says: ['example.org. policies.p0: Cannot nest policies deeper than 16'],
	},
	{
		name: 'a depth of 17 by a policy in a name',
		zone: { pools, policies: chain(16), names: { www: { policy: latency('p0') } } },
		says: ['example.org. names.www.policy: Cannot nest policies deeper than 16'],
	},
	{
		name: 'a pool and a policy of one name',
		zone: { pools, policies: { a: failover('b') } },
		says: ['example.org. policies.a: Cannot use the name "a" for a pool and a policy'],
	},
	{
		name: 'names that common has too',
		zone: {
			pools,
			policies: { q: failover('a') },
			monitors: { web: { kind: 'tcp' } },
			networks: { n: ['10.0.0.0/8'] },
			places: { x: { countries: ['DE'] } },
		},
		common: {
			pools: { q: pool('z', { monitor: undefined }) },
			policies: { b: failover('q') },
			monitors: { web: { kind: 'tcp' } },
			networks: { n: ['10.0.0.0/8'] },
			places: { x: { countries: ['FR'] } },
		},
		says: ['monitors.web', 'networks.n', 'places.x', 'pools.b', 'policies.q'].map(
			(at) => `example.org. ${at}: Cannot define "${at.split('.')[1]}" here: common defines it too`,
		),
	},
	{
		name: 'a region twice, which is global',
		zone: { regions: { eu: { latitude: 0, longitude: 0 } } },
		common: { regions: { eu: { latitude: 1, longitude: 1 } } },
		says: ['example.org. regions.eu: Cannot define the region "eu" twice: regions are global'],
	},
	{
		name: 'countries that are none, in a rule and in a place',
		zone: {
			pools,
			places: { odd: { countries: ['DE', 'ZZ'] } },
			policies: { p: geo([rule({ countries: ['FR', 'UK'] }, 'a')], 'b') },
		},
		says: [
			'example.org. places.odd.countries[1]: Cannot find the country "ZZ": expected an ISO 3166 country code',
			'example.org. policies.p.rules[0].match.countries[1]: Cannot find the country "UK": did you mean GB?',
		],
	},
	{
		name: 'a region that is not there',
		zone: { pools: { a: pool('a', { region: 'moon' }) } },
		says: ['example.org. pools.a.region: Cannot find the region "moon": there are none'],
	},
	{
		name: 'a voting region that is not there',
		zone: { monitors: { web: { kind: 'tcp', from: ['eu', 'moon'] } } },
		common: { regions: { eu: { latitude: 0, longitude: 0 } } },
		says: ['example.org. monitors.web.from[1]: Cannot find the region "moon": there are eu'],
	},
	{
		name: 'monitors that are not there',
		zone: { pools: { a: pool('a', { monitor: 'web' }), b: pool('b', { monitor: ['m', 'web'] }) } },
		says: [
			'example.org. pools.a.monitor: Cannot find the monitor "web": there are m, n, r',
			'example.org. pools.b.monitor[1]: Cannot find the monitor "web": there are m, n, r',
		],
	},
	{
		name: 'a check without a port, once for each endpoint',
		zone: {
			monitors: { bare: { kind: 'tcp' } },
			pools: { a: pool('a b', { monitor: 'bare' }, { b: { check: { port: 5 } } }) },
		},
		says: ['example.org. pools.a.endpoints[0]: Cannot check "a" with "bare": neither has a port'],
	},
	{
		name: 'networks and places that are not there',
		zone: { pools, policies: { p: geo([rule({ networks: ['office'], places: ['nordics'] }, 'a')]) } },
		says: [
			'example.org. policies.p.rules[0].match.networks[0]: Cannot find the networks "office": there are none',
			'example.org. policies.p.rules[0].match.places[0]: Cannot find the place "nordics": there are none',
		],
	},
	{
		name: 'prefixes that are none, used or not',
		zone: { networks: { n: ['10.0.0.0/8', '10.0.0.1/8', 'x'] } },
		says: [
			'example.org. networks.n[1]: Cannot use "10.0.0.1/8": it has bits set behind the prefix, expected 10.0.0.0/8',
			'example.org. networks.n[2]: Cannot read "x" as a prefix: expected an IPv4 or IPv6 address, then /length',
		],
	},
	{
		name: 'places that two rules claim, by whichever name',
		zone: {
			pools,
			networks: { n: ['10.0.0.0/8', '2001:db8::/32'], o: ['2001:DB8:0::/32'] },
			places: { nordics: { countries: ['SE'], asns: [7] } },
			policies: {
				p: geo([
					rule({ places: ['nordics'], networks: ['n'], continents: ['EU'], subdivisions: ['US-CA'] }, 'a'),
					rule({ countries: ['SE'], asns: [7], networks: ['o'], continents: ['EU'], subdivisions: ['US-CA'] }, 'b'),
				]),
			},
		},
		says: ['2001:db8::/32', 'asn 7', 'subdivision US-CA', 'country SE', 'continent EU'].map(
			(what, i) =>
				`example.org. policies.p.rules[1].match${i === 0 ? '.networks[0]' : ''}: ` +
				`Cannot claim ${what} here: rules[0] of this policy claims it already`,
		),
	},
	{
		name: 'nothing of one rule that claims a place twice',
		zone: {
			pools,
			places: { x: { countries: ['SE'] } },
			policies: { p: geo([rule({ places: ['x'], countries: ['SE', 'SE'] }, 'a')]) },
		},
		says: [],
	},
	{
		name: 'nothing of prefixes in one another',
		zone: {
			pools,
			networks: { n: ['10.0.0.0/8'], o: ['10.1.0.0/16'] },
			policies: { p: geo([rule({ networks: ['n'] }, 'a'), rule({ networks: ['o'] }, 'b')]) },
		},
		says: [],
	},
];

describe('compileSteering() reports', () => {
	for (const { name, zone, common = {}, says } of MISTAKES) {
		it(name, () => assert.deepEqual(problemsOf(compile({ zone, common })), says));
	}

	it('a chain of 5,000 policies without running out of stack', () => {
		const problems = problemsOf(compile({ zone: { pools, policies: chain(5000) } }));
		assert.ok(problems.length > 0);
		assert.ok(problems.every((problem) => problem.endsWith('Cannot nest policies deeper than 16')));
	});

	it('one region of two zones', () => {
		const value = { regions: { eu: { latitude: 0, longitude: 0 } } };
		const zones = ['a.', 'b.'].map((unit) => ({ unit, value }));
		assert.deepEqual(problemsOf(compileZones(zones, {})), [
			'b. regions.eu: Cannot define the region "eu" twice: regions are global',
		]);
	});

	it('nothing of one short name in two zones, each its own', () => {
		const zones = ['a.', 'b.'].map((unit) => ({
			unit,
			value: { pools: { eu: pool('a', { monitor: undefined }) }, names: { www: { policy: 'eu' } } },
		}));
		const { table, problems } = compileZones(zones, {});
		assert.deepEqual(
			problems.filter(({ isWarning }) => !isWarning),
			[],
		);
		assert.notEqual(table.names[0]?.root, table.names[1]?.root);
	});
});

describe('compileSteering() makes', () => {
	it('a zone’s pool from common, and a region for all', () => {
		const { problems, table } = compile({
			zone: {
				pools: { p: pool('a', { monitor: 'web', region: 'eu' }) },
				names: { www: { policy: failover('p', 'shared') } },
			},
			common: {
				regions: { eu: { latitude: 0, longitude: 0 } },
				monitors: { web: { kind: 'tcp', port: 1 } },
				pools: { shared: pool('z', { monitor: 'web' }) },
			},
		});
		assert.deepEqual(
			problems.filter(({ isWarning }) => !isWarning),
			[],
		);
		assert.deepEqual(
			table.nodes.map(({ kind, name }) => `${kind} ${name}`),
			['pool common shared', 'pool example.org. p', 'failover example.org. names.www.policy'],
		);
	});

	const tcp = (keys: Keys = {}) => ({ kind: 'tcp', port: 80, ...keys });
	for (const { name, monitors = {}, pools: own, targets } of [
		{ name: 'one target of equal checks in two pools', pools: { p: pool('a:4'), q: pool('a:4 b:4') }, targets: 2 },
		{
			name: 'one target of two monitors with equal content',
			monitors: { x: tcp(), y: tcp() },
			pools: { p: pool('a:4', { monitor: ['x', 'y'] }) },
			targets: 1,
		},
		{ name: 'two targets of two ports', pools: { p: pool('a:4', { monitor: ['m', 'n'] }) }, targets: 2 },
		{
			name: 'two targets of two thresholds',
			monitors: { x: tcp({ fall: 2 }) },
			pools: { p: pool('a:4', { monitor: ['m', 'x'] }) },
			targets: 2,
		},
		{ name: 'a target for each address', pools: { p: pool('a:46 b:44') }, targets: 4 },
		{
			name: 'one target for all addresses that are checked elsewhere',
			pools: { p: pool('a:46', {}, { a: { check: { address: '10.0.0.1' } } }) },
			targets: 1,
		},
		{ name: 'no target without a monitor', pools: { p: pool('a b', { monitor: undefined }) }, targets: 0 },
		{
			name: 'one target of an address in two spellings',
			pools: {
				p: pool('a:6', {}, { a: { addresses: ['2001:db8::1'] } }),
				q: pool('b:6', {}, { b: { addresses: ['2001:DB8:0::1'] } }),
			},
			targets: 1,
		},
	] as readonly { name: string; monitors?: Keys; pools: Keys; targets: number }[]) {
		it(name, () => {
			const compiled = compile({ zone: { monitors, pools: own } });
			assert.deepEqual(problemsOf(compiled), []);
			assert.equal(compiled.targets.length, targets);
			assert.equal(compiled.table.targetCount, targets);
			assert.equal(new Set(compiled.targets.map(({ key }) => key)).size, targets);
		});
	}

	it('a table that crosses to a worker as it is', () => {
		const zone = {
			networks: { n: ['1.0.0.0/8'] },
			pools: { a: pool('a'), b: pool('b') },
			names: { www: { policy: geo([rule({ networks: ['n'] }, latency('a', 'b'))], weighted(['a', 1])), ttl: '1m' } },
		};
		const { table } = compile({ zone });
		assert.deepEqual(structuredClone(table), table);
		assert.deepEqual(table.names, [{ name: 'example.org. www', root: table.nodes.length - 1, ttlSec: 60 }]);
	});
});

describe('MergeCache', () => {
	const data = geoDataOf({ '1.0.0.0/8': { country: 'DE' } });
	const zoneOf = (weight: number, match: object = { countries: ['DE'] }) => ({
		pools: { a: pool('a', {}, { a: { weight } }), b: pool('b') },
		policies: { p: geo([rule(match, weighted(['a', weight], ['b', 1]))], 'b') },
		names: { www: { policy: 'p' } },
	});
	/** The geo node of a build, which is followed by a sweep as every build is. */
	function build(merges: MergeCache, zone: Keys, geoData = data): GeoNode {
		const { table, problems } = compile({ zone, geo: geoData, merges });
		assert.deepEqual(
			problems.filter(({ isWarning }) => !isWarning),
			[],
		);
		merges.sweep();
		return table.nodes.find((node) => node.kind === 'geo') ?? assert.fail();
	}

	for (const { name, next, data: nextData = data, isKept } of [
		{ name: 'keeps the ranges when a weight changes', next: zoneOf(2), isKept: true },
		{
			name: 'keeps them when a pool is added before',
			next: { ...zoneOf(1), pools: { z: pool('z'), ...zoneOf(1).pools } },
			isKept: true,
		},
		{ name: 'merges anew when a rule changes', next: zoneOf(1, { countries: ['FR'] }), isKept: false },
		{
			name: 'merges anew with another database',
			next: zoneOf(1),
			data: geoDataOf({ '2.0.0.0/8': { country: 'DE' } }),
			isKept: false,
		},
	]) {
		it(name, () => {
			const merges = new MergeCache();
			const before = build(merges, zoneOf(1));
			const after = build(merges, next, nextData);
			assert.equal(after.decisions === before.decisions, isKept);
		});
	}

	it('shares the ranges of policies with equal rules, which keep their own members', () => {
		const zone = {
			pools: { a: pool('a'), b: pool('b'), c: pool('c'), d: pool('d') },
			policies: { p: geo([rule({ countries: ['DE'] }, 'a')], 'b'), q: geo([rule({ countries: ['DE'] }, 'c')], 'd') },
			names: { p: { policy: 'p' }, q: { policy: 'q' } },
		};
		const world = steer({ zone, geo: data });
		const nodes = world.compiled.table.nodes.filter((node) => node.kind === 'geo');
		assert.equal(nodes[0]?.decisions, nodes[1]?.decisions);
		assert.deepEqual(
			['p', 'q'].map((name) => world.ask(name, { client: '1.1.1.1' })),
			['a', 'c'],
		);
		assert.deepEqual(
			['p', 'q'].map((name) => world.ask(name)),
			['b', 'd'],
		);
	});

	it('tells rules apart that use one member from those that use two', () => {
		const two = [rule({ countries: ['DE'] }, 'a'), rule({ countries: ['FR'] }, 'b')];
		const one = [rule({ countries: ['DE'] }, 'a'), rule({ countries: ['FR'] }, 'a')];
		const both = geoDataOf({ '1.0.0.0/8': { country: 'DE' }, '2.0.0.0/8': { country: 'FR' } });
		const merges = new MergeCache();
		const zone = (rules: readonly unknown[]) => ({
			pools: { a: pool('a'), b: pool('b') },
			policies: { p: geo(rules) },
		});
		assert.equal(build(merges, zone(two), both).rankings.length, 3);
		assert.equal(build(merges, zone(one), both).rankings.length, 2);
	});

	it('forgets what a build has not used', () => {
		const merges = new MergeCache();
		const first = build(merges, zoneOf(1));
		build(merges, zoneOf(1, { countries: ['FR'] }));
		assert.notEqual(build(merges, zoneOf(1)).decisions, first.decisions);
	});
});

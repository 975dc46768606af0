/**
 * An explanation tells the answer that would be given, what it hung on, and nothing that was not so.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ExplainQuestion, explain } from '../../src/explain/explain.ts';
import type { Explanation, NodeExplanation } from '../../src/explain/explanation.ts';
import { printExplanation } from '../../src/explain/print.ts';
import { createHealthWords, VERDICT_WORD, WORD, wordWith } from '../../src/health/verdict-table.ts';
import type { Chance } from '../../src/lib/ports.ts';
import { build } from '../../src/snapshot/build.ts';
import { contextOf, type ResponderSpec, responderOf, unitsOf } from '../serve/responder-of.ts';

const endpoint = (name: string, address: string, more: object = {}) => ({ name, addresses: [address], ...more });
const europe = { coordinates: { latitude: 50, longitude: 9, precision: 'database' as const } };

const SPEC: ResponderSpec = {
	zones: [
		{
			apex: 'example.org.',
			text: 'static A 192.0.2.80\nalias CNAME www\nsub NS ns.sub\nns.sub A 192.0.2.53\n',
			steering: {
				regions: { 'eu-west': { latitude: 53.3, longitude: -6.3 }, 'us-east': { latitude: 39, longitude: -77.5 } },
				networks: { office: ['203.0.113.0/24'] },
				monitors: { tcp: { kind: 'tcp', port: 80 } },
				pools: {
					eu: {
						region: 'eu-west',
						monitor: 'tcp',
						endpoints: [
							endpoint('eu-1', '192.0.2.1', { weight: 3 }),
							endpoint('eu-2', '192.0.2.2', { state: 'drain' }),
						],
					},
					us: { region: 'us-east', monitor: 'tcp', endpoints: [endpoint('us-1', '192.0.2.11')] },
					own: { endpoints: [endpoint('own-1', '192.0.2.21')] },
					slow: { monitor: 'tcp', rampUp: '60s', endpoints: [endpoint('new-1', '192.0.2.31', { weight: 4 })] },
					cdn: { endpoints: [{ name: 'cdn-a', cname: 'static.example.org.' }] },
				},
				policies: {
					world: {
						kind: 'geo',
						rules: [
							{ match: { networks: ['office'] }, use: 'own' },
							{ match: { countries: ['DE'] }, use: { kind: 'failover', members: ['eu', 'us'] } },
						],
						default: 'us',
					},
				},
				names: {
					www: { policy: 'world', ttl: '60s' },
					near: { policy: { kind: 'proximity', members: ['us', { use: 'eu', bias: 10 }] } },
					fast: { policy: { kind: 'latency', members: ['us', 'eu'] } },
					drawn: {
						policy: {
							kind: 'weighted',
							members: [
								{ use: 'eu', weight: 3 },
								{ use: 'us', weight: 1 },
							],
						},
					},
					both: { policy: { kind: 'all', members: ['eu', 'us'] } },
					shop: { policy: 'cdn' },
					slow: { policy: 'slow' },
				},
			},
		},
	],
	geo: { '198.51.100.0/24': { country: 'DE', continent: 'EU', ...europe }, '2.0.0.0/8': { country: 'DE', ...europe } },
};

/** A world of its own for each test, in which some addresses are down. */
function worldOf(down: readonly string[] = [], draw = 0, stale: readonly string[] = []) {
	const context = contextOf(SPEC);
	const { snapshot, geoNotes } = build(unitsOf(SPEC), context);
	assert.ok(snapshot !== undefined);
	const health = createHealthWords(snapshot.targets.length);
	for (const [i, { address }] of snapshot.targets.entries())
		health.verdicts[i] =
			(down.includes(address) ? VERDICT_WORD.down : VERDICT_WORD.up) | (stale.includes(address) ? WORD.stale : 0);
	const chance: Chance = { below: (bound) => Math.floor(draw * bound) };
	const sources = {
		snapshot,
		geoNotes,
		geo: context.geo,
		databases: [{ ...context.geo, path: 'test.mmdb' }],
		health,
		slots: Int32Array.from(snapshot.targets.keys()),
		chance,
		vantages: [],
		noteOf: () => 'refused: ECONNREFUSED',
	};
	const targetOf = (address: string) => snapshot.targets.findIndex((target) => target.address === address);
	const ask = (question: Partial<ExplainQuestion>): Explanation => {
		const all = { name: 'www.example.org.', type: 'A', client: undefined, resolver: '192.0.2.53', ...question };
		const explanation = explain(sources, all);
		if (typeof explanation === 'string') assert.fail(explanation);
		return explanation;
	};
	return Object.assign(ask, { health, targetOf });
}

describe('explain() on stale votes', () => {
	it('says that the last known state decides', () => {
		const explanation = worldOf([], 0, ['192.0.2.1'])({ client: '2.1.0.0/16' });
		assert.deepEqual(
			explanation.decisions.map(({ isStale }) => isStale),
			[true],
		);
		assert.match(printExplanation(explanation), /TTL 60 s\nno fresh health checks: the last known state decides\n/);
		assert.deepEqual(
			worldOf([], 0, ['192.0.2.11'])({ client: '2.1.0.0/16' }).decisions.map(({ isStale }) => isStale),
			[false],
		);
	});
});

describe('explain() on a slow start', () => {
	it('tells how much of its weight an endpoint has', () => {
		const world = worldOf();
		const text = () => printExplanation(world({ name: 'slow.example.org.' }));
		assert.match(text(), /^ *> new-1, weight 4: 192\.0\.2\.31 up/m);
		world.health.verdicts[world.targetOf('192.0.2.31')] = wordWith('up', { upForMs: 30_000 });
		assert.match(text(), /^ *> new-1, weight 4, of which 55 % so far: 192\.0\.2\.31 up/m);
		world.health.verdicts[world.targetOf('192.0.2.31')] = VERDICT_WORD.down;
		assert.match(text(), /^ *> new-1, weight 4 \(down\): 192\.0\.2\.31 down/m);
	});
});

describe('explain() on regional health', () => {
	const spec: ResponderSpec = {
		vantages: ['eu-west', 'us-east'],
		geo: { '85.0.0.0/8': europe },
		zones: [
			{
				apex: 'example.org.',
				text: '',
				steering: {
					regions: { 'eu-west': { latitude: 53.3, longitude: -6.3 }, 'us-east': { latitude: 39, longitude: -77.5 } },
					monitors: { tcp: { kind: 'tcp', port: 80, regional: true } },
					pools: { p: { monitor: 'tcp', endpoints: [endpoint('a', '192.0.2.1'), endpoint('b', '192.0.2.2')] } },
					names: { www: { policy: 'p' } },
				},
			},
		],
	};

	it('tells whose verdicts the client sees', () => {
		const context = contextOf(spec);
		const { snapshot, geoNotes } = build(unitsOf(spec), context);
		assert.ok(snapshot !== undefined);
		const health = createHealthWords(2, 2);
		health.verdicts.fill(VERDICT_WORD.up | WORD.regional);
		health.regional[0] = VERDICT_WORD.down;
		const sources = {
			...{ snapshot, geoNotes, geo: context.geo, databases: [], health, vantages: context.vantages },
			...{ slots: Int32Array.of(0, 1), chance: { below: () => 0 }, noteOf: () => undefined },
		};
		const explanation = explain(sources, {
			...{ name: 'www.example.org.', type: 'A', client: '85.1.0.0/16', resolver: '192.0.2.53' },
		});
		if (typeof explanation === 'string') assert.fail(explanation);
		const text = printExplanation(explanation);
		assert.match(text, /health as seen from eu-west, where that has a verdict of its own\n/);
		assert.match(text, /a, weight 1 \(down\): 192\.0\.2\.1 down/);
		assert.match(text, /> b, weight 1: 192\.0\.2\.2 up/);
	});
});

describe('explain() in words', () => {
	for (const { name, question, down = [], says } of [
		{
			name: 'a match, its place, and what was not needed',
			question: { client: '2.1.0.0/16' },
			says: `
				www.example.org. A  for client 2.1.0.0/16 (resolver 192.0.2.53)
				NOERROR, authoritative, scope /8
				  www.example.org. 60 IN A 192.0.2.1

				example.org. www: up, gives 192.0.2.1, TTL 60 s
				geo world: up
				  the client is in DE, at 50 9
				  > country DE: failover policies.world.rules.1.use: up
				      > pool eu: up
				          1 of 1 healthy, 1 needed
				          > eu-1, weight 3: 192.0.2.1 up (tcp 192.0.2.1:80 up, refused: ECONNREFUSED)
				            eu-2: drained by an operator
				        us: not needed: example.org. eu is up
				    default: us: not needed: example.org. policies.world.rules.1.use is up
			`,
		},
		{
			name: 'a network, which is more specific than any place',
			question: { client: '203.0.113.9' },
			says: `
				www.example.org. A  for client 203.0.113.9/32 (resolver 192.0.2.53)
				NOERROR, authoritative, scope /24
				  www.example.org. 60 IN A 192.0.2.21

				example.org. www: up, gives 192.0.2.21, TTL 60 s
				geo world: up
				  the client is at no known place
				  > network office 203.0.113.0/24: pool own: up
				      1 of 1 healthy, 1 needed
				      > own-1, weight 1: 192.0.2.21 up (not probed)
				    default: us: not needed: example.org. own is up
			`,
		},
		{
			name: 'what is down, and the halved TTL',
			question: { client: '2.1.0.0/16' },
			down: ['192.0.2.1'],
			says: `
				www.example.org. A  for client 2.1.0.0/16 (resolver 192.0.2.53)
				NOERROR, authoritative, scope /8
				  www.example.org. 30 IN A 192.0.2.11

				example.org. www: up, gives 192.0.2.11, TTL 30 s, halved from 60 s: something probed is down
				geo world: up
				  the client is in DE, at 50 9
				  > country DE: failover policies.world.rules.1.use: up
				        pool eu: down
				          0 of 1 healthy, 1 needed
				            eu-1, weight 3 (down): 192.0.2.1 down (tcp 192.0.2.1:80 down, refused: ECONNREFUSED)
				            eu-2: drained by an operator
				      > pool us: up
				          1 of 1 healthy, 1 needed
				          > us-1, weight 1: 192.0.2.11 up (tcp 192.0.2.11:80 up, refused: ECONNREFUSED)
				    default: us: not needed: example.org. policies.world.rules.1.use is up
			`,
		},
		{
			name: 'distances',
			question: { name: 'near.example.org.', client: '2.1.0.0' },
			says: `
				near.example.org. A  for client 2.1.0.0/32 (resolver 192.0.2.53)
				NOERROR, authoritative, scope /8
				  near.example.org. 30 IN A 192.0.2.1

				example.org. near: up, gives 192.0.2.1, TTL 30 s
				proximity names.near.policy: up
				  the client is in DE, at 50 9
				  > 1115 km, bias 10: pool eu: up
				      1 of 1 healthy, 1 needed
				      > eu-1, weight 3: 192.0.2.1 up (tcp 192.0.2.1:80 up, refused: ECONNREFUSED)
				        eu-2: drained by an operator
				    6579 km: us: not needed: example.org. eu is up
			`,
		},
		{
			name: 'a CNAME that a policy picked',
			question: { name: 'shop.example.org.' },
			says: `
				shop.example.org. A  for resolver 192.0.2.53
				NOERROR, authoritative
				  shop.example.org. 30 IN CNAME static.example.org.
				  static.example.org. 300 IN A 192.0.2.80

				example.org. shop: up, gives CNAME static.example.org., TTL 30 s
				pool cdn: up
				  1 of 1 healthy, 1 needed
				  > cdn-a, weight 1: static.example.org. up (not probed)

				Then: the zone file has it.
			`,
		},
		{
			name: 'a name that no policy has',
			question: { name: 'nix.example.org.' },
			says: `
				nix.example.org. A  for resolver 192.0.2.53
				NXDOMAIN, authoritative
				  example.org. 60 IN SOA ns.invalid. host.invalid. 1 3600 900 604800 60  (authority)
				test.mmdb: 192.0.2.0/24 is at no known place

				Then: the zone has no such name.
			`,
		},
	]) {
		it(name, () => {
			const text = printExplanation(worldOf(down)(question));
			const expected = says.replaceAll(/^\t{4}/gm, '').trim();
			assert.deepEqual(withoutDatabases(text).split('\n'), withoutDatabases(expected).split('\n'));
		});
	}
});

/** What databases say has its own rows. */
function withoutDatabases(text: string): string {
	return text.replaceAll(/^test\.mmdb: .*\n/gm, '');
}

describe('explain()', () => {
	for (const { question, says } of [
		{ question: { name: `${'a'.repeat(64)}.example.org.` }, says: /label/ },
		{ question: { type: 'NOPE' }, says: /Cannot ask for type "NOPE"/ },
		{ question: { client: 'nowhere' }, says: /Cannot use "nowhere" as the client/ },
		{ question: { client: '192.0.2.0/33' }, says: /192\.0\.2\.0\/33/ },
		{ question: { resolver: 'x' }, says: /Cannot use "x" as the resolver/ },
	]) {
		it(`refuses ${JSON.stringify(question)}`, () => {
			const all = { name: 'www.example.org.', type: 'A', client: undefined, resolver: '192.0.2.53', ...question };
			const context = contextOf(SPEC);
			const { snapshot, geoNotes } = build(unitsOf(SPEC), context);
			assert.ok(snapshot !== undefined);
			const health = createHealthWords(snapshot.targets.length);
			const chance = { below: () => 0 };
			const slots = Int32Array.from(snapshot.targets.keys());
			const rest = { databases: [], vantages: [], noteOf: () => undefined };
			const said = explain({ snapshot, geoNotes, geo: context.geo, health, slots, chance, ...rest }, all);
			assert.ok(typeof said === 'string');
			assert.match(said, says);
		});
	}

	const names = ['www', 'near', 'fast', 'drawn', 'both', 'shop', 'static', 'alias', 'nix', 'x.sub', '@'];
	const asked = fc.record({
		name: fc.constantFrom(...names.map((name) => (name === '@' ? 'example.org.' : `${name}.example.org.`))),
		type: fc.constantFrom('A', 'AAAA', 'TXT', 'SOA', 'CNAME'),
		client: fc.option(fc.constantFrom('2.1.0.0/16', '203.0.113.7/32', '8.8.8.0/24', '2001:db8::/56', '0.0.0.0/0')),
		down: fc.subarray(['192.0.2.1', '192.0.2.11']),
		draw: fc.constantFrom(0, 0.3, 0.6, 0.99),
	});

	it('gives the answer that a query gets, and says of its pick that it was picked', () => {
		fc.assert(
			fc.property(asked, ({ name, type, client, down, draw }) => {
				const explanation = worldOf(down, draw)({ name, type, client: client ?? undefined });
				const responder = responderOf(SPEC);
				for (const address of ['192.0.2.1', '192.0.2.11'])
					responder.setHealth(address, down.includes(address) ? 'down' : 'up');
				responder.draw = draw;
				const message = responder.ask({ name, type, edns: client === null ? {} : { subnet: client } });
				assert.equal(explanation.rcode, message.rcode);
				const records = message.answer.map(
					(record) => `${record.name} ${record.ttlSec} IN ${record.type} ${record.rdataText}`,
				);
				assert.deepEqual(explanation.answer, records);
				if (client !== null) assert.equal(explanation.scope, message.opt?.subnet?.scope);
				for (const decision of explanation.decisions) {
					const isDrawn = !['NODATA', 'SERVFAIL'].includes(decision.gives);
					assert.equal(pickedOf(decision.root).length > 0, isDrawn);
				}
			}),
			{ numRuns: 300 },
		);
	});

	it('leaves the last winners of latency as they were', () => {
		const responder = responderOf(SPEC);
		const before = responder.snapshot.steering.latencyMemory.slice();
		worldOf()({ name: 'fast.example.org.' });
		assert.deepEqual(responder.snapshot.steering.latencyMemory, before);
	});
});

function pickedOf(node: NodeExplanation): readonly string[] {
	const own = node.endpoints.filter(({ isPicked }) => isPicked).map(({ name }) => name);
	return [...own, ...node.members.flatMap((member) => (member.node === undefined ? [] : pickedOf(member.node)))];
}

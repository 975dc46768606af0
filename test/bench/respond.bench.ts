/**
 * `respond()` alone, without sockets: nanoseconds and octets allocated for each answer.
 */

import { createChance } from '../../src/lib/chance.ts';
import { createRingMemory, QueryRing } from '../../src/serve/query-ring.ts';
import { QuerySampler } from '../../src/serve/query-sampler.ts';
import { type Case, createResponder, fill, measureAnswers, makeEdnsQuery as query } from './in-process.ts';

const ZONE = `
$TTL 3600
@ SOA ns1 hostmaster 1 7200 1800 1209600 300
@ NS ns1
ns1 A 192.0.2.53
${Array.from({ length: 1000 }, (_, i) => `host${i} A 192.0.2.${i % 256}`).join('\n')}
`;

const REGIONS = {
	us: { latitude: 39, longitude: -77.5 },
	eu: { latitude: 53.3, longitude: -6.3 },
	ap: { latitude: 35.6, longitude: 139.8 },
};

/** Geo in failover in geo and so on, so many policies deep; each of them asks where the client is, or tries members. */
function nested(depth: number): object {
	const inner = depth === 1 ? 'eu' : nested(depth - 1);
	if (depth % 2 === 0) return { kind: 'failover', members: [inner, 'us'] };
	return { kind: 'geo', rules: [{ match: { continents: ['AS', 'OC'] }, use: 'ap' }], default: inner };
}

const DEPTHS = [1, 2, 4, 8, 16];

const STEERING = {
	regions: REGIONS,
	pools: Object.fromEntries(
		['us', 'eu', 'ap'].map((name, i) => [
			name,
			{
				region: name,
				monitor: 'web',
				endpoints: [1, 2].map((n) => ({ name: `${name}-${n}`, addresses: [`198.51.100.${10 * i + n}`] })),
			},
		]),
	),
	monitors: { web: { kind: 'tcp', port: 80 } },
	policies: {
		world: {
			kind: 'geo',
			rules: [
				{ match: { continents: ['NA', 'SA'] }, use: { kind: 'failover', members: ['us', 'eu'] } },
				{ match: { continents: ['EU', 'AF'] }, use: { kind: 'failover', members: ['eu', 'us'] } },
				{ match: { continents: ['AS', 'OC'] }, use: { kind: 'failover', members: ['ap', 'us'] } },
			],
			default: 'us',
		},
	},
	names: {
		www: { policy: 'world' },
		...Object.fromEntries(DEPTHS.map((depth) => [`deep${depth}`, { policy: nested(depth) }])),
		weighted: { policy: weighted('query') },
		sticky: { policy: weighted('client') },
		proximity: { policy: { kind: 'proximity', members: ['us', 'eu', 'ap'] } },
		latency: { policy: { kind: 'latency', members: ['us', 'eu', 'ap'] } },
		all: { policy: { kind: 'all', members: ['us', 'eu', 'ap'] } },
	},
};

function weighted(by: 'query' | 'client'): object {
	return { kind: 'weighted', by, members: ['us', 'eu', 'ap'].map((use, i) => ({ use, weight: i + 1 })) };
}

function cases(): readonly Case[] {
	const chance = createChance(7);
	const draw = () => chance.below(0x7fffffff);
	return [
		{ name: 'static A', rcode: 0, queries: fill((i) => query(`host${i % 1000}.example.org.`, undefined)) },
		{ name: 'NXDOMAIN', rcode: 3, queries: fill((i) => query(`nothing${i}.example.org.`, undefined)) },
		{ name: 'geo + ECS', rcode: 0, queries: fill(() => query('www.example.org.', draw)) },
		...DEPTHS.map((depth) => ({
			name: `${depth} deep + ECS`,
			rcode: 0,
			queries: fill(() => query(`deep${depth}.example.org.`, draw)),
		})),
		...['weighted', 'sticky', 'proximity', 'latency', 'all'].map((name) => ({
			name: `${name} + ECS`,
			rcode: 0,
			queries: fill(() => query(`${name}.example.org.`, draw)),
		})),
	];
}

const responder = createResponder(ZONE, STEERING);
const results = cases().map((one) => measureAnswers(responder, one));

const LOG_SHARE = 0.01;
const memory = createRingMemory();
const [written, read] = [0, 1];
const control = new Int32Array(memory, 0, 2);
const sampler = new QuerySampler(LOG_SHARE, createChance(3));
const logging = createResponder(ZONE, STEERING, { sampler, ring: new QueryRing(memory) });
for (const one of cases().slice(0, 3)) {
	// A reader that keeps up, at no cost here.
	const emptyRing = () => Atomics.store(control, read, Atomics.load(control, written));
	results.push(measureAnswers(logging, { ...one, name: `${one.name}, log` }, emptyRing));
}
process.stdout.write(`${JSON.stringify(results)}\n`);

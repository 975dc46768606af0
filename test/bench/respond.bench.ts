/**
 * `respond()` alone, without sockets: nanoseconds and octets allocated for each answer.
 *
 * It runs in a process of its own with a young generation so large that nothing is collected while it counts, so
 * what the heap has grown by is what was allocated.
 */

import { scanMasterFile } from '../../src/dns/master-file.ts';
import { lowerName, scanName } from '../../src/dns/name.ts';
import { UDP_PAYLOAD_OCTETS_MAX } from '../../src/dns/protocol.ts';
import { combineGeoData } from '../../src/geo/combine.ts';
import { readMmdbFile } from '../../src/geo/mmdb-file.ts';
import { createHealthWords, VerdictTable } from '../../src/health/verdict-table.ts';
import { type Address, parseAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import { readSteering } from '../../src/model/check-document.ts';
import { durationMs } from '../../src/model/duration.ts';
import { monitorOf } from '../../src/model/monitor.ts';
import { DEPTH_MAX } from '../../src/model/steering.ts';
import { AnswerColumnBook } from '../../src/roles/answer-columns.ts';
import { defaultGeodbPath } from '../../src/roles/geodb.ts';
import { COUNTER_COLUMNS } from '../../src/serve/counters.ts';
import { createRingMemory, QueryRing } from '../../src/serve/query-ring.ts';
import { QuerySampler } from '../../src/serve/query-sampler.ts';
import { type QueryLogging, Responder } from '../../src/serve/respond.ts';
import { World } from '../../src/snapshot/answer.ts';
import { build } from '../../src/snapshot/build.ts';
import { BuildCache } from '../../src/snapshot/build-cache.ts';
import { Holder } from '../../src/snapshot/snapshot.ts';
import { MergeCache } from '../../src/steering/merge-cache.ts';

const WARM_UP = 300_000;
const ANSWERS = 1_000_000;
const QUERIES = 4096;
const RUNS = 5;

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

interface Case {
	readonly name: string;
	readonly queries: readonly Uint8Array[];
	readonly rcode: number;
}

export interface AnswerCost {
	readonly name: string;
	readonly nsPerAnswer: number;
	readonly octetsPerAnswer: number;
}

/** @param logging  absent: no query is logged */
function createResponder(logging?: QueryLogging): Responder {
	const apex = scanName('example.org.', Uint8Array.of(0));
	const steering = readSteering(STEERING, 'zone');
	const common = readSteering({}, 'common');
	if (typeof apex === 'string' || !steering.ok || !common.ok) throw new Error('Cannot read the benchmark zone');
	const { records } = scanMasterFile(ZONE, apex);
	const geo = combineGeoData([readMmdbFile(defaultGeodbPath())]);
	const { snapshot, problems } = build(
		{ common: common.value, zones: [{ apex: lowerName(apex), records, steering: steering.value }] },
		{
			geo,
			merges: new MergeCache(),
			cache: new BuildCache(),
			model: { depthMax: DEPTH_MAX, durationMs, monitorOf },
			vantages: [],
		},
	);
	if (snapshot === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
	const words = createHealthWords(1024);
	const slots = new VerdictTable(words).assign(snapshot.targets.map(({ key }) => key));
	const world = new World(snapshot, words, slots ?? new Int32Array(0), createChance(1));
	return new Responder({
		served: new Holder({
			world,
			columns: new AnswerColumnBook(() => 0).assign(snapshot.steering, 1, 1),
			generation: 1,
		}),
		counters: new Float64Array(COUNTER_COLUMNS),
		clock: { nowMs: () => 0, nowSec: () => 0, wallMs: () => 0 },
		logging,
		cookies: undefined,
		limiter: undefined,
		identity: new Uint8Array(0),
		idleMs: 10_000,
		isSubnetTrusted: () => true,
		onFault: (error) => {
			throw error;
		},
	});
}

/** A query with EDNS; with a client subnet of a random /24 when a draw is given. */
function query(name: string, draw: (() => number) | undefined): Uint8Array {
	const qname = scanName(name, Uint8Array.of(0));
	if (typeof qname === 'string') throw new Error(qname);
	const subnet = draw === undefined ? [] : [0, 8, 0, 7, 0, 1, 24, 0, 1 + (draw() % 222), draw() & 255, draw() & 255];
	const opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, subnet.length, ...subnet];
	return Uint8Array.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, ...qname, 0, 1, 0, 1, ...opt]);
}

function measure(
	responder: Responder,
	{ name, queries, rcode }: Case,
	sender: Address,
	emptyRing: () => void = () => {},
): AnswerCost {
	const out = new Uint8Array(UDP_PAYLOAD_OCTETS_MAX);
	const answer = (count: number) => {
		for (let i = 0; i < count; i++) {
			if ((i & (QUERIES - 1)) === 0) emptyRing();
			const request = queries[i & (QUERIES - 1)] ?? out;
			responder.respond(request, request.length, sender, 'udp', out);
		}
	};
	answer(WARM_UP);
	if (((out[3] ?? 0) & 15) !== rcode) throw new Error(`Cannot measure "${name}": its RCODE is ${(out[3] ?? 0) & 15}`);
	let nsPerAnswer = Number.POSITIVE_INFINITY;
	let octetsPerAnswer = Number.POSITIVE_INFINITY;
	for (let run = 0; run < RUNS; run++) {
		const heapOctets = process.memoryUsage().heapUsed;
		const start = process.hrtime.bigint();
		answer(ANSWERS);
		nsPerAnswer = Math.min(nsPerAnswer, Number(process.hrtime.bigint() - start) / ANSWERS);
		octetsPerAnswer = Math.min(octetsPerAnswer, Math.abs(process.memoryUsage().heapUsed - heapOctets) / ANSWERS);
	}
	return { name, nsPerAnswer: Math.round(nsPerAnswer), octetsPerAnswer: Math.round(octetsPerAnswer * 1000) / 1000 };
}

function cases(): readonly Case[] {
	const chance = createChance(7);
	const draw = () => chance.below(0x7fffffff);
	const fill = (make: (i: number) => Uint8Array) => Array.from({ length: QUERIES }, (_, i) => make(i));
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

const sender = parseAddress('192.0.2.1');
if (sender === undefined) throw new Error('Cannot read the sender');
const responder = createResponder();
const results = cases().map((one) => measure(responder, one, sender));

const LOG_SHARE = 0.01;
const memory = createRingMemory();
const [written, read] = [0, 1];
const control = new Int32Array(memory, 0, 2);
const sampler = new QuerySampler(LOG_SHARE, createChance(3));
const logging = createResponder({ sampler, ring: new QueryRing(memory) });
for (const one of cases().slice(0, 3)) {
	// A reader that keeps up, at no cost here.
	const emptyRing = () => Atomics.store(control, read, Atomics.load(control, written));
	results.push(measure(logging, { ...one, name: `${one.name}, log` }, sender, emptyRing));
}
process.stdout.write(`${JSON.stringify(results)}\n`);

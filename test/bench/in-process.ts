/**
 * A responder on a zone and policies of a benchmark's own, and what its answers cost, without sockets.
 *
 * It wants a process with a young generation so large that nothing is collected while it counts, so that what the heap
 * has grown by is what was allocated.
 */

import { scanMasterFile } from '../../src/dns/master-file.ts';
import { lowerName, scanName } from '../../src/dns/name.ts';
import { UDP_PAYLOAD_OCTETS_MAX } from '../../src/dns/protocol.ts';
import { combineGeoData } from '../../src/geo/combine.ts';
import { readMmdbFile } from '../../src/geo/mmdb-file.ts';
import { createHealthWords, VerdictTable } from '../../src/health/verdict-table.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import { readSteering } from '../../src/model/check-document.ts';
import { durationMs } from '../../src/model/duration.ts';
import { monitorOf } from '../../src/model/monitor.ts';
import { usesOf } from '../../src/model/policy-uses.ts';
import { DEPTH_MAX } from '../../src/model/steering.ts';
import { AnswerColumnBook } from '../../src/roles/answer-columns.ts';
import { defaultGeodbPath } from '../../src/roles/geodb.ts';
import { COUNTER_COLUMNS } from '../../src/serve/counters.ts';
import { type QueryLogging, Responder } from '../../src/serve/respond.ts';
import { World } from '../../src/snapshot/answer.ts';
import { build } from '../../src/snapshot/build.ts';
import { BuildCache } from '../../src/snapshot/build-cache.ts';
import { Holder } from '../../src/snapshot/snapshot.ts';
import { MergeCache } from '../../src/steering/merge-cache.ts';

const WARM_UP = 300_000;
const ANSWERS = 1_000_000;
const RUNS = 5;
/** A power of two. */
export const QUERIES = 4096;

export interface Case {
	readonly name: string;
	/** QUERIES of them. */
	readonly queries: readonly Uint8Array[];
	readonly rcode: number;
}

export interface AnswerCost {
	readonly name: string;
	readonly nsPerAnswer: number;
	readonly octetsPerAnswer: number;
}

const geo = combineGeoData([readMmdbFile(defaultGeodbPath())]);

/**
 * For the zone example.org.
 * @param logging  absent: no query is logged
 */
export function createResponder(zoneText: string, document: unknown, logging?: QueryLogging): Responder {
	const apex = scanName('example.org.', Uint8Array.of(0));
	const steering = readSteering(document, 'zone');
	const common = readSteering({}, 'common');
	if (typeof apex === 'string' || !steering.ok || !common.ok) throw new Error('Cannot read the benchmark zone');
	const { records } = scanMasterFile(zoneText, apex);
	const { snapshot, problems } = build(
		{ common: common.value, zones: [{ apex: lowerName(apex), records, steering: steering.value }] },
		{
			geo,
			merges: new MergeCache(),
			cache: new BuildCache(),
			model: { depthMax: DEPTH_MAX, durationMs, monitorOf, usesOf },
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
export function makeEdnsQuery(name: string, draw: (() => number) | undefined): Uint8Array {
	const qname = scanName(name, Uint8Array.of(0));
	if (typeof qname === 'string') throw new Error(qname);
	const subnet = draw === undefined ? [] : [0, 8, 0, 7, 0, 1, 24, 0, 1 + (draw() % 222), draw() & 255, draw() & 255];
	const opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, subnet.length, ...subnet];
	return Uint8Array.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, ...qname, 0, 1, 0, 1, ...opt]);
}

/** So many queries as a run goes through. */
export function fill(make: (i: number) => Uint8Array): readonly Uint8Array[] {
	return Array.from({ length: QUERIES }, (_, i) => make(i));
}

/**
 * The best of five runs of a million answers each.
 * @param beforeRound  called before the queries are gone through once more
 */
export function measureAnswers(
	responder: Responder,
	{ name, queries, rcode }: Case,
	beforeRound: () => void = () => {},
): AnswerCost {
	const sender = parseAddress('192.0.2.1');
	if (sender === undefined) throw new Error('Cannot read the sender');
	const out = new Uint8Array(UDP_PAYLOAD_OCTETS_MAX);
	const answer = (count: number) => {
		for (let i = 0; i < count; i++) {
			if ((i & (QUERIES - 1)) === 0) beforeRound();
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
		const before = process.threadCpuUsage();
		answer(ANSWERS);
		// What the thread has worked, not what it has waited for others.
		const { user, system } = process.threadCpuUsage(before);
		nsPerAnswer = Math.min(nsPerAnswer, (1000 * (user + system)) / ANSWERS);
		octetsPerAnswer = Math.min(octetsPerAnswer, Math.abs(process.memoryUsage().heapUsed - heapOctets) / ANSWERS);
	}
	return { name, nsPerAnswer: Math.round(nsPerAnswer), octetsPerAnswer: Math.round(octetsPerAnswer * 1000) / 1000 };
}

/**
 * Counters of one worker: a row of numbers in shared memory that the worker alone writes and the main thread
 * sums up when it is scraped. Doubles, since they count exactly to 2^53 and are read whole.
 *
 *     fixed | RCODEs | types | times | kinds of policies | steered names | policies | endpoints
 *
 * The last three have a column for each of them up to a limit, and one for all others. Which column is whose, the
 * main thread says with each generation (AnswerColumns); a column stays with its owner over generations.
 */

import { typeCode } from '../dns/rr-type.ts';
import type { AnswerColumns, Decisions } from '../snapshot/decisions.ts';

/** Up to BADCOOKIE. */
export const RCODES = 24;

/** Types counted apart; all others are counted together, behind them. */
export const COUNTED_TYPES = [
	...['A', 'AAAA', 'CAA', 'CNAME', 'DNAME', 'DNSKEY', 'DS', 'HTTPS', 'MX', 'NAPTR', 'NS', 'PTR', 'SOA', 'SRV'],
	...['SSHFP', 'SVCB', 'TLSA', 'TXT', 'ANY', 'AXFR', 'IXFR'],
] as const;

/** What the root of a steered name may be. */
export const COUNTED_KINDS = ['pool', 'geo', 'failover', 'weighted', 'proximity', 'latency', 'all'] as const;

const DOUBLINGS = 20;

/**
 * Upper bounds of the buckets that the times of answers are counted in, each within its own; what takes longer than the
 * last one has one more. Two for each doubling: 1 us, 1.5 us, 2 us, 3 us, 4 us, 6 us, ... 1.05 s.
 */
export const TIME_BOUNDS_US: readonly number[] = Array.from({ length: 2 * DOUBLINGS + 1 }, (_, i) =>
	i % 2 === 0 ? 2 ** (i / 2) : 1.5 * 2 ** ((i - 1) / 2),
);

/** Names, policies and endpoints with columns of their own. */
export const NAME_COLUMNS = 1024;
export const POLICY_COLUMNS = 1024;
export const ENDPOINT_COLUMNS = 4096;

const FIXED = 23;
const TYPES_AT = FIXED + RCODES;
const TIMES_AT = TYPES_AT + COUNTED_TYPES.length + 1;
const KINDS_AT = TIMES_AT + TIME_BOUNDS_US.length + 1;
const NAMES_AT = KINDS_AT + COUNTED_KINDS.length;
const POLICIES_AT = NAMES_AT + NAME_COLUMNS + 1;
const ENDPOINTS_AT = POLICIES_AT + POLICY_COLUMNS + 1;

/** Columns of a counter row. */
export const COUNT = {
	queriesUdpIpv4: 0,
	queriesUdpIpv6: 1,
	queriesTcpIpv4: 2,
	queriesTcpIpv6: 3,
	/** Too short, or responses: not answered. */
	ignored: 4,
	truncated: 5,
	/** Queries that met a fault of ours and got SERVFAIL. */
	faults: 6,
	/** Answers that a policy decided, and those that the zone alone did. */
	steered: 7,
	unsteered: 8,
	/** Datagrams that the socket could not take. */
	sendFailures: 9,
	/** Receives that failed for another reason than that nothing was there. */
	receiveFailures: 10,
	tcpAccepted: 11,
	/** Connections closed to make room for a new one: a client, or all together, had too many. */
	tcpRefused: 12,
	tcpTimedOut: 13,
	/** Answers within the limits of a client and its prefixes; over them, dropped or sent truncated. */
	ratePassed: 14,
	rateDropped: 15,
	rateSlipped: 16,
	/** Queries over UDP with a server cookie of ours, with another one, with a client cookie alone, with none. */
	cookiesGood: 17,
	cookiesBad: 18,
	cookiesFirst: 19,
	cookiesNone: 20,
	/** Queries that the log had no room for. */
	logDropped: 21,
	/** Seconds from receiving to sending, of all answers together. */
	timesSumSec: 22,
	/** First of RCODES columns. */
	rcodes: FIXED,
	/** First of the columns of COUNTED_TYPES, and one more. */
	types: TYPES_AT,
	/** First of the columns of TIME_BOUNDS_US, and one more. */
	times: TIMES_AT,
	/** First of the columns of COUNTED_KINDS. */
	kinds: KINDS_AT,
	names: NAMES_AT,
	policies: POLICIES_AT,
	endpoints: ENDPOINTS_AT,
} as const;

export const COUNTER_COLUMNS = ENDPOINTS_AT + ENDPOINT_COLUMNS + 1;

export type Counters = Float64Array;

/** Columns for each steered name in AnswerColumns. */
export const NAME_STRIDE = 3;

/** One row for each worker. */
export function createCounters(workers: number): Float64Array[] {
	return Array.from({ length: workers }, () => new Float64Array(new SharedArrayBuffer(8 * COUNTER_COLUMNS)));
}

export function count(counters: Counters, column: number): void {
	counters[column] = (counters[column] ?? 0) + 1;
}

/** By type below TYPES_KNOWN: its place among COUNTED_TYPES. */
const TYPES_KNOWN = 258;
const TYPE_PLACES = new Uint8Array(TYPES_KNOWN).fill(COUNTED_TYPES.length);
for (const [place, text] of COUNTED_TYPES.entries()) TYPE_PLACES[typeCode(text) ?? 0] = place;

export function countType(counters: Counters, type: number): void {
	count(counters, TYPES_AT + (type < TYPES_KNOWN ? (TYPE_PLACES[type] ?? 0) : COUNTED_TYPES.length));
}

/** @param hasEndpoints  the answer holds what the endpoints gave */
export function countDecisions(
	counters: Counters,
	columns: AnswerColumns,
	decisions: Decisions,
	hasEndpoints: boolean,
): void {
	for (let i = 0; i < decisions.count; i++) {
		const at = NAME_STRIDE * (decisions.names[i] ?? 0);
		for (let j = 0; j < NAME_STRIDE; j++) count(counters, columns.names[at + j] ?? 0);
	}
	if (!hasEndpoints) return;
	for (let i = 0; i < decisions.endpointCount; i++)
		count(counters, columns.endpoints[decisions.endpoints[i] ?? 0] ?? 0);
}

/** Count the time from receiving to sending of messages that were answered together. */
export function countTimes(counters: Counters, ms: number, messages: number): void {
	const us = 1000 * ms;
	let bucket = 0;
	while (bucket < TIME_BOUNDS_US.length && us > (TIME_BOUNDS_US[bucket] ?? 0)) bucket++;
	counters[COUNT.times + bucket] = (counters[COUNT.times + bucket] ?? 0) + messages;
	counters[COUNT.timesSumSec] = (counters[COUNT.timesSumSec] ?? 0) + (ms * messages) / 1000;
}

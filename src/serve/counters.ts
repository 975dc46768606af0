/**
 * Counters of one worker: a row of numbers in shared memory that the worker alone writes and the main thread
 * sums up when it is scraped. Doubles, since they count exactly to 2^53 and are read whole.
 */

/** Columns of a counter row. */
export const COUNT = {
	queriesUdp: 0,
	queriesTcp: 1,
	/** Too short, or responses: not answered. */
	ignored: 2,
	truncated: 3,
	/** Queries that met a fault of ours and got SERVFAIL. */
	faults: 4,
	/** Answers that a policy decided. */
	steered: 5,
	/** Datagrams that the socket could not take. */
	sendFailures: 6,
	tcpAccepted: 7,
	/** Connections closed to make room for a new one: a client, or all together, had too many. */
	tcpRefused: 8,
	tcpTimedOut: 9,
	/** Answers over the limit of a client or its prefix: dropped, or sent truncated. */
	rateDropped: 10,
	rateSlipped: 11,
	/** Queries with a server cookie of ours. */
	cookiesGood: 12,
	/** First of RCODES columns. */
	rcodes: 13,
} as const;

/** RCODE 0..15, and BADVERS. */
export const RCODES = 17;

export const COUNTER_COLUMNS = COUNT.rcodes + RCODES;

export type Counters = Float64Array;

/** One row for each worker. */
export function createCounters(workers: number): Float64Array[] {
	return Array.from({ length: workers }, () => new Float64Array(new SharedArrayBuffer(8 * COUNTER_COLUMNS)));
}

export function count(counters: Counters, column: number): void {
	counters[column] = (counters[column] ?? 0) + 1;
}

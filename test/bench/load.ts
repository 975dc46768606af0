/**
 * A load generator for DNS over UDP, on the sockets of src/native: a process of its own, so that what a server costs
 * is the server's alone.
 *
 *     node test/bench/load.ts 127.0.0.1:5300 --name 'www.example.org A' [options]
 *
 * | option           | default | means                                                                                |
 * |------------------|---------|--------------------------------------------------------------------------------------|
 * | --name 'N T [R [A,A]]' |   | a question, the RCODE its answers must have (NOERROR), and the addresses that they    |
 * |                  |         | may bring; may be given again                                                        |
 * | --seconds N      | 5       | how long queries are sent                                                            |
 * | --threads N      | 1       |                                                                                      |
 * | --sockets N      | 16      | of each thread: servers spread clients by address and port                           |
 * | --window N       | 16      | closed loop: queries of a socket that wait for their answer                          |
 * | --rate N         | 0       | open loop: queries a second of all threads, sent whatever comes back; 0: closed loop |
 * | --no-subnet      |         | without a client subnet; else a random IPv4 /24 for each query                       |
 * | --cookie         |         | with a client cookie, and without a client subnet                                    |
 * | --cpus LIST      |         | cores of the threads alone, as taskset lists them: not of the collector beside them  |
 * | --one-ttl        |         | all records of an answer must have one TTL, which tells their generation             |
 *
 * Open loop measures from the moment a query was due, not from when the generator came to send it. It prints one line
 * of JSON, a LoadResult, and exits with 1 when an answer was wrong or mixed.
 */

import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type ListenAddress, parseListenAddress } from '../../src/lib/listen-address.ts';
import { Histogram } from './histogram.ts';
import type { LoadThreadInput, LoadThreadResult } from './load-thread.ts';

export interface LoadResult {
	readonly sent: number;
	readonly answered: number;
	/** Not answered within a second. */
	readonly lost: number;
	/** Of another RCODE, question or address, with an id that nobody waits for, or no response at all. */
	readonly wrong: number;
	/** Whose records have different TTLs, under --one-ttl. */
	readonly mixed: number;
	/** Different TTLs of answers, under --one-ttl. */
	readonly ttls: number;
	/** Answers that bring records. */
	readonly withRecords: number;
	readonly answersPerSec: number;
	readonly p50Us: number;
	readonly p99Us: number;
	readonly p999Us: number;
}

interface LoadOptions extends Omit<LoadThreadInput, 'seed'> {
	readonly threads: number;
}

function readOptions(args: readonly string[]): LoadOptions | string {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: {
			name: { type: 'string', multiple: true },
			seconds: { type: 'string', default: '5' },
			threads: { type: 'string', default: '1' },
			sockets: { type: 'string', default: '16' },
			window: { type: 'string', default: '16' },
			rate: { type: 'string', default: '0' },
			'no-subnet': { type: 'boolean', default: false },
			cookie: { type: 'boolean', default: false },
			cpus: { type: 'string' },
			'one-ttl': { type: 'boolean', default: false },
		},
	});
	const to: ListenAddress | undefined = parseListenAddress(positionals[0] ?? '');
	if (to === undefined) return `Cannot load "${positionals[0] ?? ''}": expected address:port or [address]:port`;
	if (values.name === undefined) return "Cannot load without a question: expected --name 'www.example.org A'";
	const [seconds, threads, sockets, window] = [values.seconds, values.threads, values.sockets, values.window].map(
		Number,
	);
	const rate = Number(values.rate);
	if (!(seconds && threads && sockets && window && rate >= 0)) return 'Cannot load: expected positive numbers';
	const hasSubnet = !values['no-subnet'] && !values.cookie;
	const how = { hasSubnet, hasCookie: values.cookie, hasOneTtl: values['one-ttl'], cpus: values.cpus };
	return { to, questions: values.name, seconds, threads, sockets, window, rate, ...how };
}

async function load({ threads, rate, ...options }: LoadOptions): Promise<LoadResult> {
	const results = await Promise.all(
		Array.from({ length: threads }, (_, i) => runThread({ ...options, rate: rate / threads, seed: 7919 * i + 1 })),
	);
	const total = (pick: (result: LoadThreadResult) => number) => results.reduce((sum, one) => sum + pick(one), 0);
	const latencies = new Histogram();
	for (const { histogram } of results) latencies.addAll(histogram);
	return {
		sent: total(({ sent }) => sent),
		answered: total(({ answered }) => answered),
		lost: total(({ lost }) => lost),
		wrong: total(({ wrong }) => wrong),
		mixed: total(({ mixed }) => mixed),
		ttls: new Set(results.flatMap(({ ttls }) => [...ttls])).size,
		withRecords: total(({ withRecords }) => withRecords),
		answersPerSec: Math.round(total(({ answered, tookMs }) => (1000 * answered) / tookMs)),
		p50Us: latencies.quantile(0.5),
		p99Us: latencies.quantile(0.99),
		p999Us: latencies.quantile(0.999),
	};
}

function runThread(workerData: LoadThreadInput): Promise<LoadThreadResult> {
	return new Promise((resolve, reject) => {
		const worker = new Worker(new URL('./load-thread.ts', import.meta.url), { workerData });
		worker.once('message', resolve);
		worker.once('error', reject);
	});
}

const options = readOptions(process.argv.slice(2));
if (typeof options === 'string') {
	process.stderr.write(`${options}\n`);
	process.exitCode = 2;
} else {
	const result = await load(options);
	process.stdout.write(`${JSON.stringify(result)}\n`);
	if (result.wrong + result.mixed > 0) process.exitCode = 1;
}

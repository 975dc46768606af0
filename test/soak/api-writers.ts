/**
 * `node api-writers.ts URL RATE MILLISECONDS TOKENS`: writes to an admin API at a steady rate, whatever has become of
 * those before (open loop), each token from an address of loopback of its own. Prints a line when it begins, and ends
 * with a line of JSON, a WritersResult.
 *
 * Token i writes to the zone wi.example: one of its records r0, r1 ... is given another address, if it is still what the
 * writer knows of it.
 */

import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { quantile } from './windows.ts';

export interface WritersResult {
	readonly offered: number;
	/** Replies, by status. */
	readonly statuses: Readonly<Record<string, number>>;
	/** Writes whose connection was closed before there was a reply. */
	readonly cut: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
}

/** Of a token: below what a server takes of one address, so that what it cannot do is refused and not cut off. */
const CONNECTIONS = 50;
/** Of a zone. */
export const RECORD_SETS = 200;
const TICK_MS = 2;
const LATE_MS = 20_000;

class Writer {
	readonly #url: URL;
	readonly #token: string;
	readonly #number: number;
	readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
	/** Of each record set; undefined when it is not known. */
	readonly #etags: (string | undefined)[] = [];
	/** Of writes under way. */
	readonly #busy = new Set<number>();
	#offered = 0;

	constructor(url: URL, token: string, number: number) {
		this.#url = url;
		this.#token = token;
		this.#number = number;
	}

	/** @returns the status; undefined when there was none */
	async write(): Promise<number | undefined> {
		const n = this.#offered++;
		let set = n % RECORD_SETS;
		while (this.#busy.has(set) && this.#busy.size < RECORD_SETS) set = (set + 1) % RECORD_SETS;
		this.#busy.add(set);
		const asked = request({
			...{ hostname: this.#url.hostname, port: this.#url.port, method: 'PUT', timeout: LATE_MS },
			path: `/v1/zones/w${this.#number}.example/records/r${set}/A`,
			...{ agent: this.#agent, localAddress: `127.0.1.${this.#number + 1}` },
			headers: {
				authorization: `Bearer ${this.#token}`,
				'content-type': 'application/json',
				'if-match': this.#etags[set] ?? '*',
			},
		});
		asked.on('timeout', () => asked.destroy(new Error('late')));
		asked.end(JSON.stringify({ records: [`192.0.2.${1 + (Math.floor(n / RECORD_SETS) % 250)}`] }));
		try {
			const [reply] = (await once(asked, 'response')) as [IncomingMessage];
			reply.resume();
			await once(reply, 'end');
			if (reply.statusCode === 200) this.#etags[set] = reply.headers.etag;
			return reply.statusCode;
		} catch {
			this.#etags[set] = undefined;
			return undefined;
		} finally {
			this.#busy.delete(set);
		}
	}

	close(): void {
		this.#agent.destroy();
	}
}

async function run(url: URL, rate: number, lengthMs: number, tokens: readonly string[]): Promise<WritersResult> {
	const writers = tokens.map((token, i) => new Writer(url, token, i));
	const statuses: Record<string, number> = {};
	const latenciesMs: number[] = [];
	const open = new Set<Promise<void>>();
	let cut = 0;
	const write = async (writer: Writer) => {
		const startMs = performance.now();
		const status = await writer.write();
		if (status === undefined) cut++;
		else {
			statuses[status] = (statuses[status] ?? 0) + 1;
			latenciesMs.push(performance.now() - startMs);
		}
	};
	process.stdout.write('writing\n');
	const startMs = performance.now();
	let offered = 0;
	for (let ms = 0; ms < lengthMs; ms = performance.now() - startMs) {
		for (; offered < (ms * rate) / 1000; offered++) {
			const one: Promise<void> = write(writers[offered % writers.length] as Writer).finally(() => open.delete(one));
			open.add(one);
		}
		await new Promise((resolve) => setTimeout(resolve, TICK_MS));
	}
	await Promise.all(open);
	for (const writer of writers) writer.close();
	return { offered, statuses, cut, p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) };
}

if (import.meta.main) {
	const [url = '', rate, lengthMs, tokens = ''] = process.argv.slice(2);
	const result = await run(new URL(url), Number(rate), Number(lengthMs), tokens.split(','));
	process.stdout.write(`${JSON.stringify(result)}\n`);
}

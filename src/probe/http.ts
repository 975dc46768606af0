/**
 * An HTTP check: one GET on one fresh connection, no redirect followed, no retry.
 * Knows nothing of schedules and votes. The only file that imports undici.
 *
 * An answer is bounded on every side: the deadline of the run, HEADER_OCTETS_MAX, BODY_OCTETS_MAX.
 */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { type buildConnector, Client } from 'undici';
import type { Target } from '../health/target.ts';
import type { HttpMonitor, StatusRange } from '../model/monitor.ts';
import { type CheckResult, type CheckRun, errorCode, failureReason } from './check-result.ts';

const HEADER_OCTETS_MAX = 16 * 1024;
const BODY_OCTETS_MAX = 64 * 1024;

export async function checkHttp(target: Target, monitor: HttpMonitor, run: CheckRun): Promise<CheckResult> {
	const connection = connectionTo(target, run);
	const client = new Client(originOf(target), {
		connect: connection.open,
		maxHeaderSize: HEADER_OCTETS_MAX,
		// The signal is the one deadline; undici's own timers are coarse (300 ms fire after 679).
		headersTimeout: 0,
		bodyTimeout: 0,
	});
	try {
		const { statusCode, body } = await client.request({
			method: 'GET',
			path: monitor.path,
			headers: {
				...(monitor.host === undefined ? {} : { host: monitor.host }),
				'user-agent': run.userAgent,
				accept: '*/*',
				'accept-encoding': 'identity',
			},
			reset: true, // sends "Connection: close"
			signal: run.signal,
		});
		// A body left half-read fails when the client is destroyed: nobody's concern, but unheard it ends the process.
		body.on('error', () => {});
		const mismatch = statusMismatch(statusCode, monitor.statuses) ?? (await bodyMismatch(body, monitor.body));
		return { isUp: mismatch === undefined, reason: mismatch ?? `status ${statusCode}`, rttMs: connection.rttMs() };
	} catch (error) {
		return { isUp: false, reason: httpFailureReason(error, run), rttMs: connection.rttMs() };
	} finally {
		await client.destroy();
	}
}

function originOf({ address, port }: Target): string {
	return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The one connection of a check, and how long it took to connect. */
function connectionTo({ address, port }: Target, { clock, signal }: CheckRun) {
	let isUsed = false;
	let rttMs: number | undefined;
	async function open(_: buildConnector.Options, done: buildConnector.Callback): Promise<void> {
		// undici opens another connection when one closes with its request unsent; a check takes that for the answer.
		if (isUsed) return done(new Error('connection closed before an answer'), null);
		isUsed = true;
		const startMs = clock.nowMs();
		const socket = connect({ host: address, port, noDelay: true, signal });
		try {
			await once(socket, 'connect');
		} catch (error) {
			return done(error as Error, null);
		}
		rttMs = clock.nowMs() - startMs;
		done(null, socket);
	}
	return { open, rttMs: () => rttMs };
}

function statusMismatch(status: number, expected: readonly StatusRange[]): string | undefined {
	if (expected.some(({ first, last }) => first <= status && status <= last)) return undefined;
	const ranges = expected.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
	return `status ${status}, expected ${ranges.join(', ')}`;
}

/**
 * Reads until `text` is found, the body ends or BODY_OCTETS_MAX are read; nothing when no text is expected.
 */
async function bodyMismatch(body: Readable, text: string | undefined): Promise<string | undefined> {
	if (text === undefined) return undefined;
	const needle = Buffer.from(text);
	let octetsLeft = BODY_OCTETS_MAX;
	// The end of what was searched, in case the text lies across two chunks: each octet is searched about once.
	let tail = Buffer.alloc(0);
	for await (const chunk of body as AsyncIterable<Buffer>) {
		const window = Buffer.concat([tail, chunk.subarray(0, octetsLeft)]);
		if (window.includes(needle)) return undefined;
		octetsLeft -= chunk.length;
		if (octetsLeft <= 0) return `body lacks "${text}" in its first ${BODY_OCTETS_MAX} octets`;
		tail = window.subarray(Math.max(0, window.length - needle.length + 1));
	}
	return `body lacks "${text}"`;
}

function httpFailureReason(error: unknown, run: CheckRun): string {
	if (run.signal.aborted) return failureReason(error, run);
	if (error instanceof Error && error.name === 'HTTPParserError') return 'answer is not HTTP';
	switch (errorCode(error)) {
		case 'UND_ERR_SOCKET':
			return 'connection closed before an answer';
		case 'UND_ERR_HEADERS_OVERFLOW':
			return `headers exceed ${HEADER_OCTETS_MAX} octets`;
		default:
			return failureReason(error, run);
	}
}

/**
 * An HTTP check, over TLS or not: one GET on one fresh connection; redirects only where the monitor asks for them, each
 * on a connection of its own. No retry. Knows nothing of schedules and votes. The only file that imports undici.
 *
 * An answer is bounded on every side: the deadline of the run, the octets of a connection, HEADER_OCTETS_MAX, the part
 * of the body that is searched.
 */

import type { Readable } from 'node:stream';
import { type buildConnector, Client } from 'undici';
import type { HttpMonitor, StatusRange } from '../model/monitor.ts';
import { CheckFailure, type CheckRun, errorCode } from './check-result.ts';
import { openTcp, openTls, type Place } from './connect.ts';
import { lacks, SEARCH_OCTETS_MAX } from './find-octets.ts';
import { firstHop, type Hop, nextHop } from './redirect.ts';

const HEADER_OCTETS_MAX = 16 * 1024;
const INTERIM_MAX = 16;

/** @returns why the target is up */
export async function checkHttp(place: Place, monitor: HttpMonitor, run: CheckRun): Promise<string> {
	let hop = firstHop(place, monitor);
	for (let redirects = 0; ; redirects++) {
		const { status, location } = await ask(hop, monitor, run);
		if (location === undefined) return redirects === 0 ? `status ${status}` : `status ${status} at ${hop.url.href}`;
		if (redirects === monitor.redirects) throw new CheckFailure(`more than ${monitor.redirects} redirects`);
		hop = await nextHop(hop, location, run);
	}
}

interface Answer {
	readonly status: number;
	/** Where to ask next; undefined when this answer is the one to judge, and it is good. */
	readonly location: string | undefined;
}

async function ask(hop: Hop, monitor: HttpMonitor, run: CheckRun): Promise<Answer> {
	let interim = 0;
	const client = new Client(hop.url.origin, {
		connect: connectorTo(hop, run),
		maxHeaderSize: HEADER_OCTETS_MAX,
		// The signal is the one deadline; undici's own timers are coarse (300 ms fire after 679).
		headersTimeout: 0,
		bodyTimeout: 0,
	});
	try {
		const { statusCode, headers, body } = await client.request({
			method: 'GET',
			path: hop.requestTarget,
			headers: {
				host: hop.hostHeader,
				'user-agent': run.userAgent,
				accept: '*/*',
				'accept-encoding': 'identity',
			},
			reset: true, // sends "Connection: close"
			signal: run.signal,
			onInfo: () => {
				interim++;
				if (interim > INTERIM_MAX) run.end(`more than ${INTERIM_MAX} interim answers`);
			},
		});
		// A body left half-read fails when the client is destroyed: nobody's concern, but unheard it ends the process.
		body.on('error', () => {});
		const location = monitor.redirects > 0 ? redirectTo(statusCode, headers['location']) : undefined;
		if (location !== undefined) return { status: statusCode, location };
		const mismatch = statusMismatch(statusCode, monitor.statuses) ?? (await bodyMismatch(body, monitor.body));
		if (mismatch !== undefined) throw new CheckFailure(mismatch);
		return { status: statusCode, location: undefined };
	} catch (error) {
		throw httpFailure(error);
	} finally {
		await client.destroy();
	}
}

/** The one connection of a client. */
function connectorTo(hop: Hop, run: CheckRun): buildConnector.connector {
	let isUsed = false;
	async function open(_: buildConnector.Options, done: buildConnector.Callback): Promise<void> {
		// undici opens another connection when one closes with its request unsent; a check takes that for the answer.
		if (isUsed) return done(new CheckFailure('connection closed before an answer'), null);
		isUsed = true;
		try {
			const plain = await openTcp(hop.place, run);
			const { terms, identity } = hop.tls ?? {};
			const socket =
				terms === undefined || identity === undefined
					? plain
					: await openTls(plain, { terms, identity, protocols: ['http/1.1'] }, run).catch((error) => {
							plain.destroy();
							throw error;
						});
			const startMs = run.clock.nowMs();
			socket.once('readable', () => {
				run.facts.firstByteMs ??= run.clock.nowMs() - startMs;
			});
			done(null, socket);
		} catch (error) {
			done(error as Error, null);
		}
	}
	return (options, done) => void open(options, done);
}

function redirectTo(status: number, location: string | string[] | undefined): string | undefined {
	const isRedirect = status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
	return isRedirect && typeof location === 'string' ? location : undefined;
}

function statusMismatch(status: number, expected: readonly StatusRange[]): string | undefined {
	if (expected.some(({ first, last }) => first <= status && status <= last)) return undefined;
	const ranges = expected.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
	return `status ${status}, expected ${ranges.join(', ')}`;
}

async function bodyMismatch(body: Readable, text: string | undefined): Promise<string | undefined> {
	if (text === undefined) return undefined;
	const missing = await lacks(body, Buffer.from(text));
	if (missing === undefined) return undefined;
	return `body lacks "${text}"${missing === 'limit' ? ` in its first ${SEARCH_OCTETS_MAX} octets` : ''}`;
}

/** undici's errors in the words of a check; others as they are. */
function httpFailure(error: unknown): unknown {
	if (error instanceof Error && error.name === 'HTTPParserError') return new CheckFailure('answer is not HTTP');
	switch (errorCode(error)) {
		case 'UND_ERR_SOCKET':
			return new CheckFailure('connection closed before an answer');
		case 'UND_ERR_HEADERS_OVERFLOW':
			return new CheckFailure(`headers exceed ${HEADER_OCTETS_MAX} octets`);
		default:
			return error;
	}
}

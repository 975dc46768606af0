/**
 * A gRPC check: one `grpc.health.v1.Health/Check` over HTTP/2, plain or over TLS. Up when the service is SERVING.
 *
 *     HEADERS  :path /grpc.health.v1.Health/Check        ->
 *     DATA     frame { HealthCheckRequest { service } }  ->
 *                                                         <-  HEADERS  :status 200, content-type application/grpc
 *                                                         <-  DATA     frame { HealthCheckResponse { status } }
 *                                                         <-  HEADERS  grpc-status 0
 *
 * A server that fails the call may send its last headers alone.
 */

import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { GrpcMonitor } from '../model/monitor.ts';
import { CheckFailure, type CheckRun, errorCode } from './check-result.ts';
import { openTcp, openTls, type Place } from './connect.ts';
import { frameHealthRequest, GRPC_OCTETS_MAX, grpcMismatch, readHealthResponse } from './grpc-message.ts';

const HEADER_OCTETS_MAX = 16 * 1024;
const PATH = '/grpc.health.v1.Health/Check';

/** @returns why the target is up */
export async function checkGrpc(place: Place, monitor: GrpcMonitor, run: CheckRun): Promise<string> {
	const socket = await openTcp(place, run);
	let session: ClientHttp2Session | undefined;
	try {
		session = openSession(place, monitor, await openTransport(socket, place, monitor, run));
		const mismatch = await ask(session, place, monitor, run);
		if (mismatch !== undefined) throw new CheckFailure(mismatch);
		return 'SERVING';
	} catch (error) {
		throw grpcFailure(error);
	} finally {
		session?.destroy();
		socket.destroy();
	}
}

type Socket = Awaited<ReturnType<typeof openTcp>>;

async function openTransport(socket: Socket, place: Place, { host, tls }: GrpcMonitor, run: CheckRun): Promise<Duplex> {
	if (tls === undefined) return socket;
	const identity = tls.serverName ?? (host === undefined ? place.host : nameOf(host));
	const secure = await openTls(socket, { terms: tls, identity, protocols: ['h2'] }, run);
	if (secure.alpnProtocol !== 'h2') throw new CheckFailure('server does not speak HTTP/2');
	return secure;
}

function openSession(place: Place, { tls }: GrpcMonitor, transport: Duplex): ClientHttp2Session {
	const session = connect(`${tls === undefined ? 'http' : 'https'}://${authorityOf(place)}`, {
		createConnection: () => transport,
		settings: { enablePush: false, maxHeaderListSize: HEADER_OCTETS_MAX },
	});
	// The stream tells of it; unheard it would end the process.
	session.on('error', () => {});
	return session;
}

async function ask(
	session: ClientHttp2Session,
	place: Place,
	{ host, service, timeoutMs }: GrpcMonitor,
	run: CheckRun,
): Promise<string | undefined> {
	const startMs = run.clock.nowMs();
	const stream = session.request({
		':method': 'POST',
		':path': PATH,
		':authority': host ?? authorityOf(place),
		'content-type': 'application/grpc',
		te: 'trailers',
		'grpc-timeout': `${timeoutMs}m`,
		'user-agent': run.userAgent,
	});
	stream.on('error', () => {});
	const headers: IncomingHttpHeaders = {};
	stream.once('response', (response) => {
		run.facts.firstByteMs = run.clock.nowMs() - startMs;
		Object.assign(headers, response);
	});
	stream.on('trailers', (trailers) => Object.assign(headers, trailers));
	stream.end(frameHealthRequest(service ?? ''));
	const body = await readBody(stream, run);
	return grpcMismatch(headers, readHealthResponse(body));
}

async function readBody(stream: ClientHttp2Stream, run: CheckRun): Promise<Buffer> {
	let body = Buffer.alloc(0);
	stream.on('data', (chunk: Buffer) => {
		body = Buffer.concat([body, chunk]);
		if (body.length > GRPC_OCTETS_MAX) run.end(`answer exceeds ${GRPC_OCTETS_MAX} octets`);
	});
	// 'close' rather than 'end': trailers come before it.
	await once(stream, 'close', { signal: run.signal });
	return body;
}

function authorityOf({ host, port }: Place): string {
	return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function nameOf(host: string): string {
	return host.replace(/:\d+$/, '');
}

function grpcFailure(error: unknown): unknown {
	switch (errorCode(error)) {
		case 'ERR_HTTP2_ERROR':
		case 'ERR_HTTP2_SESSION_ERROR':
			return new CheckFailure('answer is not HTTP/2');
		case 'ERR_HTTP2_STREAM_ERROR':
			return new CheckFailure('server ended the stream');
		case 'ERR_HTTP2_STREAM_CANCEL':
			return new CheckFailure('connection closed before an answer');
		default:
			return error;
	}
}

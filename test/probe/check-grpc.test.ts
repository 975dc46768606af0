/** gRPC checks against servers that speak the health service, badly or not at all. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls';
import fc from 'fast-check';
import { frameHealthRequest, readHealthResponse } from '../../src/probe/grpc-message.ts';
import { answer, refusingPort, startBackend } from './backend.ts';
import { createAuthority } from './certificates.ts';
import { checkLoopback } from './check-loopback.ts';
import { monitorFrom, targetAt } from './monitor-from.ts';

const authority = createAuthority();
const good = authority.sign({ names: ['shop.example.org'] });
before(() => setDefaultCACertificates([...getCACertificates('default'), authority.cert]));
after(() => setDefaultCACertificates(getCACertificates('bundled')));

const check = checkLoopback();
const never = new AbortController().signal;

type Handler = (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>, body: Buffer) => void;

async function startGrpc(t: TestContext, handler: Handler, tls?: TlsOptions): Promise<number> {
	const server: Http2Server = tls === undefined ? createServer() : (createSecureServer(tls) as unknown as Http2Server);
	const sessions = new Set<{ destroy(): void }>();
	server.on('session', (session) => {
		sessions.add(session);
		session.on('error', () => {});
	});
	server.on('stream', (stream, headers) => {
		stream.on('error', () => {});
		const chunks: Buffer[] = [];
		stream.on('data', (chunk: Buffer) => chunks.push(chunk));
		stream.on('end', () => handler(stream, headers, Buffer.concat(chunks)));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => {
		for (const session of sessions) session.destroy();
		server.close();
	});
	return (server.address() as { port: number }).port;
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

/** A frame with these octets as its message. */
const frame = (...octets: number[]) => Buffer.of(0, 0, 0, 0, octets.length, ...octets);

function responds(body: Buffer, trailers: Readonly<Record<string, string>> = { 'grpc-status': '0' }): Handler {
	return (stream) => {
		stream.respond(HEAD, { waitForTrailers: true });
		stream.on('wantTrailers', () => stream.sendTrailers(trailers));
		stream.end(body);
	};
}

/** Headers alone, which are also the last ones. */
function fails(headers: Readonly<Record<string, string | number>>): Handler {
	return (stream) => stream.respond({ ...HEAD, ...headers }, { endStream: true });
}

function endlessBody(stream: ServerHttp2Stream): void {
	stream.respond(HEAD);
	const more = () => {
		while (!stream.destroyed && stream.write(Buffer.alloc(1000)));
	};
	stream.on('drain', more);
	more();
}

const CASES: readonly { name: string; says: Handler; keys?: object; finds: string }[] = [
	{ name: 'SERVING', says: responds(frame(8, 1)), finds: 'up: SERVING' },
	{
		name: 'SERVING beside fields to come',
		says: responds(frame(0x12, 1, 65, 8, 1, 0x1d, 0, 0, 0, 0)),
		finds: 'up: SERVING',
	},
	{ name: 'NOT_SERVING', says: responds(frame(8, 2)), finds: 'down: NOT_SERVING' },
	{ name: 'UNKNOWN', says: responds(frame()), finds: 'down: UNKNOWN' },
	{ name: 'SERVICE_UNKNOWN', says: responds(frame(8, 3)), finds: 'down: SERVICE_UNKNOWN' },
	{ name: 'a status to come', says: responds(frame(8, 9)), finds: 'down: serving status 9' },
	{
		name: 'a service that is not there',
		says: fails({ 'grpc-status': '5', 'grpc-message': 'unknown service' }),
		finds: 'down: gRPC status NOT_FOUND (unknown service)',
	},
	{
		name: 'a server without the health service',
		says: fails({ 'grpc-status': '12' }),
		finds: 'down: gRPC status UNIMPLEMENTED',
	},
	{
		name: 'a failure after the response',
		says: responds(frame(8, 1), { 'grpc-status': '14' }),
		finds: 'down: gRPC status UNAVAILABLE',
	},
	{ name: 'no gRPC status', says: responds(frame(8, 1), {}), finds: 'down: answer has no gRPC status' },
	{ name: 'an HTTP status', says: fails({ ':status': 503 }), finds: 'down: status 503, expected 200' },
	{ name: 'another content', says: fails({ 'content-type': 'text/html' }), finds: 'down: answer is not gRPC' },
	{
		name: 'a frame that is cut off',
		says: responds(frame(8, 1).subarray(0, 6)),
		finds: 'down: answer is no health response',
	},
	{
		name: 'a frame that is compressed',
		says: responds(Buffer.of(1, 0, 0, 0, 2, 8, 1)),
		finds: 'down: answer is no health response',
	},
	{ name: 'nothing in a frame', says: responds(Buffer.alloc(0)), finds: 'down: answer is no health response' },
	{ name: 'a body without end', says: endlessBody, finds: 'down: answer exceeds 4096 octets' },
	{ name: 'a stream that is reset', says: (stream) => stream.close(2), finds: 'down: server ended the stream' },
	{
		name: 'a session that ends',
		says: (stream) => void stream.session?.destroy(),
		finds: 'down: connection closed before an answer',
	},
	{ name: 'a call that hangs', says: () => {}, keys: { timeout: '200ms' }, finds: 'down: no answer within 200 ms' },
];

/** RFC 9113 §4.1 */
function http2Frame(type: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
	const head = Buffer.alloc(9);
	head.writeUIntBE(payload.length, 0, 3);
	head.writeUInt8(type, 3);
	head.writeUInt32BE(streamId, 5);
	return Buffer.concat([head, payload]);
}

describe('a grpc check meets', () => {
	for (const { name, says, keys, finds } of CASES) {
		it(name, async (t) => {
			const port = await startGrpc(t, says);
			const { isUp, reason, firstByteMs } = await check(
				targetAt(port, monitorFrom({ kind: 'grpc', timeout: '2s', ...keys })),
				never,
			);
			assert.equal(`${isUp ? 'up' : 'down'}: ${reason}`, finds);
			if (isUp === true) assert(firstByteMs !== undefined && firstByteMs >= 0);
		});
	}

	for (const { name, says, finds } of [
		{ name: 'what speaks HTTP/1.1', says: answer('400 Bad Request'), finds: /^answer is not HTTP\/2$/ },
		{
			name: 'a server that closes',
			says: (socket: Socket) => void socket.end(),
			finds: /^connection closed before an answer$/,
		},
		{
			name: 'a server that resets',
			says: (socket: Socket) => void socket.resetAndDestroy(),
			finds: /^connection reset$/,
		},
		{
			name: 'headers that never end',
			says: (socket: Socket) => {
				socket.write(http2Frame(4, 0)); // SETTINGS
				socket.write(http2Frame(1, 1)); // HEADERS, without END_HEADERS
				while (!socket.destroyed && socket.write(http2Frame(9, 1, Buffer.alloc(1000)))); // CONTINUATION
			},
			finds: /^(answer is not HTTP\/2|server ended the stream|connection closed before an answer)$/,
		},
		{
			name: 'a flood of frames that ask for answers',
			says: (socket: Socket) => {
				socket.write(http2Frame(4, 0));
				const more = () => {
					while (
						!socket.destroyed &&
						socket.write(Buffer.concat(new Array(100).fill(http2Frame(6, 0, Buffer.alloc(8)))))
					);
				};
				socket.on('drain', more);
				more();
			},
			finds:
				/^(answer is not HTTP\/2|answer exceeds 1048576 octets|connection closed before an answer|no answer within 200 ms)$/,
		},
		{ name: 'a server that hangs', says: () => {}, finds: /^no answer within 200 ms$/ },
	]) {
		it(name, async () => {
			const backend = await startBackend(says);
			const result = await check(targetAt(backend.port, monitorFrom({ kind: 'grpc', timeout: '200ms' })), never);
			await backend.close();
			assert.equal(result.isUp, false);
			assert.match(result.reason, finds);
		});
	}

	it('a closed port', async () => {
		const result = await check(targetAt(await refusingPort(), monitorFrom({ kind: 'grpc' })), never);
		assert.equal(result.reason, 'connection refused');
	});
});

describe('a grpc check over TLS', () => {
	const keys = { kind: 'grpc', tls: true, serverName: 'shop.example.org', timeout: '2s' };

	it('is up, and knows the certificate', async (t) => {
		const port = await startGrpc(t, responds(frame(8, 1)), good);
		const result = await check(targetAt(port, monitorFrom(keys)), never);
		assert.equal(result.reason, 'SERVING');
		assert.equal(result.tls?.certificateDaysLeft, 60);
	});

	it('is down when the certificate is for another name', async (t) => {
		const port = await startGrpc(t, responds(frame(8, 1)), good);
		const result = await check(targetAt(port, monitorFrom({ ...keys, serverName: 'a.example' })), never);
		assert.equal(result.reason, 'certificate is for shop.example.org, not for a.example');
	});

	it('is down when the server leaves the protocol open', async () => {
		const backend = await startBackend(answer('200 OK'), { tls: good });
		const result = await check(targetAt(backend.port, monitorFrom(keys)), never);
		await backend.close();
		assert.equal(result.isUp, false);
		assert.equal(result.reason, 'server does not speak HTTP/2');
	});

	it('is down when the server speaks HTTP/1.1 alone', async () => {
		const backend = await startBackend(answer('200 OK'), { tls: { ...good, ALPNProtocols: ['http/1.1'] } });
		const result = await check(targetAt(backend.port, monitorFrom(keys)), never);
		await backend.close();
		assert.equal(result.isUp, false);
		assert.equal(result.reason, 'server speaks none of the protocols that were offered (ALPN)');
	});
});

describe('the call of a grpc check', () => {
	it('names the service, the host and who asks', async (t) => {
		const calls: { headers: Readonly<Record<string, unknown>>; body: Buffer }[] = [];
		const port = await startGrpc(t, (stream, headers, body) => {
			calls.push({ headers, body });
			responds(frame(8, 1))(stream, headers, body);
		});
		await check(
			targetAt(port, monitorFrom({ kind: 'grpc', service: 'shop.v1.Cart', host: 'shop.example.org' })),
			never,
		);
		const [{ headers, body } = assert.fail()] = calls;
		assert.equal(headers[':path'], '/grpc.health.v1.Health/Check');
		assert.equal(headers[':authority'], 'shop.example.org');
		assert.equal(headers['content-type'], 'application/grpc');
		assert.equal(headers['te'], 'trailers');
		assert.equal(headers['user-agent'], 'meridian/1.2.3 (+https://example.org/)');
		assert.deepEqual(body, Buffer.concat([Buffer.of(0, 0, 0, 0, 14, 0x0a, 12), Buffer.from('shop.v1.Cart')]));
	});

	it('names a long service, and no service by nothing', () => {
		assert.deepEqual(frameHealthRequest(''), frame());
		assert.deepEqual(frameHealthRequest('x'.repeat(200)).subarray(0, 8), Buffer.of(0, 0, 0, 0, 203, 0x0a, 200, 1));
	});
});

describe('readHealthResponse()', () => {
	it('ends, whatever the octets', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
				const status = readHealthResponse(frame(...octets));
				assert(status === undefined || Number.isInteger(status));
			}),
		);
	});
});

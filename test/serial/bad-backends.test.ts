/**
 * Backends as they are met in the wild, behind a prober: each gets the right vote and reason within its timeout and a
 * tenth of a second, and leaves neither sockets nor memory behind.
 */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import type { Monitor } from '../../src/model/monitor.ts';
import { type Observation, Prober } from '../../src/probe/prober.ts';
import { answer, refusingPort, startBackend, startFullBackend } from '../probe/backend.ts';
import { createAuthority, selfSigned } from '../probe/certificates.ts';
import { checkLoopback } from '../probe/check-loopback.ts';
import { monitorFrom, targetAt } from '../probe/monitor-from.ts';
import { until } from '../roles/meridian-process.ts';

const TIMEOUT_MS = 400;
const LATE_MS_MAX = 100;
const GROWTH_OCTETS_MAX = 8 * 1024 * 1024;

const authority = createAuthority();
const good = authority.sign({ names: ['www.example.org'] });
const named = { serverName: 'www.example.org' };

before(() => setDefaultCACertificates([...getCACertificates('default'), authority.cert]));
after(() => setDefaultCACertificates(getCACertificates('bundled')));

interface Backend {
	readonly port: number;
	close(): Promise<void> | void;
}

interface Case {
	readonly name: string;
	readonly start: () => Promise<Backend>;
	readonly monitor: object;
	readonly finds: string;
}

const tcp =
	(says: (socket: Socket) => void, options: Parameters<typeof startBackend>[1] = {}) =>
	() =>
		startBackend(says, options);

/** Sends `text` for as long as it is taken. */
function repeat(socket: Socket, text: string): void {
	const more = () => {
		while (!socket.destroyed && socket.write(text));
	};
	socket.on('drain', more);
	more();
}

function drip(text: string) {
	return (socket: Socket) => {
		let at = 0;
		const timer = setInterval(() => socket.write(text.charAt(at++ % text.length)), 20);
		socket.on('close', () => clearInterval(timer));
	};
}

const BOMB = gzipSync(Buffer.alloc(16 * 1024 * 1024));

function bomb(socket: Socket): void {
	socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${BOMB.length}\r\n\r\n`);
	socket.end(BOMB);
}

function endlessBody(socket: Socket): void {
	socket.write('HTTP/1.1 200 OK\r\n\r\n');
	repeat(socket, 'x'.repeat(16_384));
}

const tenThousandHeaders = (socket: Socket) => void socket.end(`HTTP/1.1 200 OK\r\n${'X-H: 1\r\n'.repeat(10_000)}\r\n`);

async function startNameServer(rcode: number): Promise<Backend> {
	const socket = createSocket('udp4');
	socket.on('message', (query, from) => {
		const reply = Buffer.from(query);
		reply[2] = 0x84;
		reply[3] = rcode;
		socket.send(reply, from.port, from.address);
	});
	socket.bind(0, '127.0.0.1');
	await once(socket, 'listening');
	return { port: socket.address().port, close: () => void socket.close() };
}

async function startGrpc(status: number): Promise<Backend> {
	const server = createHttp2Server();
	const sessions = new Set<{ destroy(): void }>();
	server.on('session', (session) => {
		sessions.add(session);
		session.on('error', () => {});
	});
	server.on('stream', (stream) => {
		stream.on('error', () => {});
		stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
		stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
		stream.end(Buffer.of(0, 0, 0, 0, 2, 8, status));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		port: (server.address() as { port: number }).port,
		close() {
			for (const session of sessions) session.destroy();
			server.close();
		},
	};
}

const late = `down: no answer within ${TIMEOUT_MS} ms`;
const query = { query: { name: 'www.example.org' } };
const body = { expect: { body: 'ok' } };

// biome-ignore format: one case a line
const CASES: readonly Case[] = [
	{ name: 'good', start: tcp(answer('200 OK', 'ok')), monitor: { kind: 'http', ...body }, finds: 'up: status 200' },
	{ name: 'good over TLS', start: tcp(answer('200 OK', 'ok'), { tls: good }), monitor: { kind: 'https', ...named, ...body }, finds: 'up: status 200' },
	{ name: 'HTTP/1.0', start: tcp((socket) => void socket.end('HTTP/1.0 200 OK\r\n\r\nok')), monitor: { kind: 'http', ...body }, finds: 'up: status 200' },
	{ name: 'refusing', start: async () => ({ port: await refusingPort(), close() {} }), monitor: { kind: 'http' }, finds: 'down: connection refused' },
	{ name: 'resetting', start: tcp((socket) => void socket.resetAndDestroy()), monitor: { kind: 'http' }, finds: 'down: connection reset' },
	...['http', 'https', 'tcp', 'tls', 'grpc'].map((kind) => ({ name: `a black hole, asked by ${kind}`, start: startFullBackend, monitor: { kind }, finds: late })),
	{ name: 'a black hole, asked by dns over TCP', start: startFullBackend, monitor: { kind: 'dns', ...query, transport: 'tcp' }, finds: late },
	...['http', 'https', 'tls', 'grpc'].map((kind) => ({ name: `hanging after it accepts, asked by ${kind}`, start: tcp(() => {}), monitor: { kind }, finds: late })),
	{ name: 'slow by octets in its headers', start: tcp(drip('HTTP/1.1 200 OK\r\nX: 1\r\n')), monitor: { kind: 'http' }, finds: late },
	{ name: 'slow by octets in its body', start: tcp((socket) => { socket.write('HTTP/1.1 200 OK\r\n\r\n'); drip('slow')(socket); }), monitor: { kind: 'http', ...body }, finds: late },
	{ name: 'slow by octets in its greeting', start: tcp(drip('220'), { greets: true }), monitor: { kind: 'tcp', expect: '220 ok' }, finds: late },
	{ name: 'slow by octets in the handshake', start: tcp(drip('\x16\x03\x03\x02\x00\x01')), monitor: { kind: 'tls' }, finds: late },
	{ name: 'endless, not read', start: tcp(endlessBody), monitor: { kind: 'http' }, finds: 'up: status 200' },
	{ name: 'endless, searched', start: tcp(endlessBody), monitor: { kind: 'http', ...body }, finds: 'down: body lacks "ok" in its first 65536 octets' },
	{ name: 'endless over TLS', start: tcp(endlessBody, { tls: good }), monitor: { kind: 'https', ...named, ...body }, finds: 'down: body lacks "ok" in its first 65536 octets' },
	{ name: 'a gzip bomb', start: tcp(bomb), monitor: { kind: 'http', ...body }, finds: 'down: body lacks "ok"' },
	{ name: '10,000 headers', start: tcp(tenThousandHeaders), monitor: { kind: 'http' }, finds: 'down: headers exceed 16384 octets' },
	{ name: 'a redirect loop', start: tcp(answer('302 Found', '', ['Location: /'])), monitor: { kind: 'http', redirects: 5 }, finds: 'down: more than 5 redirects' },
	{ name: 'an expired certificate', start: tcp(answer('200 OK'), { tls: authority.sign({ names: ['www.example.org'], daysLeft: -2 }) }), monitor: { kind: 'https', ...named }, finds: `down: certificate has expired on ${new Date(Date.now() - 2 * 86_400_000 + 1_800_000).toISOString().slice(0, 10)}` },
	{ name: 'a self-signed certificate', start: tcp(answer('200 OK'), { tls: selfSigned({ names: ['www.example.org'] }) }), monitor: { kind: 'https', ...named }, finds: 'down: certificate is self-signed' },
	{ name: 'a certificate for another name', start: tcp(answer('200 OK'), { tls: authority.sign({ names: ['a.example'] }) }), monitor: { kind: 'https', ...named }, finds: 'down: certificate is for a.example, not for www.example.org' },
	{ name: 'TLS 1.0 only', start: tcp(answer('200 OK'), { tls: { ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } }), monitor: { kind: 'https', ...named }, finds: 'down: server speaks no TLS 1.2 or 1.3' },
	{ name: 'a name server that is right', start: () => startNameServer(0), monitor: { kind: 'dns', ...query }, finds: 'up: NOERROR' },
	{ name: 'a name server that is wrong', start: () => startNameServer(2), monitor: { kind: 'dns', ...query }, finds: 'down: SERVFAIL, expected NOERROR' },
	{ name: 'a name server without what is asked for', start: () => startNameServer(0), monitor: { kind: 'dns', ...query, expect: { contains: '192.0.2.1' } }, finds: 'down: no answers to www.example.org A hold "192.0.2.1"' },
	{ name: 'a gRPC service that serves', start: () => startGrpc(1), monitor: { kind: 'grpc' }, finds: 'up: SERVING' },
	{ name: 'a gRPC service that does not serve', start: () => startGrpc(2), monitor: { kind: 'grpc' }, finds: 'down: NOT_SERVING' },
];

function monitorOf(keys: object): Monitor {
	return monitorFrom({ interval: '20s', timeout: `${TIMEOUT_MS}ms`, fall: 1, ...keys });
}

const check = checkLoopback();
const never = new AbortController().signal;

/** Votes of one prober on one backend. */
async function probeOnce(port: number, monitor: Monitor): Promise<{ observation: Observation; tookMs: number }> {
	const observed = Promise.withResolvers<Observation>();
	let startMs = 0;
	const prober = new Prober({
		clock: { nowMs: () => performance.now() },
		guard: () => undefined,
		check: (target, stop) => {
			startMs = performance.now();
			return check(target, stop);
		},
		onObservation: observed.resolve,
		onDenied: (_, reason) => assert.fail(reason),
	});
	prober.setTargets([targetAt(port, monitor)]);
	const observation = await observed.promise;
	const tookMs = observation.atMs - startMs;
	await prober.close();
	return { observation, tookMs };
}

/** Sockets and pipes of this process. */
function openHandles(): number {
	return process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS|UDP|HTTP2)/i.test(name)).length;
}

describe('a prober votes on a backend that is', () => {
	const idle = openHandles();
	for (const { name, start, monitor, finds } of CASES) {
		it(name, async () => {
			const backend = await start();
			const { observation, tookMs } = await probeOnce(backend.port, monitorOf(monitor));
			await backend.close();
			const { isUp, reason } = observation.result;
			assert.equal(`${isUp ? 'up' : 'down'}: ${reason}`, finds);
			assert(tookMs <= TIMEOUT_MS + LATE_MS_MAX, `took ${tookMs} ms`);
			await until('its sockets to close', 2000, () => openHandles() <= idle);
		});
	}
});

describe('memory', () => {
	it('is where it was after many checks of bad backends', async () => {
		setFlagsFromString('--expose-gc');
		const collect = runInNewContext('gc') as () => void;
		const used = () => {
			collect();
			const { heapUsed, external } = process.memoryUsage();
			return heapUsed + external;
		};
		const bad = CASES.filter(({ name }) => !name.startsWith('a black hole') && name !== 'refusing');
		const backends = await Promise.all(bad.map(async ({ start, monitor }) => ({ ...(await start()), monitor })));
		const round = () =>
			Promise.all(
				backends.flatMap(({ port, monitor }) =>
					Array.from({ length: 5 }, () => check(targetAt(port, monitorOf(monitor)), never)),
				),
			);
		await round();
		const before = used();
		for (let i = 0; i < 5; i++) await round();
		const grown = used() - before;
		assert(grown < GROWTH_OCTETS_MAX, `grew by ${grown} octets`);
		await Promise.all(backends.map(({ close }) => close()));
	});
});

/**
 * Small TCP servers for tests, on a port of the kernel's choice, which say exactly the octets they are told to.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Worker } from 'node:worker_threads';

export interface Backend {
	readonly port: number;
	/** Requests as they arrived, one text per connection. */
	readonly requests: readonly string[];
	/** Connections that are not closed. */
	readonly open: number;
	close(): Promise<void>;
}

/**
 * @param onRequest  called once per connection with the first octets that arrive, or at once when `greets`
 * @param tls        speaks TLS with these options
 */
export async function startBackend(
	onRequest: (socket: Socket) => void,
	{ host = '127.0.0.1', greets = false, tls }: { host?: string; greets?: boolean; tls?: TlsOptions } = {},
): Promise<Backend> {
	const requests: string[] = [];
	const sockets = new Set<Socket>();
	const onSocket = (socket: Socket) => {
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => sockets.delete(socket));
		if (greets) onRequest(socket);
		socket.once('data', (octets) => {
			requests.push(octets.toString());
			if (!greets) onRequest(socket);
		});
	};
	const server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
	// Below TLS too, for connections whose handshake never ends.
	server.on('connection', (socket: Socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
	server.on('tlsClientError', () => {});
	server.listen(0, host);
	await once(server, 'listening');
	const bound = server.address();
	assert(typeof bound === 'object' && bound !== null);
	return {
		port: bound.port,
		requests,
		get open() {
			return sockets.size;
		},
		async close() {
			for (const socket of sockets) socket.destroy();
			if (!server.listening) return;
			server.close();
			await once(server, 'close');
		},
	};
}

/** A whole answer, after which the server closes. */
export function answer(status: string, body = '', headers: readonly string[] = []) {
	const head = [`HTTP/1.1 ${status}`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers];
	return (socket: Socket) => {
		socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
	};
}

/** A port on 127.0.0.1 that refuses connections. */
export async function refusingPort(): Promise<number> {
	const backend = await startBackend(() => {});
	await backend.close();
	return backend.port;
}

/**
 * A server whose queue of connections is full and which takes none from it, so that the kernel lets every further
 * SYN wait. Its thread sleeps, since Node accepts whatever it can.
 */
export async function startFullBackend(): Promise<Pick<Backend, 'port' | 'close'>> {
	const source = `
		const { parentPort } = require('node:worker_threads');
		const server = require('node:net').createServer();
		server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
			parentPort.postMessage(server.address().port);
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
		});`;
	const worker = new Worker(source, { eval: true });
	const [port] = await once(worker, 'message');
	assert(typeof port === 'number');
	const fillers = Array.from({ length: 2 }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}));
	await Promise.all(fillers.map((filler) => once(filler, 'connect')));
	return {
		port,
		async close() {
			for (const filler of fillers) filler.destroy();
			await worker.terminate();
		},
	};
}

/**
 * The sockets under the API, bounded so that whoever opens connections and says nothing takes nothing from others, and
 * no file descriptor from answering queries.
 *
 * | bound                                   | then                                                         |
 * |-----------------------------------------|--------------------------------------------------------------|
 * | 256 connections, 64 of one address      | the one that has been idle longest makes room, else the new one goes |
 * | 10 s for a request's head, 30 s for all | 408, closed                                                  |
 * | 16 KiB of headers                       | 431, closed                                                  |
 * | 10 s without a next request             | closed                                                       |
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { addressKey } from './auth.ts';

export interface ServerTls {
	/** PEM. */
	readonly cert: Uint8Array;
	readonly key: Uint8Array;
}

const CONNECTIONS_MAX = 256;
const CONNECTIONS_OF_ADDRESS_MAX = 64;
const HEAD_MS_MAX = 10_000;
const REQUEST_MS_MAX = 30_000;
const IDLE_MS_MAX = 10_000;
const CHECK_EVERY_MS = 1000;
const HEADER_OCTETS_MAX = 16 * 1024;

/** A fastify app on a server of ours, over TLS where there is a certificate. */
export function openServer(tls: ServerTls | undefined, options: FastifyServerOptions): FastifyInstance {
	const times = {
		headersTimeout: HEAD_MS_MAX,
		requestTimeout: REQUEST_MS_MAX,
		keepAliveTimeout: IDLE_MS_MAX,
		connectionsCheckingInterval: CHECK_EVERY_MS,
		maxHeaderSize: HEADER_OCTETS_MAX,
	};
	const all = { ...options, requestTimeout: REQUEST_MS_MAX, keepAliveTimeout: IDLE_MS_MAX };
	if (tls === undefined) return bounded(Fastify({ ...all, http: times }));
	const https = { ...times, cert: Buffer.from(tls.cert), key: Buffer.from(tls.key), minVersion: 'TLSv1.2' as const };
	// The types part plain servers from those over TLS, which are used alike.
	return bounded(Fastify({ ...all, https } as unknown as FastifyServerOptions));
}

function bounded(app: FastifyInstance): FastifyInstance {
	const connections = new Connections();
	const server: Server = app.server;
	// Before TLS has begun: a handshake that never ends is a connection too.
	server.on('connection', (socket) => connections.add(socket));
	server.on('request', (request, response) => connections.busy(request, response));
	return app;
}

class Connections {
	/** Idle ones first, in the order in which they became so; busy ones behind them. */
	readonly #idle = new Set<Socket>();
	readonly #busy = new Map<Socket, number>();
	readonly #byAddress = new Map<string, number>();

	add(socket: Socket): void {
		const address = addressKey(socket.remoteAddress);
		const ofAddress = (this.#byAddress.get(address) ?? 0) + 1;
		this.#byAddress.set(address, ofAddress);
		socket.once('close', () => this.#forget(socket, address));
		if (ofAddress > CONNECTIONS_OF_ADDRESS_MAX && !this.#closeIdle(address)) return void socket.destroy();
		if (this.#idle.size + this.#busy.size >= CONNECTIONS_MAX && !this.#closeIdle()) return void socket.destroy();
		this.#idle.add(socket);
	}

	busy({ socket: given }: IncomingMessage, response: ServerResponse): void {
		const socket = rawOf(given);
		if (!this.#idle.delete(socket) && !this.#busy.has(socket)) return;
		this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
		response.once('close', () => {
			const left = (this.#busy.get(socket) ?? 0) - 1;
			if (left > 0) return void this.#busy.set(socket, left);
			if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket);
		});
	}

	/** @returns false when there is none */
	#closeIdle(address?: string): boolean {
		for (const socket of this.#idle) {
			if (address !== undefined && addressKey(socket.remoteAddress) !== address) continue;
			this.#idle.delete(socket);
			socket.destroy();
			return true;
		}
		return false;
	}

	#forget(socket: Socket, address: string): void {
		this.#idle.delete(socket);
		this.#busy.delete(socket);
		const left = (this.#byAddress.get(address) ?? 1) - 1;
		if (left === 0) this.#byAddress.delete(address);
		else this.#byAddress.set(address, left);
	}
}

/** A TLS socket stands on the one that was connected. */
function rawOf(socket: Socket): Socket {
	return (socket as Socket & { readonly _parent?: Socket })._parent ?? socket;
}

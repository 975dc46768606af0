/**
 * Clients within their rate, asking evenly, each reply timed.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readMessage } from '../../src/dns/message-text.ts';
import { makeQuery } from '../dns/make-query.ts';

/** 127.0.0.10 and up: a rate limit counts each address by itself. */
const CLIENTS = 16;
const FIRST_CLIENT = 10;
/** Of all of them together. */
const QUERIES_A_SEC = 400;
const TICK_MS = 1;
/** A reply that comes later counts as lost. */
const LATE_MS = 1000;
const IDS = 65_536;

export interface Answered {
	/** Of each reply that came whole. */
	readonly latenciesMs: readonly number[];
	/** Without a reply, or with one that is not the answer. */
	readonly lost: number;
}

export class SteadyClient {
	readonly #sockets: readonly Socket[];
	readonly #port: number;
	readonly #query = Buffer.from(makeQuery({ name: 'www.example.org' }));
	/** When the query of each id was sent. */
	readonly #sentMs = new Float64Array(IDS).fill(Number.NaN);
	#latenciesMs: number[] = [];
	#asked = 0;

	private constructor(sockets: readonly Socket[], port: number) {
		this.#sockets = sockets;
		this.#port = port;
		for (const socket of sockets) socket.on('message', (reply) => this.#take(reply));
	}

	/** @param port  of a server on 127.0.0.1 that answers www.example.org */
	static async open(port: number): Promise<SteadyClient> {
		const sockets = Array.from({ length: CLIENTS }, () => createSocket('udp4'));
		for (const [i, socket] of sockets.entries()) {
			socket.bind(0, `127.0.0.${FIRST_CLIENT + i}`);
			await once(socket, 'listening');
		}
		return new SteadyClient(sockets, port);
	}

	/** Ask for so long, and wait for the last replies. */
	async ask(lengthMs: number): Promise<Answered> {
		this.#latenciesMs = [];
		const startMs = performance.now();
		let asked = 0;
		for (let ms = 0; ms < lengthMs; ms = performance.now() - startMs) {
			for (; asked < (ms * QUERIES_A_SEC) / 1000; asked++) this.#send();
			await new Promise((resolve) => setTimeout(resolve, TICK_MS));
		}
		const lateMs = performance.now() + LATE_MS;
		while (this.#latenciesMs.length < asked && performance.now() < lateMs)
			await new Promise((resolve) => setTimeout(resolve, TICK_MS));
		return { latenciesMs: this.#latenciesMs, lost: asked - this.#latenciesMs.length };
	}

	close(): void {
		for (const socket of this.#sockets) socket.close();
	}

	#send(): void {
		const id = this.#asked % IDS;
		const socket = this.#sockets[this.#asked % CLIENTS];
		this.#asked++;
		const query = Buffer.from(this.#query);
		query.writeUInt16BE(id);
		this.#sentMs[id] = performance.now();
		socket?.send(query, this.#port, '127.0.0.1');
	}

	#take(reply: Buffer): void {
		const nowMs = performance.now();
		const id = reply.readUInt16BE(0);
		const latencyMs = nowMs - (this.#sentMs[id] ?? Number.NaN);
		this.#sentMs[id] = Number.NaN;
		const message = readMessage(reply);
		const isWhole = typeof message !== 'string' && message.answer.length === 1;
		if (isWhole && latencyMs < LATE_MS) this.#latenciesMs.push(latencyMs);
	}
}

/**
 * Clients of a UDP server: connected sockets, so that an answer counts only when it comes from the address asked.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { ListenAddress } from '../../src/lib/listen-address.ts';

export class UdpClients {
	/** In the order in which they came. */
	readonly replies: Buffer[] = [];
	readonly #sockets: readonly Socket[];
	#wake: () => void = () => {};
	#isClosed = false;

	private constructor(sockets: readonly Socket[]) {
		this.#sockets = sockets;
		for (const socket of sockets) {
			socket.on('message', (reply) => {
				this.replies.push(reply);
				this.#wake();
			});
			// A port that nobody has any more: the answer will be missed.
			socket.on('error', () => {});
		}
	}

	static async to({ address, family, port }: ListenAddress, count: number, t: TestContext): Promise<UdpClients> {
		const sockets = Array.from({ length: count }, () => createSocket(family === 4 ? 'udp4' : 'udp6'));
		const clients = new UdpClients(sockets);
		t.after(() => clients.close());
		for (const socket of sockets) {
			socket.connect(port, address);
			await once(socket, 'connect');
		}
		return clients;
	}

	/** Send all at once, each client its share. */
	send(messages: readonly Uint8Array[]): void {
		for (const [i, message] of messages.entries()) this.#sockets[i % this.#sockets.length]?.send(message);
	}

	/** Wait until so many replies have come in all. @returns whether they have */
	async receive(total: number, patienceMs = 3000): Promise<boolean> {
		const endMs = performance.now() + patienceMs;
		while (this.replies.length < total && performance.now() < endMs) {
			const { promise, resolve } = Promise.withResolvers<void>();
			this.#wake = resolve;
			const timer = setTimeout(resolve, endMs - performance.now());
			await promise;
			clearTimeout(timer);
		}
		return this.replies.length >= total;
	}

	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		for (const socket of this.#sockets) socket.close();
	}
}

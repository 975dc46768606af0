/**
 * A TCP client for tests that speaks DNS framing and nothing else: what it sends is up to the test, good or bad.
 */

import { connect, type Socket } from 'node:net';
import { type Message, readMessage } from '../../src/dns/message-text.ts';
import type { ListenAddress } from '../../src/lib/listen-address.ts';

/** Far above what any test needs: it only ends one that would hang. */
const PATIENCE_MS = 10_000;

export class TcpClient {
	readonly socket: Socket;
	/** The other side has closed or reset. */
	isClosed = false;
	readonly messages: Message[] = [];
	#received = Buffer.alloc(0);
	#wake: () => void = () => {};

	private constructor(socket: Socket) {
		this.socket = socket;
		socket.on('data', (bytes) => {
			this.#received = Buffer.concat([this.#received, bytes]);
			this.#readFrames();
			this.#wake();
		});
		socket.on('error', () => {});
		for (const event of ['end', 'close'] as const) {
			socket.on(event, () => {
				this.isClosed = true;
				this.#wake();
			});
		}
	}

	/** @param isReading  false: it takes nothing off the wire until `socket.resume()` */
	static async connect({ address, port }: ListenAddress, isReading = true): Promise<TcpClient> {
		const socket = connect({ host: address, port, allowHalfOpen: true });
		const client = new TcpClient(socket);
		if (!isReading) socket.pause();
		await new Promise<void>((resolve) => {
			socket.once('connect', resolve);
			socket.once('close', () => resolve());
		});
		return client;
	}

	send(...messages: readonly Uint8Array[]): void {
		this.socket.write(Buffer.concat(messages.map(framed)));
	}

	/** Wait until so many messages have come, or the other side has closed. */
	async receive(count: number): Promise<readonly Message[]> {
		await this.until(() => this.messages.length >= count || this.isClosed, `${count} messages`);
		return this.messages;
	}

	async closed(): Promise<void> {
		await this.until(() => this.isClosed, 'the end of the connection');
	}

	async until(isDone: () => boolean, what: string): Promise<void> {
		const failed = setTimeout(() => this.socket.destroy(), PATIENCE_MS);
		while (!isDone()) {
			if (this.socket.destroyed && !this.isClosed) throw new Error(`waited in vain for ${what}`);
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
		clearTimeout(failed);
	}

	#readFrames(): void {
		while (this.#received.length >= 2) {
			const length = this.#received.readUInt16BE(0);
			if (this.#received.length < 2 + length) return;
			const message = readMessage(this.#received.subarray(2, 2 + length));
			if (typeof message === 'string') throw new Error(message);
			this.messages.push(message);
			this.#received = this.#received.subarray(2 + length);
		}
	}
}

export function framed(message: Uint8Array): Buffer {
	return Buffer.concat([Uint8Array.of(message.length >>> 8, message.length & 255), message]);
}

/**
 * DNS over TCP (RFC 7766): each message behind its length, many on one connection, answered as they come.
 *
 *     bytes -> [length | message]* -> respond() -> [length | response] in one write
 *
 * | limit                         | when it is reached                                             |
 * |-------------------------------|----------------------------------------------------------------|
 * | connections in all            | the one that has been idle longest is closed                   |
 * | connections of one client     | the one of its own that has been idle longest is closed        |
 * | nothing asked for `idleMs`    | closed                                                         |
 * | a message begun, not finished | closed `messageMs` after its first octet                       |
 * | answers not read              | reading stops until they are; closed after `idleMs` of nothing |
 */

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TCP_MESSAGE_OCTETS_MAX } from '../dns/protocol.ts';
import type { Address } from '../lib/address.ts';
import { type ListenAddress, peerAddress } from '../lib/listen-address.ts';
import type { Clock } from '../lib/ports.ts';
import { COUNT, type Counters, count, countTimes } from './counters.ts';
import type { Responder } from './respond.ts';

export interface TcpLimits {
	readonly connectionsMax: number;
	readonly connectionsPerClientMax: number;
	readonly idleMs: number;
	readonly messageMs: number;
	/** Octets of unread answers at which a connection is read no further. */
	readonly unreadOctetsMax: number;
}

export const TCP_LIMITS: TcpLimits = {
	connectionsMax: 4096,
	connectionsPerClientMax: 256,
	idleMs: 10_000,
	messageMs: 500,
	unreadOctetsMax: 256 * 1024,
};

const SWEEP_MS = 100;
/** So long after the last connection was taken, what clients had sent by then has arrived. */
const QUIET_MS = 50;
const DRAIN_MS_MAX = 2000;
const LENGTH_OCTETS = 2;

export interface TcpSettings {
	readonly responder: Responder;
	readonly counters: Counters;
	readonly clock: Clock;
	readonly limits: TcpLimits;
}

/** All listeners of one worker share its limits. */
export class TcpService {
	readonly #settings: TcpSettings;
	readonly #servers: Server[] = [];
	/** In the order of their last use: the first one has been idle longest. */
	readonly #connections = new Set<Connection>();
	readonly #perClient = new Map<string, number>();
	readonly #out = new Uint8Array(LENGTH_OCTETS + TCP_MESSAGE_OCTETS_MAX);
	#sweep: NodeJS.Timeout | undefined;
	#isClosing = false;

	constructor(settings: TcpSettings) {
		this.#settings = settings;
	}

	/**
	 * @returns where it listens: port 0 has become one that was free
	 * @throws the runtime's error when the address cannot be bound
	 */
	async listen(at: ListenAddress): Promise<ListenAddress> {
		const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen({ port: at.port, host: at.address, ipv6Only: at.family === 6 }, () => {
				server.off('error', reject);
				resolve();
			});
		});
		// EMFILE and the like: this connection is lost, the next one may be taken.
		server.on('error', () => count(this.#settings.counters, COUNT.tcpRefused));
		this.#servers.push(server);
		return { ...at, port: (server.address() as AddressInfo).port };
	}

	get connectionCount(): number {
		return this.#connections.size;
	}

	/** Take no more connections, let what was asked be answered and read, then close. */
	async close(): Promise<void> {
		this.#isClosing = true;
		const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
		await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
		for (const connection of this.#connections) this.#finish(connection);
		const giveUp = setTimeout(() => {
			for (const connection of this.#connections) connection.socket.destroy();
		}, DRAIN_MS_MAX);
		await Promise.all(closed);
		clearTimeout(giveUp);
		clearInterval(this.#sweep);
	}

	#accept(socket: Socket): void {
		const { counters, clock } = this.#settings;
		const sender = peerAddress(socket.remoteAddress);
		socket.on('error', () => socket.destroy());
		if (this.#isClosing || sender === undefined) {
			socket.destroy();
			return;
		}
		const client = clientKey(sender);
		this.#makeRoom(client);
		count(counters, COUNT.tcpAccepted);
		const connection: Connection = {
			socket,
			client,
			sender,
			held: EMPTY,
			isWaiting: false,
			isEnded: false,
			usedMs: clock.nowMs(),
			begunMs: undefined,
		};
		this.#connections.add(connection);
		this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1);
		// What arrived while this thread was busy is read before it is called late.
		this.#sweep ??= setInterval(() => setImmediate(() => this.#closeExpired()), SWEEP_MS);
		socket.on('data', (bytes) => this.#receive(connection, bytes));
		socket.on('drain', () => this.#resume(connection));
		socket.on('end', () => this.#finish(connection));
		socket.on('close', () => this.#forget(connection));
	}

	/** A new connection is worth more than one that has nothing to say. */
	#makeRoom(client: string): void {
		const { limits, counters } = this.#settings;
		const isOwnFull = (this.#perClient.get(client) ?? 0) >= limits.connectionsPerClientMax;
		if (!isOwnFull && this.#connections.size < limits.connectionsMax) return;
		for (const connection of this.#connections) {
			if (isOwnFull && connection.client !== client) continue;
			count(counters, COUNT.tcpRefused);
			this.#drop(connection);
			return;
		}
	}

	/** Half-close: what was asked before the end is still answered (RFC 7766 §6.2.3). */
	#finish(connection: Connection): void {
		connection.isEnded = true;
		if (!connection.isWaiting) connection.socket.end();
	}

	#receive(connection: Connection, bytes: Buffer): void {
		// Behind our own end nothing can be answered; it is read, so that the kernel does not reset what is under way.
		if (connection.socket.writableEnded) return;
		connection.held = connection.held.length === 0 ? bytes : Buffer.concat([connection.held, bytes]);
		this.#touch(connection);
		if (!connection.isWaiting) this.#answerHeld(connection);
	}

	/** Answer every whole message that is held, as long as the client reads. */
	#answerHeld(connection: Connection): void {
		const { responder, limits, clock, counters } = this.#settings;
		const { socket } = connection;
		let at = 0;
		let answered = 0;
		const receivedMs = clock.nowMs();
		while (connection.held.length - at >= LENGTH_OCTETS) {
			// Only a socket that needs it will tell that it has drained.
			if (socket.writableNeedDrain && socket.writableLength > limits.unreadOctetsMax) {
				connection.isWaiting = true;
				socket.pause();
				break;
			}
			const length = connection.held.readUInt16BE(at);
			const end = at + LENGTH_OCTETS + length;
			if (connection.held.length < end) break;
			const message = connection.held.subarray(at + LENGTH_OCTETS, end);
			const octets = responder.respond(message, length, connection.sender, 'tcp', this.#out.subarray(LENGTH_OCTETS));
			if (octets === 0) {
				// No message that deserves silence comes from a client worth keeping.
				this.#drop(connection);
				return;
			}
			this.#out[0] = octets >>> 8;
			this.#out[1] = octets & 255;
			socket.write(Buffer.copyBytesFrom(this.#out, 0, LENGTH_OCTETS + octets));
			at = end;
			answered++;
		}
		if (answered > 0) countTimes(counters, clock.nowMs() - receivedMs, answered);
		connection.held = connection.held.subarray(at);
		// The time for a message starts with its first octet, however slowly the rest drips in.
		const isBegun = connection.held.length > 0 && !connection.isWaiting;
		if (!isBegun) connection.begunMs = undefined;
		else if (at > 0 || connection.begunMs === undefined) connection.begunMs = clock.nowMs();
	}

	/** The client has read all its answers: go on. */
	#resume(connection: Connection): void {
		if (!connection.isWaiting) return;
		connection.isWaiting = false;
		this.#touch(connection);
		this.#answerHeld(connection);
		if (connection.isWaiting || connection.socket.destroyed) return;
		if (connection.isEnded) connection.socket.end();
		connection.socket.resume();
	}

	#touch(connection: Connection): void {
		connection.usedMs = this.#settings.clock.nowMs();
		this.#connections.delete(connection);
		this.#connections.add(connection);
	}

	#closeExpired(): void {
		const { limits, clock, counters } = this.#settings;
		const nowMs = clock.nowMs();
		for (const connection of this.#connections) {
			const isIdle = nowMs - connection.usedMs >= limits.idleMs;
			const isSlow = connection.begunMs !== undefined && nowMs - connection.begunMs >= limits.messageMs;
			if (!isIdle && !isSlow) continue;
			count(counters, COUNT.tcpTimedOut);
			this.#drop(connection);
		}
		if (this.#connections.size > 0) return;
		clearInterval(this.#sweep);
		this.#sweep = undefined;
	}

	#drop(connection: Connection): void {
		connection.socket.destroy();
		this.#forget(connection);
	}

	#forget(connection: Connection): void {
		if (!this.#connections.delete(connection)) return;
		const left = (this.#perClient.get(connection.client) ?? 1) - 1;
		if (left > 0) this.#perClient.set(connection.client, left);
		else this.#perClient.delete(connection.client);
	}
}

const EMPTY = Buffer.alloc(0);

/** An IPv4 address, or the /64 that an IPv6 client has to itself. */
function clientKey({ family, words }: Address): string {
	return family === 4 ? `${words[0]}` : `${words[0]}:${words[1]}`;
}

interface Connection {
	readonly socket: Socket;
	/** The key of the limit per client. */
	readonly client: string;
	readonly sender: Address;
	/** Octets received and not yet answered. */
	held: Buffer;
	/** The client does not read its answers; nothing more is answered until it does. */
	isWaiting: boolean;
	/** No more will be asked: the client has ended its side, or we close. */
	isEnded: boolean;
	usedMs: number;
	/** When the message that is still incomplete began. */
	begunMs: number | undefined;
}

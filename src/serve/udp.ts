/**
 * UDP by Node's own dgram: the transport that runs everywhere.
 *
 * Each worker has its own socket on the same address (SO_REUSEPORT); the kernel spreads clients over them.
 */

import { createSocket, type Socket } from 'node:dgram';
import { UDP_PAYLOAD_OCTETS_MAX } from '../dns/protocol.ts';
import { type ListenAddress, peerAddress } from '../lib/listen-address.ts';
import type { Clock } from '../lib/ports.ts';
import { COUNT, type Counters, count, countTimes } from './counters.ts';
import type { Responder } from './respond.ts';

/** Asked for; the kernel caps it (net.core.rmem_max). At 100,000 queries a second, some 100 ms. */
export const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;
/** Answers that the kernel has not taken yet; past that, new ones are dropped rather than piled up. */
const SEND_QUEUE_OCTETS_MAX = 4 * 1024 * 1024;
/** A socket that was quiet for so long has nothing left in its queue. */
const QUIET_MS = 50;
const DRAIN_MS_MAX = 1000;

export interface UdpListener {
	/** Where it listens: port 0 has become one that was free. */
	readonly at: ListenAddress;
	/** What the kernel granted for SO_RCVBUF. */
	readonly receiveBufferOctets: number;
	/** Answer what has arrived, then close. */
	close(): Promise<void>;
}

export interface UdpSettings {
	readonly responder: Responder;
	readonly counters: Counters;
	readonly clock: Clock;
}

export async function listenUdp(at: ListenAddress, { responder, counters, clock }: UdpSettings): Promise<UdpListener> {
	const socket = createSocket({ type: at.family === 4 ? 'udp4' : 'udp6', reusePort: true, ipv6Only: at.family === 6 });
	const out = new Uint8Array(UDP_PAYLOAD_OCTETS_MAX);
	let received = 0;
	socket.on('message', (message, peer) => {
		received++;
		const receivedMs = clock.nowMs();
		const sender = peerAddress(peer.address);
		// Nobody can be answered at port 0.
		if (sender === undefined || peer.port === 0) return;
		const length = responder.respond(message, message.length, sender, 'udp', out);
		if (length === 0) return;
		if (socket.getSendQueueSize() > SEND_QUEUE_OCTETS_MAX) {
			count(counters, COUNT.sendFailures);
			return;
		}
		// The kernel may take it later, and `out` is written again before that.
		socket.send(Buffer.copyBytesFrom(out, 0, length), peer.port, peer.address, (error) => {
			if (error !== null) count(counters, COUNT.sendFailures);
		});
		countTimes(counters, clock.nowMs() - receivedMs, 1);
	});
	await bound(socket, at);
	// An ICMP error for an earlier answer surfaces here; it says nothing about the next one.
	socket.on('error', () => count(counters, COUNT.sendFailures));
	return {
		at: { ...at, port: socket.address().port },
		receiveBufferOctets: socket.getRecvBufferSize(),
		close: () => drain(socket, () => received),
	};
}

function bound(socket: Socket, at: ListenAddress): Promise<void> {
	return new Promise((resolve, reject) => {
		socket.once('error', reject);
		socket.bind({ port: at.port, address: at.address }, () => {
			socket.off('error', reject);
			// The kernel caps the size (net.core.rmem_max), and grants what it will.
			socket.setRecvBufferSize(RECEIVE_BUFFER_OCTETS);
			resolve();
		});
	});
}

/** Closing a socket throws away what waits in its queue, so it is closed only after a quiet moment. */
async function drain(socket: Socket, received: () => number): Promise<void> {
	for (let waitedMs = 0; waitedMs < DRAIN_MS_MAX; waitedMs += QUIET_MS) {
		const before = received();
		await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
		// A busy thread sees its timers before its sockets; the moment was quiet only when nothing waits there either.
		await new Promise((resolve) => setImmediate(resolve));
		if (received() === before) break;
	}
	await new Promise<void>((resolve) => socket.close(() => resolve()));
}

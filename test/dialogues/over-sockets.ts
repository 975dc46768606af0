/**
 * The same questions through sockets: each UDP transport, over IPv4 and IPv6, must hand on what the responder says,
 * octet by octet.
 */

import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { closeUdpSocket, openUdpSocket } from '../../src/native/udp-socket.ts';
import { chooseUdpTransport, type UdpTransport } from '../../src/roles/udp-transport.ts';
import { listenUdp } from '../../src/serve/udp.ts';
import { UdpBatch } from '../../src/serve/udp-batch.ts';
import { makeQuery } from '../dns/make-query.ts';
import type { TestResponder } from '../serve/responder-of.ts';

const LOOPBACKS = [
	{ address: '127.0.0.1', family: 4, port: 0 },
	{ address: '::1', family: 6, port: 0 },
] as const;
const LIMIT_MS = 5000;
/** The thread that waits in the kernel here is the one that asks. */
const RECEIVE_MS = 1;
/** Asked behind a question that gets no answer: what comes first is the answer to this one. */
const SENTINEL = makeQuery({ name: 'sentinel.invalid', type: 'A', id: 0xfffe });

interface Way {
	readonly name: string;
	readonly loopback: string;
	readonly client: Socket;
	readonly port: number;
	readonly close: () => Promise<void>;
}

export class OverSockets {
	readonly #ways: readonly Way[];

	private constructor(ways: readonly Way[]) {
		this.#ways = ways;
	}

	static async open(responder: TestResponder): Promise<OverSockets> {
		const batch = await chooseUdpTransport('batch').catch(() => undefined);
		const transports: readonly UdpTransport[] = [{ kind: 'dgram' }, ...(batch === undefined ? [] : [batch.transport])];
		const ways: Way[] = [];
		for (const transport of transports) {
			for (const at of LOOPBACKS) {
				const { port, close } = await listen(transport, at, responder);
				const client = createSocket(at.family === 4 ? 'udp4' : 'udp6');
				ways.push({ name: `${transport.kind} at ${at.address}`, loopback: at.address, client, port, close });
			}
		}
		return new OverSockets(ways);
	}

	async check(responder: TestResponder, request: Uint8Array, place: string): Promise<void> {
		for (const { name, loopback, client, port } of this.#ways) {
			const expected = responder.respond(request, { from: loopback }).slice();
			const isSilent = expected.length === 0;
			const reply = once(client, 'message', { signal: AbortSignal.timeout(LIMIT_MS) });
			client.send(request, port, loopback);
			if (isSilent) client.send(SENTINEL, port, loopback);
			const [octets] = (await reply) as [Buffer];
			const wanted = isSilent ? responder.respond(SENTINEL, { from: loopback }) : expected;
			assert.equal(octets.toString('hex'), Buffer.from(wanted).toString('hex'), `${place}, ${name}`);
		}
	}

	async close(): Promise<void> {
		for (const { client, close } of this.#ways) {
			client.close();
			await close();
		}
	}
}

async function listen(
	transport: UdpTransport,
	at: (typeof LOOPBACKS)[number],
	{ responder, counters }: TestResponder,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
	const clock = { nowMs: () => performance.now() };
	if (transport.kind === 'dgram') {
		const listener = await listenUdp(at, { responder, counters, clock });
		return { port: listener.at.port, close: () => listener.close() };
	}
	const { libc } = transport;
	const options = { isShared: false, receiveBufferOctets: 65_536, receiveTimeoutMs: RECEIVE_MS };
	const socket = openUdpSocket(libc, at, options);
	const { descriptor } = socket;
	const batch = new UdpBatch({ libc, descriptors: [descriptor], responder, counters, clock, takeMail: () => {} });
	batch.start();
	return {
		port: socket.at.port,
		close: async () => {
			await batch.close();
			closeUdpSocket(libc, socket);
		},
	};
}

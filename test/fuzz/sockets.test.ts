/**
 * Damaged messages at real sockets for a while: afterwards they answer as before, nothing is left open, and memory is
 * where it was. FUZZ_SEC lengthens the run.
 */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { readMessage } from '../../src/dns/message-text.ts';
import { TCP_LIMITS, TcpService } from '../../src/serve/tcp.ts';
import { listenUdp } from '../../src/serve/udp.ts';
import { makeQuery } from '../dns/make-query.ts';
import { responderOf } from '../serve/responder-of.ts';
import { framed, TcpClient } from '../serve/tcp-client.ts';
import { checkReply } from './check-reply.ts';
import { FUZZ_WORLD, Mutator } from './mutate.ts';

/** Half of it for UDP, half for TCP. */
const FUZZ_MS = (Number(process.env['FUZZ_SEC'] ?? 60) * 1000) / 2;
/** The heap settles in the first part of a run; from then on it may breathe, and must not grow. */
const SETTLED_SHARE = 0.3;
const GROWTH_OCTETS_MAX = 48 * 1024 * 1024;
/** Connections that are left to the server's limits. */
const WAITING_MAX = 1000;
const SEED = Number(process.env['FUZZ_SEED'] ?? 11);
const GOOD = makeQuery({ name: 'www.example.net', id: 4711 });

describe('sockets under fuzz', () => {
	it('UDP goes on answering', async () => {
		const world = responderOf(FUZZ_WORLD);
		const listener = await listenUdp({ address: '127.0.0.1', family: 4, port: 0 }, world);
		const socket = createSocket('udp4');
		socket.bind(0, '127.0.0.1');
		await once(socket, 'listening');
		let lastId = -1;
		socket.on('message', (reply) => {
			lastId = reply.readUInt16BE(0);
		});
		const { address, port } = listener.at;
		const mutator = new Mutator(SEED);
		const memory = new Memory(FUZZ_MS);
		let sent = 0;
		while (memory.goesOn()) {
			for (let i = 0; i < 50; i++, sent++)
				socket.send(mutator.below(50) === 0 ? huge(mutator) : mutator.message(), port, address);
			// The reply to a good query behind them says that they are through.
			while (lastId !== 4711) {
				socket.send(GOOD, port, address);
				await new Promise((resolve) => setImmediate(resolve));
			}
			lastId = -1;
		}
		memory.assertFlat();
		assert.ok(sent > 5000, `${sent}`);
		assert.ok(world.count('queriesUdpIpv4') > sent / 2);
		assert.deepEqual(world.faults, []);
		assert.equal(world.count('sendFailures'), 0);
		socket.close();
		await listener.close();
	});

	it('TCP goes on answering, and no connection is left', async () => {
		const world = responderOf(FUZZ_WORLD);
		const limits = { ...TCP_LIMITS, idleMs: 400, messageMs: 200 };
		const clock = { nowMs: () => performance.now() };
		const service = new TcpService({ responder: world.responder, counters: world.counters, clock, limits });
		const at = await service.listen({ address: '127.0.0.1', family: 4, port: 0 });
		const mutator = new Mutator(SEED + 1);
		const memory = new Memory(FUZZ_MS);
		const waiting: TcpClient[] = [];
		let dialled = 0;
		while (memory.goesOn()) {
			const clients = await Promise.all(Array.from({ length: 20 }, () => TcpClient.connect(at)));
			dialled += clients.length;
			for (const client of clients) {
				const messages = Array.from({ length: mutator.below(30) }, () => framed(mutator.message()));
				const bytes = Buffer.concat([...messages, mutator.octets(30)]);
				const cut = mutator.below(bytes.length + 1);
				client.socket.write(bytes.subarray(0, cut));
				client.socket.write(bytes.subarray(cut));
				if (mutator.below(2) === 0) client.socket.end();
			}
			const good = await TcpClient.connect(at);
			good.send(GOOD);
			assert.equal((await good.receive(1))[0]?.id, 4711);
			good.socket.end();
			// Some go without a word; the others are closed by the limits.
			for (const client of clients) {
				if (mutator.below(2) === 0) client.socket.destroy();
				else waiting.push(client);
			}
			// Our own ends are closed some time after the limits have closed the others.
			for (const client of waiting.splice(0, waiting.length - WAITING_MAX)) client.socket.destroy();
		}
		for (const client of waiting) client.socket.destroy();
		memory.assertFlat();
		assert.ok(dialled > 500, `${dialled}`);
		assert.deepEqual(world.faults, []);
		while (service.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
		await service.close();
	});

	it('TCP gives each of many pipelined messages its reply, whatever stands between', async () => {
		const world = responderOf(FUZZ_WORLD);
		const clock = { nowMs: () => performance.now() };
		const service = new TcpService({ responder: world.responder, counters: world.counters, clock, limits: TCP_LIMITS });
		const at = await service.listen({ address: '127.0.0.1', family: 4, port: 0 });
		const client = await TcpClient.connect(at);
		const mutator = new Mutator(17);
		const requests = Array.from({ length: 3000 }, () => mutator.message()).filter(
			(message) => message.length >= 12 && ((message[2] ?? 0) & 0x80) === 0,
		);
		client.send(...requests);
		const replies = await client.receive(requests.length);
		assert.equal(replies.length, requests.length);
		for (const [i, request] of requests.entries())
			assert.equal(replies[i]?.id, ((request[0] ?? 0) << 8) + (request[1] ?? 0));
		client.socket.end();
		await service.close();
	});
});

it('a good query at a good world is answered, so that these tests wait for something', () => {
	const world = responderOf(FUZZ_WORLD);
	const reply = world.respond(GOOD);
	assert.equal(checkReply(GOOD, reply, 'udp')?.answer.length, 1);
	assert.notEqual(typeof readMessage(reply), 'string');
});

/** The least heap of each part of a run: what is left after a collection. */
class Memory {
	readonly #startMs = performance.now();
	readonly #lengthMs: number;
	#early = Number.POSITIVE_INFINITY;
	#late = Number.POSITIVE_INFINITY;

	constructor(lengthMs: number) {
		this.#lengthMs = lengthMs;
	}

	goesOn(): boolean {
		const share = (performance.now() - this.#startMs) / this.#lengthMs;
		const { heapUsed, arrayBuffers } = process.memoryUsage();
		const octets = heapUsed + arrayBuffers;
		if (share < SETTLED_SHARE) this.#early = Math.min(this.#early, octets);
		else if (share > 1 - SETTLED_SHARE) this.#late = Math.min(this.#late, octets);
		return share < 1;
	}

	assertFlat(): void {
		const grown = this.#late - this.#early;
		assert.ok(grown < GROWTH_OCTETS_MAX, `memory has grown by ${grown} octets`);
	}
}

/** What is longer than any query. */
function huge(mutator: Mutator): Uint8Array {
	return Uint8Array.from([...mutator.query(), ...new Uint8Array(mutator.below(9000)).fill(mutator.below(256))]);
}

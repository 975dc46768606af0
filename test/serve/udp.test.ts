/**
 * listenUdp() over real sockets on loopback.
 */

import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { readMessage } from '../../src/dns/message-text.ts';
import type { ListenAddress } from '../../src/lib/listen-address.ts';
import { listenUdp, type UdpListener } from '../../src/serve/udp.ts';
import { makeQuery } from '../dns/make-query.ts';
import { responderOf, type TestResponder } from './responder-of.ts';

const LOOPBACK: ListenAddress = { address: '127.0.0.1', family: 4, port: 0 };
const query = (id: number) => makeQuery({ name: 'www.example.org', id });
/** Far above what any test needs: it only ends one that would hang. */
const patience = () => ({ signal: AbortSignal.timeout(10_000) });

const closers: (() => unknown)[] = [];

async function serve(at = LOOPBACK): Promise<{ listener: UdpListener; at: ListenAddress; world: TestResponder }> {
	const world = responderOf('www A 192.0.2.1');
	const listener = await listenUdp(at, world);
	return { listener, at: listener.at, world };
}

async function client(family: 4 | 6 = 4): Promise<Socket> {
	const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
	socket.bind(0, family === 4 ? '127.0.0.1' : '::1');
	await once(socket, 'listening');
	closers.push(() => socket.close());
	return socket;
}

async function ask(socket: Socket, request: Uint8Array, { address, port }: ListenAddress) {
	socket.send(request, port, address);
	const [reply] = (await once(socket, 'message', patience())) as [Buffer];
	const message = readMessage(reply);
	return typeof message === 'string' ? assert.fail(message) : message;
}

describe('listenUdp()', () => {
	after(() => {
		for (const close of closers) close();
	});

	for (const [family, address] of [
		[4, '127.0.0.1'],
		[6, '::1'],
	] as const) {
		it(`answers over IPv${family}`, async () => {
			const { listener, at } = await serve({ address, family, port: 0 });
			const reply = await ask(await client(family), query(7), at);
			assert.deepEqual([reply.id, reply.answer[0]?.rdataText], [7, '192.0.2.1']);
			await listener.close();
		});
	}

	it('tells what the kernel granted as receive buffer', async () => {
		const { listener } = await serve();
		assert.ok(listener.receiveBufferOctets > 65536, `${listener.receiveBufferOctets}`);
		await listener.close();
	});

	it('keeps silent on a response and on less than a header, and goes on', async () => {
		const { listener, at, world } = await serve();
		const socket = await client();
		const response = query(1);
		response[2] = 0x80;
		for (const bad of [response, query(2).subarray(0, 11), new Uint8Array(0)]) socket.send(bad, at.port, at.address);
		assert.equal((await ask(socket, query(3), at)).id, 3);
		assert.equal(world.count('ignored'), 3);
		await listener.close();
	});

	it('shares a port with another socket, and both answer', async () => {
		const first = await serve();
		const second = await serve(first.at);
		assert.equal(second.at.port, first.at.port);
		// The kernel chooses by the client's address and port.
		for (let i = 0; i < 64; i++) await ask(await client(), query(i), first.at);
		const counts = [first, second].map(({ world }) => world.count('queriesUdpIpv4'));
		assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 64);
		assert.ok(Math.min(...counts) > 0, `${counts}`);
		await first.listener.close();
		// The one that stays answers all.
		for (let i = 0; i < 16; i++) await ask(await client(), query(i), second.at);
		assert.equal(second.world.count('queriesUdpIpv4'), (counts[1] ?? 0) + 16);
		await second.listener.close();
	});

	it('close() answers what was queued, however busy the thread was', async () => {
		const { listener, at, world } = await serve();
		// A thread of its own sends while this one is blocked.
		const words = new Int32Array(new SharedArrayBuffer(8));
		const sender = new Worker(SENDER, { eval: true, workerData: { words, at, request: query(5), count: 100 } });
		await once(sender, 'message', patience());
		// Behind an immediate come the timers, and only then the sockets.
		await new Promise((resolve) => setImmediate(resolve));
		const closed = listener.close();
		Atomics.store(words, 0, 1);
		Atomics.notify(words, 0);
		Atomics.wait(words, 1, 0, 5000);
		const busyUntilMs = performance.now() + 80;
		while (performance.now() < busyUntilMs);
		const answered = once(sender, 'message', patience());
		await closed;
		assert.equal(world.count('queriesUdpIpv4'), 100);
		assert.deepEqual(await answered, [100]);
		await sender.terminate();
	});

	it('throws when the address is not of this machine', async () => {
		await assert.rejects(serve({ address: '203.0.113.1', family: 4, port: 0 }), { code: 'EADDRNOTAVAIL' });
	});
});

/** Sends when it is told to, without an event loop of ours; posts how many answers came. */
const SENDER = `
const { workerData: { words, at, request, count }, parentPort } = require('node:worker_threads');
const socket = require('node:dgram').createSocket('udp4');
let answers = 0;
socket.on('message', () => { if (++answers === count) parentPort.postMessage(answers); });
socket.bind(0, '127.0.0.1', () => {
	parentPort.postMessage('ready');
	Atomics.wait(words, 0, 0);
	let sent = 0;
	for (let i = 0; i < count; i++) socket.send(request, at.port, at.address, () => {
		if (++sent < count) return;
		Atomics.store(words, 1, 1);
		Atomics.notify(words, 1);
	});
});`;

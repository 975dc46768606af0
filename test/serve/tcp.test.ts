/**
 * TcpService over real sockets. Limits are short and handed in; a test waits for what it expects, never for a while.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { after, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ListenAddress } from '../../src/lib/listen-address.ts';
import { TCP_LIMITS, type TcpLimits, TcpService } from '../../src/serve/tcp.ts';
import { makeQuery } from '../dns/make-query.ts';
import { responderOf } from './responder-of.ts';
import { framed, TcpClient } from './tcp-client.ts';

const strings = Array.from({ length: 40 }, (_, i) => `"${String(i).padStart(250, 'x')}"`);
const ZONE = `www A 192.0.2.1\nbig TXT ${strings.join(' ')}`;
const CALM: TcpLimits = { ...TCP_LIMITS, idleMs: 60_000, messageMs: 60_000 };
const LOOPBACK: ListenAddress = { address: '127.0.0.1', family: 4, port: 0 };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const query = (id: number, name = 'www') =>
	makeQuery({ name: `${name}.example.org`, type: name === 'big' ? 'TXT' : 'A', id });
const ids = (messages: readonly { readonly id: number }[]) => messages.map(({ id }) => id);
const open: TcpService[] = [];

async function serve(limits: Partial<TcpLimits> = {}, listen = LOOPBACK) {
	const world = responderOf(ZONE);
	const clock = { nowMs: () => performance.now() };
	const service = new TcpService({
		responder: world.responder,
		counters: world.counters,
		clock,
		limits: { ...CALM, ...limits },
	});
	open.push(service);
	const at = await service.listen(listen);
	return { service, at, world, connect: (isReading = true) => TcpClient.connect(at, isReading) };
}

after(async () => {
	await Promise.all(open.map((service) => service.close()));
});

describe('TcpService answers', () => {
	it('answers over IPv4 and IPv6', async () => {
		for (const listen of [LOOPBACK, { address: '::1', family: 6, port: 0 } as const]) {
			const client = await (await serve({}, listen)).connect();
			client.send(query(7));
			const [reply] = await client.receive(1);
			assert.equal(reply?.answer[0]?.rdataText, '192.0.2.1');
			client.socket.end();
		}
	});

	it('answers many queries of one write, in their order', async () => {
		const client = await (await serve()).connect();
		const wanted = Array.from({ length: 500 }, (_, i) => i + 1);
		client.send(...wanted.map((id) => query(id)));
		assert.deepEqual(ids(await client.receive(500)), wanted);
		client.socket.end();
	});

	it('answers queries that come octet by octet, the length split too', async () => {
		const client = await (await serve()).connect();
		client.socket.setNoDelay(true);
		for (const value of Buffer.concat([framed(query(1)), framed(query(2))])) {
			client.socket.write(Uint8Array.of(value));
			await new Promise((resolve) => setImmediate(resolve));
		}
		assert.deepEqual(ids(await client.receive(2)), [1, 2]);
		client.socket.end();
	});

	it('answers what was asked before the client’s half-close, then closes', async () => {
		const client = await (await serve()).connect();
		client.socket.end(Buffer.concat([framed(query(1)), framed(query(2)), framed(query(3)).subarray(0, 9)]));
		await client.closed();
		assert.deepEqual(ids(client.messages), [1, 2]);
	});

	it('answers all of a half-closed client that reads late', async () => {
		const { connect: dial } = await serve({ unreadOctetsMax: 65_536 });
		const client = await dial(false);
		const wanted = Array.from({ length: 1400 }, (_, i) => i);
		client.socket.end(Buffer.concat(wanted.map((id) => framed(query(id, 'big')))));
		await once(client.socket, 'finish');
		client.socket.resume();
		await client.closed();
		assert.deepEqual(ids(client.messages), wanted);
	});
});

describe('TcpService limits time', () => {
	it('closes a connection on which nothing is asked for idleMs', async () => {
		const { connect: dial, world } = await serve({ idleMs: 150 });
		const client = await dial();
		const sentMs = performance.now();
		client.send(query(1));
		await client.closed();
		const openMs = performance.now() - sentMs;
		assert.equal(client.messages.length, 1);
		assert.ok(openMs >= 145 && openMs < 1500, `closed after ${openMs} ms`);
		assert.equal(world.count('tcpTimedOut'), 1);
	});

	it('closes a connection whose message is not whole messageMs after its first octet, drip or not', async () => {
		const { connect: dial, world } = await serve({ messageMs: 200 });
		const client = await dial();
		client.send(query(1));
		await client.receive(1);
		const drip = setInterval(() => client.socket.write(Uint8Array.of(0)), 20);
		const begunMs = performance.now();
		// 65,280 octets are announced: one each 20 ms would take a while.
		client.socket.write(Uint8Array.of(255));
		await client.closed();
		clearInterval(drip);
		const openMs = performance.now() - begunMs;
		assert.ok(openMs >= 195 && openMs < 1500, `closed after ${openMs} ms`);
		assert.equal(world.count('tcpTimedOut'), 1);
		client.socket.destroy();
	});

	it('does not hold its own delay against a client', async () => {
		const { connect: dial } = await serve({ messageMs: 150 });
		const client = await dial();
		client.send(query(1));
		await client.receive(1);
		const [head, tail] = [framed(query(2)).subarray(0, 10), framed(query(2)).subarray(10)];
		client.socket.write(head);
		// Let it arrive; then the rest arrives too, but this thread is busy until long after the time is over.
		await new Promise((resolve) => setTimeout(resolve, 20));
		// Behind an immediate come the timers, and only then the sockets.
		await new Promise((resolve) => setImmediate(resolve));
		client.socket.write(tail);
		const busyUntilMs = performance.now() + 350;
		while (performance.now() < busyUntilMs);
		assert.deepEqual(ids(await client.receive(2)), [1, 2]);
		client.socket.end();
	});
});

describe('TcpService limits what is unread', () => {
	it('stops reading from a client that does not read, goes on when it does, and serves others meanwhile', async () => {
		const { connect: dial, world } = await serve();
		const slow = await dial(false);
		const wanted = Array.from({ length: 3000 }, (_, i) => i);
		slow.send(...wanted.map((id) => query(id, 'big')));
		const other = await dial();
		for (let i = 0; i < 50; i++) {
			other.send(query(i));
			await other.receive(i + 1);
		}
		const answered = world.count('queriesTcpIpv4') - 50;
		assert.ok(answered < 2000, `${answered} of 3000 were answered unread`);
		slow.socket.resume();
		assert.deepEqual(ids(await slow.receive(3000)), wanted);
		slow.socket.end();
		other.socket.end();
	});

	it('closes a client that never reads after idleMs', async () => {
		const { connect: dial, service, world } = await serve({ idleMs: 200 });
		const slow = await dial(false);
		slow.send(...Array.from({ length: 3000 }, (_, i) => query(i, 'big')));
		const watch = await dial();
		while (service.connectionCount > 1) {
			watch.send(query(0));
			await watch.receive(watch.messages.length + 1);
		}
		assert.equal(world.count('tcpTimedOut'), 1);
		slow.socket.destroy();
		watch.socket.destroy();
	});

	it('bounds the memory of a flood of answers that nobody reads', async () => {
		const { connect: dial, service, world } = await serve();
		const flood = framed(query(1, 'big'));
		const clients = await Promise.all(Array.from({ length: 20 }, () => dial(false)));
		collectGarbage();
		const before = process.memoryUsage();
		const request = Buffer.concat(Array.from({ length: 1000 }, () => flood));
		// Each round asks for 20 * 1000 * 10 kB = 200 MB.
		for (let round = 0; round < 5; round++) {
			for (const client of clients) client.socket.write(request);
			const watch = await dial();
			watch.send(query(2));
			await watch.receive(1);
			watch.socket.destroy();
		}
		collectGarbage();
		const now = process.memoryUsage();
		// The clients' own unsent requests are in this process too: 20 * 5 * 35 kB.
		const grownMb = (now.external - before.external) / 1e6;
		// Unbounded it would be 1,000; what a busy machine has not collected yet may be some tens.
		assert.ok(grownMb < 100, `grown by ${grownMb} MB`);
		assert.ok(world.count('queriesTcpIpv4') < 20_000, `${world.count('queriesTcpIpv4')} answers made`);
		for (const client of clients) client.socket.destroy();
		assert.ok(service.connectionCount > 0);
	});
});

describe('TcpService limits connections', () => {
	it('closes a client’s own longest idle connection for its new one above the limit of one client', async () => {
		const { connect: dial, service, world } = await serve({ connectionsPerClientMax: 3 });
		const clients = [await dial(), await dial(), await dial()];
		for (const [i, client] of clients.entries()) {
			client.send(query(i));
			await client.receive(1);
		}
		const fresh = await dial();
		fresh.send(query(7));
		assert.equal((await fresh.receive(1)).length, 1);
		await clients[0]?.closed();
		assert.deepEqual(
			clients.map(({ isClosed }) => isClosed),
			[true, false, false],
		);
		assert.equal(world.count('tcpRefused'), 1);
		assert.equal(service.connectionCount, 3);
		for (const client of [...clients, fresh]) client.socket.destroy();
	});

	it('serves a new connection at once beside 2,000 idle ones of the same client', async () => {
		const { connect: dial, service } = await serve();
		const idle = [];
		for (let i = 0; i < 2000; i++) idle.push(await dial());
		const startMs = performance.now();
		const fresh = await dial();
		fresh.send(query(1));
		assert.equal((await fresh.receive(1)).length, 1);
		assert(performance.now() - startMs < 1000);
		assert(service.connectionCount <= TCP_LIMITS.connectionsPerClientMax);
		for (const client of [...idle, fresh]) client.socket.destroy();
	});

	it('closes the longest idle connection for a new one above the total limit', async () => {
		const { connect: dial, service } = await serve({ connectionsMax: 3 });
		const clients: TcpClient[] = [];
		for (let i = 0; i < 3; i++) {
			const client = await dial();
			client.send(query(i));
			await client.receive(1);
			clients.push(client);
		}
		const [first, second, third] = clients;
		// The first one is used again, so the second one has been idle longest.
		first?.send(query(9));
		await first?.receive(2);
		const fresh = await dial();
		fresh.send(query(4));
		assert.equal((await fresh.receive(1)).length, 1);
		await second?.closed();
		assert.deepEqual([first?.isClosed, second?.isClosed, third?.isClosed], [false, true, false]);
		assert.equal(service.connectionCount, 3);
		for (const client of [...clients, fresh]) client.socket.destroy();
	});

	it('forgets connections that made room, so that their client is not counted out', async () => {
		const { connect: dial } = await serve({ connectionsMax: 2, connectionsPerClientMax: 3 });
		for (let i = 0; i < 20; i++) {
			const client = await dial();
			client.send(query(i));
			assert.equal((await client.receive(1)).length, 1, `connection ${i}`);
		}
	});
});

describe('TcpService on bad and odd input', () => {
	it('closes on what deserves silence: a response, less than a header, nothing', async () => {
		const { connect: dial } = await serve();
		const response = query(1);
		response[2] = 0x80;
		for (const bad of [response, query(1).subarray(0, 11), new Uint8Array(0)]) {
			const client = await dial();
			client.send(bad, query(2));
			await client.closed();
			assert.deepEqual(client.messages, []);
		}
	});

	it('answers a query that is malformed, and goes on', async () => {
		const client = await (await serve()).connect();
		client.send(query(1).subarray(0, 14), query(2));
		const [first, second] = await client.receive(2);
		assert.deepEqual([first?.rcode, second?.rcode], ['FORMERR', 'NOERROR']);
		client.socket.end();
	});

	it('answers in one segment: length and message together (RFC 7766 §8)', async () => {
		const { at } = await serve();
		const socket = connect({ host: at.address, port: at.port });
		socket.write(framed(query(1)));
		const [bytes] = (await once(socket, 'data')) as [Buffer];
		assert.equal(bytes.readUInt16BE(0), bytes.length - 2);
		socket.destroy();
	});
});

describe('TcpService opens and closes', () => {
	it('close() answers what was asked, ends idle connections and takes no new one', async () => {
		const { service, connect: dial, at, world } = await serve();
		const idle = await dial();
		const slow = await dial(false);
		idle.send(query(0));
		await idle.receive(1);
		const wanted = Array.from({ length: 500 }, (_, i) => i);
		slow.send(...wanted.map((id) => query(id, 'big')));
		while (world.count('queriesTcpIpv4') < 26) await new Promise((resolve) => setImmediate(resolve));
		const closed = service.close();
		// What comes while it closes is answered, or the end comes before it; it is never torn.
		idle.send(query(1));
		slow.socket.resume();
		await Promise.all([idle.closed(), slow.closed()]);
		assert.deepEqual(ids(idle.messages), [0, 1]);
		assert.deepEqual(ids(slow.messages), wanted);
		idle.socket.end();
		slow.socket.end();
		await closed;
		const late = connect({ host: at.address, port: at.port });
		const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
		assert.equal(error.code, 'ECONNREFUSED');
	});

	it('close() gives a client up that neither reads nor goes', async () => {
		const { service, connect: dial } = await serve();
		const slow = await dial(false);
		slow.send(...Array.from({ length: 3000 }, (_, i) => query(i, 'big')));
		const startMs = performance.now();
		await service.close();
		const tookMs = performance.now() - startMs;
		assert.ok(tookMs < 4000, `took ${tookMs} ms`);
		slow.socket.destroy();
	});

	it('listen() throws when the address is taken', async () => {
		const { at } = await serve();
		await assert.rejects(serve({}, at), { code: 'EADDRINUSE' });
	});
});

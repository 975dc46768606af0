/**
 * DatagramBatch where the kernel will not do as it is asked: a C library that follows a script.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DatagramBatch } from '../../src/native/datagram-batch.ts';
import { type Libc, loadLibc } from '../../src/native/libc.ts';
import { ERRNO } from '../../src/native/linux-abi.ts';
import { selfTest } from '../../src/native/self-test.ts';
import { closeUdpSocket, connectUdpSocket, openUdpSocket } from '../../src/native/udp-socket.ts';

/** How many messages a call sends or brings, or the negative errno that it ends with. */
type Script = readonly number[];

const { eagain, eintr, enobufs, ebadf, einval, enosys } = ERRNO;
const EPERM = 1;
const ENETUNREACH = 101;

/** Messages of 64 octets each from this address on. */
const BASE = 4096n;

class ScriptedLibc implements Libc {
	/** First message and count of each `sendmmsg`. */
	readonly sends: string[] = [];
	waits = 0;
	readonly #script: number[];
	#errno = 0;

	constructor(script: Script) {
		this.#script = [...script];
	}

	#next(): number {
		const result = this.#script.shift() ?? assert.fail('called once too often');
		this.#errno = Math.max(0, -result);
		return Math.max(-1, result);
	}

	sendmmsg(_: number, messages: bigint, count: number): number {
		this.sends.push(`${messages} ${count}`);
		return this.#next();
	}

	recvmmsg(): number {
		return this.#next();
	}

	poll(): number {
		this.waits++;
		return 1;
	}

	errno(): number {
		return this.#errno;
	}

	sendto(): number {
		return assert.fail('not called');
	}

	recv(): number {
		return assert.fail('not called');
	}

	addressOf(): bigint {
		return BASE;
	}

	socket = () => -1;
	bind = () => -1;
	connect = () => -1;
	getsockname = () => -1;
	setsockopt = () => -1;
	getsockopt = () => -1;
	close = () => -1;
	syscall = () => -1;
}

describe('send()', () => {
	for (const { name, script, failures, sends, waits = 0 } of [
		{ name: 'sends all with one call', script: [4], failures: 0, sends: ['0 4'] },
		{ name: 'goes on where a call has stopped short', script: [1, 3], failures: 0, sends: ['0 4', '1 3'] },
		{
			name: 'passes over one that fails',
			script: [2, -EPERM, 1],
			failures: 1,
			sends: ['0 4', '2 2', '3 1'],
		},
		{
			name: 'passes over several that fail',
			script: [-einval, -ENETUNREACH, 1, -EPERM],
			failures: 3,
			sends: ['0 4', '1 3', '2 2', '3 1'],
		},
		{ name: 'tries again after a signal', script: [-eintr, 4], failures: 0, sends: ['0 4', '0 4'] },
		{
			name: 'waits when the queue is full',
			script: [1, -eagain, 3],
			failures: 0,
			sends: ['0 4', '1 3', '1 3'],
			waits: 1,
		},
		{
			name: 'gives up when the queue stays full',
			script: [1, -enobufs, 1, -eagain],
			failures: 2,
			sends: ['0 4', '1 3', '1 3', '2 2'],
			waits: 1,
		},
	] satisfies readonly { name: string; script: Script; failures: number; sends: string[]; waits?: number }[]) {
		it(name, () => {
			const libc = new ScriptedLibc(script);
			const batch = new DatagramBatch(libc, 4);
			const first = BASE;
			for (let i = 0; i < 4; i++) batch.stage(12);
			assert.equal(batch.send(3), failures);
			const told = libc.sends.map((call) => {
				const [at = '0', count] = call.split(' ');
				return `${(BigInt(at) - first) / 64n} ${count}`;
			});
			assert.deepEqual(told, sends);
			assert.equal(libc.waits, waits);
			assert.equal(batch.staged, 0);
		});
	}
});

describe('reply()', async () => {
	const loaded = await loadLibc();
	const skip = loaded.ok ? false : loaded.problems.join();
	const options = { isShared: false, receiveBufferOctets: 65536, receiveTimeoutMs: 500 };
	const loopback = { family: 4, address: '127.0.0.1', port: 0 } as const;

	it('reaches each sender, also when others are left out, one batch after the other', { skip }, (t) => {
		assert(loaded.ok);
		const libc = loaded.value;
		const open = () => {
			const socket = openUdpSocket(libc, loopback, options);
			t.after(() => closeUdpSocket(libc, socket));
			return socket;
		};
		const server = open();
		const clients = Array.from({ length: 6 }, open);
		for (const client of clients) connectUdpSocket(libc, client, server.at);
		const own = new DatagramBatch(libc, 1);
		const batch = new DatagramBatch(libc, clients.length);
		for (const { asking, answered } of [
			{ asking: [0, 1, 2, 3, 4, 5], answered: [0, 1, 2, 3, 4, 5] },
			{ asking: [0, 1, 2, 3, 4, 5], answered: [1, 2, 5] },
			{ asking: [3, 2], answered: [2] },
			{ asking: [5, 4, 3, 2, 1, 0], answered: [0, 3] },
			{ asking: [1], answered: [] },
			{ asking: [2, 1, 4], answered: [4] },
			{ asking: [0, 1, 2, 3, 4, 5], answered: [0, 1, 2, 3, 4, 5] },
		]) {
			for (const i of asking) {
				own.messages[0]?.fill(i, 0, 100);
				own.stage(10 + i);
				assert.equal(own.send(clients[i]?.descriptor ?? -1), 0);
			}
			assert.equal(batch.receive(server.descriptor, true), asking.length);
			for (const [slot, i] of asking.entries()) {
				assert.deepEqual([batch.receivedLength(slot), batch.senderPort(slot)], [10 + i, clients[i]?.at.port]);
				if (!answered.includes(i)) continue;
				batch.messages[slot]?.fill(100 + i, 0, 60);
				batch.reply(slot, 50 + i);
			}
			assert.equal(batch.send(server.descriptor), 0);
			const told = clients.map(({ descriptor }) => {
				if (own.receive(descriptor, false) === 0) return 'nothing';
				const message = own.messages[0]?.subarray(0, own.receivedLength(0));
				return `${message?.length} times ${[...new Set(message)]}`;
			});
			const expected = clients.map((_, i) => (answered.includes(i) ? `${50 + i} times ${100 + i}` : 'nothing'));
			assert.deepEqual(told, expected);
		}
	});
});

describe('receive()', () => {
	for (const [name, errno] of Object.entries({ EAGAIN: eagain, EINTR: eintr, ENOBUFS: enobufs })) {
		it(`brings nothing on ${name}`, () => {
			assert.equal(new DatagramBatch(new ScriptedLibc([-errno]), 4).receive(3, true), 0);
		});
	}

	for (const [code, errno] of Object.entries({ EBADF: ebadf, EINVAL: einval, ENOSYS: enosys })) {
		it(`throws on ${code}, which would come again`, () => {
			assert.throws(() => new DatagramBatch(new ScriptedLibc([-errno]), 4).receive(3, true), { code });
		});
	}
});

describe('selfTest()', async () => {
	const loaded = await loadLibc();
	const skip = loaded.ok ? false : loaded.problems.join();
	const libcWith = (calls: (real: Libc) => Partial<Libc>): Libc => {
		assert(loaded.ok);
		return { ...loaded.value, ...calls(loaded.value) };
	};

	it('finds nothing on a machine that can', { skip }, () => {
		assert.equal(selfTest(libcWith(() => ({}))), undefined);
	});

	for (const { name, calls, says } of [
		{ name: 'a call that does nothing', calls: () => ({ recvmmsg: () => 0 }), says: /^recvmmsg does not receive/ },
		{
			name: 'messages of another size',
			calls: ({ recvmmsg }) => ({
				recvmmsg: (descriptor, messages, count, flags, timeout) =>
					recvmmsg(descriptor, messages + 64n, count - 1, flags, timeout) + 1,
			}),
			says: /^recvmmsg does not tell what came/,
		},
		{
			name: 'no word of the address asked',
			calls: ({ setsockopt }) => ({
				setsockopt: (descriptor, level, option, value, octets) =>
					level === 1 ? setsockopt(descriptor, level, option, value, octets) : 0,
			}),
			says: /^recvmmsg does not tell the address asked over IPv4/,
		},
		{ name: 'an errno that is not told', calls: () => ({ errno: () => 0 }), says: /^errno cannot be read/ },
		{ name: 'sockets that are refused', calls: () => ({ socket: () => -1 }), says: /^socket / },
	] satisfies readonly { name: string; calls: (real: Libc) => Partial<Libc>; says: RegExp }[]) {
		it(`tells of ${name}`, { skip }, () => {
			assert.match(selfTest(libcWith(calls)) ?? 'nothing', says);
		});
	}
});

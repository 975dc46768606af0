/**
 * ICMP sockets against a scripted C library, and against the kernel where it lets this process have one.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EchoSockets } from '../../src/native/echo-socket.ts';
import { type Libc, loadLibc } from '../../src/native/libc.ts';
import { ERRNO } from '../../src/native/linux-abi.ts';
import { checkIcmp } from '../../src/probe/icmp.ts';
import { until } from '../roles/meridian-process.ts';

const EACCES = 13;
const EAFNOSUPPORT = 97;
const EHOSTUNREACH = 113;

/** One socket that hands out what is put into `arrived`: octets, or the negative errno of a failure. */
function scripted({ refusal = 0 } = {}) {
	const arrived: (Uint8Array | number)[] = [];
	const sent: Uint8Array[] = [];
	const open = new Set<number>();
	let errno = 0;
	const fail = (code: number) => {
		errno = code;
		return -1;
	};
	const libc: Pick<Libc, 'socket' | 'sendto' | 'recv' | 'close' | 'errno'> = {
		socket: () => {
			if (refusal > 0) return fail(refusal);
			open.add(7);
			return 7;
		},
		sendto: (_descriptor, message) => {
			if (message.length === 0) return fail(EHOSTUNREACH);
			sent.push(message.slice());
			return message.length;
		},
		recv: (_descriptor, into) => {
			const next = arrived.shift();
			if (next === undefined) return fail(ERRNO.eagain);
			if (typeof next === 'number') return fail(-next);
			into.set(next);
			return next.length;
		},
		close: (descriptor) => (open.delete(descriptor) ? 0 : -1),
		errno: () => errno,
	};
	return { echo: new EchoSockets(libc as Libc), arrived, sent, open };
}

function opened(echo: EchoSockets, onMessage: (message: Uint8Array) => void) {
	const socket = echo.open(4, onMessage);
	if ('cannot' in socket) assert.fail(socket.cannot);
	return socket;
}

describe('EchoSockets', () => {
	it('gives each listener each message, and shares one socket until the last has closed', async () => {
		const { echo, arrived, open } = scripted();
		const heard: string[] = [];
		const one = opened(echo, (message) => heard.push(`one ${message}`));
		const two = opened(echo, (message) => heard.push(`two ${message}`));
		assert.deepEqual([...open], [7]);
		arrived.push(Uint8Array.of(0, 1), -EHOSTUNREACH, Uint8Array.of(0, 2));
		await until('both messages to be heard', 2000, () => heard.length === 4);
		assert.deepEqual(heard, ['one 0,1', 'two 0,1', 'one 0,2', 'two 0,2']);
		one.close();
		one.close();
		assert.deepEqual([...open], [7]);
		two.close();
		assert.deepEqual([...open], []);
		opened(echo, () => {}).close();
		assert.deepEqual([...open], []);
	});

	it('sends, and throws what the kernel says', () => {
		const { echo, sent } = scripted();
		const socket = opened(echo, () => {});
		socket.send(Uint8Array.of(8, 0), '192.0.2.1');
		assert.deepEqual(sent, [Uint8Array.of(8, 0)]);
		assert.throws(() => socket.send(new Uint8Array(0), '192.0.2.1'), { code: 'EHOSTUNREACH' });
		assert.throws(() => socket.send(Uint8Array.of(8, 0), '2001:db8::1'), /expected an IPv4 address/);
		socket.close();
	});

	for (const { refusal, says } of [
		{ refusal: EACCES, says: /net\.ipv4\.ping_group_range/ },
		{ refusal: EAFNOSUPPORT, says: /no ICMP socket of IPv4 \(EAFNOSUPPORT\)/ },
	]) {
		it(`says why there is none: ${says.source}`, () => {
			const socket = scripted({ refusal }).echo.open(4, () => {});
			assert.ok('cannot' in socket);
			assert.match(socket.cannot, says);
		});
	}

	for (const [family, address] of [
		[4, '127.0.0.1'],
		[6, '::1'],
	] as const) {
		it(`hears ${address} answer, where this process may have such sockets`, async (t) => {
			const libc = await loadLibc();
			if (!libc.ok) return t.skip(libc.problems[0]);
			const echo = new EchoSockets(libc.value);
			const trial = echo.open(family, () => {});
			if ('cannot' in trial) return t.skip(trial.cannot);
			trial.close();
			const facts: { rttMs?: number } = {};
			const run = {
				clock: { nowMs: () => performance.now() },
				userAgent: '',
				facts,
				signal: AbortSignal.timeout(5000),
				end: () => {},
				pin: async (host: string) => host,
			};
			assert.equal(await checkIcmp({ address } as Parameters<typeof checkIcmp>[0], run, echo), 'echo reply');
			assert.ok((facts.rttMs ?? 0) > 0);
		});
	}
});

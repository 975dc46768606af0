/** ICMP checks over sockets that the test plays. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Family } from '../../src/lib/address.ts';
import type { EchoPort } from '../../src/probe/icmp.ts';
import { echoRequest, internetChecksum, readEchoReply, TOKEN_OCTETS } from '../../src/probe/icmp-message.ts';
import { checkLoopback } from './check-loopback.ts';
import { monitorFrom, targetAt } from './monitor-from.ts';

const never = new AbortController().signal;
const REPLY_TYPES = { 4: 0, 6: 129 } as const;

/** A reply to a request, as a kernel hands it on: with an identifier of its own. */
function replyTo(request: Uint8Array, family: Family): Uint8Array {
	const reply = Uint8Array.from(request);
	reply[0] = REPLY_TYPES[family];
	reply[4] = 0x12;
	return reply;
}

/** A machine with ICMP sockets, on which `onSend` decides what comes back. */
function fakeEcho(onSend: (request: Uint8Array, family: Family, receive: (message: Uint8Array) => void) => void) {
	const sent: { address: string; request: Uint8Array }[] = [];
	let open = 0;
	const port: EchoPort = {
		open(family, onMessage) {
			open++;
			return {
				send(request, address) {
					sent.push({ address, request });
					onSend(request, family, (message) => queueMicrotask(() => onMessage(message)));
				},
				close: () => void open--,
			};
		},
	};
	return { port, sent, open: () => open };
}

function check(port: EchoPort | undefined, address = '127.0.0.1', timeout = '300ms') {
	const monitor = monitorFrom({ kind: 'icmp', timeout });
	return checkLoopback({}, ['127.0.0.1', '::1'], port)(targetAt(0, monitor, address), never);
}

describe('an icmp check', () => {
	for (const { address, type } of [
		{ address: '127.0.0.1', type: 8 },
		{ address: '::1', type: 128 },
	]) {
		it(`is up when ${address} answers`, async () => {
			const echo = fakeEcho((request, family, receive) => receive(replyTo(request, family)));
			const result = await check(echo.port, address);
			assert.equal(result.isUp, true);
			assert.equal(result.reason, 'echo reply');
			assert(result.rttMs !== undefined && result.rttMs >= 0);
			assert.deepEqual(
				echo.sent.map((one) => [one.address, one.request[0]]),
				[[address, type]],
			);
			assert.equal(echo.open(), 0);
		});
	}

	it('asks again when a packet is lost', async () => {
		const echo = fakeEcho((request, family, receive) => {
			if (request[7] === 1) receive(replyTo(request, family));
		});
		const result = await check(echo.port, '127.0.0.1', '4s');
		assert.equal(result.isUp, true);
		assert(result.rttMs !== undefined && result.rttMs < 500);
		assert.equal(echo.sent.length, 2);
	});

	for (const { name, onSend } of [
		{ name: 'nothing comes back', onSend: () => {} },
		{
			name: 'its own request comes back',
			onSend: (request: Uint8Array, _: Family, receive: (message: Uint8Array) => void) => receive(request),
		},
		{
			name: 'the reply is to somebody else',
			onSend: (request: Uint8Array, family: Family, receive: (message: Uint8Array) => void) => {
				const reply = replyTo(request, family);
				reply[8] = (reply[8] ?? 0) ^ 1;
				receive(reply);
			},
		},
		{
			name: 'the reply is to what was never sent',
			onSend: (request: Uint8Array, family: Family, receive: (message: Uint8Array) => void) => {
				const reply = replyTo(request, family);
				reply[7] = 9;
				receive(reply);
			},
		},
		{
			name: 'the reply is cut off',
			onSend: (request: Uint8Array, family: Family, receive: (message: Uint8Array) => void) =>
				receive(replyTo(request, family).subarray(0, 12)),
		},
	]) {
		it(`is down at its deadline when ${name}`, async () => {
			const echo = fakeEcho(onSend);
			const result = await check(echo.port);
			assert.equal(result.isUp, false);
			assert.equal(result.reason, 'no answer within 300 ms');
			assert.equal(echo.open(), 0);
		});
	}

	for (const { name, port, isUp, reason } of [
		{
			name: 'there is no ICMP',
			port: undefined,
			isUp: undefined,
			reason: 'cannot run: this process has no ICMP sockets',
		},
		{
			name: 'sockets are forbidden',
			port: { open: () => ({ cannot: 'net.ipv4.ping_group_range leaves this group out' }) },
			isUp: undefined,
			reason: 'cannot run: net.ipv4.ping_group_range leaves this group out',
		},
		{
			name: 'sending fails',
			port: fakeEcho(() => {
				throw Object.assign(new Error('sendto'), { code: 'EHOSTUNREACH' });
			}).port,
			isUp: false,
			reason: 'host unreachable',
		},
	]) {
		it(`says so when ${name}`, async () => {
			const result = await check(port);
			assert.deepEqual({ isUp: result.isUp, reason: result.reason }, { isUp, reason });
		});
	}
});

describe('ICMP echo messages', () => {
	const token = Uint8Array.from({ length: TOKEN_OCTETS }, (_, i) => i);

	it('have the checksum of RFC 1071', () => {
		// The example of RFC 1071 §3: the sum of these octets is ddf2.
		assert.equal(internetChecksum(Uint8Array.of(0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7)), 0x220d);
		assert.equal(internetChecksum(echoRequest({ family: 4, sequence: 7, token })), 0);
	});

	it('are 64 octets, with type, sequence and token in their places', () => {
		const message = echoRequest({ family: 6, sequence: 0x1234, token });
		assert.equal(message.length, 64);
		assert.deepEqual([...message.subarray(0, 8)], [128, 0, 0, 0, 0, 0, 0x12, 0x34]);
		assert.deepEqual(message.subarray(8, 24), token);
	});

	it('are known by their reply, and by nothing else', () => {
		fc.assert(
			fc.property(fc.constantFrom<Family>(4, 6), fc.nat(65_535), (family, sequence) => {
				const request = echoRequest({ family, sequence, token });
				assert.equal(readEchoReply(replyTo(request, family), family, token), sequence);
				assert.equal(readEchoReply(request, family, token), undefined);
			}),
		);
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
				assert.equal(readEchoReply(octets, 4, token), undefined);
			}),
		);
	});
});

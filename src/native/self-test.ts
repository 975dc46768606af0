/**
 * Whether the numbers of `linux-abi.ts` hold on this machine: datagrams there and back over loopback, everything that
 * was written to memory for the kernel and by it looked at. A sandbox may lack a call that the kernel has, too.
 */

import { addressOctets, parseAddress } from '../lib/address.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import { DatagramBatch } from './datagram-batch.ts';
import type { Libc } from './libc.ts';
import { ERRNO } from './linux-abi.ts';
import { closeUdpSocket, connectUdpSocket, openUdpSocket, type UdpSocket } from './udp-socket.ts';

const OPTIONS = { isShared: false, receiveBufferOctets: 65536, receiveTimeoutMs: 500 } as const;
/** Lengths of what is sent there; each comes back longer by its place and one. */
const LENGTHS = [3, 0, 1200] as const;
const LOOPBACK = [
	{ family: 4, wildcard: '0.0.0.0', address: '127.0.0.1' },
	{ family: 6, wildcard: '::', address: '::1' },
] as const;
/** A machine may do without one family. */
const MISSING: readonly unknown[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

/** @returns what does not hold; undefined when everything does */
export function selfTest(libc: Libc): string | undefined {
	if (libc.close(-1) !== -1 || libc.errno() !== ERRNO.ebadf) return 'errno cannot be read';
	let tested = 0;
	for (const loopback of LOOPBACK) {
		try {
			const problem = testFamily(libc, loopback);
			if (problem !== undefined) return `${problem} over IPv${loopback.family}`;
			tested++;
		} catch (error) {
			const { code, message } = error as NodeJS.ErrnoException;
			if (!MISSING.includes(code)) return message;
		}
	}
	return tested === 0 ? 'there is no loopback address' : undefined;
}

function testFamily(libc: Libc, { family, wildcard, address }: (typeof LOOPBACK)[number]): string | undefined {
	const server = openUdpSocket(libc, { family, address: wildcard, port: 0 }, OPTIONS);
	try {
		const client = openUdpSocket(libc, { family, address, port: 0 }, OPTIONS);
		try {
			connectUdpSocket(libc, client, { family, address, port: server.at.port });
			return exchange(libc, server, client);
		} finally {
			closeUdpSocket(libc, client);
		}
	} finally {
		closeUdpSocket(libc, server);
	}
}

function exchange(libc: Libc, server: UdpSocket, client: UdpSocket): string | undefined {
	const there = new DatagramBatch(libc, LENGTHS.length);
	const back = new DatagramBatch(libc, LENGTHS.length);
	for (const [i, length] of LENGTHS.entries()) {
		there.messages[i]?.fill(i + 1);
		there.stage(length);
	}
	if (there.send(client.descriptor) !== 0) return 'sendmmsg does not send';
	if (back.receive(server.descriptor, true) !== LENGTHS.length) return 'recvmmsg does not receive';
	for (const [i, length] of LENGTHS.entries()) {
		if (!isFilled(back, i, length)) return 'recvmmsg does not tell what came';
		if (!isFrom(back, i, client.at)) return 'recvmmsg does not tell who sent';
		if (!isSame(back.askedAddress(i), octetsOf(client.at))) return 'recvmmsg does not tell the address asked';
		back.messages[i]?.fill(i + 1);
		back.reply(i, length + i + 1);
	}
	if (back.send(server.descriptor) !== 0) return 'sendmmsg does not answer';
	// A connected socket takes nothing from another address than the one it asked.
	if (there.receive(client.descriptor, true) !== LENGTHS.length) return 'answers do not come from the address asked';
	for (const [i, length] of LENGTHS.entries()) {
		if (!isFilled(there, i, length + i + 1)) return 'sendmmsg does not send what was written';
	}
	return undefined;
}

function isFilled(batch: DatagramBatch, slot: number, length: number): boolean {
	if (batch.receivedLength(slot) !== length) return false;
	return batch.messages[slot]?.subarray(0, length).every((value) => value === slot + 1) === true;
}

function isFrom(batch: DatagramBatch, slot: number, { family, port, ...at }: ListenAddress): boolean {
	const { family: senderFamily, words } = batch.sender(slot);
	const expected = parseAddress(at.address)?.words;
	return senderFamily === family && batch.senderPort(slot) === port && words.every((word, i) => word === expected?.[i]);
}

function octetsOf({ address }: ListenAddress): Uint8Array | undefined {
	const parsed = parseAddress(address);
	return parsed === undefined ? undefined : addressOctets(parsed);
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
	return one !== undefined && one.length === other?.length && one.every((value, i) => value === other[i]);
}

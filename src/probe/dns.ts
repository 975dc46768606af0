/**
 * A DNS check: one question, over UDP or TCP. An answer that is truncated is asked for again over TCP, under the same
 * deadline. Over UDP the socket is connected, so that the kernel hands on nothing that others send, and the question is
 * asked again each second, since a network may lose a datagram.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { DnsMonitor } from '../model/monitor.ts';
import { CheckFailure, type CheckRun } from './check-result.ts';
import { openTcp, type Place } from './connect.ts';
import { type DnsQuestion, type DnsReply, readReply, writeQuestion } from './dns-message.ts';

/** Datagrams that do not answer the question, until the check is given up. */
const STRAYS_MAX = 16;
const AGAIN_MS = 1000;
const LENGTH_OCTETS = 2;

/** @returns why the target is up */
export async function checkDns(place: Place, monitor: DnsMonitor, run: CheckRun): Promise<string> {
	const question = writeQuestion(monitor);
	let reply = monitor.transport === 'udp' ? await askOverUdp(place, question, monitor, run) : undefined;
	if (reply === undefined || reply.kind === 'truncated') reply = await askOverTcp(place, question, monitor, run);
	if (reply.kind === 'stray') throw new CheckFailure('answer is not to the question');
	if (reply.kind === 'truncated') throw new CheckFailure('answer over TCP is truncated');
	if (reply.mismatch !== undefined) throw new CheckFailure(reply.mismatch);
	return monitor.contains === undefined ? monitor.rcode : `${monitor.rcode}, holds "${monitor.contains}"`;
}

async function askOverUdp(
	{ address, port }: Place,
	question: DnsQuestion,
	monitor: DnsMonitor,
	run: CheckRun,
): Promise<DnsReply> {
	const { signal } = run;
	const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
	// Whoever waits hears of an error in its own way; unheard it would end the process.
	socket.on('error', () => {});
	let again: NodeJS.Timeout | undefined;
	try {
		socket.connect(port, address);
		await once(socket, 'connect', { signal });
		const startMs = run.clock.nowMs();
		let asked = 1;
		socket.send(question.octets);
		again = setInterval(() => {
			asked++;
			socket.send(question.octets);
		}, AGAIN_MS);
		for (let strays = 0; strays < STRAYS_MAX; strays++) {
			const [message]: Buffer[] = await once(socket, 'message', { signal });
			const reply = readReply(message ?? Buffer.alloc(0), question, monitor);
			if (reply.kind === 'stray') continue;
			const tookMs = run.clock.nowMs() - startMs;
			run.facts.firstByteMs = tookMs;
			// Asked twice, nobody knows which question is answered, nor how long a round trip is.
			if (asked === 1) run.facts.rttMs = tookMs;
			return reply;
		}
		return { kind: 'stray' };
	} finally {
		clearInterval(again);
		socket.close();
	}
}

/** RFC 1035 §4.2.2: each message behind its length. */
async function askOverTcp(place: Place, question: DnsQuestion, monitor: DnsMonitor, run: CheckRun): Promise<DnsReply> {
	const socket = await openTcp(place, run);
	try {
		const startMs = run.clock.nowMs();
		const length = Buffer.alloc(LENGTH_OCTETS);
		length.writeUInt16BE(question.octets.length);
		socket.write(Buffer.concat([length, question.octets]));
		let received = Buffer.alloc(0);
		for await (const chunk of socket as AsyncIterable<Buffer>) {
			run.facts.firstByteMs ??= run.clock.nowMs() - startMs;
			received = Buffer.concat([received, chunk]);
			if (received.length < LENGTH_OCTETS) continue;
			const end = LENGTH_OCTETS + received.readUInt16BE(0);
			if (received.length >= end) return readReply(received.subarray(LENGTH_OCTETS, end), question, monitor);
		}
		throw new CheckFailure('connection closed before an answer');
	} finally {
		socket.destroy();
	}
}

/**
 * An ICMP check: the target is up when it answers an echo request. Asks again each second until the deadline, since a
 * network may lose a packet; each request has a sequence number of its own, so that the time of an answer is known.
 * What sends and receives is passed in: Node has no such sockets.
 */

import { randomBytes } from 'node:crypto';
import type { Family } from '../lib/address.ts';
import { parseAddress } from '../lib/address.ts';
import { CannotRun, type CheckRun } from './check-result.ts';
import type { Place } from './connect.ts';
import { echoRequest, readEchoReply, TOKEN_OCTETS } from './icmp-message.ts';

export interface EchoSocket {
	/** Send an ICMP message, header first. @throws a system error, with its `code` */
	send(message: Uint8Array, address: string): void;
	close(): void;
}

/** ICMP as an unprivileged process may have it: echo requests out, their replies in. */
export interface EchoPort {
	/**
	 * @param onMessage  called with each ICMP message that arrives, header first
	 * @returns a socket, or why there can be none on this machine
	 */
	open(family: Family, onMessage: (message: Uint8Array) => void): EchoSocket | { readonly cannot: string };
}

const AGAIN_MS = 1000;
const SEQUENCE_END = 65_536;

/** @param echo  undefined where there is none. @returns why the target is up */
export async function checkIcmp({ address }: Place, run: CheckRun, echo: EchoPort | undefined): Promise<string> {
	if (echo === undefined) throw new CannotRun('this process has no ICMP sockets');
	const { clock, facts, signal } = run;
	const { family } = parseAddress(address) ?? { family: 4 };
	const token = randomBytes(TOKEN_OCTETS);
	const answered = Promise.withResolvers<void>();
	const sentMs: number[] = [];
	const socket = echo.open(family, (message) => {
		const sequence = readEchoReply(message, family, token);
		const atMs = sequence === undefined ? undefined : sentMs[sequence];
		if (atMs === undefined) return;
		facts.rttMs ??= clock.nowMs() - atMs;
		answered.resolve();
	});
	if ('cannot' in socket) throw new CannotRun(socket.cannot);
	const ask = () => {
		const sequence = sentMs.push(clock.nowMs()) - 1;
		if (sequence < SEQUENCE_END) socket.send(echoRequest({ family, sequence, token }), address);
	};
	const askAgain = () => {
		try {
			ask();
		} catch (error) {
			answered.reject(error);
		}
	};
	const timer = setInterval(askAgain, AGAIN_MS);
	const onAbort = () => answered.reject(signal.reason);
	signal.addEventListener('abort', onAbort);
	try {
		if (signal.aborted) throw signal.reason;
		ask();
		await answered.promise;
		return 'echo reply';
	} finally {
		clearInterval(timer);
		signal.removeEventListener('abort', onAbort);
		socket.close();
	}
}

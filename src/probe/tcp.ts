/**
 * A TCP check: the target is up when it accepts a connection, and answers as expected when something is expected.
 */

import type { Socket } from 'node:net';
import { octetsOfEscapedText } from '../model/escaped-text.ts';
import type { TcpMonitor } from '../model/monitor.ts';
import { CheckFailure, type CheckRun } from './check-result.ts';
import { openTcp, type Place } from './connect.ts';
import { lacks, SEARCH_OCTETS_MAX } from './find-octets.ts';

/** @returns why the target is up */
export async function checkTcp(place: Place, monitor: TcpMonitor, run: CheckRun): Promise<string> {
	const socket = await openTcp(place, run);
	try {
		const startMs = run.clock.nowMs();
		if (monitor.send !== undefined) await send(socket, octetsOf(monitor.send));
		if (monitor.expect === undefined) return monitor.send === undefined ? 'connected' : 'connected and sent';
		socket.once('readable', () => {
			run.facts.firstByteMs = run.clock.nowMs() - startMs;
		});
		const missing = await lacks(socket, octetsOf(monitor.expect));
		if (missing === undefined) return 'answer has the expected text';
		const where = missing === 'limit' ? ` in its first ${SEARCH_OCTETS_MAX} octets` : '';
		throw new CheckFailure(`answer lacks "${monitor.expect}"${where}`);
	} finally {
		socket.destroy();
	}
}

function octetsOf(text: string): Uint8Array {
	const octets = octetsOfEscapedText(text);
	// A monitor of a steering file has been checked; one that was not is a fault of ours.
	if (!(octets instanceof Uint8Array)) throw new Error(`Cannot read the escape "${octets.wrong}"`);
	return octets;
}

/** Resolves once the octets are with the kernel. */
function send(socket: Socket, octets: Uint8Array): Promise<void> {
	return new Promise((resolve, reject) => {
		socket.write(octets, (error) => (error ? reject(error) : resolve()));
	});
}

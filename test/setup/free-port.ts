/**
 * A port of loopback for a server that cannot be asked which one it took.
 */

import { reservePort } from '../../src/roles/port-holder.ts';

/** Below the range that kernels take ports for outgoing connections from, so that no other test's client has it a moment later. */
const FIRST = 10_000;
const COUNT = 20_000;
const TRIES = 100;

/** @returns a port that UDP and TCP of 127.0.0.1 were both free on */
export async function freePort(): Promise<number> {
	for (let tries = 1; ; tries++) {
		const port = FIRST + Math.floor(Math.random() * COUNT);
		try {
			return (await reservePort({ address: '127.0.0.1', family: 4, port })).port;
		} catch (error) {
			if (tries === TRIES) throw error;
		}
	}
}

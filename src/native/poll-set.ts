/**
 * Waiting for several descriptors at once.
 */

import type { Libc } from './libc.ts';
import { POLLFD } from './linux-abi.ts';

export class PollSet {
	readonly #libc: Libc;
	readonly #size: number;
	readonly #view: DataView;
	readonly #at: bigint;

	constructor(libc: Libc, size: number) {
		const memory = new ArrayBuffer(size * POLLFD.octets);
		this.#libc = libc;
		this.#size = size;
		this.#view = new DataView(memory);
		this.#at = libc.addressOf(memory);
	}

	/** @param events  of POLL */
	watch(index: number, descriptor: number, events: number): void {
		const at = index * POLLFD.octets;
		this.#view.setInt32(at + POLLFD.descriptor, descriptor, true);
		this.#view.setInt16(at + POLLFD.events, events, true);
	}

	/** @returns how many are ready; 0 when the time is over or a signal came */
	wait(timeoutMs: number): number {
		return Math.max(0, this.#libc.poll(this.#at, this.#size, timeoutMs));
	}

	/** Whether the last wait found something there, an error too. */
	isReady(index: number): boolean {
		return this.#view.getInt16(index * POLLFD.octets + POLLFD.revents, true) !== 0;
	}
}

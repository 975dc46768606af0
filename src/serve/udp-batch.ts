/**
 * UDP in batches: a thread that does nothing else, blocked in the kernel until datagrams come.
 *
 *     recvmmsg -> mail -> respond() for each -> sendmmsg
 *
 * The thread's event loop comes to its turn between two batches only, now and then. Whatever must not wait for that,
 * such as a new generation, is mail: looked for after a receive and before its answers, so that the first query
 * after a change gets what the change says.
 */

import type { Clock } from '../lib/ports.ts';
import { DatagramBatch } from '../native/datagram-batch.ts';
import type { Libc } from '../native/libc.ts';
import { POLL } from '../native/linux-abi.ts';
import { PollSet } from '../native/poll-set.ts';
import { COUNT, type Counters, countTimes } from './counters.ts';
import type { Responder } from './respond.ts';

/** How long a receive waits, so that a thread without queries hears of its end. */
export const RECEIVE_TIMEOUT_MS = 50;
/** About what arrives at a core's full speed while one batch is answered; more gains nothing. */
const BATCH_SIZE = 128;
/** Batches before the event loop gets a turn: counted, since reading a clock costs memory, and rare enough to be free. */
const BATCHES_PER_TURN = 128;
/** Batches that are answered at the end, when they do not stop coming: what a queue of 8 MB holds, at 768 octets each. */
const DRAIN_BATCHES_MAX = 96;

export interface UdpBatchSettings {
	readonly libc: Libc;
	/** Bound, with a receive timeout of RECEIVE_TIMEOUT_MS; they stay their owner's. */
	readonly descriptors: readonly number[];
	readonly responder: Responder;
	readonly counters: Counters;
	readonly clock: Clock;
	/** Take what others have for this thread, if anything; it may call `close()`. */
	readonly takeMail: () => void;
}

export class UdpBatch {
	readonly #settings: UdpBatchSettings;
	readonly #descriptors: number[] = [];
	readonly #batch: DatagramBatch;
	#polls: PollSet;
	/** Of a thread that had this row before. */
	readonly #receiveFailuresBefore: number;
	#isClosing = false;
	readonly #closed = Promise.withResolvers<void>();

	constructor(settings: UdpBatchSettings) {
		const { libc, descriptors, counters } = settings;
		this.#settings = settings;
		this.#receiveFailuresBefore = counters[COUNT.receiveFailures] ?? 0;
		this.#batch = new DatagramBatch(libc, BATCH_SIZE);
		this.#descriptors.push(...descriptors);
		this.#polls = this.#watchAll();
	}

	/** Answer on another socket too. */
	add(descriptor: number): void {
		this.#descriptors.push(descriptor);
		// What the wait of before has found is found again by the next one.
		this.#polls = this.#watchAll();
	}

	#watchAll(): PollSet {
		const polls = new PollSet(this.#settings.libc, this.#descriptors.length);
		for (const [i, descriptor] of this.#descriptors.entries()) polls.watch(i, descriptor, POLL.in);
		return polls;
	}

	/** Begin; from now on the thread is taken. What goes wrong is thrown into the event loop. */
	start(): void {
		setImmediate(this.#turn);
	}

	/** Answer what has arrived, then leave the thread. */
	close(): Promise<void> {
		this.#isClosing = true;
		return this.#closed.promise;
	}

	readonly #turn = () => {
		const descriptors = this.#descriptors;
		for (let batches = 0; batches < BATCHES_PER_TURN && !this.#isClosing; batches++) {
			const [only] = descriptors;
			const received = only !== undefined && descriptors.length === 1 ? this.#serveOne(only) : this.#serveAll();
			// An idle thread has time for its event loop.
			if (!received) break;
		}
		if (!this.#isClosing) {
			setImmediate(this.#turn);
			return;
		}
		this.#drain();
		this.#closed.resolve();
	};

	/** @returns whether anything came */
	#serveOne(descriptor: number): boolean {
		return this.#serve(descriptor, true) > 0;
	}

	#serveAll(): boolean {
		const descriptors = this.#descriptors;
		const { takeMail } = this.#settings;
		const ready = this.#polls.wait(RECEIVE_TIMEOUT_MS);
		if (ready === 0) takeMail();
		for (let i = 0; i < descriptors.length; i++) {
			if (this.#polls.isReady(i)) this.#serve(descriptors[i] ?? -1, false);
		}
		return ready > 0;
	}

	/** @returns datagrams received */
	#serve(descriptor: number, isWaiting: boolean): number {
		const { responder, counters, clock, takeMail } = this.#settings;
		const batch = this.#batch;
		const count = batch.receive(descriptor, isWaiting);
		const receivedMs = count > 0 ? clock.nowMs() : 0;
		takeMail();
		for (let slot = 0; slot < count; slot++) {
			// Nobody can be answered at port 0.
			if (batch.senderPort(slot) === 0) continue;
			const message = batch.messages[slot];
			if (message === undefined) continue;
			const length = responder.respond(message, batch.receivedLength(slot), batch.sender(slot), 'udp', message);
			if (length > 0) batch.reply(slot, length);
		}
		const { staged } = batch;
		if (staged > 0) {
			const failures = batch.send(descriptor);
			if (failures > 0) counters[COUNT.sendFailures] = (counters[COUNT.sendFailures] ?? 0) + failures;
			// What was sent together was also answered together: one look at the clock for all of it.
			countTimes(counters, clock.nowMs() - receivedMs, staged - failures);
		}
		counters[COUNT.receiveFailures] = this.#receiveFailuresBefore + batch.receiveFailures;
		return count;
	}

	/** Whoever closes a socket throws away what waits in its queue. */
	#drain(): void {
		for (const descriptor of this.#descriptors) {
			for (let batches = 0; batches < DRAIN_BATCHES_MAX && this.#serve(descriptor, false) > 0; batches++);
		}
	}
}

/**
 * The threads that answer: started together, handed each new generation, replaced when one dies.
 */

import { Worker } from 'node:worker_threads';
import type { HealthWords } from '../health/verdict-table.ts';
import type { Log } from '../lib/ports.ts';
import { type Counters, createCounters } from '../serve/counters.ts';
import type { ListenAddress } from '../serve/listen.ts';
import type { AnsweringSettings, FromWorker, Generation, ToWorker, WorkerInput } from './worker-messages.ts';

const ENTRY = new URL('./dns-worker.ts', import.meta.url);
const RESTART_MS_MIN = 50;
const RESTART_MS_MAX = 5000;
/** A worker that ran so long has outlived what killed the one before. */
const STABLE_MS = 30_000;

export interface WorkerPoolSettings {
	readonly udpWorkers: number;
	readonly listen: readonly ListenAddress[];
	readonly health: HealthWords;
	readonly answering: AnsweringSettings;
	readonly log: Log;
}

interface Seat {
	readonly index: number;
	readonly transport: 'udp' | 'tcp';
	worker: Worker | undefined;
	isReady: boolean;
	startedMs: number;
	restartMs: number;
	timer: NodeJS.Timeout | undefined;
}

export class WorkerPool {
	readonly counters: readonly Counters[];
	restarts = 0;
	readonly #settings: WorkerPoolSettings;
	readonly #seats: Seat[];
	#generation: Generation;
	#cookieSecrets: readonly Uint8Array[];
	#isStopping = false;

	constructor(settings: WorkerPoolSettings, first: Generation) {
		this.#settings = settings;
		this.#generation = first;
		this.#cookieSecrets = settings.answering.cookieSecrets;
		const seats = settings.udpWorkers + 1;
		this.counters = createCounters(seats);
		this.#seats = Array.from({ length: seats }, (_, index) => ({
			index,
			transport: index < settings.udpWorkers ? 'udp' : 'tcp',
			worker: undefined,
			isReady: false,
			startedMs: 0,
			restartMs: RESTART_MS_MIN,
			timer: undefined,
		}));
	}

	get wanted(): number {
		return this.#seats.length;
	}

	get running(): number {
		return this.#seats.filter(({ isReady }) => isReady).length;
	}

	/**
	 * Start all workers and wait until each of them listens.
	 * @returns the receive buffer that the kernel granted
	 * @throws Error when one cannot
	 */
	async start(): Promise<number> {
		const granted = await Promise.all(this.#seats.map((seat) => this.#spawn(seat)));
		return Math.max(...granted);
	}

	/** Hand a generation to every worker; each takes it between two queries. */
	swap(generation: Generation): void {
		this.#generation = generation;
		for (const { worker } of this.#seats) worker?.postMessage({ kind: 'swap', generation } satisfies ToWorker);
	}

	/** Roll over to other cookie secrets. */
	setCookieSecrets(secrets: readonly Uint8Array[]): void {
		this.#cookieSecrets = secrets;
		for (const { worker } of this.#seats) worker?.postMessage({ kind: 'cookies', secrets } satisfies ToWorker);
	}

	/** Let each worker answer what it has, and wait until it has ended. */
	async stop(): Promise<void> {
		this.#isStopping = true;
		await Promise.all(
			this.#seats.map(({ worker, timer }) => {
				clearTimeout(timer);
				if (worker === undefined) return undefined;
				return new Promise<void>((resolve) => {
					worker.once('exit', () => resolve());
					worker.postMessage({ kind: 'stop' } satisfies ToWorker);
				});
			}),
		);
	}

	#spawn(seat: Seat): Promise<number> {
		const { listen, health, answering, log } = this.#settings;
		const first = this.#generation;
		const worker = new Worker(ENTRY, {
			name: `${seat.transport}-${seat.index}`,
			workerData: {
				transport: seat.transport,
				listen,
				health,
				answering: { ...answering, cookieSecrets: this.#cookieSecrets },
				counters: this.counters[seat.index] ?? new Float64Array(0),
				seed: Math.floor(Math.random() * 0x7fffffff),
				first,
			} satisfies WorkerInput,
		});
		seat.worker = worker;
		seat.startedMs = performance.now();
		return new Promise((resolve, reject) => {
			worker.on('message', (message: FromWorker) => {
				if (message.kind === 'ready') {
					seat.isReady = true;
					// A generation may have come while this worker was starting with the one before.
					if (this.#generation !== first)
						worker.postMessage({ kind: 'swap', generation: this.#generation } satisfies ToWorker);
					resolve(message.receiveBufferOctets);
				} else if (message.kind === 'failed') {
					reject(new Error(message.message));
				} else if (message.kind === 'fault') {
					log.error(
						{ worker: worker.threadId, fault: message.message },
						'a query met a fault and was answered SERVFAIL',
					);
				}
			});
			worker.on('error', (error) => {
				log.error({ worker: seat.index, transport: seat.transport, error: error.stack }, 'a worker died');
				reject(error);
			});
			worker.on('exit', () => this.#onExit(seat, worker));
		});
	}

	#onExit(seat: Seat, worker: Worker): void {
		if (seat.worker !== worker) return;
		const wasReady = seat.isReady;
		seat.worker = undefined;
		seat.isReady = false;
		if (this.#isStopping || (!wasReady && this.restarts === 0)) return;
		if (performance.now() - seat.startedMs > STABLE_MS) seat.restartMs = RESTART_MS_MIN;
		this.#settings.log.warn(
			{ worker: seat.index, transport: seat.transport, inMs: seat.restartMs },
			'a worker is replaced',
		);
		seat.timer = setTimeout(() => {
			this.restarts++;
			// Its failure to start is an exit like any other, and brings the next try.
			this.#spawn(seat).catch(() => undefined);
		}, seat.restartMs);
		seat.restartMs = Math.min(2 * seat.restartMs, RESTART_MS_MAX);
	}
}

/**
 * The threads that answer: started together, handed each new generation, replaced when one dies.
 */

import { Worker } from 'node:worker_threads';
import type { HealthWords } from '../health/verdict-table.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { Log } from '../lib/ports.ts';
import { closeUdpSocket, openUdpSocket, type UdpSocket } from '../native/udp-socket.ts';
import { COUNT, type Counters, createCounters } from '../serve/counters.ts';
import { RECEIVE_BUFFER_OCTETS } from '../serve/udp.ts';
import { RECEIVE_TIMEOUT_MS } from '../serve/udp-batch.ts';
import { AnswerColumnBook } from './answer-columns.ts';
import { QueryLog, type QueryLogSettings } from './query-log.ts';
import type { UdpTransport } from './udp-transport.ts';
import type {
	AnsweringSettings,
	CountedGeneration,
	FromWorker,
	Generation,
	QueryLogInput,
	ToWorker,
	WorkerInput,
	WorkerSource,
} from './worker-messages.ts';

const ENTRY = new URL('./dns-worker.ts', import.meta.url);
const RESTART_MS_MIN = 50;
const RESTART_MS_MAX = 5000;
/** A worker that ran so long has outlived what killed the one before. */
const STABLE_MS = 30_000;
/** Longer than a worker's own drains; one that has not ended by then never will. */
const STOP_MS_MAX = 5000;

export interface WorkerPoolSettings {
	readonly udpWorkers: number;
	readonly udp: UdpTransport;
	readonly listen: readonly ListenAddress[];
	readonly health: HealthWords;
	readonly answering: AnsweringSettings;
	/** Absent: queries are not logged. */
	readonly queryLog?: QueryLogSettings;
	readonly log: Log;
	/** The module that every thread runs; tests wrap it to bring in faults. */
	readonly entry?: URL;
}

interface Seat {
	readonly index: number;
	readonly transport: 'udp' | 'tcp';
	/** Batches only: opened here, so that a queue is whole when its worker dies, and the next one goes on with it. */
	readonly sockets: UdpSocket[];
	/** See WorkerInput. */
	readonly mail: Int32Array;
	worker: Worker | undefined;
	isReady: boolean;
	startedMs: number;
	restartMs: number;
	timer: NodeJS.Timeout | undefined;
}

export class WorkerPool {
	readonly counters: readonly Counters[];
	/** By steered name, policy and endpoint. */
	readonly columns: AnswerColumnBook;
	readonly queryLog: QueryLog | undefined;
	restarts = 0;
	readonly #settings: WorkerPoolSettings;
	readonly #seats: Seat[];
	#generation: CountedGeneration;
	#cookieSecrets: readonly Uint8Array[];
	/** Until then a worker that cannot start is the caller's to hear of; afterwards it is tried again. */
	#hasStarted = false;
	#isStopping = false;

	constructor(settings: WorkerPoolSettings, first: Generation) {
		this.#settings = settings;
		this.#cookieSecrets = settings.answering.cookieSecrets;
		const seats = settings.udpWorkers + 1;
		this.counters = createCounters(seats);
		this.columns = new AnswerColumnBook((column) => this.total(column));
		const { queryLog } = settings;
		this.queryLog = queryLog === undefined ? undefined : new QueryLog(queryLog, seats, () => this.#oldestGeneration());
		this.#generation = this.#counted(first);
		this.#seats = Array.from({ length: seats }, (_, index) => ({
			index,
			transport: index < settings.udpWorkers ? 'udp' : 'tcp',
			sockets: [],
			mail: new Int32Array(new SharedArrayBuffer(4)),
			worker: undefined,
			isReady: false,
			startedMs: 0,
			restartMs: RESTART_MS_MIN,
			timer: undefined,
		}));
	}

	/** The sum of a column over all workers, or those of one transport. */
	total(column: number, transport?: 'udp' | 'tcp'): number {
		return this.counters.reduce((sum, row, i) => {
			const isCounted = transport === undefined || this.#seats[i]?.transport === transport;
			return isCounted ? sum + (row[column] ?? 0) : sum;
		}, 0);
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
	 * @throws Error when one cannot; the others have ended then
	 */
	async start(): Promise<number> {
		try {
			for (const seat of this.#seats) this.#openSockets(seat);
			const granted = await Promise.all(this.#seats.map((seat) => this.#untilReady(seat, this.#createWorker(seat))));
			this.#hasStarted = true;
			const opened = this.#seats.flatMap(({ sockets }) => sockets.map((socket) => socket.receiveBufferOctets));
			return Math.max(...granted, ...opened);
		} catch (error) {
			await this.stop();
			throw error;
		}
	}

	/** Hand a generation to every worker; each takes it between two queries. */
	swap(next: Generation): void {
		const generation = this.#counted(next);
		this.#generation = generation;
		for (const seat of this.#seats) {
			// One that is still starting is handed it as soon as it is ready.
			if (seat.isReady) post(seat, { kind: 'swap', generation });
		}
	}

	#counted(generation: Generation): CountedGeneration {
		const { number, snapshot } = generation;
		this.queryLog?.addGeneration(number, snapshot.steering);
		return { ...generation, columns: this.columns.assign(snapshot.steering, number, this.#oldestGeneration()) };
	}

	/** That some worker still answers from; 0 while one has not yet begun. */
	#oldestGeneration(): number {
		return Math.min(...this.counters.map((row) => row[COUNT.generation] ?? 0));
	}

	/** Roll over to other cookie secrets. */
	setCookieSecrets(secrets: readonly Uint8Array[]): void {
		this.#cookieSecrets = secrets;
		for (const seat of this.#seats) post(seat, { kind: 'cookies', secrets });
	}

	/** Let each worker answer what it has, and wait until it has ended; one that hangs is cut off. */
	async stop(): Promise<void> {
		this.#isStopping = true;
		await Promise.all(
			this.#seats.map((seat) => {
				clearTimeout(seat.timer);
				return ended(seat);
			}),
		);
		this.#closeSockets();
		await this.queryLog?.close();
	}

	/** @throws Error with `code` when an address cannot be bound */
	#openSockets({ transport, sockets }: Seat): void {
		const { udp, listen } = this.#settings;
		if (transport !== 'udp' || udp.kind !== 'batch') return;
		const options = {
			isShared: true,
			receiveBufferOctets: RECEIVE_BUFFER_OCTETS,
			receiveTimeoutMs: RECEIVE_TIMEOUT_MS,
		};
		for (const at of listen) sockets.push(openUdpSocket(udp.libc, at, options));
	}

	#closeSockets(): void {
		const { udp } = this.#settings;
		if (udp.kind !== 'batch') return;
		for (const { sockets } of this.#seats) for (const socket of sockets.splice(0)) closeUdpSocket(udp.libc, socket);
	}

	#sourceOf({ transport, sockets }: Seat): WorkerSource {
		const { udp, listen } = this.#settings;
		if (transport === 'tcp') return { kind: 'tcp', listen };
		if (udp.kind === 'dgram') return { kind: 'udp-dgram', listen };
		return { kind: 'udp-batch', descriptors: sockets.map(({ descriptor }) => descriptor) };
	}

	/** @throws the runtime's error when there is no thread to be had */
	#createWorker(seat: Seat): Worker {
		const { health, answering, entry = ENTRY } = this.#settings;
		seat.startedMs = performance.now();
		seat.worker = new Worker(entry, {
			name: `${seat.transport}-${seat.index}`,
			workerData: {
				source: this.#sourceOf(seat),
				mail: seat.mail,
				health,
				answering: { ...answering, cookieSecrets: this.#cookieSecrets },
				counters: this.counters[seat.index] ?? new Float64Array(0),
				queryLog: this.#queryLogInput(seat),
				seed: Math.floor(Math.random() * 0x7fffffff),
				first: this.#generation,
			} satisfies WorkerInput,
		});
		return seat.worker;
	}

	#queryLogInput({ index }: Seat): QueryLogInput | undefined {
		const memory = this.queryLog?.memories[index];
		return memory === undefined ? undefined : { share: this.queryLog?.share ?? 0, memory };
	}

	/** @returns the receive buffer that the kernel granted */
	#untilReady(seat: Seat, worker: Worker): Promise<number> {
		const { log } = this.#settings;
		const first = this.#generation;
		return new Promise((resolve, reject) => {
			worker.on('message', (message: FromWorker) => {
				if (message.kind === 'ready') {
					seat.isReady = true;
					// A generation may have come while this worker was starting with the one before.
					if (this.#generation !== first) post(seat, { kind: 'swap', generation: this.#generation });
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
			worker.on('exit', (code) => {
				reject(new Error(`Cannot start a worker: it ended with exit code ${code} before it listened`));
				this.#onExit(seat, worker);
			});
		});
	}

	#onExit(seat: Seat, worker: Worker): void {
		if (seat.worker !== worker) return;
		const wasReady = seat.isReady;
		seat.worker = undefined;
		seat.isReady = false;
		if (wasReady || this.#hasStarted) this.#replace(seat);
	}

	#replace(seat: Seat): void {
		if (this.#isStopping) return;
		const { log } = this.#settings;
		if (performance.now() - seat.startedMs > STABLE_MS) seat.restartMs = RESTART_MS_MIN;
		log.warn({ worker: seat.index, transport: seat.transport, inMs: seat.restartMs }, 'a worker is replaced');
		seat.timer = setTimeout(() => {
			this.restarts++;
			const complain = ({ message }: Error) =>
				log.error({ worker: seat.index, transport: seat.transport, error: message }, 'a worker could not be replaced');
			try {
				// When it cannot start either, its exit brings the next try.
				this.#untilReady(seat, this.#createWorker(seat)).catch(complain);
			} catch (error) {
				complain(error as Error);
				this.#replace(seat);
			}
		}, seat.restartMs);
		seat.restartMs = Math.min(2 * seat.restartMs, RESTART_MS_MAX);
	}
}

function post({ worker, mail }: Seat, message: ToWorker): void {
	worker?.postMessage(message);
	Atomics.add(mail, 0, 1);
}

function ended(seat: Seat): Promise<void> {
	const { worker } = seat;
	if (worker === undefined) return Promise.resolve();
	return new Promise((resolve) => {
		const giveUp = setTimeout(() => void worker.terminate(), STOP_MS_MAX);
		worker.once('exit', () => {
			clearTimeout(giveUp);
			resolve();
		});
		post(seat, { kind: 'stop' });
	});
}

/**
 * The threads that answer: started together, handed each new generation, replaced when one dies or hangs.
 *
 * | a worker                             | what happens                                                          |
 * |--------------------------------------|-----------------------------------------------------------------------|
 * | throws, or has no memory left        | it has ended; the next one starts after 50 ms, then twice as long, up |
 * |                                      | to 5 s; under batch its queue waits for the next one                  |
 * | does not come round to new queries   | it is ended, and so on                                                |
 * | dies again and again                 | an alarm beside it: log, metric, /readyz                              |
 */

import type { Worker } from 'node:worker_threads';
import type { HealthWords } from '../health/verdict-table.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { Log } from '../lib/ports.ts';
import { stepBack } from '../native/thread-turn.ts';
import { closeUdpSocket, openUdpSocket, seclude, type UdpSocket } from '../native/udp-socket.ts';
import { type Counters, createCounters } from '../serve/counters.ts';
import { RECEIVE_BUFFER_OCTETS } from '../serve/udp.ts';
import { RECEIVE_TIMEOUT_MS } from '../serve/udp-batch.ts';
import { openSnapshot } from '../snapshot/wire.ts';
import { AnswerColumnBook } from './answer-columns.ts';
import { QueryLog, type QueryLogSettings } from './query-log.ts';
import { type Recruits, recruit } from './recruits.ts';
import type { UdpTransport } from './udp-transport.ts';
import {
	type AnsweringSettings,
	type FromWorker,
	type Generation,
	type QueryLogInput,
	SEAT_WORD,
	type ToWorker,
	type WireGeneration,
	type WorkerSource,
} from './worker-messages.ts';

const RESTART_MS_MIN = 50;
const RESTART_MS_MAX = 5000;
/** A worker that ran so long has outlived what killed the one before. */
const STABLE_MS = 30_000;
/** So many deaths, none of them of a stable worker, are a loop. */
const LOOP_DEATHS = 3;
/** Looks at a worker that in so many of them has not come round: it hangs. Counted, for the main thread may be late itself. */
const LOOK_MS = 100;
const HANGING_LOOKS = 6;
/** One that has not come round in so many no longer goes before the others. */
const LATE_LOOKS = 2;
/** The same for one that has not started. */
const START_LOOKS = 150;
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
	/** Threads that wait to be taken, under the names of `threadNames()`. */
	readonly recruits?: Recruits;
	/** The module that every thread runs; tests wrap it to bring in faults. */
	readonly entry?: URL;
	readonly heapMb?: number;
}

interface Seat {
	readonly index: number;
	/** Of its thread. */
	readonly name: string;
	readonly transport: 'udp' | 'tcp';
	/** Batches only: opened here, so that a queue is whole when its worker dies, and the next one goes on with it. */
	readonly sockets: UdpSocket[];
	/** SEAT_WORD. */
	readonly words: Int32Array;
	/** How many addresses its worker was told of. */
	listening: number;
	/** Ids of buffers that its worker has. */
	readonly sent: Set<number>;
	worker: Worker | undefined;
	isReady: boolean;
	startedMs: number;
	restartMs: number;
	/** Since a worker was stable here. */
	deaths: number;
	/** Its beats at the last look, and looks since they changed. */
	beats: number;
	looks: number;
	timer: NodeJS.Timeout | undefined;
}

/** One for each of the threads that read UDP, and one for all TCP. */
export function threadNames(udpWorkers: number): readonly string[] {
	return [...Array.from({ length: udpWorkers }, (_, i) => `udp-${i}`), `tcp-${udpWorkers}`];
}

export class WorkerPool {
	readonly counters: readonly Counters[];
	/** By steered name, policy and endpoint. */
	readonly columns: AnswerColumnBook;
	readonly queryLog: QueryLog | undefined;
	restarts = 0;
	readonly #settings: WorkerPoolSettings;
	readonly #seats: Seat[];
	readonly #listen: ListenAddress[];
	/** Those that a worker may still read, the newest last. */
	#generations: readonly Generation[];
	#generation: Generation;
	#watch: NodeJS.Timeout | undefined;
	#cookieSecrets: readonly Uint8Array[];
	/** Until then a worker that cannot start is the caller's to hear of; afterwards it is tried again. */
	#hasStarted = false;
	#isStopping = false;

	constructor(settings: WorkerPoolSettings, first: Generation) {
		this.#settings = settings;
		this.#cookieSecrets = settings.answering.cookieSecrets;
		this.#listen = [...settings.listen];
		const names = threadNames(settings.udpWorkers);
		const seats = names.length;
		this.counters = createCounters(seats);
		this.columns = new AnswerColumnBook((column) => this.total(column));
		const { queryLog } = settings;
		this.queryLog = queryLog === undefined ? undefined : new QueryLog(queryLog, seats, () => this.#oldestRead());
		this.#seats = names.map((name, index) => ({
			index,
			name,
			transport: index < settings.udpWorkers ? 'udp' : 'tcp',
			sockets: [],
			words: new Int32Array(new SharedArrayBuffer(4 * SEAT_WORD.count)),
			listening: 0,
			sent: new Set(),
			worker: undefined,
			isReady: false,
			startedMs: 0,
			restartMs: RESTART_MS_MIN,
			deaths: 0,
			beats: 0,
			looks: 0,
			timer: undefined,
		}));
		this.#generation = first;
		this.#generations = [first];
		this.#assignColumns(first);
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

	/** Seats whose workers die again and again. */
	get crashLooping(): number {
		const nowMs = performance.now();
		return this.#seats.filter(({ deaths, startedMs }) => deaths >= LOOP_DEATHS && nowMs - startedMs < STABLE_MS).length;
	}

	/** Numbers of the generations that some worker may still read. */
	get generationsInUse(): readonly number[] {
		const oldest = this.#oldestRead();
		this.#generations = this.#generations.filter((one) => one === this.#generation || one.number >= oldest);
		return this.#generations.map(({ number }) => number);
	}

	/**
	 * Start all workers and wait until each of them listens.
	 * @returns the receive buffer that the kernel granted
	 * @throws Error when one cannot; the others have ended then
	 */
	async start(): Promise<number> {
		try {
			for (const seat of this.#seats) this.#openSockets(seat, this.#listen, seat.sockets);
			const granted = await Promise.all(this.#seats.map((seat) => this.#untilReady(seat, this.#createWorker(seat))));
			this.#hasStarted = true;
			this.#watch = setInterval(() => this.#look(), LOOK_MS);
			const opened = this.#seats.flatMap(({ sockets }) => sockets.map((socket) => socket.receiveBufferOctets));
			return Math.max(...granted, ...opened);
		} catch (error) {
			await this.stop();
			throw error;
		}
	}

	/** Hand a generation to every worker; each takes it between two queries. */
	swap(generation: Generation): void {
		this.#generation = generation;
		this.#generations = [...this.#generations, generation];
		this.#assignColumns(generation);
		for (const seat of this.#seats) {
			// One that is still starting is handed it as soon as it is ready.
			if (seat.isReady) post(seat, { kind: 'swap', generation: this.#wireFor(seat) });
		}
	}

	/**
	 * Answer on another address too.
	 * @throws Error with `code` when it cannot be bound; nothing has changed then
	 */
	listenOn(at: ListenAddress): void {
		if (this.#isStopping) return;
		const opened = this.#seats.map((seat) => [seat, [] as UdpSocket[]] as const);
		try {
			for (const [seat, sockets] of opened) this.#openSockets(seat, [at], sockets);
		} catch (error) {
			this.#close(opened.flatMap(([, sockets]) => sockets));
			throw error;
		}
		this.#listen.push(at);
		for (const [seat, sockets] of opened) {
			seat.sockets.push(...sockets);
			if (seat.isReady) this.#tellAddresses(seat);
		}
	}

	/** Those that came since its worker was created. */
	#tellAddresses(seat: Seat): void {
		for (; seat.listening < this.#listen.length; seat.listening++)
			post(seat, { kind: 'listen', source: this.#sourceOf(seat, seat.listening, seat.listening + 1) });
	}

	/** Where its answers are counted, before a worker has it. */
	#assignColumns({ number, wire, buffers, labels }: Generation): void {
		const { names, endpoints } = this.columns.assign(labels, number, this.#oldestRead());
		const { columns } = openSnapshot(wire, buffers);
		columns.names.set(names);
		columns.endpoints.set(endpoints);
		this.queryLog?.addGeneration(number, labels);
	}

	/** The oldest generation that some worker may still answer from: the newest where there are none. */
	#oldestRead(): number {
		const reading = this.#seats.filter(({ worker }) => worker !== undefined);
		const newest = this.#generations.at(-1)?.number ?? 0;
		return Math.min(newest, ...reading.map(({ words }) => Atomics.load(words, SEAT_WORD.reads)));
	}

	/** The newest generation, with the buffers that the seat's worker lacks. */
	#wireFor({ sent }: Seat): WireGeneration {
		const { number, wire, buffers: all, kept } = this.#generation;
		const gone = [...sent].filter((id) => !kept.has(id));
		for (const id of gone) sent.delete(id);
		const buffers = [...all].filter(([id]) => !sent.has(id));
		for (const [id] of buffers) sent.add(id);
		return { number, wire, buffers, gone };
	}

	/** Roll over to other cookie secrets. */
	setCookieSecrets(secrets: readonly Uint8Array[]): void {
		this.#cookieSecrets = secrets;
		for (const seat of this.#seats) post(seat, { kind: 'cookies', secrets });
	}

	/** Let each worker answer what it has, and wait until it has ended; one that hangs is cut off. */
	async stop(): Promise<void> {
		this.#isStopping = true;
		clearInterval(this.#watch);
		this.#seclude();
		await Promise.all(
			this.#seats.map((seat) => {
				clearTimeout(seat.timer);
				return ended(seat);
			}),
		);
		for (const { sockets } of this.#seats) this.#close(sockets.splice(0));
		await this.queryLog?.close();
	}

	/** @throws Error with `code` when an address cannot be bound */
	#openSockets({ transport }: Seat, listen: readonly ListenAddress[], sockets: UdpSocket[]): void {
		const { udp } = this.#settings;
		if (transport !== 'udp' || udp.kind !== 'batch') return;
		const options = {
			isShared: true,
			receiveBufferOctets: RECEIVE_BUFFER_OCTETS,
			receiveTimeoutMs: RECEIVE_TIMEOUT_MS,
		};
		for (const at of listen) sockets.push(openUdpSocket(udp.libc, at, options));
	}

	/** What comes from now on goes to whoever shares the port, or is refused by the kernel, so that the client asks elsewhere. */
	#seclude(): void {
		const { udp, log } = this.#settings;
		if (udp.kind !== 'batch') return;
		for (const socket of this.#seats.flatMap(({ sockets }) => sockets)) {
			try {
				seclude(udp.libc, socket);
			} catch (error) {
				// Its address may be gone; then nothing comes anyway.
				log.warn({ reason: (error as Error).message }, 'a socket hears others until it is closed');
			}
		}
	}

	#close(sockets: readonly UdpSocket[]): void {
		const { udp } = this.#settings;
		if (udp.kind === 'batch') for (const socket of sockets) closeUdpSocket(udp.libc, socket);
	}

	/** @param from  of the addresses, and `to` the one behind the last */
	#sourceOf({ transport, sockets }: Seat, from: number, to: number): WorkerSource {
		const { udp } = this.#settings;
		const listen = this.#listen.slice(from, to);
		if (transport === 'tcp') return { kind: 'tcp', listen };
		if (udp.kind === 'dgram') return { kind: 'udp-dgram', listen };
		return { kind: 'udp-batch', descriptors: sockets.slice(from, to).map(({ descriptor }) => descriptor) };
	}

	/** @throws the runtime's error when there is no thread to be had */
	#createWorker(seat: Seat): Worker {
		const { health, answering, recruits, entry, heapMb } = this.#settings;
		seat.startedMs = performance.now();
		seat.looks = 0;
		seat.sent.clear();
		seat.listening = this.#listen.length;
		Atomics.store(seat.words, SEAT_WORD.reads, this.#generation.number);
		Atomics.store(seat.words, SEAT_WORD.thread, 0);
		const { worker, begin } = recruits?.take(seat.name) ?? recruit(seat.name, entry, heapMb);
		seat.worker = worker;
		begin({
			source: this.#sourceOf(seat, 0, seat.listening),
			isSuccessor: this.#hasStarted,
			words: seat.words,
			health,
			answering: { ...answering, cookieSecrets: this.#cookieSecrets },
			counters: this.counters[seat.index] ?? new Float64Array(0),
			queryLog: this.#queryLogInput(seat),
			seed: Math.floor(Math.random() * 0x7fffffff),
			first: this.#wireFor(seat),
		});
		return worker;
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
					seat.looks = 0;
					// A generation may have come while this worker was starting with the one before.
					if (this.#generation !== first) post(seat, { kind: 'swap', generation: this.#wireFor(seat) });
					this.#tellAddresses(seat);
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

	/** End workers that do not come round any more; their exit brings the next ones. */
	#look(): void {
		const { udp } = this.#settings;
		for (const seat of this.#seats) {
			if (seat.worker === undefined) continue;
			const beats = Atomics.load(seat.words, SEAT_WORD.beats);
			seat.looks = beats === seat.beats ? seat.looks + 1 : 0;
			seat.beats = beats;
			// Before others it would keep from them what they need to replace it.
			if (seat.looks === LATE_LOOKS && seat.isReady && udp.kind === 'batch')
				stepBack(udp.libc, Atomics.load(seat.words, SEAT_WORD.thread));
			if (seat.looks < (seat.isReady ? HANGING_LOOKS : START_LOOKS)) continue;
			seat.looks = 0;
			this.#settings.log.error({ worker: seat.index, transport: seat.transport }, 'a worker hangs, and is ended');
			void seat.worker.terminate();
		}
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
		if (performance.now() - seat.startedMs > STABLE_MS) {
			seat.restartMs = RESTART_MS_MIN;
			seat.deaths = 0;
		}
		if (++seat.deaths === LOOP_DEATHS)
			log.error(
				{ worker: seat.index, transport: seat.transport, deaths: seat.deaths },
				'a worker dies again and again',
			);
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

function post({ worker, words }: Seat, message: ToWorker): void {
	worker?.postMessage(message);
	Atomics.add(words, SEAT_WORD.mail, 1);
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

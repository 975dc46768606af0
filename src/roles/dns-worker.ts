/**
 * A thread that answers: UDP on its own sockets, or all TCP of the instance. It reads shared memory and what the
 * main thread hands over; it opens no file and asks nobody.
 */

import { once } from 'node:events';
import { availableParallelism, getPriority, setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { CookieJar } from '../dns/cookie.ts';
import { createChance } from '../lib/chance.ts';
import { prefixHolds } from '../lib/prefix.ts';
import { loadLibc } from '../native/libc.ts';
import { type ThreadTimes, ThreadTurn } from '../native/thread-turn.ts';
import type { Counters } from '../serve/counters.ts';
import { QueryRing } from '../serve/query-ring.ts';
import { QuerySampler } from '../serve/query-sampler.ts';
import { RateLimiter } from '../serve/rate-limit.ts';
import { type QueryLogging, Responder, type Served } from '../serve/respond.ts';
import { TCP_LIMITS, TcpService } from '../serve/tcp.ts';
import { listenUdp } from '../serve/udp.ts';
import { UdpBatch } from '../serve/udp-batch.ts';
import { World } from '../snapshot/answer.ts';
import { Holder } from '../snapshot/snapshot.ts';
import { openSnapshot } from '../snapshot/wire.ts';
import {
	type FromWorker,
	type QueryLogInput,
	SEAT_WORD,
	type ToWorker,
	type WireGeneration,
	type WorkerInput,
	type WorkerSource,
	type WorkerStart,
} from './worker-messages.ts';

/** A fault may come with every query; the first of each second is enough to find it. */
const FAULT_REPORT_MS = 1000;
/** How often a thread with an event loop tells that it comes round; one with batches does so with each. */
const BEAT_MS = 50;
/** An address that has just come may be gone again a moment later, or not be usable yet. */
const LISTEN_RETRY_MS = 1000;
/**
 * An answer is made of many small functions, more than V8 by default puts into one another: with twice the room in a
 * function and four times as much in all, an answer costs a fifth less (test/bench/README.md). Set before anything here
 * has run long enough to be compiled for speed.
 */
const V8_FLAGS = ['--max-inlined-bytecode-size=1000', '--max-inlined-bytecode-size-cumulative=4000'];

/** How often a thread with batches looks at what it takes of its core. */
const TURN_MS = 250;
/** On two, one that hangs would keep half of the machine from those who are to replace it. */
const HAS_CORES = availableParallelism() > 2;
/** By how much these threads stand before the others of the process: an answer is short, and somebody waits for it. */
const NICER = 10;

function threadTimes(): ThreadTimes {
	const { user, system } = process.threadCpuUsage();
	return { nowMs: performance.now(), cpuMs: (user + system) / 1000 };
}

/** Where that is allowed: to root, or by a limit such as systemd's LimitNICE. */
function goFirst(): void {
	// Elsewhere that would be the priority of the whole process.
	if (process.platform !== 'linux' || !HAS_CORES) return;
	try {
		setPriority(Math.max(-20, getPriority() - NICER));
	} catch {
		// The same answers, later where all cores are taken.
	}
}

async function run(): Promise<void> {
	goFirst();
	for (const flag of V8_FLAGS) setFlagsFromString(flag);
	const { begin } = workerData as WorkerStart;
	const [input] = (await once(begin, 'message')) as [WorkerInput];
	begin.close();
	const { source, isSuccessor, words, health, counters, answering, queryLog, seed, first } = input;
	const { ecsTrust, cookieSecrets, identity, rateLimit, rateLimitTable, rateLimitKey } = answering;
	const chance = createChance(seed);
	const buffers = new Map<number, SharedArrayBuffer>();
	const servedOf = (generation: WireGeneration): Served => {
		for (const id of generation.gone) buffers.delete(id);
		for (const [id, buffer] of generation.buffers) buffers.set(id, buffer);
		const { snapshot, targetSlots, columns } = openSnapshot(generation.wire, buffers);
		const world = new World(snapshot, health, targetSlots, chance);
		return { world, columns, generation: generation.number };
	};
	const served = new Holder(servedOf(first));
	const isTrustedByAll = ecsTrust.filter(({ length }) => length === 0).length === 2;
	const cookies = new CookieJar(cookieSecrets);
	let reportedMs = -FAULT_REPORT_MS;
	const responder = new Responder({
		served,
		counters,
		logging: queryLog === undefined ? undefined : loggingOf(queryLog, seed),
		clock: {
			nowMs: () => performance.now(),
			nowSec: () => Math.floor(Date.now() / 1000),
			wallMs: () => Date.now(),
		},
		cookies,
		limiter: rateLimit.rate === 0 ? undefined : new RateLimiter(rateLimit, rateLimitTable, rateLimitKey),
		identity: new TextEncoder().encode(identity),
		idleMs: TCP_LIMITS.idleMs,
		isSubnetTrusted: (sender) => isTrustedByAll || ecsTrust.some((prefix) => prefixHolds(prefix, sender)),
		onFault: (error) => {
			if (performance.now() - reportedMs < FAULT_REPORT_MS) return;
			reportedMs = performance.now();
			tell({ kind: 'fault', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
		},
	});
	const closers: (() => Promise<void>)[] = [];
	let listenOn: ListenOn = () => Promise.resolve(0);
	const take = (message: ToWorker) => {
		if (message.kind === 'swap') {
			served.swap(servedOf(message.generation));
			// Told last: what an older generation has counted and logged is there by then.
			Atomics.store(words, SEAT_WORD.reads, message.generation.number);
		} else if (message.kind === 'cookies') {
			cookies.setSecrets(message.secrets);
		} else if (message.kind === 'listen') {
			void listenUntilBound(listenOn, message.source);
		} else {
			void Promise.all(closers.map((close) => close())).then(() => parentPort?.close());
		}
	};
	listenOn = listener({ words, responder, counters, takeMail: mailTaker(words, take) }, closers);
	const receiveBufferOctets = isSuccessor ? await listenToPresent(listenOn, source) : await listenOn(source);
	parentPort?.on('message', take);
	setInterval(() => Atomics.add(words, SEAT_WORD.beats, 1), BEAT_MS).unref();
	tell({ kind: 'ready', receiveBufferOctets });
}

/** Its draws are its own, so that a log changes no answer. */
function loggingOf({ share, memory }: QueryLogInput, seed: number): QueryLogging {
	return { sampler: new QuerySampler(share, createChance(~seed)), ring: new QueryRing(memory) };
}

interface Ears {
	/** SEAT_WORD. */
	readonly words: Int32Array;
	readonly responder: Responder;
	readonly counters: Counters;
	readonly takeMail: () => void;
}

/**
 * Read from a source, beside those of before; all are of one kind.
 * @returns the receive buffer that the kernel granted; 0 where none was asked for
 * @throws Error when it cannot be bound
 */
type ListenOn = (source: WorkerSource) => Promise<number>;

function listener({ words, responder, counters, takeMail }: Ears, closers: (() => Promise<void>)[]): ListenOn {
	const clock = { nowMs: () => performance.now() };
	let batch: UdpBatch | undefined;
	let service: TcpService | undefined;
	return async (source) => {
		let receiveBufferOctets = 0;
		if (source.kind === 'udp-batch') {
			const { descriptors } = source;
			if (batch === undefined) {
				const libc = await loadLibc();
				if (!libc.ok) throw new Error(libc.problems.join());
				const turn = new ThreadTurn(libc.value, threadTimes(), HAS_CORES);
				Atomics.store(words, SEAT_WORD.thread, turn.thread);
				setInterval(() => turn.review(threadTimes()), TURN_MS).unref();
				const started = new UdpBatch({ libc: libc.value, descriptors, responder, counters, clock, takeMail });
				closers.push(() => started.close());
				started.start();
				batch = started;
			} else for (const descriptor of descriptors) batch.add(descriptor);
		} else if (source.kind === 'udp-dgram') {
			for (const at of source.listen) {
				const one = await listenUdp(at, { responder, counters, clock });
				receiveBufferOctets = one.receiveBufferOctets;
				closers.push(() => one.close());
			}
		} else {
			if (service === undefined) {
				const started = new TcpService({ responder, counters, clock, limits: TCP_LIMITS });
				closers.push(() => started.close());
				service = started;
			}
			for (const at of source.listen) await service.listen(at);
		}
		return receiveBufferOctets;
	};
}

/** Leave an address that the machine does not have any more for later. @returns and throws as ListenOn */
async function listenToPresent(listenOn: ListenOn, source: WorkerSource): Promise<number> {
	if (source.kind === 'udp-batch') return listenOn(source);
	let receiveBufferOctets = 0;
	for (const at of source.listen) {
		const one = { ...source, listen: [at] };
		try {
			receiveBufferOctets = await listenOn(one);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error;
			void listenUntilBound(listenOn, one);
		}
	}
	return receiveBufferOctets;
}

/** One address at a time, so that nothing is bound twice. */
async function listenUntilBound(listenOn: ListenOn, source: WorkerSource): Promise<void> {
	try {
		await listenOn(source);
	} catch {
		setTimeout(() => void listenUntilBound(listenOn, source), LISTEN_RETRY_MS).unref();
	}
}

/** Reads the port without the event loop, when the word has changed: nanoseconds when it has not. */
function mailTaker(words: Int32Array, take: (message: ToWorker) => void): () => void {
	let seen = Atomics.load(words, SEAT_WORD.mail);
	return () => {
		Atomics.add(words, SEAT_WORD.beats, 1);
		const now = Atomics.load(words, SEAT_WORD.mail);
		if (now === seen || parentPort === null) return;
		seen = now;
		for (;;) {
			const received = receiveMessageOnPort(parentPort) as { readonly message: ToWorker } | undefined;
			if (received === undefined) return;
			take(received.message);
		}
	};
}

function tell(message: FromWorker): void {
	parentPort?.postMessage(message);
}

run().catch((error: unknown) => {
	tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
	parentPort?.close();
});

/**
 * The thread that builds, as the main thread has it: asked, and answering when it is done. Answers to queries hang on
 * nothing that happens here.
 *
 * | the thread                  | what happens                                                                     |
 * |-----------------------------|----------------------------------------------------------------------------------|
 * | throws, or has no memory left | what it was asked fails; the next one starts after 50 ms, then twice as long, up to a minute |
 * | is busy when it is to end   | cut off; what it writes is whole or is not there                                  |
 */

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Switch } from '../config/overrides.ts';
import type { Log } from '../lib/ports.ts';
import type {
	BuilderInput,
	BuildSettings,
	FromBuilder,
	GeodbOrder,
	QuestionKind,
	Questions,
	ToBuilder,
} from './builder-messages.ts';
import { StartRefused } from './start-refused.ts';
import type { UnitItem } from './stored-units.ts';
import { heapMbMax, unitMessages } from './thread-aside.ts';
import type { UnitTaker } from './unit-source.ts';

const ENTRY = new URL('./builder-worker.ts', import.meta.url);
const GEODB_ENTRY = new URL('./geodb-worker.ts', import.meta.url);
const RESTART_MS_MIN = 50;
const RESTART_MS_MAX = 60_000;
/** A thread that ran so long has outlived what killed the one before. */
const STABLE_MS = 30_000;
/** Writing a hundred thousand zones for the next start takes some seconds. */
const STOP_MS_MAX = 5000;
/** Builds leave much behind at once; with more room for it memory grows, and nothing is faster. */
const YOUNG_MB = 24;

export interface BuilderParts {
	readonly settings: BuildSettings;
	readonly log: Log;
	/** The module that the thread runs; tests wrap it to bring in faults. */
	readonly entry?: URL;
	readonly heapMb?: number;
}

/** Who is told of what nobody has asked for. */
export interface BuilderListener {
	/** Why the last good version cannot be kept; undefined when it is. */
	readonly onSaved: (unsaved: string | undefined) => void;
	/** The thread has ended by itself. The next one knows nothing. */
	readonly onDeath: (reason: string) => void;
}

/** The thread died of a question, or while it was on its way. */
export class BuilderDied extends Error {}

interface Waiting {
	readonly resolve: (reply: never) => void;
	readonly reject: (error: Error) => void;
}

/** Let another thread read the databases while the builder loads its program. Whatever becomes of it, the builder finds out. */
function readAhead(paths: readonly string[], heapMb: number): { geodbFrom: MessagePort; reader: Worker | undefined } {
	const { port1: to, port2: geodbFrom } = new MessageChannel();
	try {
		const reader = new Worker(GEODB_ENTRY, {
			name: 'geodb',
			resourceLimits: { maxOldGenerationSizeMb: heapMb },
			workerData: { paths, to } satisfies GeodbOrder,
			transferList: [to],
		});
		reader.on('error', () => {});
		return { geodbFrom, reader };
	} catch {
		// The port may have gone with the thread that could not be made: another one, closed, is not waited for.
		const closed = new MessageChannel();
		closed.port1.close();
		return { geodbFrom: closed.port2, reader: undefined };
	}
}

export class Builder implements UnitTaker {
	readonly #parts: BuilderParts;
	#listener: BuilderListener | undefined;
	#worker: Worker | undefined;
	readonly #waiting = new Map<number, Waiting>();
	#nextId = 1;
	/** Above the ids of all buffers that were ever handed over. */
	#nextBuffer = 1;
	#switches: readonly Switch[] = [];
	#startedMs = 0;
	#restartMs = RESTART_MS_MIN;
	/** No thread is started before. */
	#notBeforeMs = 0;
	/** Messages, one after the other: large ones go in parts. */
	#sending: Promise<void> = Promise.resolve();
	#isClosed = false;
	#wakeUp: (() => void) | undefined;
	/** Threads that have died. */
	#deaths = 0;

	constructor(parts: BuilderParts) {
		this.#parts = parts;
	}

	listen(listener: BuilderListener): void {
		this.#listener = listener;
	}

	/** Let the thread read what it needs for its first answer. */
	begin(): void {
		this.#send(() => {}).catch(() => {});
	}

	/**
	 * Ask; questions are answered in their order.
	 * @throws StartRefused with what the thread could not do
	 * @throws BuilderDied
	 */
	ask<K extends QuestionKind>(kind: K, ask: Questions[K]['ask']): Promise<Questions[K]['reply']> {
		const id = this.#nextId++;
		return new Promise<Questions[K]['reply']>((resolve, reject) => {
			this.#send(() => {
				this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
				this.#post({ kind, id, ask } as ToBuilder);
			}).catch(reject);
		});
	}

	/** Buffers of a generation that was handed over are not numbered again. */
	noteBuffers(ids: Iterable<number>): void {
		for (const id of ids) this.#nextBuffer = Math.max(this.#nextBuffer, id + 1);
	}

	update(changed: readonly UnitItem[], removed: readonly string[]): void {
		for (const message of unitMessages(changed, removed)) this.#tell(message);
	}

	/** From now on this is what operators have switched, also for a thread to come. */
	setSwitches(switches: readonly Switch[]): void {
		this.#switches = switches;
		this.#tell({ kind: 'switches', switches });
	}

	setUnknown(reason: string): void {
		this.#tell({ kind: 'unknown', reason });
	}

	/** Let it finish what it writes, and cut it off when it builds. */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#wakeUp?.();
		const worker = this.#worker;
		if (worker === undefined) return;
		const hasEnded = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
		if (this.#waiting.size > 0) void worker.terminate();
		else this.#post({ kind: 'stop' });
		const giveUp = setTimeout(() => void worker.terminate(), STOP_MS_MAX);
		await hasEnded;
		clearTimeout(giveUp);
	}

	#tell(message: ToBuilder): void {
		const deaths = this.#deaths;
		// What was meant for a thread that is gone, the next one is told anew.
		this.#send(() => deaths === this.#deaths && this.#post(message)).catch(() => {});
	}

	#send(send: () => unknown): Promise<void> {
		const sent = this.#sending.then(async () => {
			await this.#untilThere();
			send();
			await new Promise((resolve) => setImmediate(resolve));
		});
		this.#sending = sent.catch(() => {});
		return sent;
	}

	#post(message: ToBuilder): void {
		this.#worker?.postMessage(message);
	}

	/** @throws BuilderDied when the process ends, or there is no thread to be had */
	async #untilThere(): Promise<void> {
		const waitMs = this.#notBeforeMs - performance.now();
		if (this.#worker === undefined && waitMs > 0 && !this.#isClosed) {
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, waitMs);
				this.#wakeUp = () => {
					clearTimeout(timer);
					resolve();
				};
			});
		}
		if (this.#isClosed) throw new BuilderDied('the process ends');
		try {
			this.#worker ??= this.#create();
		} catch (cause) {
			this.#pause();
			throw new BuilderDied(`Cannot start the builder: ${(cause as Error).message}`, { cause });
		}
	}

	#create(): Worker {
		const { settings, log, entry = ENTRY, heapMb } = this.#parts;
		this.#startedMs = performance.now();
		const heapMbMost = heapMb ?? heapMbMax();
		const { geodbFrom, reader } = readAhead(settings.geodb, heapMbMost);
		const switches = this.#switches;
		const worker = new Worker(entry, {
			name: 'builder',
			resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB, maxOldGenerationSizeMb: heapMbMost },
			workerData: { ...settings, firstBuffer: this.#nextBuffer, switches, geodbFrom } satisfies BuilderInput,
			transferList: [geodbFrom],
		});
		let reason = 'it ended';
		worker.on('message', (message: FromBuilder) => this.#take(message));
		worker.on('error', (error) => {
			reason = error.message;
			log.error({ error: error.stack }, 'the builder died; what is served goes on');
		});
		worker.on('exit', () => {
			void reader?.terminate();
			this.#onExit(worker, reason);
		});
		return worker;
	}

	#take(message: FromBuilder): void {
		const { log } = this.#parts;
		if (message.kind === 'log') log[message.level](message.fields, message.message);
		else if (message.kind === 'saved') this.#listener?.onSaved(message.unsaved);
		else {
			const waiting = this.#waiting.get(message.id);
			this.#waiting.delete(message.id);
			if (message.kind === 'reply') waiting?.resolve(message.reply as never);
			else waiting?.reject(new StartRefused(message.lines));
		}
	}

	#onExit(worker: Worker, reason: string): void {
		if (this.#worker !== worker) return;
		this.#worker = undefined;
		this.#deaths++;
		if (performance.now() - this.#startedMs > STABLE_MS) this.#restartMs = RESTART_MS_MIN;
		this.#pause();
		const died = new BuilderDied(`the builder died: ${reason}`);
		for (const { reject } of this.#waiting.values()) reject(died);
		this.#waiting.clear();
		if (!this.#isClosed) this.#listener?.onDeath(reason);
	}

	#pause(): void {
		this.#notBeforeMs = performance.now() + this.#restartMs;
		this.#restartMs = Math.min(2 * this.#restartMs, RESTART_MS_MAX);
	}
}

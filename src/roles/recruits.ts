/**
 * Threads that answer, before there is anything to answer from: each takes a tenth of a second to load its program, and
 * does so while the first generation is built.
 */

import { MessageChannel, Worker } from 'node:worker_threads';
import type { WorkerInput, WorkerStart } from './worker-messages.ts';

const ENTRY = new URL('./dns-worker.ts', import.meta.url);
/** What a worker's heap may grow to; zones, ranges and health lie outside of it. */
const HEAP_MB = 512;

/** A thread that waits for its input. */
export interface Recruit {
	readonly worker: Worker;
	readonly begin: (input: WorkerInput) => void;
}

/**
 * @param entry  the module that it runs
 * @throws the runtime's error when there is no thread to be had
 */
export function recruit(name: string, entry = ENTRY, heapMb = HEAP_MB): Recruit {
	const { port1: ours, port2: begin } = new MessageChannel();
	const worker = new Worker(entry, {
		name,
		resourceLimits: { maxOldGenerationSizeMb: heapMb },
		workerData: { begin } satisfies WorkerStart,
		transferList: [begin],
	});
	const tell = (input: WorkerInput) => {
		ours.postMessage(input);
		ours.close();
	};
	return { worker, begin: tell };
}

export class Recruits {
	readonly #waiting = new Map<string, Recruit>();

	/** @param names  of the threads; who cannot be had now is left for later */
	constructor(names: readonly string[]) {
		for (const name of names) {
			try {
				const one = recruit(name);
				// Whoever takes it listens too; one that has ended before is nobody's loss.
				one.worker.on('error', () => {});
				one.worker.once('exit', () => this.#waiting.delete(name));
				this.#waiting.set(name, one);
			} catch {
				return;
			}
		}
	}

	take(name: string): Recruit | undefined {
		const one = this.#waiting.get(name);
		this.#waiting.delete(name);
		return one;
	}

	/** End those that nobody has taken. */
	async dismiss(): Promise<void> {
		await Promise.all([...this.#waiting.values()].map(({ worker }) => worker.terminate()));
	}
}

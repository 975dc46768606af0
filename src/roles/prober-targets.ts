/**
 * The targets that a prober has of its store: read by a thread aside, in which nothing that happens holds up a check or
 * the lease. One that dies is followed by another, and what was probed goes on meanwhile.
 */

import { Worker } from 'node:worker_threads';
import type { FileProblem } from '../config/zones-directory.ts';
import type { Target } from '../health/target.ts';
import type { Log } from '../lib/ports.ts';
import type { Head, Store } from '../store/ports.ts';
import type { PoolsByTarget } from './health-reports.ts';
import { StoreFeed } from './instance-store.ts';
import type { UnitItem } from './stored-units.ts';
import type { FromTargets, LoadedTargets, TargetsInput, ToTargets } from './targets-messages.ts';
import { heapMbMax, unitMessages } from './thread-aside.ts';
import type { UnitTaker } from './unit-source.ts';

const ENTRY = new URL('./targets-worker.ts', import.meta.url);
const RESTART_MS_MIN = 1000;
const RESTART_MS_MAX = 60_000;
const NOTHING: LoadedTargets = { targets: [], pools: new Map(), problems: [], refused: new Set() };

interface ProberTargetsParts {
	readonly store: Store;
	readonly stateDir: string;
	readonly region: string;
	readonly log: Log;
	/** The module that the thread runs; tests wrap it to bring in faults. */
	readonly entry?: URL;
}

export class ProberTargets implements UnitTaker {
	readonly #parts: ProberTargetsParts;
	readonly #onTargets: (targets: readonly Target[]) => void;
	readonly #feed: StoreFeed;
	#worker: Worker;
	#loaded = NOTHING;
	/** Of the configuration that was handed over for the load that is awaited, and of the one that was loaded. */
	#nextHead: Head | undefined;
	#head: Head | undefined;
	/** Why the store was refused as a whole, or nobody reads it. */
	#refusal: string | undefined;
	#restartMs = RESTART_MS_MIN;
	#restart: NodeJS.Timeout | undefined;
	/** Messages, one after the other: large ones go in parts. */
	#sending: Promise<void> = Promise.resolve();
	#unwatch: () => void = () => {};
	#onFirst: () => void = () => {};
	#isClosed = false;

	/** Nothing is told before `follow()`. */
	constructor(parts: ProberTargetsParts, onTargets: (targets: readonly Target[]) => void) {
		this.#parts = parts;
		this.#onTargets = onTargets;
		this.#feed = new StoreFeed(parts.store, this);
		this.#worker = this.#create();
	}

	/** By target key. */
	get pools(): PoolsByTarget {
		return this.#loaded.pools;
	}

	/** Of the configuration that the targets are from. */
	get head(): Head | undefined {
		return this.#head;
	}

	get refusal(): string | undefined {
		return this.#refusal;
	}

	get refusedUnits(): ReadonlySet<string> {
		return this.#loaded.refused;
	}

	get problems(): readonly FileProblem[] {
		return this.#loaded.problems;
	}

	/** Tell the targets, and whenever the store has others. Settles when they have been told, or refused, once. */
	async follow(): Promise<void> {
		const first = new Promise<void>((resolve) => {
			this.#onFirst = resolve;
		});
		this.#unwatch = this.#feed.watch(() => this.#update());
		// Those of the last run, until the store says something.
		if (!this.#update()) this.#tell({ kind: 'recall' });
		await first;
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		this.#unwatch();
		clearTimeout(this.#restart);
		await this.#worker.terminate();
	}

	update(changed: readonly UnitItem[], removed: readonly string[]): void {
		for (const message of unitMessages(changed, removed)) this.#tell(message);
	}

	setUnknown(reason: string): void {
		this.#tell({ kind: 'unknown', reason });
	}

	/** @returns whether there was something new */
	#update(): boolean {
		if (!this.#feed.update()) return false;
		this.#nextHead = this.#feed.head;
		this.#tell({ kind: 'load' });
		return true;
	}

	#tell(message: ToTargets): void {
		const worker = this.#worker;
		this.#sending = this.#sending.then(async () => {
			// What was meant for a thread that is gone, the next one is told anew.
			if (worker === this.#worker) worker.postMessage(message);
			await new Promise((resolve) => setImmediate(resolve));
		});
	}

	#create(): Worker {
		const { stateDir, region, entry = ENTRY } = this.#parts;
		const worker = new Worker(entry, {
			name: 'targets',
			resourceLimits: { maxOldGenerationSizeMb: heapMbMax() },
			workerData: { stateDir, region } satisfies TargetsInput,
		});
		let reason = 'it ended';
		worker.on('message', (message: FromTargets) => this.#take(message));
		worker.on('error', (error) => {
			reason = error.message;
		});
		worker.on('exit', () => this.#onExit(reason));
		return worker;
	}

	#take(message: FromTargets): void {
		const { log } = this.#parts;
		if (message.kind === 'log') {
			log[message.level](message.fields, message.message);
			return;
		}
		if (message.kind === 'loaded') {
			this.#loaded = message.loaded;
			this.#head = this.#nextHead;
			this.#refusal = undefined;
			this.#restartMs = RESTART_MS_MIN;
			const { targets } = message.loaded;
			log.info({ targets: targets.length }, 'targets loaded');
			this.#onTargets(targets);
		} else {
			this.#refusal = message.reason;
			log.error({ reason: this.#refusal }, 'the store was refused; what was probed before goes on');
		}
		this.#onFirst();
	}

	#onExit(reason: string): void {
		if (this.#isClosed) return;
		this.#refusal = `the thread that reads the targets died: ${reason}`;
		this.#parts.log.error({ reason }, 'the thread that reads the targets died; what was probed before goes on');
		this.#onFirst();
		this.#restart = setTimeout(() => {
			this.#worker = this.#create();
			this.#feed.reset();
			this.#update();
		}, this.#restartMs);
		this.#restartMs = Math.min(2 * this.#restartMs, RESTART_MS_MAX);
	}
}

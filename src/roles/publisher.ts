/**
 * A prober's voice in the fleet: joins, publishes when a vote has turned and at least once each interval, leaves.
 *
 *     touch() ---.                          one at a time, the next one no sooner than
 *                v                          four times what the last one took
 *     interval -> collect() -> publish() -> wait
 *
 * What cannot be published is not queued: the next publication says all of it. The store publishes the latest again by
 * itself when it may have forgotten it.
 */

import type { Clock, Log } from '../lib/ports.ts';
import type { ProberName, ProberSession, Publication, Store } from '../store/ports.ts';
import { StoreError } from '../store/store-error.ts';

/** Turns that come together are published together. */
const GATHER_MS = 20;
const RETRY_MS = 1000;
/** A store that is slow gets less to do. */
const REST_SHARE = 4;

interface PublisherParts {
	readonly store: Store;
	readonly name: ProberName;
	readonly clock: Clock;
	readonly log: Log;
	readonly collect: () => Publication;
	/** Between two publications without news, in milliseconds. */
	readonly everyMs: () => number;
	/** The place in the fleet is another's. */
	readonly onTaken: (error: StoreError) => void;
}

export class Publisher {
	readonly #parts: PublisherParts;
	readonly #running: Promise<void>;
	#session: ProberSession | undefined;
	#isDue = false;
	#wake: () => void = () => {};
	#isClosed = false;
	#publishedMs: number | undefined;
	/** Why the last publication did not arrive. */
	#problem: string | undefined;
	/** Since the process started. */
	published = 0;
	failed = 0;

	constructor(parts: PublisherParts) {
		this.#parts = parts;
		this.#running = this.#run();
	}

	/** When something was published last, by the clock of this process. */
	get publishedMs(): number | undefined {
		return this.#publishedMs;
	}

	/** Undefined while all is well. */
	get problem(): string | undefined {
		return this.#problem;
	}

	get incarnation(): number | undefined {
		return this.#session?.incarnation;
	}

	/** Something has turned. */
	touch(): void {
		this.#isDue = true;
		this.#wake();
	}

	/** Leave the fleet; what was published stands. */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#wake();
		await this.#running;
		await this.#session?.leave();
	}

	async #run(): Promise<void> {
		while (!this.#isClosed) {
			const session = this.#session ?? (await this.#join());
			if (session === undefined) {
				await this.#pause(RETRY_MS);
				continue;
			}
			this.#isDue = false;
			const startMs = this.#parts.clock.nowMs();
			const hasArrived = await this.#publish(session);
			const restMs = hasArrived ? REST_SHARE * (this.#parts.clock.nowMs() - startMs) : RETRY_MS;
			await this.#pause(Math.max(GATHER_MS, restMs));
			await this.#pauseUntilDue(startMs + this.#parts.everyMs() - this.#parts.clock.nowMs());
		}
	}

	async #join(): Promise<ProberSession | undefined> {
		const { store, name, log, onTaken } = this.#parts;
		try {
			this.#session = await store.join(name);
			log.info({ ...name, incarnation: this.#session.incarnation }, 'joined the fleet');
			return this.#session;
		} catch (error) {
			this.#problem = (error as Error).message;
			if (error instanceof StoreError && error.code === 'STORE_INSTANCE_TAKEN') onTaken(error);
			return undefined;
		}
	}

	async #publish(session: ProberSession): Promise<boolean> {
		const { log, collect, clock } = this.#parts;
		try {
			await session.publish(collect());
			this.#publishedMs = clock.nowMs();
			this.published++;
			if (this.#problem !== undefined) log.info({}, 'votes are published again');
			this.#problem = undefined;
			return true;
		} catch (error) {
			this.failed++;
			const reason = (error as Error).message;
			if (this.#problem === undefined) log.warn({ reason }, 'votes cannot be published; what was published stands');
			this.#problem = reason;
			return false;
		}
	}

	async #pauseUntilDue(ms: number): Promise<void> {
		if (!this.#isDue && ms > 0) await this.#pause(ms, true);
		// With what turns at the same moment.
		if (this.#isDue) await this.#pause(GATHER_MS);
	}

	/** @param isWoken  what turns meanwhile ends it */
	#pause(ms: number, isWoken = false): Promise<void> {
		if (this.#isClosed) return Promise.resolve();
		return new Promise((resolve) => {
			const end = () => {
				clearTimeout(timer);
				this.#wake = () => {};
				resolve();
			};
			const timer = setTimeout(end, ms);
			this.#wake = () => {
				if (isWoken || this.#isClosed) end();
			};
		});
	}
}

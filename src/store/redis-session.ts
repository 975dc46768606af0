/**
 * A prober's place in a fleet that Redis holds.
 *
 *     take() -> incarnation -> lease -> publish() -> record
 *                                ^
 *     each beat: renew; gone? ---'  take it anew, and publish all again
 *
 * Whatever is published goes under a lease that is ours at that moment, so a prober that was away and whose name another
 * has taken cannot write over it.
 */

import type { ProberName, ProberSession, Publication } from './ports.ts';
import { recordOf } from './prober-book.ts';
import { RECORD_OCTETS_MAX, writeRecord } from './prober-record.ts';
import { listOf, type RedisContext } from './redis-context.ts';
import { ACQUIRE, NEXT_INCARNATION, PUBLISH_RECORD, RELEASE, RENEW } from './redis-scripts.ts';
import { instanceTaken, StoreError } from './store-error.ts';

/** A record that nobody replaces is kept so long. */
const RECORD_KEPT_MS = 30 * 86_400_000;

interface Lease {
	readonly incarnation: number;
	readonly value: string;
}

const NOTHING_PUBLISHED: Publication = { votes: new Map(), roundTripMs: new Map() };

export class RedisProberSession implements ProberSession {
	readonly #context: RedisContext;
	readonly #name: ProberName;
	readonly #onEnd: () => void;
	#lease: Lease | undefined;
	#incarnation = 0;
	#sequence = 0;
	#latest: Publication | undefined;
	/** The latest has to be published. */
	#isDue = false;
	/** Connections of the client when something was published last: a new one may lead to a server that lacks it. */
	#connections = 0;
	#sending: Promise<void> | undefined;
	#acquiring: Promise<boolean> | undefined;
	#timer: NodeJS.Timeout | undefined;
	#isEnded = false;

	constructor(context: RedisContext, name: ProberName, onEnd: () => void) {
		this.#context = context;
		this.#name = name;
		this.#onEnd = onEnd;
	}

	get incarnation(): number {
		return this.#incarnation;
	}

	/**
	 * Take the place. One whose holder died is waited for; a holder that renews its lease meanwhile is alive.
	 * @throws StoreError
	 */
	async take(): Promise<void> {
		const { client, keys, timing } = this.#context;
		// A name or region that cannot be published is refused now.
		recordOf({ ...this.#name, incarnation: 1, sequence: 1, publishedAtMs: 0 }, NOTHING_PUBLISHED, 0);
		let lastLeftMs = Number.POSITIVE_INFINITY;
		while (!(await this.#acquire())) {
			const leftMs = await client.call('PTTL', keys.lease(this.#name.instance));
			if (typeof leftMs !== 'number' || leftMs > lastLeftMs) throw instanceTaken(this.#name.instance);
			lastLeftMs = leftMs;
			await pause(Math.min(timing.beatMs * 1.5, Math.max(leftMs, 0) + 1));
		}
		this.#schedule();
	}

	async publish(publication: Publication): Promise<void> {
		this.#latest = publication;
		this.#isDue = true;
		await this.#flush();
	}

	async leave(): Promise<void> {
		const lease = this.#lease;
		this.stop();
		if (lease === undefined) return;
		const { client, keys } = this.#context;
		try {
			await client.run(RELEASE, [keys.lease(this.#name.instance)], [lease.value]);
		} catch {
			// It lapses by itself.
		}
	}

	stop(): void {
		this.#isEnded = true;
		this.#lease = undefined;
		clearTimeout(this.#timer);
		this.#onEnd();
	}

	#schedule(): void {
		if (this.#isEnded) return;
		this.#timer = setTimeout(() => {
			// What cannot be done now is tried with the next beat; the store tells why Redis is away.
			void this.#beat()
				.catch(() => {})
				.then(() => this.#schedule());
		}, this.#context.timing.beatMs);
	}

	async #beat(): Promise<void> {
		const { client, keys, timing } = this.#context;
		const lease = this.#lease;
		if (lease !== undefined) {
			const isOurs = await client.run(RENEW, [keys.lease(this.#name.instance)], [lease.value, timing.leaseMs]);
			if (isOurs !== 1 && this.#lease === lease) this.#lease = undefined;
		}
		if (this.#isEnded) return;
		if (this.#lease === undefined && !(await this.#acquire())) return;
		if (client.connections !== this.#connections) this.#isDue = this.#latest !== undefined;
		await this.#flush();
	}

	/**
	 * A beat and a publication may both find that the lease is gone: one of them would stand in the way of the other.
	 * @returns false when somebody else has the place
	 */
	#acquire(): Promise<boolean> {
		this.#acquiring ??= this.#acquireOnce().finally(() => {
			this.#acquiring = undefined;
		});
		return this.#acquiring;
	}

	async #acquireOnce(): Promise<boolean> {
		const { client, keys, seal, timing } = this.#context;
		const { instance } = this.#name;
		const reply = listOf(await client.run(NEXT_INCARNATION, [keys.incarnation(instance)], []));
		const [incarnation, timeMs] = reply;
		if (typeof incarnation !== 'number' || typeof timeMs !== 'number')
			throw new StoreError('STORE_REFUSED', `Redis counts no incarnations of ${instance}`);
		this.#context.setTime(timeMs);
		const key = keys.lease(instance);
		const value = seal.close(key, { instance, incarnation });
		const isOurs = await client.run(ACQUIRE, [key], [value, timing.leaseMs]);
		if (isOurs !== 1 || this.#isEnded) return false;
		this.#lease = { incarnation, value };
		this.#incarnation = incarnation;
		this.#sequence = 0;
		this.#isDue = this.#latest !== undefined;
		return true;
	}

	/** Publish the latest, unless somebody has done so meanwhile. */
	async #flush(): Promise<void> {
		while (this.#sending !== undefined) await this.#sending.catch(() => {});
		if (!this.#isDue) return;
		this.#sending = this.#send();
		try {
			await this.#sending;
		} finally {
			this.#sending = undefined;
		}
	}

	async #send(): Promise<void> {
		if (this.#isEnded) throw new StoreError('STORE_CLOSED', `${this.#name.instance} has left`);
		if (this.#lease === undefined && !(await this.#acquire())) throw instanceTaken(this.#name.instance);
		const lease = this.#lease;
		if (await this.#sendRecord()) return;
		// Lapsed while nobody renewed it: forgotten, or taken by another; unless a beat has seen to it meanwhile.
		if (this.#lease === lease) this.#lease = undefined;
		const isOurs = this.#lease !== undefined || (await this.#acquire());
		if (!isOurs || !(await this.#sendRecord())) throw instanceTaken(this.#name.instance);
	}

	/** @returns false when the lease is not ours any more */
	async #sendRecord(): Promise<boolean> {
		const { client, keys, seal } = this.#context;
		const { instance } = this.#name;
		const { incarnation, value } = this.#lease as Lease;
		const publication = this.#latest as Publication;
		const sequence = ++this.#sequence;
		const publishedAtMs = this.#context.timeMs();
		const record = recordOf({ ...this.#name, incarnation, sequence, publishedAtMs }, publication, performance.now());
		const key = keys.prober(instance);
		const sealed = Buffer.from(seal.close(key, writeRecord(record)));
		if (sealed.length > RECORD_OCTETS_MAX)
			throw new StoreError(
				'STORE_CONTENT',
				`Cannot publish ${sealed.length} octets: expected at most ${RECORD_OCTETS_MAX}`,
			);
		const { connections } = client;
		const isOurs = await client.run(
			PUBLISH_RECORD,
			[keys.lease(instance), key, keys.probers],
			[value, sealed, RECORD_KEPT_MS, instance, keys.hints],
		);
		if (isOurs !== 1) return false;
		this.#connections = connections;
		// What was given in the meantime is due still.
		if (this.#latest === publication) this.#isDue = false;
		return true;
	}
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * The store in Redis: what is there is looked at each second, at once when somebody hints that it has changed, and all
 * of it every ten seconds, for hints may be lost.
 *
 * | Redis                                  | condition   | what is held                             | commits           |
 * |----------------------------------------|-------------|------------------------------------------|-------------------|
 * | answers                                | ready       | the last generation                      | taken             |
 * | does not                               | unreachable | stands                                   | STORE_UNREACHABLE |
 * | has another head than it can have      | lost        | stands                                   | STORE_LOST        |
 */

import type { Log } from '../lib/ports.ts';
import { printRedisAddress, type RedisAddress } from '../lib/redis-address.ts';
import { Seal } from './envelope.ts';
import { isSameHead } from './head.ts';
import type { Item } from './item.ts';
import type {
	Commit,
	CommitResult,
	Condition,
	Configuration,
	Head,
	HistoryEntry,
	InstanceNote,
	InstanceView,
	ProberName,
	ProberSession,
	ProberView,
	Reason,
	Refusal,
	Store,
	WatchHint,
} from './ports.ts';
import { isInstanceName } from './prober-record.ts';
import { RedisClient } from './redis-client.ts';
import { RedisConfiguration } from './redis-configuration.ts';
import { listOf, RedisContext, textOfReply } from './redis-context.ts';
import { RedisFleet } from './redis-fleet.ts';
import { RedisInstances } from './redis-instances.ts';
import { RedisKeys } from './redis-keys.ts';
import { Refusals } from './refusals.ts';
import { StoreError } from './store-error.ts';
import { TIMING, type Timing } from './timing.ts';
import { Watchers } from './watchers.ts';

export interface RedisStoreParts {
	readonly address: RedisAddress;
	/** PEM of the authorities that the server's certificate may come from; undefined for those of the system. */
	readonly ca: string | undefined;
	/** Of all keys. */
	readonly prefix: string;
	/** Secrets of the fleet: the first one signs, all are believed; without one nothing is signed. */
	readonly fleetKeys: readonly string[];
	/** The last generation that this process has seen, maybe in a former life; of that the head may be all there is. */
	readonly known?: Configuration;
	readonly log: Log;
	readonly timing?: Timing;
}

const NOTHING_KNOWN: Configuration = { head: undefined, items: new Map() };
/** Between looks that hints ask for: whoever may write to the channel cannot keep everyone busy. */
const HINT_PAUSE_MS = 20;
/** Who starts does not wait for a Redis that swallows packets; least of all who knows what it had. */
const FIRST_LOOK_MS_MAX = 1500;
const KNOWING_LOOK_MS_MAX = 500;

/** Open it; settles after the first look at Redis, the first attempt that failed, or when neither comes soon. */
export async function openRedisStore(parts: RedisStoreParts): Promise<Store> {
	if (parts.fleetKeys.length === 0)
		parts.log.warn({}, 'there is no fleet.key: whoever can write to Redis can write what this fleet answers');
	const store = new RedisStore(parts);
	let giveUp: NodeJS.Timeout | undefined;
	const patience = new Promise<void>((resolve) => {
		giveUp = setTimeout(resolve, parts.known === undefined ? FIRST_LOOK_MS_MAX : KNOWING_LOOK_MS_MAX);
	});
	await Promise.race([store.firstLook, patience]);
	clearTimeout(giveUp);
	return store;
}

class RedisStore implements Store {
	readonly firstLook: Promise<void>;
	readonly #parts: RedisStoreParts;
	readonly #timing: Timing;
	readonly #log: Log;
	readonly #client: RedisClient;
	readonly #listener: RedisClient;
	readonly #context: RedisContext;
	readonly #configuration: RedisConfiguration;
	readonly #fleet: RedisFleet;
	readonly #instances: RedisInstances;
	readonly #refusals = new Refusals();
	readonly #watchers = new Watchers();
	readonly #beat: NodeJS.Timeout;
	#condition: Condition = { kind: 'unreachable', reason: 'not connected yet' };
	/** What the next look is to read beside heads and leases. */
	#wanted = { isAll: true, instances: new Set<string>() };
	#looking: Promise<void> | undefined;
	#isLookDue = false;
	#allReadMs = Number.NEGATIVE_INFINITY;
	/** Commits, one after the other. */
	#committing: Promise<unknown> = Promise.resolve();
	#endFirstLook: () => void = () => {};
	#isClosed = false;

	constructor(parts: RedisStoreParts) {
		this.#parts = parts;
		const { address, ca, prefix, fleetKeys, known = NOTHING_KNOWN, log, timing = TIMING } = parts;
		this.#timing = timing;
		this.#log = log;
		this.firstLook = new Promise((resolve) => {
			this.#endFirstLook = resolve;
		});
		const onDown = (reason: string) => this.#setCondition({ kind: 'unreachable', reason });
		this.#client = new RedisClient({ address, ca, timing, onUp: () => this.#lookAtAll(), onDown });
		const keys = new RedisKeys(prefix);
		this.#listener = new RedisClient({
			...{ address, ca, timing },
			onUp: () => void this.#listen(keys.hints),
			// The beat goes on without hints, and tells when Redis is away.
			onDown: () => {},
			onMessage: (hint) => this.#hear(hint),
		});
		const shared = { client: this.#client, keys, seal: new Seal(fleetKeys), refusals: this.#refusals, timing, log };
		this.#context = new RedisContext(shared);
		this.#configuration = new RedisConfiguration(this.#context, known);
		this.#fleet = new RedisFleet(this.#context);
		this.#instances = new RedisInstances(this.#context);
		this.#beat = setInterval(() => this.#onBeat(), timing.beatMs);
	}

	get condition(): Condition {
		return this.#condition;
	}

	get configuration(): Configuration {
		return this.#configuration.held;
	}

	get refused(): Readonly<Record<Refusal, number>> {
		return this.#refusals.counts;
	}

	probers(): readonly ProberView[] {
		return this.#fleet.views();
	}

	nowMs(): number {
		return this.#context.timeMs();
	}

	commit(commit: Commit): Promise<CommitResult> {
		return this.#inTurn(async () => {
			this.#assertReady();
			// Somebody else may have been faster, which is seen before anything is written.
			if (!isSameHead(this.configuration.head, commit.expected)) await this.#lookNow();
			this.#assertReady();
			const before = this.configuration.head;
			try {
				return await this.#configuration.commit(commit);
			} finally {
				if (!isSameHead(before, this.configuration.head)) this.#watchers.tell('configuration');
			}
		});
	}

	look(): Promise<void> {
		return this.#inTurn(async () => {
			this.#assertReady();
			await this.#lookNow();
			this.#assertReady();
		});
	}

	restore(reason: Reason): Promise<Head> {
		return this.#inTurn(async () => {
			if (this.#condition.kind === 'unreachable') this.#assertReady();
			const head = await this.#configuration.restore(reason);
			this.#setCondition({ kind: 'ready' });
			this.#watchers.tell('configuration');
			// One that is under way may have found what was there before.
			await this.#lookNow();
			return head;
		});
	}

	async history(limit: number): Promise<readonly HistoryEntry[]> {
		this.#assertReady();
		return this.#configuration.history(limit);
	}

	async itemsAt(generation: number): Promise<ReadonlyMap<string, Item> | undefined> {
		this.#assertReady();
		return this.#configuration.itemsAt(generation);
	}

	async join(name: ProberName): Promise<ProberSession> {
		this.#assertOpen();
		return this.#fleet.join(name);
	}

	async announce(note: InstanceNote): Promise<void> {
		this.#assertOpen();
		await this.#instances.announce(note);
	}

	async instances(): Promise<readonly InstanceView[]> {
		this.#assertOpen();
		return this.#instances.views();
	}

	watch(callback: (hint: WatchHint) => void): () => void {
		return this.#watchers.add(callback);
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		clearInterval(this.#beat);
		this.#fleet.stop();
		await this.#committing.catch(() => {});
		this.#client.close();
		this.#listener.close();
		await this.#looking;
		this.#endFirstLook();
	}

	/** One commit at a time: each stands on the one before. */
	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const done = this.#committing.then(() => {
			this.#assertOpen();
			return work();
		});
		this.#committing = done.catch(() => {});
		return done;
	}

	#assertOpen(): void {
		if (this.#isClosed) throw new StoreError('STORE_CLOSED', 'Cannot use the store: it is closed');
	}

	#assertReady(): void {
		this.#assertOpen();
		const { kind } = this.#condition;
		if (this.#condition.kind === 'ready') return;
		throw new StoreError(
			kind === 'lost' ? 'STORE_LOST' : 'STORE_UNREACHABLE',
			`Cannot use the store, it is ${kind}: ${this.#condition.reason}`,
		);
	}

	async #listen(channel: string): Promise<void> {
		try {
			await this.#listener.subscribe(channel);
			// Whatever was hinted at before is to be seen now.
			this.#lookAtAll();
		} catch {
			// The connection is made anew when it stalls; without permission there are no hints, and the beat does it all.
		}
	}

	#hear(hint: string): void {
		const instance = /^prober (.*)$/.exec(hint)?.[1];
		if (instance !== undefined && isInstanceName(instance)) this.#wanted.instances.add(instance);
		if (instance !== undefined || hint === 'head') this.#requestLook();
	}

	#onBeat(): void {
		if (performance.now() - this.#allReadMs >= this.#timing.resyncMs) this.#wanted.isAll = true;
		this.#requestLook();
		// A connection that only listens would not notice that nobody speaks any more.
		this.#listener.call('PING').catch(() => {});
	}

	#lookAtAll(): void {
		this.#wanted.isAll = true;
		this.#requestLook();
	}

	#requestLook(): void {
		// A connection that is still being made is no reason to call Redis away: one that fails tells so itself, and
		// all is looked at when it is there.
		if (!this.#client.isReady) return;
		this.#isLookDue = true;
		this.#looking ??= this.#lookWhileDue();
	}

	/** A look that begins after this call. */
	async #lookNow(): Promise<void> {
		await this.#looking;
		this.#requestLook();
		await this.#looking;
	}

	async #lookWhileDue(): Promise<void> {
		// Not in the turn of the call, which has yet to note that a look is under way.
		await Promise.resolve();
		while (this.#isLookDue && !this.#isClosed) {
			this.#isLookDue = false;
			await this.#look();
			if (this.#isLookDue) await new Promise((resolve) => setTimeout(resolve, HINT_PAUSE_MS));
		}
		// In the same turn as the look that found nothing due, so that nothing slips in between.
		this.#looking = undefined;
	}

	async #look(): Promise<void> {
		const { isAll, instances } = this.#wanted;
		this.#wanted = { isAll: false, instances: new Set() };
		const before = this.configuration.head;
		try {
			const [raw, time] = await Promise.all([this.#configuration.readHead(), this.#client.call('TIME')]);
			const [seconds, micros] = listOf(time).map((part) => Number(textOfReply(part)));
			this.#context.setTime((seconds ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000));
			const descent = await this.#configuration.look(raw);
			const hasFleetChanged = await this.#fleet.look(isAll ? undefined : instances);
			if (isAll) this.#allReadMs = performance.now();
			this.#setCondition(descent.kind === 'lost' ? descent : { kind: 'ready' });
			if (!isSameHead(before, this.configuration.head)) this.#watchers.tell('configuration');
			if (hasFleetChanged) this.#watchers.tell('probers');
			this.#endFirstLook();
		} catch (error) {
			// What was hinted at is still to be read.
			this.#wanted.isAll ||= isAll;
			for (const instance of instances) this.#wanted.instances.add(instance);
			this.#setCondition({ kind: 'unreachable', reason: (error as Error).message });
		}
	}

	#setCondition(condition: Condition): void {
		if (this.#isClosed) return;
		if (condition.kind === 'unreachable') this.#endFirstLook();
		const before = this.#condition;
		this.#condition = condition;
		if (before.kind === condition.kind) return;
		const redis = printRedisAddress(this.#parts.address);
		if (condition.kind === 'ready') this.#log.info({ redis }, 'the store is ready');
		else if (condition.kind === 'lost')
			this.#log.error({ redis, reason: condition.reason }, 'the store is lost: what is known stands');
		else this.#log.warn({ redis, reason: condition.reason }, 'the store is unreachable: what is known stands');
		this.#watchers.tell('condition');
	}
}

/**
 * What happens, as events: found by comparing what is told from time to time with what was told before, so that
 * nothing has to report to here. Looked for while somebody listens, and for a minute after that, for who comes back.
 *
 * | event      | data                                                             | when                                |
 * |------------|------------------------------------------------------------------|-------------------------------------|
 * | generation | generation, zones                                                | another one is served               |
 * | store      | epoch, generation, condition                                     | the head or condition of the store is another |
 * | health     | pools, address, port, kind, verdict, was, reason                 | the verdict on a target has turned  |
 * | alarm      | alarm, isRaised                                                  | a sentence of /readyz comes or goes |
 * | reset      |                                                                  | events were missed: ask for the state anew |
 *
 * Ids are of this process: those of another one lead to `reset`.
 */

import type { Store } from '../store/ports.ts';
import type { ReadyReport, TargetReport } from './reports.ts';

export interface FeedEvent {
	readonly id: string;
	readonly kind: 'generation' | 'store' | 'health' | 'alarm' | 'reset';
	readonly data: object;
}

export interface EventSources {
	readonly ready: () => ReadyReport;
	readonly targets: () => readonly TargetReport[];
	readonly store: Pick<Store, 'condition' | 'configuration'>;
}

export interface FeedOptions {
	/** Parts the ids of this process from those of others. */
	readonly mark: string;
	readonly everyMs?: number;
	/** Of going on without a listener. */
	readonly lingerMs?: number;
}

/** What can be caught up with. */
const KEPT_MAX = 1000;
const EVERY_MS = 500;
const LINGER_MS = 60_000;

type View = ReturnType<typeof viewOf>;
type Found = Omit<FeedEvent, 'id'>;

export class EventFeed {
	readonly #sources: EventSources;
	readonly #options: FeedOptions;
	readonly #listeners = new Set<(event: FeedEvent) => void>();
	#kept: readonly FeedEvent[] = [];
	#last = 0;
	#view: View | undefined;
	#timer: NodeJS.Timeout | undefined;
	#linger: NodeJS.Timeout | undefined;

	constructor(sources: EventSources, options: FeedOptions) {
		this.#sources = sources;
		this.#options = options;
	}

	/**
	 * Hear of what happens from now on, and of what has happened since an event.
	 * @param lastId  of the event that was heard of last; undefined for a new listener
	 * @returns the end of it
	 */
	listen(lastId: string | undefined, listener: (event: FeedEvent) => void): () => void {
		clearTimeout(this.#linger);
		const { everyMs = EVERY_MS, lingerMs = LINGER_MS } = this.#options;
		this.#view ??= viewOf(this.#sources);
		this.#timer ??= setInterval(() => this.#look(), everyMs).unref();
		for (const event of this.#missed(lastId)) listener(event);
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
			if (this.#listeners.size === 0) this.#linger = setTimeout(() => this.close(), lingerMs).unref();
		};
	}

	close(): void {
		clearInterval(this.#timer);
		clearTimeout(this.#linger);
		this.#timer = undefined;
		// What happens while nobody looks is not known: whoever comes back starts anew.
		this.#view = undefined;
		this.#kept = [];
	}

	#missed(lastId: string | undefined): readonly FeedEvent[] {
		if (lastId === undefined) return [];
		const number = lastId.startsWith(`${this.#options.mark}-`)
			? Number(lastId.slice(this.#options.mark.length + 1))
			: -1;
		const first = this.#last - this.#kept.length;
		if (Number.isInteger(number) && number >= first && number <= this.#last) return this.#kept.slice(number - first);
		return [{ id: this.#idOf(this.#last), kind: 'reset', data: {} }];
	}

	#look(): void {
		const before = this.#view;
		this.#view = viewOf(this.#sources);
		if (before === undefined) return;
		for (const found of differences(before, this.#view)) {
			const event: FeedEvent = { id: this.#idOf(++this.#last), ...found };
			this.#kept = [...this.#kept, event].slice(-KEPT_MAX);
			for (const listener of this.#listeners) listener(event);
		}
	}

	#idOf(number: number): string {
		return `${this.#options.mark}-${number}`;
	}
}

function viewOf({ ready, targets, store }: EventSources) {
	const { generation, zones, degraded } = ready();
	const verdicts = new Map(targets().map((target) => [keyOf(target), target]));
	return {
		generation,
		zones,
		alarms: new Set(degraded),
		verdicts,
		head: store.configuration.head,
		condition: store.condition,
	};
}

function differences(before: View, now: View): readonly Found[] {
	const events: Found[] = [];
	const { generation, zones, head, condition } = now;
	if (generation !== before.generation) events.push({ kind: 'generation', data: { generation, zones } });
	if (head?.hash !== before.head?.hash || condition.kind !== before.condition.kind)
		events.push({ kind: 'store', data: { epoch: head?.epoch, generation: head?.generation, condition } });
	for (const [key, { pools, address, port, kind, verdict, reason }] of now.verdicts) {
		const was = before.verdicts.get(key)?.verdict;
		// One that is new is unknown at first.
		if (verdict === (was ?? 'unknown')) continue;
		events.push({ kind: 'health', data: { pools, address, port, kind, verdict, was: was ?? 'unknown', reason } });
	}
	for (const alarm of now.alarms)
		if (!before.alarms.has(alarm)) events.push({ kind: 'alarm', data: { alarm, isRaised: true } });
	for (const alarm of before.alarms)
		if (!now.alarms.has(alarm)) events.push({ kind: 'alarm', data: { alarm, isRaised: false } });
	return events;
}

function keyOf({ address, port, kind, pools }: TargetReport): string {
	return JSON.stringify([address, port, kind, pools]);
}

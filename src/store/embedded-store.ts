/**
 * The store of one process: in memory, with its configuration on the disk before a commit is acknowledged. What
 * probers publish lives as long as the process; its own prober keeps its votes elsewhere.
 */

import { join } from 'node:path';
import type { Log } from '../lib/ports.ts';
import { applyChanges, itemsBack } from './apply.ts';
import { type Kept, type LogRecord, loadFiles, remember } from './embedded-files.ts';
import { EmbeddedWriter } from './embedded-writer.ts';
import { headOf, isSameHead } from './head.ts';
import { writeNote } from './instance-note.ts';
import type { Item } from './item.ts';
import type {
	ChangedItem,
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
	Publication,
	Reason,
	Refusal,
	Store,
	WatchHint,
} from './ports.ts';
import { ProberBook, recordOf } from './prober-book.ts';
import { NOTHING_REFUSED } from './refusals.ts';
import { instanceTaken, StoreError } from './store-error.ts';
import { TIMING } from './timing.ts';
import { Watchers } from './watchers.ts';

interface Next extends Reason {
	readonly configuration: Configuration;
	readonly head: Head;
	readonly changed: readonly ChangedItem[];
	readonly texts: ReadonlyMap<string, string>;
}

/** Who repairs the store, in the history. */
const OWN_NAME = 'meridian';

/**
 * Open the store of a state directory, which the caller has locked. Nothing is written before the first commit, unless
 * there is damage to mend.
 *
 * @param logOctetsMin  of a log that is compacted
 * @throws Error when there is a state that cannot be read
 */
export async function openEmbeddedStore(stateDir: string, log: Log, logOctetsMin?: number): Promise<Store> {
	const folder = join(stateDir, 'store');
	const { number, damages, hasLost, isMended, ...kept } = loadFiles(folder);
	for (const damage of damages) log.warn({ folder }, damage);
	const store = new EmbeddedStore(kept, (durable) => {
		return new EmbeddedWriter(folder, { number, isSnapshotDue: isMended }, durable, logOctetsMin);
	});
	// Generations that are gone may have been seen by others: those to come must not be taken for them.
	if (hasLost) await store.restore({ author: OWN_NAME, reason: damages.join('; ') });
	return store;
}

class EmbeddedStore implements Store {
	readonly condition: Condition = { kind: 'ready' };
	/** Nobody else writes here. */
	readonly refused: Readonly<Record<Refusal, number>> = NOTHING_REFUSED;
	readonly #watchers = new Watchers();
	readonly #writer: EmbeddedWriter;
	readonly #book = new ProberBook();
	/** Live prober's incarnation, by instance. */
	readonly #sessions = new Map<string, number>();
	readonly #notes = new Map<string, Omit<InstanceView, 'isAlive'>>();
	#incarnations = 0;
	/** What is on the disk. */
	#kept: Kept;
	/** What will be, once the writes under way have ended. */
	#coming: Configuration;
	#lastWrite: Promise<void> = Promise.resolve();
	#isClosed = false;

	constructor(kept: Kept, writerOf: (durable: () => Kept) => EmbeddedWriter) {
		this.#kept = kept;
		this.#coming = kept.configuration;
		this.#writer = writerOf(() => this.#kept);
	}

	get configuration(): Configuration {
		return this.#kept.configuration;
	}

	probers(): readonly ProberView[] {
		const nowMs = performance.now();
		for (const [instance, incarnation] of this.#sessions)
			this.#book.setLease(instance, { incarnation, untilMs: nowMs + TIMING.leaseMs });
		return this.#book.views(nowMs);
	}

	nowMs(): number {
		return Date.now();
	}

	async commit({ expected, changes, author, reason }: Commit): Promise<CommitResult> {
		this.#assertOpen();
		const before = this.#coming;
		if (!isSameHead(before.head, expected)) return { kind: 'conflict', head: before.head };
		const applied = applyChanges(before, changes);
		if (applied === undefined) {
			// What it stands on may still be on its way to the disk.
			await this.#lastWrite;
			return { kind: 'committed', head: before.head };
		}
		const { head, items, changed, texts } = applied;
		await this.#append({ configuration: { head, items }, head, changed, texts, author, reason });
		return { kind: 'committed', head };
	}

	async look(): Promise<void> {
		this.#assertOpen();
	}

	async restore({ author, reason }: Reason): Promise<Head> {
		this.#assertOpen();
		const { head: before, items } = this.#coming;
		const numbers = { epoch: (before?.epoch ?? 0) + 1, generation: (before?.generation ?? 0) + 1 };
		const head = headOf({ ...numbers, parent: before?.hash ?? '' }, items);
		await this.#append({ configuration: { head, items }, head, changed: [], texts: new Map(), author, reason });
		return head;
	}

	async history(limit: number): Promise<readonly HistoryEntry[]> {
		this.#assertOpen();
		return this.#kept.history.slice(0, limit).map(({ entry }) => entry);
	}

	async itemsAt(generation: number): Promise<ReadonlyMap<string, Item> | undefined> {
		this.#assertOpen();
		const { configuration, history } = this.#kept;
		return itemsBack(configuration, history, generation);
	}

	async join({ instance, region }: ProberName): Promise<ProberSession> {
		this.#assertOpen();
		if (this.#sessions.has(instance)) throw instanceTaken(instance);
		const incarnation = ++this.#incarnations;
		let sequence = 0;
		// A name or region that cannot be published is refused here, as it is elsewhere.
		const record = (publication: Publication, nowMs: number) =>
			recordOf({ instance, region, incarnation, sequence, publishedAtMs: Date.now() }, publication, nowMs);
		record({ votes: new Map(), roundTripMs: new Map() }, 0);
		this.#sessions.set(instance, incarnation);
		this.#watchers.tell('probers');
		return {
			incarnation,
			publish: async (publication) => {
				this.#assertOpen();
				if (this.#sessions.get(instance) !== incarnation) throw new StoreError('STORE_CLOSED', `${instance} has left`);
				sequence++;
				const nowMs = performance.now();
				this.#book.take(record(publication, nowMs), 0, nowMs);
				this.#watchers.tell('probers');
			},
			leave: async () => {
				if (this.#sessions.get(instance) !== incarnation) return;
				this.#sessions.delete(instance);
				this.#book.setLease(instance, undefined);
				this.#watchers.tell('probers');
			},
		};
	}

	async announce(note: InstanceNote): Promise<void> {
		this.#assertOpen();
		writeNote({ ...note, sentAtMs: Date.now() });
		this.#notes.set(note.instance, { ...note, seenMs: performance.now() });
	}

	async instances(): Promise<readonly InstanceView[]> {
		this.#assertOpen();
		const nowMs = performance.now();
		return [...this.#notes.values()]
			.map((note) => ({ ...note, isAlive: nowMs - note.seenMs <= TIMING.leaseMs }))
			.sort((a, b) => (a.instance < b.instance ? -1 : 1));
	}

	watch(callback: (hint: WatchHint) => void): () => void {
		return this.#watchers.add(callback);
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		await this.#writer.close();
	}

	#append({ configuration, head, changed, texts, author, reason }: Next): Promise<void> {
		const before = this.#coming;
		this.#coming = configuration;
		const atMs = Date.now();
		const changes = changed.map(({ id }) => [id, texts.get(id) ?? null] as const);
		const text = JSON.stringify({ head, atMs, author, reason, changes } satisfies LogRecord);
		const replaced = new Map(changed.map(({ id }) => [id, before.items.get(id)]));
		const write = new Promise<void>((resolve, reject) => {
			const done = () => {
				const history = remember(this.#kept.history, { entry: { head, atMs, author, reason, changed }, replaced });
				this.#kept = { configuration, history };
				resolve();
				this.#watchers.tell('configuration');
			};
			const failed = (cause: unknown) => {
				this.#coming = this.#kept.configuration;
				const why = `Cannot write generation ${head.generation}: ${(cause as Error).message}`;
				reject(new StoreError('STORE_REFUSED', why, { cause }));
			};
			this.#writer.append(text, done, failed);
		});
		this.#lastWrite = write;
		return write;
	}

	#assertOpen(): void {
		if (this.#isClosed) throw new StoreError('STORE_CLOSED', 'Cannot use the store: it is closed');
	}
}

/**
 * The configuration in Redis: looking whether there is a newer one, and making one.
 *
 *     look()     head -> index -> items that are new -> do they make the head's hash -> held
 *     commit()   items under keys of their own -> one script: head still the expected one? index, history, head
 */

import { createHash, randomBytes } from 'node:crypto';
import { applyChanges, HISTORY_MAX, HISTORY_OCTETS_MAX } from './apply.ts';
import { type Descent, descentOf, headOf, isHeadOf, isSameHead, readHead } from './head.ts';
import { etagOf, ITEM_OCTETS_MAX, ITEMS_MAX, type Item, readItem, textOf } from './item.ts';
import type { ChangedItem, Commit, CommitResult, Configuration, Head, HistoryEntry, Reason } from './ports.ts';
import { listOf, octetsOf, type RedisContext, textOfReply } from './redis-context.ts';
import { type KeptGeneration, readEntry, writeEntry } from './redis-entry.ts';
import { COMMIT, READ_INDEX } from './redis-scripts.ts';
import { StoreError } from './store-error.ts';

const HEAD_OCTETS_MAX = 1024;
const ENTRY_OCTETS_MAX = 32 * 1024 * 1024;
/** Items that no commit has made its own vanish after this. */
const UNCOMMITTED_SEC = 600;
/** Under way at a time. */
const READS_MAX = 64;
const WRITE_OCTETS_MAX = 4 * 1024 * 1024;
const TRIES_MAX = 3;
/** Generations that others may commit between a look at the head and one at the history. */
const AHEAD_MAX = 32;
const PLACE_SHAPE = /^([0-9a-f]{24}) ([0-9a-f]{64})$/;

/** Where an item stands, and what it is. */
interface Place {
	readonly version: string;
	readonly etag: string;
}

interface Held {
	readonly configuration: Configuration;
	/** The head as it stands in Redis. */
	readonly raw: Uint8Array;
	/** By item. */
	readonly versions: ReadonlyMap<string, string>;
}

interface Found {
	readonly raw: Uint8Array;
	/** Of the whole head, as the script computes it. */
	readonly sha1: string;
	readonly index: ReadonlyMap<string, Place> | undefined;
}

/** Another commit came between two reads. */
class Moved extends Error {}
/** The store holds what it should not. */
class Damaged extends Error {}

export class RedisConfiguration {
	readonly #context: RedisContext;
	#held: Held;

	/** @param known  the last generation that this process has seen, maybe in a former life */
	constructor(context: RedisContext, known: Configuration) {
		this.#context = context;
		this.#held = { configuration: known, raw: new Uint8Array(), versions: new Map() };
	}

	get held(): Configuration {
		return this.#held.configuration;
	}

	/** Read the head. */
	async readHead(): Promise<Uint8Array> {
		return this.#context.read(this.#context.keys.head, HEAD_OCTETS_MAX);
	}

	/**
	 * Take what a head leads to, unless it cannot follow from what is held.
	 * @throws StoreError when Redis does not answer
	 */
	async look(raw: Uint8Array): Promise<Descent> {
		// A head that is held came with all its items.
		if (raw.length > 0 && Buffer.compare(raw, this.#held.raw) === 0) return { kind: 'same' };
		if (raw.length > 0 && this.#readHeadValue(raw) === undefined)
			return { kind: 'lost', reason: 'its head is refused' };
		for (let tries = 1; ; tries++) {
			try {
				return await this.#take(await this.#read());
			} catch (error) {
				if (error instanceof Damaged) return { kind: 'lost', reason: error.message };
				if (!(error instanceof Moved)) throw error;
				if (tries === TRIES_MAX) return { kind: 'lost', reason: `its items cannot be read: ${error.message}` };
			}
		}
	}

	/** @throws StoreError */
	async commit({ expected, changes, author, reason }: Commit): Promise<CommitResult> {
		const { configuration: before, raw, versions: versionsBefore } = this.#held;
		if (!isSameHead(before.head, expected)) return { kind: 'conflict', head: before.head };
		const applied = applyChanges(before, changes);
		if (applied === undefined) return { kind: 'committed', head: before.head };
		const { head, items, changed, texts } = applied;
		const version = newVersion();
		await this.#writeItems(texts, version);
		const done = await this.#send({
			expectedSha1: sha1Of(raw),
			entry: { entry: { head, atMs: this.#context.timeMs(), author, reason, changed }, versions: versionsBefore },
			octets: changed.reduce((sum, { id }) => sum + (before.items.get(id)?.octets ?? 0), 0),
			places: changed.map(({ id, after }) => [id, after === undefined ? '' : `${version} ${after}`]),
			isRestore: false,
		});
		if (done === undefined) {
			await this.look(await this.readHead());
			return { kind: 'conflict', head: this.held.head };
		}
		const versions = new Map(versionsBefore);
		for (const { id, after } of changed) {
			if (after === undefined) versions.delete(id);
			else versions.set(id, version);
		}
		this.#held = { configuration: { head, items }, raw: done, versions };
		return { kind: 'committed', head };
	}

	/** @throws StoreError */
	async restore({ author, reason }: Reason): Promise<Head> {
		const { head: seen, items } = this.held;
		if (seen !== undefined && !isHeadOf(seen, items)) {
			const why = 'this process has started since, and has not read what it held; ask one that has';
			throw new StoreError('STORE_LOST', `Cannot restore the store: ${why}`);
		}
		for (let tries = 1; tries <= TRIES_MAX; tries++) {
			const { raw, sha1 } = await this.#read();
			const found = this.#readHeadValue(raw);
			const head = headOf(
				{
					epoch: Math.max(seen?.epoch ?? 0, found?.epoch ?? 0) + 1,
					generation: Math.max(seen?.generation ?? 0, found?.generation ?? 0) + 1,
					parent: seen?.hash ?? '',
				},
				items,
			);
			const version = newVersion();
			const texts = function* (): Iterable<readonly [string, string]> {
				for (const [id, item] of items) yield [id, textOf(item.content)];
			};
			await this.#writeItems(texts(), version);
			const done = await this.#send({
				expectedSha1: sha1,
				entry: { entry: { head, atMs: this.#context.timeMs(), author, reason, changed: [] }, versions: new Map() },
				octets: 0,
				places: [...items].map(([id, { etag }]) => [id, `${version} ${etag}`]),
				isRestore: true,
			});
			if (done === undefined) continue;
			this.#held = {
				configuration: { head, items },
				raw: done,
				versions: new Map([...items.keys()].map((id) => [id, version])),
			};
			return head;
		}
		throw new StoreError('STORE_REFUSED', 'Cannot restore the store: somebody else goes on writing to it');
	}

	/** @throws StoreError */
	async history(limit: number): Promise<readonly HistoryEntry[]> {
		const { head } = this.held;
		return head === undefined ? [] : (await this.#entries(head, limit)).map(({ entry }) => entry);
	}

	/** @throws StoreError */
	async itemsAt(generation: number): Promise<ReadonlyMap<string, Item> | undefined> {
		const { head, items } = this.held;
		if (head === undefined || generation > head.generation) return undefined;
		const count = head.generation - generation;
		const entries = await this.#entries(head, count);
		if (entries.length < count) return undefined;
		// The oldest replacement of an item is what stood there before all of them.
		const then = new Map<string, (ChangedItem & { readonly version: string | undefined }) | undefined>();
		for (const { entry, versions } of entries) {
			// What a restore has replaced, nobody kept.
			if (entry.head.generation > generation && entry.changed.length === 0) return undefined;
			for (const one of entry.changed) then.set(one.id, { ...one, version: versions.get(one.id) });
		}
		const result = new Map(items);
		for (const [id, was] of then) {
			if (was?.before === undefined || was.version === undefined) result.delete(id);
			else {
				const item = await this.#readItem(id, { version: was.version, etag: was.before });
				if (item === undefined) return undefined;
				result.set(id, item);
			}
		}
		return result;
	}

	async #read(): Promise<Found> {
		const { client, keys } = this.#context;
		const reply = listOf(await client.run(READ_INDEX, [keys.head, keys.index], [HEAD_OCTETS_MAX + 1, ITEMS_MAX]));
		const [raw, sha1, , index] = reply;
		return {
			raw: octetsOf(raw),
			sha1: textOfReply(sha1),
			index: index === undefined ? undefined : readIndex(listOf(index)),
		};
	}

	/** @throws Moved, Damaged, StoreError */
	async #take({ raw, index }: Found): Promise<Descent> {
		const { keys, refusals } = this.#context;
		const seen = this.held.head;
		const head = this.#readHeadValue(raw);
		if (head === undefined && raw.length > 0) throw new Damaged('its head is refused');
		const isLater = head !== undefined && seen !== undefined && head.epoch === seen.epoch;
		const gap = isLater ? Math.min(HISTORY_MAX, head.generation - seen.generation) : 0;
		const lineage = gap > 0 ? (await this.#entries(head as Head, gap)).map(({ entry }) => entry.head) : [];
		// The entry of the head itself is never forgotten: without it nothing is known of where the head comes from.
		if (gap > 0 && lineage.length === 0) throw new Moved('its history does not tell of its head');
		const descent = descentOf(seen, head, lineage);
		if (descent.kind === 'lost' || head === undefined) return descent;
		if (index === undefined) {
			refusals.add(keys.index, raw, 'oversized');
			throw new Damaged('its index is damaged, or too large');
		}
		const items = await this.#readItems(index);
		if (!isHeadOf(head, items)) {
			refusals.add(keys.index, raw, 'forged');
			throw new Damaged('its items are not those of its head');
		}
		this.#held = {
			configuration: { head, items },
			raw,
			versions: new Map([...index].map(([id, { version }]) => [id, version])),
		};
		return descent;
	}

	#readHeadValue(raw: Uint8Array): Head | undefined {
		const { keys } = this.#context;
		if (raw.length === 0) return undefined;
		const value = this.#context.open(keys.head, raw, HEAD_OCTETS_MAX);
		const head = readHead(value);
		if (head === undefined && value !== undefined) this.#context.refuse(keys.head, raw, 'malformed');
		return head;
	}

	/** Those of an index; what is held already is not read again. */
	async #readItems(index: ReadonlyMap<string, Place>): Promise<ReadonlyMap<string, Item>> {
		const items = new Map<string, Item>();
		const missing: [string, Place][] = [];
		for (const [id, place] of index) {
			const held = this.held.items.get(id);
			if (held?.etag === place.etag) items.set(id, held);
			else missing.push([id, place]);
		}
		for (let at = 0; at < missing.length; at += READS_MAX) {
			const part = missing.slice(at, at + READS_MAX);
			const read = await Promise.all(part.map(([id, place]) => this.#readItem(id, place)));
			for (const [i, item] of read.entries()) {
				const [id] = part[i] as [string, Place];
				if (item === undefined) throw new Moved(`${id} is gone`);
				items.set(id, item);
			}
		}
		return items;
	}

	/** @returns undefined when it is not there @throws Damaged */
	async #readItem(id: string, { version, etag }: Place): Promise<Item | undefined> {
		const key = this.#context.keys.item(id, version);
		const octets = await this.#context.read(key, ITEM_OCTETS_MAX);
		if (octets.length === 0) return undefined;
		const refusal = octets.length > ITEM_OCTETS_MAX ? 'oversized' : etagOf(octets) === etag ? undefined : 'forged';
		const item = refusal === undefined ? readItem(id, octets) : undefined;
		if (item !== undefined) return item;
		this.#context.refuse(key, octets, refusal ?? 'malformed');
		throw new Damaged(`its ${id} is refused`);
	}

	/** The latest entries of the history that lead to a head, newest first. */
	async #entries(head: Head, limit: number): Promise<readonly KeptGeneration[]> {
		const { client, keys } = this.#context;
		const count = Math.min(limit, HISTORY_MAX);
		if (count <= 0) return [];
		const entries: KeptGeneration[] = [];
		let expected = head.hash;
		for (const reply of listOf(await client.call('LRANGE', keys.history, 0, count + AHEAD_MAX - 1))) {
			if (entries.length === count) break;
			const octets = octetsOf(reply);
			const value = this.#context.open(keys.history, octets, ENTRY_OCTETS_MAX);
			const kept = value === undefined ? undefined : readEntry(value);
			if (kept === undefined) {
				if (value !== undefined) this.#context.refuse(keys.history, octets, 'malformed');
				break;
			}
			// The list may be ahead of the head that was read; behind it, it must lead from parent to parent.
			if (entries.length === 0 && kept.entry.head.generation > head.generation) continue;
			if (kept.entry.head.hash !== expected) {
				this.#context.refuse(keys.history, octets, 'replayed');
				break;
			}
			entries.push(kept);
			expected = kept.entry.head.parent;
		}
		return entries;
	}

	async #writeItems(texts: Iterable<readonly [string, string]>, version: string): Promise<void> {
		const { client, keys } = this.#context;
		let batch: Promise<unknown>[] = [];
		let octets = 0;
		const flush = async () => {
			const all = batch;
			[batch, octets] = [[], 0];
			await Promise.all(all);
		};
		try {
			for (const [id, text] of texts) {
				batch.push(client.call('SET', keys.item(id, version), text, 'EX', UNCOMMITTED_SEC));
				octets += text.length;
				if (octets >= WRITE_OCTETS_MAX || batch.length >= READS_MAX) await flush();
			}
			await flush();
		} catch (error) {
			await Promise.allSettled(batch);
			// Whether they are there or not, nothing points at them.
			if (!(error instanceof StoreError) || error.code !== 'STORE_UNCERTAIN') throw error;
			throw new StoreError('STORE_UNREACHABLE', error.message, { cause: error });
		}
	}

	/** @returns the new head as it stands in Redis; undefined when it was not the expected one that stood there */
	async #send(sending: {
		readonly expectedSha1: string;
		readonly entry: KeptGeneration;
		/** Of the items that are replaced. */
		readonly octets: number;
		readonly places: readonly (readonly [string, string])[];
		readonly isRestore: boolean;
	}): Promise<Uint8Array | undefined> {
		const { client, keys, seal } = this.#context;
		const { entry, expectedSha1, octets, places, isRestore } = sending;
		const { epoch, generation, hash, parent } = entry.entry.head;
		const head = Buffer.from(seal.close(keys.head, { epoch, generation, hash, parent }));
		const sealed = Buffer.from(seal.close(keys.history, writeEntry(entry, octets)));
		// Others could not read what leads to the head, and would take the store for lost.
		if (sealed.length > ENTRY_OCTETS_MAX)
			throw new StoreError('STORE_CONTENT', `Cannot commit ${places.length} changes at once: commit them in parts`);
		const reply = await client.run(
			COMMIT,
			[keys.head, keys.index, keys.history, keys.historyOctets],
			[
				...[expectedSha1, head, sealed, octets, HISTORY_MAX, HISTORY_OCTETS_MAX],
				...[keys.prefix, keys.hints, isRestore ? 'restore' : 'commit', ...places.flat()],
			],
		);
		const said = textOfReply(reply);
		if (said === 'MISSING') throw new StoreError('STORE_REFUSED', 'Redis has dropped items before they were committed');
		return said === 'OK' ? head : undefined;
	}
}

/** @returns undefined when something in it is none of an index */
function readIndex(flat: readonly unknown[]): ReadonlyMap<string, Place> | undefined {
	const index = new Map<string, Place>();
	for (let i = 0; i + 1 < flat.length; i += 2) {
		const match = PLACE_SHAPE.exec(Buffer.from(flat[i + 1] as Uint8Array).toString('latin1'));
		if (match === null) return undefined;
		index.set(Buffer.from(flat[i] as Uint8Array).toString('latin1'), { version: match[1] ?? '', etag: match[2] ?? '' });
	}
	return index;
}

function newVersion(): string {
	return randomBytes(12).toString('hex');
}

function sha1Of(octets: Uint8Array): string {
	return createHash('sha1').update(octets).digest('hex');
}

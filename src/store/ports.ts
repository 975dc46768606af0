/**
 * What a fleet shares, whoever keeps it: the configuration, and what probers publish.
 *
 *     configuration   units, overrides and tokens under one head; a commit changes several of them, or none
 *     fleet           one record for each prober, with a lease that says whether it lives
 *
 * A store holds all of it in memory and answers from there; only what writes, and the history, waits. What cannot be
 * reached, read or believed leaves what is held as it is. Two stores keep these promises, under one test
 * (test/contract): one embedded in the process, one in Redis.
 */

import type { ProberReport, PublishedVote } from '../health/published.ts';
import type { Change, Item } from './item.ts';

/** The state of the configuration, named. */
export interface Head {
	/** Rises when a lost store is restored. */
	readonly epoch: number;
	/** Rises by one with each commit. */
	readonly generation: number;
	/** Over the head before, and over name and etag of all items. */
	readonly hash: string;
	/** Hash of the head before; empty for the first. */
	readonly parent: string;
}

/** One generation, whole. */
export interface Configuration {
	/** Undefined while nothing has ever been committed. */
	readonly head: Head | undefined;
	/** By their id. */
	readonly items: ReadonlyMap<string, Item>;
}

/** Who changes something, and why; both are kept in the history. */
export interface Reason {
	readonly author: string;
	readonly reason: string;
}

export interface Commit extends Reason {
	/** The head that the changes were made for; undefined for the first commit. */
	readonly expected: Head | undefined;
	/** One for each item at most. */
	readonly changes: readonly Change[];
}

export type CommitResult =
	/** The head is undefined only where nothing was ever committed, and nothing was to be. */
	| { readonly kind: 'committed'; readonly head: Head | undefined }
	/** The store is at another head than the expected one; nothing was changed. */
	| { readonly kind: 'conflict'; readonly head: Head | undefined };

export interface HistoryEntry extends Reason {
	readonly head: Head;
	/** Milliseconds since 1970 by the clock of the store. */
	readonly atMs: number;
	readonly changed: readonly ChangedItem[];
}

export interface ChangedItem {
	readonly id: string;
	/** Etag of what was replaced; undefined where there was nothing. */
	readonly before: string | undefined;
	/** Undefined for a removal. */
	readonly after: string | undefined;
}

export type Condition =
	| { readonly kind: 'ready' }
	/** Nothing can be read or written; what is held stands. */
	| { readonly kind: 'unreachable'; readonly reason: string }
	/** The store was emptied, or set back: what is held stands, and is not written over what may come back. */
	| { readonly kind: 'lost'; readonly reason: string };

/** Why a value of the store was not taken. */
export type Refusal = 'forged' | 'replayed' | 'oversized' | 'malformed' | 'schema';

/** What a prober publishes. Times are of its own monotonic clock. */
export interface Publication {
	/** By target key. */
	readonly votes: ReadonlyMap<string, PublishedVote>;
	/** Since when the prober is cut off; absent while it is not. */
	readonly cutOffMs?: number;
	/** Round-trip times by endpoint address. */
	readonly roundTripMs: ReadonlyMap<string, number>;
}

/** What a prober has published last. Times are of the reader's monotonic clock. */
export interface ProberView {
	readonly instance: string;
	readonly incarnation: number;
	readonly sequence: number;
	/** What is left of its lease; 0 when it has none. */
	readonly leaseLeftMs: number;
	/** When it published. */
	readonly publishedMs: number;
	readonly report: ProberReport;
	readonly roundTripMs: ReadonlyMap<string, number>;
}

export interface ProberName {
	/** Unique in the fleet: letters, digits, `.`, `_`, `:` and `-`. */
	readonly instance: string;
	readonly region: string;
}

/** A prober's place in the fleet; its lease is renewed until it leaves. */
export interface ProberSession {
	readonly incarnation: number;
	/**
	 * Replace what this prober has published; published again by itself whenever the store may have forgotten it.
	 * @throws StoreError when it has not got there; the next one will
	 */
	publish(publication: Publication): Promise<void>;
	/** Give the place back. What was published stays. */
	leave(): Promise<void>;
}

/** What an instance tells of itself. */
export interface InstanceNote {
	/** Unique in the fleet, as that of a prober. */
	readonly instance: string;
	readonly role: string;
	readonly version: string;
	readonly region: string;
	/** Of the configuration that it serves; 0 for none. */
	readonly epoch: number;
	readonly generation: number;
}

export interface InstanceView extends InstanceNote {
	/** When it said so, by the reader's monotonic clock. */
	readonly seenMs: number;
	/** It has said so lately. */
	readonly isAlive: boolean;
}

export type WatchHint = 'configuration' | 'probers' | 'condition';

export interface Store {
	readonly condition: Condition;
	/** The last good generation. */
	readonly configuration: Configuration;
	/** Values that were not taken, since the store was opened. */
	readonly refused: Readonly<Record<Refusal, number>>;
	/** By instance. */
	probers(): readonly ProberView[];
	/**
	 * Milliseconds since 1970 by the clock of the store: what it last said, carried on by the clock of this process;
	 * the time of day of this machine where it never said anything.
	 */
	nowMs(): number;

	/**
	 * Make several changes as one generation. Changes that change nothing make none.
	 * @throws StoreError
	 */
	commit(commit: Commit): Promise<CommitResult>;
	/**
	 * See what others have committed by now.
	 * @throws StoreError
	 */
	look(): Promise<void>;
	/**
	 * Write what is held as a new epoch, over whatever the store has: the way out of a store that was lost.
	 * @returns the new head
	 * @throws StoreError
	 */
	restore(reason: Reason): Promise<Head>;
	/**
	 * The latest generations, newest first; as far back as the store remembers.
	 * @throws StoreError
	 */
	history(limit: number): Promise<readonly HistoryEntry[]>;
	/**
	 * All items as they were at a generation of the history, or at the one before its oldest entry.
	 * @returns undefined when the history does not reach that far
	 * @throws StoreError
	 */
	itemsAt(generation: number): Promise<ReadonlyMap<string, Item> | undefined>;

	/**
	 * Take a prober's place in the fleet.
	 * @throws StoreError STORE_INSTANCE_TAKEN while another live prober has it
	 */
	join(name: ProberName): Promise<ProberSession>;

	/**
	 * Tell the fleet that an instance lives, and what it serves.
	 * @throws StoreError
	 */
	announce(note: InstanceNote): Promise<void>;
	/**
	 * Instances that have announced themselves within a day, by name.
	 * @throws StoreError
	 */
	instances(): Promise<readonly InstanceView[]>;

	/** Call back after something has changed. @returns the end of it */
	watch(callback: (hint: WatchHint) => void): () => void;
	/** Settles when all that was acknowledged is where it belongs, and nothing is left running. */
	close(): Promise<void>;
}

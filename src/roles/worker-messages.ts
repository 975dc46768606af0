/**
 * What the main thread and the threads that answer say to each other.
 */

import type { HealthWords } from '../health/verdict-table.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { Prefix } from '../lib/prefix.ts';
import type { AnswerColumns, Counters } from '../serve/counters.ts';
import type { RateLimitSettings, RateLimitTable } from '../serve/rate-limit.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** One generation for a worker. */
export interface Generation {
	readonly number: number;
	readonly snapshot: Snapshot;
	/** Slot of each target of the snapshot. */
	readonly slots: Int32Array;
}

/** The same as workers get it. */
export interface CountedGeneration extends Generation {
	readonly columns: AnswerColumns;
}

/** Which queries a worker tells of. */
export interface QueryLogInput {
	/** Of all queries, above 0 and at most 1. */
	readonly share: number;
	/** Of its ring (serve/query-ring.ts). */
	readonly memory: SharedArrayBuffer;
}

/** How queries are answered, whatever the zones are. */
export interface AnsweringSettings {
	/** Senders whose client subnet is believed. */
	readonly ecsTrust: readonly Prefix[];
	/** The first one makes cookies, all are accepted. */
	readonly cookieSecrets: readonly Uint8Array[];
	readonly identity: string;
	readonly rateLimit: RateLimitSettings;
	/** Shared by all workers of the instance, like its key. */
	readonly rateLimitTable: RateLimitTable;
	readonly rateLimitKey: number;
}

/** What a worker reads from. */
export type WorkerSource =
	| {
			readonly kind: 'udp-batch';
			/** Sockets of the main thread, which outlive the worker. */
			readonly descriptors: readonly number[];
	  }
	| { readonly kind: 'udp-dgram'; readonly listen: readonly ListenAddress[] }
	| { readonly kind: 'tcp'; readonly listen: readonly ListenAddress[] };

export interface WorkerInput {
	readonly source: WorkerSource;
	/** One word, raised with every message to the worker: a thread that is busy elsewhere than in its event loop looks here. */
	readonly mail: Int32Array;
	readonly health: HealthWords;
	readonly counters: Counters;
	readonly answering: AnsweringSettings;
	/** Absent: nothing is logged. */
	readonly queryLog: QueryLogInput | undefined;
	readonly seed: number;
	readonly first: CountedGeneration;
}

export type ToWorker =
	| { readonly kind: 'swap'; readonly generation: CountedGeneration }
	| { readonly kind: 'cookies'; readonly secrets: readonly Uint8Array[] }
	| { readonly kind: 'stop' };

export type FromWorker =
	| { readonly kind: 'ready'; readonly receiveBufferOctets: number }
	| { readonly kind: 'failed'; readonly message: string }
	| { readonly kind: 'swapped'; readonly number: number }
	| { readonly kind: 'fault'; readonly message: string };

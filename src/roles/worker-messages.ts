/**
 * What the main thread and the threads that answer say to each other.
 */

import type { MessagePort } from 'node:worker_threads';
import type { HealthWords } from '../health/verdict-table.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { Prefix } from '../lib/prefix.ts';
import type { Counters } from '../serve/counters.ts';
import type { RateLimitSettings, RateLimitTable } from '../serve/rate-limit.ts';
import type { WireSnapshot } from '../snapshot/wire.ts';
import type { SteeringLabels } from './answer-columns.ts';

/** One generation, in memory that threads share. */
export interface Generation {
	/** Greater than that of the one before. */
	readonly number: number;
	readonly wire: WireSnapshot;
	/** All that it lies in, by id. */
	readonly buffers: ReadonlyMap<number, SharedArrayBuffer>;
	/** Ids of the buffers that generations to come may lie in. */
	readonly kept: ReadonlySet<number>;
	readonly labels: SteeringLabels;
}

/** Which queries a worker tells of. */
export interface QueryLogInput {
	/** Of all queries, above 0 and at most 1. */
	readonly share: number;
	/** Of its ring (serve/query-ring.ts). */
	readonly memory: SharedArrayBuffer;
}

/** One generation for a worker. */
export interface WireGeneration {
	readonly number: number;
	readonly wire: WireSnapshot;
	/** Those that it lies in and that this worker has not been sent before, by id. */
	readonly buffers: readonly (readonly [number, SharedArrayBuffer])[];
	/** Ids of buffers that were sent before and never come again. */
	readonly gone: readonly number[];
}

/** What a worker and the main thread tell each other without a message. */
export const SEAT_WORD = {
	/** Raised with every message to the worker: a thread that is busy elsewhere than in its event loop looks here. */
	mail: 0,
	/** Number of the generation that the worker reads: it has left all before. */
	reads: 1,
	/** Raised by the worker as long as it comes round to new queries. */
	beats: 2,
	/** Of the worker's thread, as the kernel knows it; 0 for one that goes like all others. */
	thread: 3,
	count: 4,
} as const;

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

/** What a thread has from the start; its input comes by the port, once. */
export interface WorkerStart {
	readonly begin: MessagePort;
}

export interface WorkerInput {
	readonly source: WorkerSource;
	/** It takes the place of another one: an address that has gone meanwhile is no reason not to start. */
	readonly isSuccessor: boolean;
	/** SEAT_WORD. */
	readonly words: Int32Array;
	readonly health: HealthWords;
	readonly counters: Counters;
	readonly answering: AnsweringSettings;
	/** Absent: nothing is logged. */
	readonly queryLog: QueryLogInput | undefined;
	readonly seed: number;
	readonly first: WireGeneration;
}

export type ToWorker =
	| { readonly kind: 'swap'; readonly generation: WireGeneration }
	| { readonly kind: 'cookies'; readonly secrets: readonly Uint8Array[] }
	/** Read from this too, of the kind that it was started with. */
	| { readonly kind: 'listen'; readonly source: WorkerSource }
	| { readonly kind: 'stop' };

export type FromWorker =
	| { readonly kind: 'ready'; readonly receiveBufferOctets: number }
	| { readonly kind: 'failed'; readonly message: string }
	| { readonly kind: 'fault'; readonly message: string };

/**
 * What the main thread and the threads that answer say to each other.
 */

import type { HealthWords } from '../health/verdict-table.ts';
import type { Prefix } from '../lib/prefix.ts';
import type { Counters } from '../serve/counters.ts';
import type { ListenAddress } from '../serve/listen.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** One generation for a worker. */
export interface Generation {
	readonly number: number;
	readonly snapshot: Snapshot;
	/** Slot of each target of the snapshot. */
	readonly slots: Int32Array;
}

export interface WorkerInput {
	readonly transport: 'udp' | 'tcp';
	readonly listen: readonly ListenAddress[];
	readonly health: HealthWords;
	readonly counters: Counters;
	readonly ecsTrust: readonly Prefix[];
	readonly seed: number;
	readonly first: Generation;
}

export type ToWorker = { readonly kind: 'swap'; readonly generation: Generation } | { readonly kind: 'stop' };

export type FromWorker =
	| { readonly kind: 'ready'; readonly receiveBufferOctets: number }
	| { readonly kind: 'failed'; readonly message: string }
	| { readonly kind: 'swapped'; readonly number: number }
	| { readonly kind: 'fault'; readonly message: string };

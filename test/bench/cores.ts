/**
 * Who runs where: a server on the last cores, as many as it has workers, and the load on all others.
 */

import { availableParallelism } from 'node:os';

export interface Cores {
	/** As taskset lists them; undefined where there are too few to part. */
	readonly server: string | undefined;
	readonly load: string | undefined;
}

export function coresFor(workers: number, cores = availableParallelism()): Cores {
	if (cores <= workers) return { server: undefined, load: undefined };
	return { server: range(cores - workers, cores), load: range(0, cores - workers) };
}

function range(from: number, end: number): string {
	return Array.from({ length: end - from }, (_, i) => from + i).join();
}

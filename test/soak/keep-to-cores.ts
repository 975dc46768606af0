/** A client that waits for a core itself would count that as the server's: it gets one that nobody else has. */

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { coresFor } from '../bench/cores.ts';
import { findProgram } from '../setup/tools.ts';

export interface Parted {
	/** Of the client; undefined where there are too few to part. */
	readonly client: string | undefined;
	/** Lets this process, and what it starts, run everywhere again. */
	readonly end: () => void;
}

/** Leave a core to the client: this process, and what it starts from now on, keeps to the others. */
export function leaveCoreToClient(): Parted {
	const cores = availableParallelism();
	// Two are the least on which a server can do two things at a time.
	const taskset = findProgram('taskset');
	if (cores < 3 || taskset === undefined) return { client: undefined, end: () => {} };
	const { server, load } = coresFor(cores - 1, cores);
	const keepTo = (list: string) =>
		spawnSync(taskset, ['-a', '-p', '-c', list, String(process.pid)], { stdio: 'ignore' }).status === 0;
	if (server === undefined || !keepTo(server)) return { client: undefined, end: () => {} };
	return { client: load, end: () => void keepTo(`${server},${load}`) };
}

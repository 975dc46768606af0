/**
 * The thread that answers, with faults on demand: it throws, hangs or takes all memory when its name is called on the
 * channel, and cannot even start when its name is among the troubled ones. Production code knows nothing of it.
 */

import { BroadcastChannel, getEnvironmentData, threadName } from 'node:worker_threads';

const name = threadName ?? '';

/** `throw`, `exit` or nothing, by name of the worker: how its start ends. */
const trouble = getEnvironmentData('meridian-test-trouble') as Readonly<Record<string, string>> | undefined;
if (trouble?.[name] === 'throw') throw new Error('trouble at the start');
if (trouble?.[name] === 'exit') process.exit(7);

const faults = new BroadcastChannel('meridian-test-faults') as BroadcastChannel & { unref(): void };
faults.onmessage = (event) => {
	const { worker, fault } = (event as { data: { worker: string; fault?: string } }).data;
	if (worker !== name || fault === undefined) return;
	setImmediate(() => {
		faults.postMessage({ worker, begins: fault });
		if (fault === 'throw') throw new Error('a fault on demand');
		const hoard: number[][] = [];
		// A worker that never comes back to its loop.
		for (;;) if (fault === 'hoard') hoard.push(new Array(100_000).fill(hoard.length));
	});
};
faults.unref();

await import('../../src/roles/dns-worker.ts');

/**
 * The thread that builds, with faults on demand: it throws, or takes all memory, when it is told so on the channel.
 * Production code knows nothing of it.
 */

import { BroadcastChannel } from 'node:worker_threads';

const faults = new BroadcastChannel('meridian-test-builder-faults') as BroadcastChannel & { unref(): void };
faults.onmessage = (event) => {
	const { fault } = (event as { data: { fault: string } }).data;
	setImmediate(() => {
		if (fault === 'throw') throw new Error('a fault on demand');
		const hoard: number[][] = [];
		for (;;) hoard.push(new Array(100_000).fill(hoard.length));
	});
};
faults.unref();

await import('../../src/roles/builder-worker.ts');

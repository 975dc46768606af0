/**
 * A steady load of queries at several instances, in a thread of its own, so that what a test does holds no query up.
 * Every answer is looked at: which addresses it holds, and when each was seen last.
 */

import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

export interface Tally {
	readonly sent: number;
	readonly answered: number;
	/** No answer within LOST_MS. */
	readonly lost: number;
	/** Ports of those. */
	readonly lostAt: ReadonlySet<number>;
	/** Answers without an address, or with another RCODE than NOERROR. */
	readonly empty: number;
	/** Counts, by instance and address: `PORT ADDRESS`. */
	readonly seen: ReadonlyMap<string, number>;
	/** The longest that an answer took, in milliseconds. */
	readonly slowestMs: number;
	/** The longest that this thread was held up, in milliseconds: a machine that stands still for so long delays all else too. */
	readonly stallMs: number;
}

export type LoadRequest = { readonly kind: 'pause' | 'resume'; readonly port: number } | { readonly kind: 'tally' };

export interface QueryLoad {
	/** What has happened since the last tally. */
	tally(): Promise<Tally>;
	/** Ask this instance nothing; settles when nothing is under way there. */
	pause(port: number): Promise<void>;
	resume(port: number): Promise<void>;
}

/** @param rate  queries a second, all instances together */
export async function startLoad(
	t: TestContext,
	ports: readonly number[],
	name: string,
	rate: number,
): Promise<QueryLoad> {
	const worker = new Worker(new URL('./query-load-thread.ts', import.meta.url), { workerData: { ports, name, rate } });
	await once(worker, 'online');
	let tail: Promise<unknown> = Promise.resolve();
	const ask = <T>(request: LoadRequest): Promise<T> => {
		const asked = tail.then(async () => {
			const answer = once(worker, 'message');
			worker.postMessage(request);
			return (await answer)[0] as T;
		});
		tail = asked.catch(() => {});
		return asked;
	};
	t.after(async () => {
		await worker.terminate();
	});
	return {
		tally: () => ask<Tally>({ kind: 'tally' }),
		pause: (port) => ask<void>({ kind: 'pause', port }),
		resume: (port) => ask<void>({ kind: 'resume', port }),
	};
}

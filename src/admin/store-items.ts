/**
 * Changes of what is no configuration: tokens, overrides, trips. Each stands for itself, so that a commit that comes
 * between is no reason to refuse one.
 */

import type { Change, Item } from '../store/item.ts';
import type { Head, Reason, Store } from '../store/ports.ts';
import { ApiProblem, type ProblemCode } from './problem.ts';
import { storeProblem } from './store-problem.ts';

/** What may stand in the way of a change. */
export const CHANGE_PROBLEMS: readonly ProblemCode[] = [
	'busy',
	'store-unreachable',
	'store-uncertain',
	'store-lost',
	'store-refused',
];

/** Others that may be faster, one after the other. */
const TRIES_MAX = 100;
/** The change that was faster is on its way to where it can be seen. */
const NEWS_MS_MAX = 100;

/**
 * Commit what a function makes of the items; it is asked again when they have changed meanwhile.
 * @returns the head after it
 * @throws ApiProblem, also what the function throws
 */
export async function changeItems(
	store: Store,
	reason: Reason,
	changesOf: (items: ReadonlyMap<string, Item>) => readonly Change[],
): Promise<Head | undefined> {
	const { condition } = store;
	if (condition.kind !== 'ready')
		throw new ApiProblem(
			`store-${condition.kind}`,
			`Cannot write, the store is ${condition.kind}: ${condition.reason}`,
		);
	for (let tries = 0; tries < TRIES_MAX; tries++) {
		const { head: expected, items } = store.configuration;
		const changes = changesOf(items);
		const result = await store.commit({ expected, changes, ...reason }).catch((error: unknown) => {
			throw storeProblem(error);
		});
		if (result.kind === 'committed') return result.head;
		await newsOf(store, expected);
	}
	throw new ApiProblem('busy', 'Cannot write: others went on writing', { headers: { 'retry-after': '1' } });
}

/** Settles when the store holds another head, or after a while. */
function newsOf(store: Store, head: Head | undefined): Promise<void> {
	return new Promise((resolve) => {
		const end = () => {
			clearTimeout(timer);
			forget();
			resolve();
		};
		const timer = setTimeout(end, NEWS_MS_MAX);
		const forget = store.watch((hint) => {
			if (hint === 'configuration') end();
		});
		if (store.configuration.head?.hash !== head?.hash) end();
	});
}

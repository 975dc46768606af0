/**
 * What probers have published, as an instance keeps it for its next start. Times are ages; target keys stand once.
 */

import type { PublishedVote } from '../health/published.ts';
import type { ProberView } from '../store/ports.ts';

export interface SavedFleet {
	readonly keys: readonly string[];
	readonly probers: readonly SavedProber[];
}

interface SavedProber {
	readonly instance: string;
	readonly region: string;
	readonly incarnation: number;
	readonly sequence: number;
	readonly publishedAgeMs: number;
	/** Index of its key, whether it is up, ages of its last turn and of its last check. */
	readonly votes: readonly (readonly [number, 0 | 1, number, number])[];
	readonly roundTrips: readonly (readonly [string, number])[];
}

export function writeFleet(probers: readonly ProberView[], nowMs: number): SavedFleet {
	const indexes = new Map<string, number>();
	const indexOf = (key: string) => {
		const index = indexes.get(key) ?? indexes.size;
		indexes.set(key, index);
		return index;
	};
	const saved = probers.map(
		({ instance, incarnation, sequence, publishedMs, report, roundTripMs }): SavedProber => ({
			...{ instance, region: report.region, incarnation, sequence },
			publishedAgeMs: nowMs - publishedMs,
			votes: [...report.votes].map(([key, { vote, sinceMs, checkedMs }]) => [
				...([indexOf(key), vote === 'up' ? 1 : 0] as const),
				...([Math.round(nowMs - sinceMs), Math.round(nowMs - checkedMs)] as const),
			]),
			roundTrips: [...roundTripMs],
		}),
	);
	return { keys: [...indexes.keys()], probers: saved };
}

/**
 * @param savedMs  when it was saved, on the present clock
 * @returns probers without a lease
 */
export function readFleet({ keys, probers }: SavedFleet, savedMs: number): readonly ProberView[] {
	return probers.map(({ instance, region, incarnation, sequence, publishedAgeMs, votes, roundTrips }) => {
		const published = votes.map(([index, isUp, sinceAgeMs, checkedAgeMs]): [string, PublishedVote] => [
			keys[index] ?? '',
			{ vote: isUp === 1 ? 'up' : 'down', sinceMs: savedMs - sinceAgeMs, checkedMs: savedMs - checkedAgeMs },
		]);
		return {
			...{ instance, incarnation, sequence, leaseLeftMs: 0, publishedMs: savedMs - publishedAgeMs },
			report: { prober: instance, region, isAlive: false, votes: new Map(published) },
			roundTripMs: new Map(roundTrips),
		};
	});
}

/** Of each prober what it said last, by instance: a store that was set back must not bring back what was said before. */
export function laterOf(held: readonly ProberView[], saved: readonly ProberView[]): readonly ProberView[] {
	const views = new Map(saved.map((view) => [view.instance, view]));
	for (const view of held) {
		const other = views.get(view.instance);
		if (other === undefined || isLater(view, other)) views.set(view.instance, view);
	}
	return [...views.values()].sort((a, b) => (a.instance < b.instance ? -1 : 1));
}

function isLater(a: ProberView, b: ProberView): boolean {
	return a.incarnation === b.incarnation ? a.sequence >= b.sequence : a.incarnation > b.incarnation;
}

/**
 * Fleets for consensus tests. A prober is written as `name@region` with its votes in the order of the targets:
 * `u` up, `d` down, `.` none. Its votes are a minute old and were checked a second ago, unless it says otherwise.
 */

import type { ProberReport, PublishedVote } from '../../src/health/published.ts';

export const NOW_MS = 10_000_000;
export const INTERVAL_MS = 10_000;

export interface Said {
	readonly votes: string;
	/** Since when each vote is what it is. */
	readonly sinceAgoMs?: number;
	/** How long ago each target was checked. */
	readonly checkedAgoMs?: number;
	readonly isAlive?: boolean;
	/** How long it has been cut off from its anchors. */
	readonly cutOffAgoMs?: number;
}

/** Long enough ago to be no longer fresh. */
export const SILENT = { checkedAgoMs: 31_000, isAlive: false } as const;

export function fleetOf(said: Readonly<Record<string, Said | string>>): readonly ProberReport[] {
	return Object.entries(said).map(([who, what]) => {
		const {
			votes,
			sinceAgoMs = 60_000,
			checkedAgoMs = 1000,
			isAlive = true,
			cutOffAgoMs,
		} = typeof what === 'string' ? { votes: what } : what;
		const [prober = '', region = prober] = who.split('@');
		const entries = [...votes].flatMap((letter, i): [string, PublishedVote][] => {
			if (letter === '.') return [];
			const vote = letter === 'u' ? 'up' : 'down';
			return [[`t${i}`, { vote, sinceMs: NOW_MS - sinceAgoMs, checkedMs: NOW_MS - checkedAgoMs }]];
		});
		const cutOff = cutOffAgoMs === undefined ? {} : { cutOffMs: NOW_MS - cutOffAgoMs };
		return { prober, region, isAlive, ...cutOff, votes: new Map(entries) };
	});
}

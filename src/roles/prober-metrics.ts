/**
 * The metrics of a prober that stands alone.
 */

import type { Clock } from '../lib/ports.ts';
import type { Store } from '../store/ports.ts';
import type { Metric } from '../telemetry/metrics.ts';
import { storeMetrics } from './fleet-metrics.ts';
import { checkMetrics } from './health-metrics.ts';
import type { OwnVotes } from './own-votes.ts';
import type { Publisher } from './publisher.ts';

export function proberMetrics(store: Store, votes: OwnVotes, publisher: Publisher, clock: Clock): readonly Metric[] {
	return [
		...storeMetrics(store),
		...checkMetrics(() => votes),
		{
			name: 'prober_targets',
			help: 'Targets that are probed, by vote',
			kind: 'gauge',
			labels: ['vote'],
			read: () =>
				(['up', 'down', 'unknown'] as const).map((vote) => ({
					labels: { vote },
					value: votes.list().filter((own) => own.vote.state.vote === vote).length,
				})),
		},
		{
			name: 'prober_targets_held',
			help: 'Targets that flap and are held down',
			kind: 'gauge',
			labels: [],
			read: () => [{ value: votes.list().filter(({ isHeld }) => isHeld).length }],
		},
		{
			name: 'prober_published_total',
			help: 'Publications, by what became of them',
			kind: 'counter',
			labels: ['result'],
			read: () => [
				{ labels: { result: 'arrived' }, value: publisher.published },
				{ labels: { result: 'failed' }, value: publisher.failed },
			],
		},
		{
			name: 'prober_lag_seconds',
			help: 'Since the last publication arrived',
			kind: 'gauge',
			labels: [],
			read: () => {
				const { publishedMs } = publisher;
				return publishedMs === undefined ? [] : [{ value: Math.max(0, (clock.nowMs() - publishedMs) / 1000) }];
			},
		},
	];
}

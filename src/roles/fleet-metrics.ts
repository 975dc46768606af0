/**
 * The metrics of a store, and of the probers that publish in it.
 */

import type { Clock } from '../lib/ports.ts';
import type { ProberView, Store } from '../store/ports.ts';
import type { Metric, Sample } from '../telemetry/metrics.ts';
import type { FleetHealth } from './fleet-health.ts';

/** Probers with series of their own. */
const PROBER_SERIES_MAX = 256;
const CONDITIONS = ['ready', 'unreachable', 'lost'] as const;

/**
 * @param store   undefined for a process without one
 * @param health  undefined for a process that judges alone
 */
export function fleetMetrics(
	store: Store | undefined,
	health: FleetHealth | undefined,
	clock: Clock,
): readonly Metric[] {
	if (store === undefined) return [];
	const each = (name: string, help: string, read: (view: ProberView, nowMs: number) => number): Metric => ({
		name,
		help,
		kind: 'gauge',
		labels: ['prober', 'region'],
		read: () => {
			const nowMs = clock.nowMs();
			const views = (health?.probers() ?? []).slice(0, PROBER_SERIES_MAX);
			return views.map((view) => ({ ...labelsOf(view), value: read(view, nowMs) }));
		},
	});
	return [
		...storeMetrics(store),
		each('fleet_prober_alive', '1 while the lease of a prober lives', ({ report }) => Number(report.isAlive)),
		each('fleet_prober_isolated', '1 while a prober contradicts the others and has no vote', ({ instance }) =>
			Number(health?.isolated.has(instance) ?? false),
		),
		each('fleet_prober_lag_seconds', 'Since a prober published last', ({ publishedMs }, nowMs) =>
			Math.max(0, (nowMs - publishedMs) / 1000),
		),
		each('fleet_prober_votes', 'Targets that a prober votes on', ({ report }) => report.votes.size),
	];
}

/** Of the store alone. */
export function storeMetrics(store: Store): readonly Metric[] {
	return [
		{
			name: 'store_condition',
			help: '1 for the condition that the store is in',
			kind: 'gauge',
			labels: ['condition'],
			read: () =>
				CONDITIONS.map((condition) => ({ labels: { condition }, value: Number(store.condition.kind === condition) })),
		},
		{
			name: 'store_refused_total',
			help: 'Values of the store that were not believed, by reason',
			kind: 'counter',
			labels: ['reason'],
			read: () => Object.entries(store.refused).map(([reason, value]) => ({ labels: { reason }, value })),
		},
		gauge('store_epoch', 'Epoch of the configuration that is held', () => store.configuration.head?.epoch ?? 0),
		gauge('store_generation', 'Generation of the configuration that is held', () => {
			return store.configuration.head?.generation ?? 0;
		}),
	];
}

function gauge(name: string, help: string, read: () => number): Metric {
	return { name, help, kind: 'gauge', labels: [], read: () => [{ value: read() }] };
}

function labelsOf({ instance, report }: ProberView): Pick<Sample, 'labels'> {
	return { labels: { prober: instance, region: report.region } };
}

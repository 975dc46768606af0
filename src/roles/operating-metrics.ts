/**
 * The metrics of operating: what operators have switched, the admin surface, the process itself.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { AdminCounts } from '../admin/counts.ts';
import type { Store } from '../store/ports.ts';
import type { HistogramCounts } from '../telemetry/histogram.ts';
import type { Metric, Sample } from '../telemetry/metrics.ts';
import { VERSION } from './version.ts';

const STATES = ['up', 'down', 'drain'] as const;
const NS_PER_SEC = 1e9;
const US_PER_SEC = 1e6;
const LOOP_DELAY_EVERY_MS = 100;

export interface OperatingMetricsParts {
	readonly store: Store;
	readonly counts: AdminCounts;
	readonly durations: HistogramCounts;
}

/** @returns the metrics, and what ends the measuring */
export function operatingMetrics({ store, counts, durations }: OperatingMetricsParts): {
	readonly metrics: readonly Metric[];
	close(): void;
} {
	const delay = monitorEventLoopDelay({ resolution: LOOP_DELAY_EVERY_MS });
	delay.enable();
	const items = () => [...store.configuration.items.values()];
	return {
		metrics: [
			labelled('gauge', 'overrides', 'Overrides that count now, by state', 'state', () =>
				STATES.map((state) => [
					state,
					items().filter(
						(item) => item.kind === 'override' && item.content.state === state && item.content.untilMs > store.nowMs(),
					).length,
				]),
			),
			single(
				'gauge',
				'trips',
				'Pools with manual failback that wait to be cleared',
				() => items().filter(({ kind }) => kind === 'trip').length,
			),
			single('gauge', 'tokens', 'Tokens of the admin API', () => items().filter(({ kind }) => kind === 'token').length),
			labelled('counter', 'admin_requests_total', 'Requests to the admin surface, by class of status', 'status', () => [
				...counts.requests,
			]),
			labelled('counter', 'admin_problems_total', 'Problems that the admin API answered, by code', 'code', () => [
				...counts.problems,
			]),
			{
				name: 'admin_request_duration_seconds',
				help: 'Time that requests to the admin surface took',
				kind: 'histogram',
				labels: [],
				read: () => durations.samples().map((sample) => ({ ...sample, labels: {} })),
			},
			single('gauge', 'admin_event_listeners', 'Listeners to /v1/events', () => counts.listeners),
			single(
				'counter',
				'audit_failures_total',
				'Records that the audit log could not take',
				() => counts.auditFailures,
			),
			...processMetrics(
				() => delay.max / NS_PER_SEC,
				() => delay.reset(),
			),
		],
		close: () => delay.disable(),
	};
}

/** @param takeDelaySec  the longest delay since it was asked last */
function processMetrics(takeDelaySec: () => number, reset: () => void): readonly Metric[] {
	return [
		{
			name: 'build_info',
			help: '1, with what runs',
			kind: 'gauge',
			labels: ['version', 'node'],
			read: () => [{ labels: { version: VERSION, node: process.version }, value: 1 }],
		},
		single(
			'gauge',
			'process_start_time_seconds',
			'When the process started',
			() => Date.now() / 1000 - process.uptime(),
		),
		single('gauge', 'process_resident_memory_bytes', 'Memory of the process', () => process.memoryUsage.rss()),
		single(
			'counter',
			'process_cpu_seconds_total',
			'Processor time that the process has used, of all its threads',
			() => {
				const { user, system } = process.cpuUsage();
				return (user + system) / US_PER_SEC;
			},
		),
		single('gauge', 'event_loop_delay_seconds', 'Longest delay of the main thread since the last scrape', () => {
			const delaySec = takeDelaySec();
			reset();
			return delaySec;
		}),
	];
}

function single(kind: 'gauge' | 'counter', name: string, help: string, read: () => number): Metric {
	return { name, help, kind, labels: [], read: () => [{ value: read() }] };
}

function labelled(
	kind: 'gauge' | 'counter',
	name: string,
	help: string,
	label: string,
	read: () => readonly (readonly [string, number])[],
): Metric {
	const samples = (): readonly Sample[] => read().map(([text, value]) => ({ labels: { [label]: text }, value }));
	return { name, help, kind, labels: [label], read: samples };
}

/**
 * The metrics of an instance's state.
 */

import type { Metric } from '../telemetry/metrics.ts';
import type { GeoFileFacts } from './builder-messages.ts';
import type { InstanceState } from './instance-state.ts';
import type { WorkerPool } from './worker-pool.ts';

export function instanceMetrics(workers: WorkerPool, state: () => InstanceState | undefined): readonly Metric[] {
	const gauge = (name: string, help: string, read: (state: InstanceState) => number): Metric => ({
		name,
		help,
		kind: 'gauge',
		labels: [],
		read: () => {
			const now = state();
			return now === undefined ? [] : [{ value: read(now) }];
		},
	});
	const geodb = (
		name: string,
		help: string,
		read: (file: GeoFileFacts, state: InstanceState) => number | undefined,
	): Metric => ({
		name,
		help,
		kind: 'gauge',
		labels: ['path', 'type'],
		read: () => {
			const now = state();
			return (now?.geoFiles ?? []).flatMap((file) => {
				const value = now === undefined ? undefined : read(file, now);
				return value === undefined ? [] : [{ labels: { path: file.path, type: file.databaseType }, value }];
			});
		},
	});
	return [
		{
			name: 'worker_restarts_total',
			help: 'Workers replaced after they died',
			kind: 'counter',
			labels: [],
			read: () => [{ value: workers.restarts }],
		},
		gauge('workers_running', 'Threads that answer', ({ workersRunning }) => workersRunning),
		gauge('workers_crash_looping', 'Threads that die again and again', (now) => now.workersCrashLooping),
		gauge('dns_addresses_unserved', 'Addresses of dns.listen that are not served', (now) => now.unserved.length),
		gauge('snapshot_bytes', 'Memory of the generations in use and to come', (now) => now.snapshotOctets),
		gauge('generation', 'Number of the generation served', ({ generation }) => generation),
		gauge('zones', 'Zones served', ({ snapshot }) => snapshot.zones.zoneCount),
		gauge('units_refused', 'Units whose new version was refused', ({ refused }) => refused.size),
		gauge(
			'load_problems',
			'Errors found in the last load',
			({ problems }) => problems.filter((one) => !one.isWarning).length,
		),
		gauge('directory_refused', '1 when the zones directory was refused as a whole', ({ refusal }) =>
			refusal === undefined ? 0 : 1,
		),
		geodb('geodb_build_time_seconds', 'When each geo database was built', ({ builtAt }) =>
			builtAt === undefined ? undefined : builtAt.getTime() / 1000,
		),
		geodb('geodb_age_seconds', 'How long ago that was', ({ builtAt }) =>
			builtAt === undefined ? undefined : (Date.now() - builtAt.getTime()) / 1000,
		),
		geodb('geodb_networks', 'Networks that each geo database has a record for', ({ networkCount }) => networkCount),
		geodb(
			'geodb_refused',
			'1 when the file has changed and cannot be used, so that the version before is',
			(file, now) => (now.geoRefused.has(file.path) ? 1 : 0),
		),
	];
}

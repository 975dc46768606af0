/**
 * The metrics of an instance: the counters of its workers, and its state.
 */

import { COUNT, RCODES } from '../serve/counters.ts';
import type { Metric, Sample } from '../telemetry/metrics.ts';
import type { GeoFileFacts } from './builder-messages.ts';
import type { InstanceState } from './instance-state.ts';
import type { WorkerPool } from './worker-pool.ts';

const RCODE_NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN'] as const;
const BADVERS = 16;

export function instanceMetrics(workers: WorkerPool, state: () => InstanceState | undefined): readonly Metric[] {
	const total = (column: number) => workers.counters.reduce((sum, counters) => sum + (counters[column] ?? 0), 0);
	const counter = (name: string, help: string, column: number): Metric => ({
		name,
		help,
		kind: 'counter',
		labels: [],
		read: () => [{ value: total(column) }],
	});
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
			name: 'dns_queries_total',
			help: 'Messages received, by transport',
			kind: 'counter',
			labels: ['transport'],
			read: () => [
				{ labels: { transport: 'udp' }, value: total(COUNT.queriesUdp) },
				{ labels: { transport: 'tcp' }, value: total(COUNT.queriesTcp) },
			],
		},
		{
			name: 'dns_responses_total',
			help: 'Responses, by RCODE',
			kind: 'counter',
			labels: ['rcode'],
			read: () => rcodeSamples(total),
		},
		counter('dns_ignored_total', 'Messages that get no answer: too short for a header, or responses', COUNT.ignored),
		counter('dns_truncated_total', 'Responses with TC set', COUNT.truncated),
		counter('dns_faults_total', 'Queries answered SERVFAIL because of a fault of this server', COUNT.faults),
		counter('dns_steered_total', 'Answers that a policy decided', COUNT.steered),
		counter('dns_send_failures_total', 'Datagrams that could not be sent', COUNT.sendFailures),
		counter('dns_rate_dropped_total', 'Answers over a rate limit that were dropped', COUNT.rateDropped),
		counter('dns_rate_slipped_total', 'Answers over a rate limit that were sent truncated', COUNT.rateSlipped),
		counter('dns_cookies_good_total', 'Queries with a server cookie of ours', COUNT.cookiesGood),
		counter('tcp_accepted_total', 'TCP connections accepted', COUNT.tcpAccepted),
		counter('tcp_refused_total', 'TCP connections closed to make room for new ones', COUNT.tcpRefused),
		counter('tcp_timed_out_total', 'TCP connections closed because nothing came', COUNT.tcpTimedOut),
		{
			name: 'worker_restarts_total',
			help: 'Workers replaced after they died',
			kind: 'counter',
			labels: [],
			read: () => [{ value: workers.restarts }],
		},
		gauge('workers_running', 'Threads that answer', ({ workersRunning }) => workersRunning),
		gauge('workers_crash_looping', 'Threads that die again and again', (now) => now.workersCrashLooping),
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

function rcodeSamples(total: (column: number) => number): Sample[] {
	return Array.from({ length: RCODES }, (_, rcode) => ({
		labels: { rcode: rcode === BADVERS ? 'BADVERS' : (RCODE_NAMES[rcode] ?? `RCODE${rcode}`) },
		value: total(COUNT.rcodes + rcode),
	})).filter(({ labels: { rcode }, value }) => value > 0 || !rcode.startsWith('RCODE'));
}

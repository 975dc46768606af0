/**
 * The metrics of queries and their answers: the rows of all workers summed up.
 */

import { rcodeText } from '../dns/message-text.ts';
import { COUNT, COUNTED_KINDS, COUNTED_TYPES, RCODES, TIME_BOUNDS_US } from '../serve/counters.ts';
import type { HistogramSample } from '../telemetry/histogram.ts';
import type { Metric } from '../telemetry/metrics.ts';
import type { Owner, OwnerCount } from './answer-columns.ts';
import type { ReceiveDrops } from './receive-drops.ts';
import type { WorkerPool } from './worker-pool.ts';

const OTHER = 'other';
/** RCODEs that have a line although they have not been given. */
const RCODES_SHOWN: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 16];

/** What this needs of a pool of workers. */
type Counted = Pick<WorkerPool, 'total' | 'columns' | 'queryLog'>;

export function queryMetrics(workers: Counted, drops: Pick<ReceiveDrops, 'total'>): readonly Metric[] {
	return [
		...trafficMetrics(workers),
		...decisionMetrics(workers),
		...lossMetrics(workers),
		dropMetric(drops),
		...logMetrics(workers),
	];
}

function trafficMetrics(workers: Counted): readonly Metric[] {
	const rows = rowsOf(workers);
	return [
		rows('dns_queries_total', 'Messages received', ['transport', 'family'], () => [
			{ values: ['udp', 'ipv4'], column: COUNT.queriesUdpIpv4 },
			{ values: ['udp', 'ipv6'], column: COUNT.queriesUdpIpv6 },
			{ values: ['tcp', 'ipv4'], column: COUNT.queriesTcpIpv4 },
			{ values: ['tcp', 'ipv6'], column: COUNT.queriesTcpIpv6 },
		]),
		rows('dns_queries_by_type_total', 'Questions, by type', ['type'], () =>
			[...COUNTED_TYPES, OTHER].map((type, i) => ({ values: [type], column: COUNT.types + i })),
		),
		rows('dns_responses_total', 'Responses, by RCODE', ['rcode'], () =>
			Array.from({ length: RCODES }, (_, rcode) => rcode)
				.filter((rcode) => RCODES_SHOWN.includes(rcode) || workers.total(COUNT.rcodes + rcode) > 0)
				.map((rcode) => ({ values: [rcodeText(rcode)], column: COUNT.rcodes + rcode })),
		),
		{
			name: 'dns_response_seconds',
			help: 'Time from receiving a query to sending its answer',
			kind: 'histogram',
			labels: ['transport'],
			read: () => (['udp', 'tcp'] as const).map((transport) => timesOf(workers, transport)),
		},
		rows('dns_cookies_total', 'Queries over UDP, by cookie; first: that of a client alone', ['cookie'], () => [
			{ values: ['good'], column: COUNT.cookiesGood },
			{ values: ['bad'], column: COUNT.cookiesBad },
			{ values: ['first'], column: COUNT.cookiesFirst },
			{ values: ['none'], column: COUNT.cookiesNone },
		]),
	];
}

function decisionMetrics(workers: Counted): readonly Metric[] {
	const rows = rowsOf(workers);
	const one = oneOf(workers);
	return [
		one('dns_steered_total', 'Answers that a policy decided', COUNT.steered),
		one('dns_unsteered_total', 'Answers that the zone alone decided', COUNT.unsteered),
		rows('dns_decisions_by_kind_total', 'Decisions of policies, by kind of the root', ['kind'], () =>
			COUNTED_KINDS.map((kind, i) => ({ values: [kind], column: COUNT.kinds + i })),
		),
		owned(
			'dns_decisions_by_policy_total',
			'Decisions of policies, by the policy or pool that a steered name uses',
			['unit', 'policy', 'kind'],
			() => workers.columns.policies(),
			({ unit, name, detail }) => [unit, name, detail],
		),
		owned(
			'dns_decisions_by_name_total',
			'Decisions of policies, by steered name',
			['zone', 'name'],
			() => workers.columns.names(),
			({ unit, name }) => [unit, name],
		),
		owned(
			'dns_endpoint_answers_total',
			'Addresses and CNAME targets given in answers, by endpoint',
			['unit', 'pool', 'endpoint'],
			() => workers.columns.endpoints(),
			({ unit, name, detail }) => [unit, name, detail],
		),
	];
}

function lossMetrics(workers: Counted): readonly Metric[] {
	const one = oneOf(workers);
	return [
		one('dns_ignored_total', 'Messages that get no answer: too short for a header, or responses', COUNT.ignored),
		one('dns_truncated_total', 'Responses with TC set', COUNT.truncated),
		one('dns_faults_total', 'Queries answered SERVFAIL because of a fault of this server', COUNT.faults),
		one('dns_send_failures_total', 'Datagrams that could not be sent', COUNT.sendFailures),
		one('dns_receive_failures_total', 'Receives that failed (transport batch)', COUNT.receiveFailures),
		one('dns_rate_passed_total', 'Answers within the rate limits', COUNT.ratePassed),
		one('dns_rate_dropped_total', 'Answers over a rate limit that were dropped', COUNT.rateDropped),
		one('dns_rate_slipped_total', 'Answers over a rate limit that were sent truncated', COUNT.rateSlipped),
		one('tcp_accepted_total', 'TCP connections accepted', COUNT.tcpAccepted),
		one('tcp_refused_total', 'TCP connections closed to make room for new ones', COUNT.tcpRefused),
		one('tcp_timed_out_total', 'TCP connections closed because nothing came', COUNT.tcpTimedOut),
	];
}

function dropMetric(drops: Pick<ReceiveDrops, 'total'>): Metric {
	return {
		name: 'dns_receive_drops_total',
		help: 'Datagrams that the kernel threw away because a receive queue was full (Linux)',
		kind: 'counter',
		labels: [],
		read: () => {
			const value = drops.total();
			return value === undefined ? [] : [{ value }];
		},
	};
}

function logMetrics(workers: Counted): readonly Metric[] {
	const { queryLog } = workers;
	if (queryLog === undefined) return [];
	return [
		{
			name: 'query_log_lines_total',
			help: 'Queries that were logged',
			kind: 'counter',
			labels: [],
			read: () => [{ value: queryLog.lines }],
		},
		oneOf(workers)(
			'query_log_dropped_total',
			'Queries that were to be logged and found no room, since the log is written too slowly',
			COUNT.logDropped,
		),
		{
			name: 'query_log_failing',
			help: '1 while logged queries cannot be written',
			kind: 'gauge',
			labels: [],
			read: () => [{ value: queryLog.isFailing ? 1 : 0 }],
		},
	];
}

/** Makes metrics of one column. */
function oneOf(workers: Counted): (name: string, help: string, column: number) => Metric {
	return (name, help, column) => ({
		name,
		help,
		kind: 'counter',
		labels: [],
		read: () => [{ value: workers.total(column) }],
	});
}

interface Row {
	/** Of the labels. */
	readonly values: readonly string[];
	readonly column: number;
}

/** Makes metrics of several columns. */
function rowsOf(
	workers: Counted,
): (name: string, help: string, labels: readonly string[], rows: () => readonly Row[]) => Metric {
	return (name, help, labels, rows) => ({
		name,
		help,
		kind: 'counter',
		labels,
		read: () =>
			rows().map(({ values, column }) => ({ labels: labelled(labels, values), value: workers.total(column) })),
	});
}

function owned(
	name: string,
	help: string,
	labels: readonly string[],
	counts: () => readonly OwnerCount[],
	valuesOf: (owner: Owner) => readonly string[],
): Metric {
	const others = labels.map(() => OTHER);
	return {
		name,
		help,
		kind: 'counter',
		labels,
		read: () =>
			counts().map(({ owner, value }) => ({
				labels: labelled(labels, owner === undefined ? others : valuesOf(owner)),
				value,
			})),
	};
}

function labelled(labels: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
	return Object.fromEntries(labels.map((label, i) => [label, values[i] ?? '']));
}

function timesOf(workers: Counted, transport: 'udp' | 'tcp'): HistogramSample {
	let count = 0;
	const buckets = [...TIME_BOUNDS_US, undefined].map((bound, i) => {
		count += workers.total(COUNT.times + i, transport);
		return { le: bound === undefined ? '+Inf' : String(bound / 1e6), value: count };
	});
	return { labels: { transport }, buckets, sum: workers.total(COUNT.timesSumSec, transport), count };
}

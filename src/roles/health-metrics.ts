/**
 * The metrics of health. Targets have series of their own up to some number, since a page of metrics must not grow with
 * what users write; checks are counted by kind.
 */

import { createHash } from 'node:crypto';
import type { Target } from '../health/target.ts';
import type { Metric, Sample } from '../telemetry/metrics.ts';
import type { CheckFigures, Health, TargetHealth } from './health.ts';

/** Targets with series of their own: the first ones, in the order of the zones. */
const TARGET_SERIES_MAX = 4096;

const TARGET_LABELS = ['address', 'port', 'kind', 'check'] as const;

/**
 * @param health   undefined for a process that does not probe
 * @param targets  how many there are in the generation served
 */
export function healthMetrics(health: Health | undefined, targets: () => number): readonly Metric[] {
	const list = () => health?.list() ?? [];
	const count = (name: string, help: string, isCounted: (target: TargetHealth) => boolean): Metric => ({
		name,
		help,
		kind: 'gauge',
		labels: [],
		read: () => [{ value: list().filter(isCounted).length }],
	});
	const each = (
		kind: 'counter' | 'gauge',
		name: string,
		help: string,
		read: (target: TargetHealth) => number | undefined,
	): Metric => ({
		name,
		help,
		kind,
		labels: TARGET_LABELS,
		read: () =>
			list()
				.slice(0, TARGET_SERIES_MAX)
				.flatMap((target) => sampleOf(target, read(target))),
	});
	return [
		{
			name: 'targets',
			help: 'Targets of the generation served, by the verdict on them; unknown counts as up',
			kind: 'gauge',
			labels: ['vote'],
			read: () => voteSamples(list(), targets()),
		},
		count('health_targets_held', 'Targets that flap and are held down', ({ own }) => own?.isHeld === true),
		count(
			'health_targets_frozen',
			'Targets with too few fresh votes: the last verdict stands',
			(target) => target.judgement.isFrozen,
		),
		count(
			'health_targets_stale',
			'Targets frozen for longer than health.maxStale',
			(target) => target.judgement.isStale,
		),
		{
			name: 'health_target_series_left_out',
			help: `Targets without series of their own, for there are more than ${TARGET_SERIES_MAX}`,
			kind: 'gauge',
			labels: [],
			read: () => [{ value: Math.max(0, list().length - TARGET_SERIES_MAX) }],
		},
		each('gauge', 'health_target_up', 'Verdict on a target: 1 up, 0 down; none while it is unknown', ({ judgement }) =>
			judgement.verdict === 'unknown' ? undefined : Number(judgement.verdict === 'up'),
		),
		each('gauge', 'health_target_held', '1 while a target flaps and is held down', ({ own }) =>
			own === undefined ? undefined : Number(own.isHeld),
		),
		each('counter', 'health_target_turns_total', 'Turns of the vote on a target', ({ own }) => own?.vote.turns),
		each(
			'gauge',
			'health_certificate_expiry_time_seconds',
			'When the certificate that a target showed last expires',
			({ own }) => secondsOfDate(own?.vote.last?.tls?.certificateExpiresAt),
		),
		...checkMetrics(() => health?.checks),
	];
}

/** Of the checks that a prober of this process makes, if it has one. */
export function checkMetrics(checks: () => CheckFigures | undefined): readonly Metric[] {
	return [
		{
			name: 'health_checks_total',
			help: 'Checks made, by kind and result; none: the check could not be made',
			kind: 'counter',
			labels: ['kind', 'result'],
			read: () => [...(checks()?.counts ?? [])].flatMap(([kind, counts]) => resultSamples(kind, counts)),
		},
		{
			name: 'health_check_duration_seconds',
			help: 'Time that checks took, failed ones too, by kind',
			kind: 'histogram',
			labels: ['kind'],
			read: () => checks()?.durations.samples() ?? [],
		},
		{
			name: 'health_check_lag_seconds',
			help: 'How long after their moment checks began, by kind',
			kind: 'histogram',
			labels: ['kind'],
			read: () => checks()?.lags.samples() ?? [],
		},
	];
}

function sampleOf({ target }: TargetHealth, value: number | undefined): readonly Sample[] {
	return value === undefined ? [] : [{ labels: labelsOf(target), value }];
}

/** `check` parts the checks of one place from each other. */
function labelsOf({ key, address, port, monitor }: Target): Readonly<Record<string, string>> {
	const check = createHash('sha256').update(key).digest('hex').slice(0, 8);
	return { address, port: String(port), kind: monitor.kind, check };
}

function secondsOfDate(text: string | undefined): number | undefined {
	return text === undefined ? undefined : Date.parse(text) / 1000;
}

function resultSamples(kind: string, counts: Readonly<Record<'up' | 'down' | 'none', number>>): readonly Sample[] {
	return Object.entries(counts).map(([result, value]) => ({ labels: { kind, result }, value }));
}

/** Targets that nobody votes on are unknown. */
function voteSamples(list: readonly TargetHealth[], total: number): readonly Sample[] {
	const up = list.filter(({ judgement }) => judgement.verdict === 'up').length;
	const down = list.filter(({ judgement }) => judgement.verdict === 'down').length;
	return Object.entries({ up, down, unknown: Math.max(0, total - up - down) }).map(([vote, value]) => ({
		labels: { vote },
		value,
	}));
}

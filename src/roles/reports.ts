/**
 * An instance's state as the admin surface tells it.
 */

import type { ReadyReport, TargetReport } from '../admin/reports.ts';
import { printFileProblem } from '../config/zones-directory.ts';
import type { TargetState } from '../probe/prober.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { ageDays } from './geo-report.ts';
import type { InstanceState } from './instance-state.ts';

/** @param state  undefined while the instance is still starting */
export function readyReport(state: InstanceState | undefined): ReadyReport {
	if (state === undefined) {
		return {
			ready: false,
			degraded: ['starting'],
			generation: 0,
			zones: 0,
			problems: [],
			refusedUnits: [],
			geo: [],
			workers: { wanted: 0, running: 0 },
			loadedSecAgo: 0,
		};
	}
	const { refused, refusal, unsaved, problems, workersWanted, workersRunning } = state;
	const degraded: string[] = [];
	if (refusal !== undefined) degraded.push(refusal);
	if (unsaved !== undefined) degraded.push(unsaved);
	for (const reason of state.geoRefused.values()) degraded.push(reason);
	for (const unit of refused) degraded.push(`the new version of ${unit} was refused`);
	if (workersRunning < workersWanted) degraded.push(`${workersRunning} of ${workersWanted} workers run`);
	return {
		ready: workersRunning > 0,
		degraded,
		generation: state.generation,
		zones: state.snapshot.zones.zoneCount,
		problems: problems.map(printFileProblem),
		refusedUnits: [...refused],
		geo: state.geoFiles.map((file) => ({
			path: file.path,
			type: file.databaseType,
			builtAt: file.builtAt?.toISOString(),
			ageDays: ageDays(file, Date.now()),
		})),
		workers: { wanted: workersWanted, running: workersRunning },
		loadedSecAgo: Math.round(state.loadedMsAgo / 1000),
	};
}

/** Every target that is probed, with the pools that use it. */
export function targetReports(
	states: readonly TargetState[],
	snapshot: Snapshot,
	nowMs: number,
): readonly TargetReport[] {
	const pools = poolsByTarget(snapshot);
	return states.map(({ key, target, vote, run, sinceMs, lastCheckMs, lastReason, lastRttMs }) => ({
		pools: pools.get(key) ?? [],
		address: target.address,
		port: target.port,
		kind: target.monitor.kind,
		vote,
		run,
		sinceSec: Math.round((nowMs - sinceMs) / 1000),
		checkedSecAgo: lastCheckMs === undefined ? undefined : Math.round((nowMs - lastCheckMs) / 100) / 10,
		reason: lastReason,
		rttMs: lastRttMs === undefined ? undefined : Math.round(lastRttMs * 1000) / 1000,
	}));
}

function poolsByTarget({ steering, targets }: Snapshot): ReadonlyMap<string, readonly string[]> {
	const pools = new Map<string, Set<string>>();
	for (const node of steering.nodes) {
		if (node.kind !== 'pool') continue;
		const addresses = [node.ipv4, node.ipv6].flatMap(({ endpoints }) =>
			endpoints.flatMap((endpoint) => endpoint.addresses),
		);
		for (const target of addresses.flatMap((address) => address.targets)) {
			const key = targets[target]?.key ?? '';
			const names = pools.get(key) ?? new Set();
			names.add(node.name);
			pools.set(key, names);
		}
	}
	return new Map([...pools].map(([key, names]) => [key, [...names].sort()]));
}

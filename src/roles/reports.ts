/**
 * An instance's state as the admin surface tells it.
 */

import type { ReadyReport } from '../admin/reports.ts';
import { printFileProblem } from '../config/zones-directory.ts';
import { counted } from './counted.ts';
import { ageDays } from './geo-report.ts';
import type { HealthSummary } from './health.ts';
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
	const { refused, refusal, unsaved, store, problems, health, workersWanted, workersRunning } = state;
	const degraded: string[] = [];
	if (store !== undefined && store.kind !== 'ready') degraded.push(`the store is ${store.kind}: ${store.reason}`);
	if (refusal !== undefined) degraded.push(refusal);
	if (state.fault !== undefined) degraded.push(state.fault);
	if (state.unlocked !== undefined) degraded.push(state.unlocked);
	if (unsaved !== undefined) degraded.push(unsaved);
	for (const reason of state.geoRefused.values()) degraded.push(reason);
	if (health !== undefined) degraded.push(...healthProblems(health));
	degraded.push(...state.unserved);
	for (const unit of refused) degraded.push(`the new version of ${unit} was refused`);
	if (workersRunning < workersWanted) degraded.push(`${workersRunning} of ${workersWanted} workers run`);
	if (state.workersCrashLooping > 0)
		degraded.push(`${counted(state.workersCrashLooping, 'worker')} died again and again`);
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

function healthProblems({ unsaved, stale, short, problems: others }: HealthSummary): readonly string[] {
	const problems: string[] = [...others];
	if (unsaved !== undefined) problems.push(unsaved);
	if (stale > 0) problems.push(`the votes on ${counted(stale, 'target')} are stale: the last verdicts stand`);
	if (short > 0)
		problems.push(`${counted(short, 'target')} with fewer votes than minProbers: unknown, which counts as up`);
	return problems;
}

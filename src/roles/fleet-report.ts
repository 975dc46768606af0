/**
 * A fleet as the admin surface and `meridian status` tell it.
 */

import type { FleetReport, InstanceReport, ProberReport } from '../admin/fleet-report.ts';
import type { InstanceView, ProberView, Store } from '../store/ports.ts';
import type { FleetHealth } from './fleet-health.ts';

/**
 * @param store   undefined for a process without one
 * @param health  undefined for a process that judges alone
 */
export async function fleetReport(
	store: Store | undefined,
	health: FleetHealth | undefined,
	nowMs: number,
): Promise<FleetReport> {
	if (store === undefined)
		return { store: undefined, epoch: 0, generation: 0, refused: {}, instances: [], probers: [] };
	const { condition, configuration, refused } = store;
	const { epoch = 0, generation = 0 } = configuration.head ?? {};
	const instances = await instancesOf(store);
	const probers = health?.probers() ?? store.probers();
	return {
		store: condition,
		epoch,
		generation,
		refused,
		instances: instances.map((view) => instanceReport(view, generation, nowMs)),
		probers: probers.map((view) => proberReport(view, health?.isolated.has(view.instance) ?? false, nowMs)),
	};
}

/** None while the store cannot be asked; its condition says so. */
async function instancesOf(store: Store): Promise<readonly InstanceView[]> {
	try {
		return await store.instances();
	} catch {
		return [];
	}
}

function instanceReport({ seenMs, isAlive, ...note }: InstanceView, latest: number, nowMs: number): InstanceReport {
	return {
		...note,
		alive: isAlive,
		generationsBehind: Math.max(0, latest - note.generation),
		seenSecAgo: tenths(nowMs - seenMs),
	};
}

function proberReport(
	{ instance, incarnation, sequence, leaseLeftMs, publishedMs, report, roundTripMs }: ProberView,
	isIsolated: boolean,
	nowMs: number,
): ProberReport {
	const votes = [...report.votes.values()];
	const checkedMs = votes.reduce((latest, vote) => Math.max(latest, vote.checkedMs), Number.NEGATIVE_INFINITY);
	return {
		instance,
		region: report.region,
		alive: report.isAlive,
		isolated: isIsolated,
		incarnation,
		sequence,
		leaseLeftSec: tenths(leaseLeftMs),
		lagSec: tenths(nowMs - publishedMs),
		checkedSecAgo: votes.length === 0 ? undefined : tenths(nowMs - checkedMs),
		votes: votes.length,
		down: votes.filter(({ vote }) => vote === 'down').length,
		roundTrips: roundTripMs.size,
	};
}

function tenths(ms: number): number {
	return Math.round(ms / 100) / 10;
}

/**
 * The matrix of round-trip times as the admin surface tells it: addresses that are probed, by regions.
 */

import type { LatencyReport } from '../admin/reports.ts';
import { combineRoundTrips, type RegionRoundTrip } from '../health/round-trips.ts';
import type { Target } from '../health/target.ts';
import type { ServedGeneration } from './generations.ts';
import type { Health } from './health.ts';
import type { PoolsByTarget } from './health-reports.ts';

interface Measurable {
	/** That have had a prober. */
	readonly regions: readonly string[];
	readonly targets: readonly Target[];
	readonly pools: PoolsByTarget;
}

/**
 * @param health   undefined for a process that has none
 * @param regions  that have had a prober
 */
export function latencyOf(
	health: Health | undefined,
	{ snapshot, pools }: ServedGeneration,
	regions: readonly string[],
	nowMs: number,
): LatencyReport {
	const roundTrips = combineRoundTrips(health?.roundTrips() ?? []);
	return latencyReport(roundTrips, { regions, targets: snapshot.targets, pools }, nowMs);
}

/** @param roundTrips  one for each region and address */
export function latencyReport(
	roundTrips: readonly RegionRoundTrip[],
	{ regions, targets, pools: byTarget }: Measurable,
	nowMs: number,
): LatencyReport {
	const measured = new Map<string, RegionRoundTrip[]>();
	for (const one of roundTrips) measured.set(one.address, [...(measured.get(one.address) ?? []), one]);
	const rows = [...poolsByAddress(targets, byTarget)].sort(([a], [b]) => (a < b ? -1 : 1));
	return {
		regions: regions.toSorted(),
		addresses: rows.map(([address, pools]) => ({
			address,
			pools: [...pools].sort(),
			roundTrips: (measured.get(address) ?? [])
				.toSorted((a, b) => (a.region < b.region ? -1 : 1))
				.map(({ region, ms, measuredMs }) => ({
					region,
					ms: Math.round(ms * 1000) / 1000,
					ageSec: Math.round((nowMs - measuredMs) / 100) / 10,
				})),
		})),
	};
}

function poolsByAddress(targets: readonly Target[], byTarget: PoolsByTarget): ReadonlyMap<string, ReadonlySet<string>> {
	const pools = new Map<string, Set<string>>();
	for (const { key, address } of targets) {
		const names = pools.get(address) ?? new Set();
		pools.set(address, names);
		for (const name of byTarget.get(key) ?? []) names.add(name);
	}
	return pools;
}

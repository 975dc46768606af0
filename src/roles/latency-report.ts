/**
 * The matrix of round-trip times as the admin surface tells it: addresses that are probed, by regions.
 */

import type { LatencyReport } from '../admin/reports.ts';
import type { RegionRoundTrip } from '../health/round-trips.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { poolsByTarget } from './health-reports.ts';

/**
 * @param roundTrips  one for each region and address
 * @param regions     that have had a prober
 */
export function latencyReport(
	roundTrips: readonly RegionRoundTrip[],
	regions: readonly string[],
	snapshot: Snapshot,
	nowMs: number,
): LatencyReport {
	const measured = new Map<string, RegionRoundTrip[]>();
	for (const one of roundTrips) measured.set(one.address, [...(measured.get(one.address) ?? []), one]);
	const rows = [...poolsByAddress(snapshot)].sort(([a], [b]) => (a < b ? -1 : 1));
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

function poolsByAddress(snapshot: Snapshot): ReadonlyMap<string, ReadonlySet<string>> {
	const byTarget = poolsByTarget(snapshot);
	const pools = new Map<string, Set<string>>();
	for (const { key, address } of snapshot.targets) {
		const names = pools.get(address) ?? new Set();
		pools.set(address, names);
		for (const name of byTarget.get(key) ?? []) names.add(name);
	}
	return pools;
}

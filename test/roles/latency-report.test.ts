import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RegionRoundTrip } from '../../src/health/round-trips.ts';
import { poolsByTarget } from '../../src/roles/health-reports.ts';
import { latencyReport } from '../../src/roles/latency-report.ts';
import { build } from '../../src/snapshot/build.ts';
import { contextOf, unitsOf } from '../serve/responder-of.ts';

const endpoint = (name: string, ...addresses: readonly string[]) => ({ name, addresses });

const SPEC = {
	zones: [
		{
			apex: 'example.org.',
			text: '',
			steering: {
				monitors: { web: { kind: 'tcp', port: 80 }, tls: { kind: 'tcp', port: 443 } },
				pools: {
					eu: { monitor: ['web', 'tls'], endpoints: [endpoint('eu-1', '192.0.2.1', '2001:db8::1')] },
					all: { monitor: 'web', endpoints: [endpoint('a', '192.0.2.1'), endpoint('b', '192.0.2.2')] },
					unprobed: { endpoints: [endpoint('c', '192.0.2.3')] },
				},
				names: { www: { policy: { kind: 'failover', members: ['eu', 'all', 'unprobed'] } } },
			},
		},
	],
};

function reportOf(roundTrips: readonly RegionRoundTrip[]) {
	const { snapshot } = build(unitsOf(SPEC), contextOf());
	assert.ok(snapshot !== undefined);
	const { targets } = snapshot;
	return latencyReport(roundTrips, { regions: ['us', 'eu'], targets, pools: poolsByTarget(snapshot) }, 10_000);
}

describe('latencyReport()', () => {
	it('lists every address that is probed, measured or not, with its pools', () => {
		assert.deepEqual(reportOf([]), {
			regions: ['eu', 'us'],
			addresses: [
				{ address: '192.0.2.1', pools: ['example.org. all', 'example.org. eu'], roundTrips: [] },
				{ address: '192.0.2.2', pools: ['example.org. all'], roundTrips: [] },
				{ address: '2001:db8::1', pools: ['example.org. eu'], roundTrips: [] },
			],
		});
	});

	it('gives each region its time and age', () => {
		const { addresses } = reportOf([
			{ region: 'us', address: '192.0.2.2', ms: 80.12345, measuredMs: 9876 },
			{ region: 'eu', address: '192.0.2.2', ms: 12, measuredMs: 4000 },
			{ region: 'eu', address: '192.0.2.99', ms: 12, measuredMs: 4000 },
		]);
		assert.deepEqual(
			addresses.map(({ roundTrips }) => roundTrips),
			[
				[],
				[
					{ region: 'eu', ms: 12, ageSec: 6 },
					{ region: 'us', ms: 80.123, ageSec: 0.1 },
				],
				[],
			],
		);
	});
});

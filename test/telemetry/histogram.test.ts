import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HistogramCounts } from '../../src/telemetry/histogram.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

describe('HistogramCounts', () => {
	it('has no sample before the first value', () => {
		assert.deepEqual(new HistogramCounts('kind', [1]).samples(), []);
	});

	it('counts a value in its bucket and all greater ones, a bound in its own', () => {
		const counts = new HistogramCounts('kind', [1, 2]);
		for (const value of [0.5, 1, 1.5, 7]) counts.observe('tcp', value);
		const buckets = [
			{ le: '1', value: 2 },
			{ le: '2', value: 3 },
			{ le: '+Inf', value: 4 },
		];
		assert.deepEqual(counts.samples(), [{ labels: { kind: 'tcp' }, buckets, sum: 10, count: 4 }]);
	});

	it('is printed as Prometheus reads histograms', async () => {
		const counts = new HistogramCounts('kind', [0.5]);
		counts.observe('tcp', 0.25);
		counts.observe('http', 2);
		const metric = {
			name: 'x',
			help: 'Help',
			kind: 'histogram',
			labels: ['kind'],
			read: () => counts.samples(),
		} as const;
		const text = await createMetrics([metric]).text();
		assert.deepEqual(text.trimEnd().split('\n'), [
			'# HELP meridian_x Help',
			'# TYPE meridian_x histogram',
			'meridian_x_bucket{kind="tcp",le="0.5"} 1',
			'meridian_x_bucket{kind="tcp",le="+Inf"} 1',
			'meridian_x_sum{kind="tcp"} 0.25',
			'meridian_x_count{kind="tcp"} 1',
			'meridian_x_bucket{kind="http",le="0.5"} 0',
			'meridian_x_bucket{kind="http",le="+Inf"} 1',
			'meridian_x_sum{kind="http"} 2',
			'meridian_x_count{kind="http"} 1',
		]);
	});
});

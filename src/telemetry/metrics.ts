/**
 * Metrics in the Prometheus text format. Numbers are kept where they arise (typed arrays, plain fields) and read
 * only when somebody scrapes.
 */

import { Counter, Gauge, type Histogram, Registry } from '@prometheus-io/client';
import type { HistogramSample } from './histogram.ts';

export interface Sample {
	readonly labels?: Readonly<Record<string, string>>;
	readonly value: number;
}

interface Described {
	/** Without the prefix `meridian_`. */
	readonly name: string;
	readonly help: string;
	readonly labels: readonly string[];
}

/** One metric: how it is called, and where its numbers are when it is scraped. */
export type Metric =
	| (Described & { readonly kind: 'counter' | 'gauge'; readonly read: () => readonly Sample[] })
	| (Described & { readonly kind: 'histogram'; readonly read: () => readonly HistogramSample[] });

export interface Metrics {
	readonly contentType: string;
	/** The page to be scraped. */
	text(): Promise<string>;
}

export function createMetrics(metrics: readonly Metric[]): Metrics {
	const registry = new Registry();
	for (const metric of metrics) {
		const { name, help, labels } = metric;
		const settings = { name: `meridian_${name}`, help, labelNames: [...labels], registers: [registry] };
		if (metric.kind === 'histogram') {
			registry.registerMetric(countedElsewhere(settings.name, help, metric.read));
			continue;
		}
		const { kind, read } = metric;
		if (kind === 'gauge') {
			const gauge: Gauge<string> = new Gauge({
				...settings,
				collect() {
					gauge.reset();
					for (const sample of read()) gauge.set(sample.labels ?? {}, sample.value);
				},
			});
		} else {
			const counter: Counter<string> = new Counter({
				...settings,
				collect() {
					counter.reset();
					for (const sample of read()) counter.inc(sample.labels ?? {}, sample.value);
				},
			});
		}
	}
	return { contentType: registry.contentType, text: () => registry.metrics() };
}

/** A histogram as the registry asks for it; its own class can only count by itself. */
function countedElsewhere(name: string, help: string, read: () => readonly HistogramSample[]): Histogram<string> {
	const get = () => {
		const values = read().flatMap(({ labels, buckets, sum, count }) => [
			...buckets.map(({ le, value }) => ({ metricName: `${name}_bucket`, labels: { ...labels, le }, value })),
			{ metricName: `${name}_sum`, labels, value: sum },
			{ metricName: `${name}_count`, labels, value: count },
		]);
		return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
	};
	return { name, help, get } as unknown as Histogram<string>;
}

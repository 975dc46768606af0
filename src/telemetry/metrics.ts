/**
 * Metrics in the Prometheus text format. Numbers are kept where they arise (typed arrays, plain fields) and read
 * only when somebody scrapes.
 */

import { Counter, Gauge, Registry } from '@prometheus-io/client';

export interface Sample {
	readonly labels?: Readonly<Record<string, string>>;
	readonly value: number;
}

/** One metric: how it is called, and where its numbers are when it is scraped. */
export interface Metric {
	/** Without the prefix `meridian_`. */
	readonly name: string;
	readonly help: string;
	readonly kind: 'counter' | 'gauge';
	readonly labels: readonly string[];
	readonly read: () => readonly Sample[];
}

export interface Metrics {
	readonly contentType: string;
	/** The page to be scraped. */
	text(): Promise<string>;
}

export function createMetrics(metrics: readonly Metric[]): Metrics {
	const registry = new Registry();
	for (const { name, help, kind, labels, read } of metrics) {
		const settings = { name: `meridian_${name}`, help, labelNames: [...labels], registers: [registry] };
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

/**
 * Counts of values by size, one set for each value of one label. Takes a few additions a value; read when it is scraped.
 */

export interface HistogramSample {
	readonly labels: Readonly<Record<string, string>>;
	/** Values up to and with `le`, smaller ones too; the last one is `+Inf`. */
	readonly buckets: readonly { readonly le: string; readonly value: number }[];
	readonly sum: number;
	readonly count: number;
}

interface Counts {
	/** One for each bound, and one for what is greater than all. */
	readonly buckets: number[];
	sum: number;
}

export class HistogramCounts {
	readonly #label: string;
	readonly #bounds: readonly number[];
	readonly #counts = new Map<string, Counts>();

	/** @param bounds  rising */
	constructor(label: string, bounds: readonly number[]) {
		this.#label = label;
		this.#bounds = bounds;
	}

	/** @param labelValue  one of few: each is counted apart for ever */
	observe(labelValue: string, value: number): void {
		let counts = this.#counts.get(labelValue);
		if (counts === undefined) {
			counts = { buckets: new Array(this.#bounds.length + 1).fill(0), sum: 0 };
			this.#counts.set(labelValue, counts);
		}
		const found = this.#bounds.findIndex((bound) => value <= bound);
		const at = found === -1 ? this.#bounds.length : found;
		counts.buckets[at] = (counts.buckets[at] ?? 0) + 1;
		counts.sum += value;
	}

	samples(): readonly HistogramSample[] {
		return [...this.#counts].map(([labelValue, { buckets, sum }]) => {
			let count = 0;
			const summed = buckets.map((own, i) => {
				count += own;
				return { le: String(this.#bounds[i] ?? '+Inf'), value: count };
			});
			return { labels: { [this.#label]: labelValue }, buckets: summed, sum, count };
		});
	}
}

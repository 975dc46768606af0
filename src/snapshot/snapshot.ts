/**
 * One generation of everything a query looks at: plain data, which share.ts puts into memory that threads share.
 */

import type { Target } from '../health/target.ts';
import type { SteeringTable } from '../steering/nodes.ts';
import type { ZoneTable } from '../zone/table.ts';

/** What answers are made from. */
export interface AnswerData {
	readonly zones: ZoneTable;
	readonly steering: SteeringTable;
}

export interface Snapshot extends AnswerData {
	/** What is probed for it; nodes refer to targets by their index here. */
	readonly targets: readonly Target[];
}

/** The version that readers use; replaced as a whole. */
export class Holder<T> {
	#current: T;

	constructor(first: T) {
		this.#current = first;
	}

	read(): T {
		return this.#current;
	}

	/** @returns what was there before */
	swap(next: T): T {
		const before = this.#current;
		this.#current = next;
		return before;
	}
}

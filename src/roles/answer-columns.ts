/**
 * Which column of a counter row each steered name, policy and endpoint has, over all generations.
 *
 * A column stays its owner's as long as a generation knows it, and longer, so counts are never moved and a worker that
 * is a generation behind counts in the right place. When all columns are taken, a newcomer gets one whose owner has
 * left, once no worker can count for it any more; what the column has counted so far is set off against it. Where
 * there is none left, it is counted under `other`.
 */

import {
	COUNT,
	COUNTED_KINDS,
	ENDPOINT_COLUMNS,
	NAME_COLUMNS,
	NAME_STRIDE,
	POLICY_COLUMNS,
} from '../serve/counters.ts';
import type { AnswerColumns } from '../snapshot/decisions.ts';
import type { SteeringTable } from '../steering/nodes.ts';

/** Labels of an owner; `unit` is a zone, or the common document. */
export interface Owner {
	readonly unit: string;
	readonly name: string;
	/** Of a policy its kind, of an endpoint its own name in the pool `name`. */
	readonly detail: string;
}

export interface OwnerCount {
	/** undefined for all that have no column of their own. */
	readonly owner: Owner | undefined;
	readonly value: number;
}

interface Place {
	readonly owner: Owner;
	readonly column: number;
	/** What the column had counted for others before. */
	readonly before: number;
	/** The last generation that had it. */
	generation: number;
}

/** @returns the sum of a column over all workers */
export type Total = (column: number) => number;

export class AnswerColumnBook {
	readonly #names: Columns;
	readonly #policies: Columns;
	readonly #endpoints: Columns;

	constructor(total: Total, sizes = { names: NAME_COLUMNS, policies: POLICY_COLUMNS, endpoints: ENDPOINT_COLUMNS }) {
		this.#names = new Columns(COUNT.names, sizes.names, total);
		this.#policies = new Columns(COUNT.policies, sizes.policies, total);
		this.#endpoints = new Columns(COUNT.endpoints, sizes.endpoints, total);
	}

	/**
	 * Columns for a generation.
	 * @param oldest  the oldest generation that some worker still answers from
	 */
	assign({ names, nodes, endpoints }: SteeringTable, generation: number, oldest: number): AnswerColumns {
		const roots = names.map(({ root }) => {
			const node = nodes[root];
			return { ...unitAndName(node?.name ?? ''), detail: node?.kind ?? 'pool' };
		});
		const nameColumns = this.#names.assign(
			names.map(({ name }) => ({ ...unitAndName(name), detail: '' })),
			generation,
			oldest,
		);
		const policyColumns = this.#policies.assign(roots, generation, oldest);
		const columns = new Int32Array(NAME_STRIDE * names.length);
		for (const [i, { detail }] of roots.entries()) {
			columns[NAME_STRIDE * i] = nameColumns[i] ?? 0;
			columns[NAME_STRIDE * i + 1] = policyColumns[i] ?? 0;
			columns[NAME_STRIDE * i + 2] = COUNT.kinds + COUNTED_KINDS.indexOf(detail);
		}
		const owners = endpoints.map(({ pool, name }) => ({ ...unitAndName(pool), detail: name }));
		return { names: columns, endpoints: this.#endpoints.assign(owners, generation, oldest) };
	}

	names(): readonly OwnerCount[] {
		return this.#names.counts();
	}

	policies(): readonly OwnerCount[] {
		return this.#policies.counts();
	}

	endpoints(): readonly OwnerCount[] {
		return this.#endpoints.counts();
	}
}

/** Columns of one kind, and who has them. */
class Columns {
	readonly #first: number;
	readonly #size: number;
	readonly #total: Total;
	readonly #places = new Map<string, Place>();

	constructor(first: number, size: number, total: Total) {
		this.#first = first;
		this.#size = size;
		this.#total = total;
	}

	/** @returns by owner its column; equal owners share one */
	assign(owners: readonly Owner[], generation: number, oldest: number): Int32Array {
		const keys = owners.map(keyOf);
		for (const key of keys) {
			const place = this.#places.get(key);
			if (place !== undefined) place.generation = generation;
		}
		const free = this.#freeColumns(oldest);
		return Int32Array.from(owners, (owner, i) => {
			const key = keys[i] ?? '';
			let place = this.#places.get(key);
			if (place === undefined) {
				const column = free.next().value;
				if (column === undefined) return this.#first + this.#size;
				place = { owner, column, before: this.#total(column), generation };
				this.#places.set(key, place);
			}
			return place.column;
		});
	}

	/** Columns that nobody has had, then those of owners that no worker knows any more. */
	*#freeColumns(oldest: number): Generator<number, undefined> {
		while (this.#places.size < this.#size) yield this.#first + this.#places.size;
		for (const [key, { column, generation }] of this.#places) {
			if (generation >= oldest) continue;
			this.#places.delete(key);
			yield column;
		}
		return undefined;
	}

	counts(): readonly OwnerCount[] {
		const own = [...this.#places.values()].map(({ owner, column, before }) => ({
			owner,
			value: this.#total(column) - before,
		}));
		const others = this.#total(this.#first + this.#size);
		return others === 0 ? own : [...own, { owner: undefined, value: others }];
	}
}

function keyOf({ unit, name, detail }: Owner): string {
	return `${unit} ${name} ${detail}`;
}

/** The names of nodes and of steered names begin with their unit. */
export function unitAndName(text: string): { readonly unit: string; readonly name: string } {
	const blank = text.indexOf(' ');
	return { unit: text.slice(0, blank), name: text.slice(blank + 1) };
}

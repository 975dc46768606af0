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
import type { EndpointName, SteeredName, SteeringNode, SteeringTable } from '../steering/nodes.ts';

/** What answers are counted and logged by: a steering table, as far as names go. */
export interface SteeringLabels {
	readonly names: readonly Pick<SteeredName, 'name' | 'root'>[];
	readonly nodes: readonly Pick<SteeringNode, 'name' | 'kind'>[];
	readonly endpoints: readonly EndpointName[];
}

export function labelsOf({ names, nodes, endpoints }: SteeringTable): SteeringLabels {
	return {
		names: names.map(({ name, root }) => ({ name, root })),
		nodes: nodes.map(({ name, kind }) => ({ name, kind })),
		endpoints,
	};
}

/** Columns of a generation before they are known: room for them. */
export function emptyColumns({ names, endpoints }: Pick<SteeringTable, 'names' | 'endpoints'>): AnswerColumns {
	return { names: new Int32Array(NAME_STRIDE * names.length), endpoints: new Int32Array(endpoints.length) };
}

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

/** An owner as it stands in a steering table: there may be a hundred thousand of them, so their texts are taken whole. */
interface Key {
	/** Unit and name. */
	readonly text: string;
	readonly detail: string;
}

interface Place {
	readonly key: Key;
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
	assign({ names, nodes, endpoints }: SteeringLabels, generation: number, oldest: number): AnswerColumns {
		const nameColumns = this.#names.assign(
			names.map(({ name }) => ({ text: name, detail: '' })),
			generation,
			oldest,
		);
		const roots = names.map(({ root }) => ({ text: nodes[root]?.name ?? '', detail: nodes[root]?.kind ?? 'pool' }));
		const policyColumns = this.#policies.assign(roots, generation, oldest);
		const columns = new Int32Array(NAME_STRIDE * names.length);
		for (const [i, { detail }] of roots.entries()) {
			columns[NAME_STRIDE * i] = nameColumns[i] ?? 0;
			columns[NAME_STRIDE * i + 1] = policyColumns[i] ?? 0;
			columns[NAME_STRIDE * i + 2] = COUNT.kinds + COUNTED_KINDS.indexOf(detail);
		}
		const owners = endpoints.map(({ pool, name }) => ({ text: pool, detail: name }));
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
	/** By text, then by detail. */
	readonly #places = new Map<string, Map<string, Place>>();
	#taken = 0;

	constructor(first: number, size: number, total: Total) {
		this.#first = first;
		this.#size = size;
		this.#total = total;
	}

	/** @returns by owner its column; equal owners share one */
	assign(keys: readonly Key[], generation: number, oldest: number): Int32Array {
		const others = this.#first + this.#size;
		const columns = new Int32Array(keys.length).fill(others);
		const newcomers: number[] = [];
		for (const [i, { text, detail }] of keys.entries()) {
			const place = this.#places.get(text)?.get(detail);
			if (place === undefined) {
				newcomers.push(i);
				continue;
			}
			place.generation = generation;
			columns[i] = place.column;
		}
		const free = this.#freeColumns(oldest);
		for (const i of newcomers) {
			const key = keys[i] ?? { text: '', detail: '' };
			// It may have come twice.
			const column = this.#places.get(key.text)?.get(key.detail)?.column ?? this.#give(key, generation, free);
			columns[i] = column ?? others;
		}
		return columns;
	}

	#give(key: Key, generation: number, free: Iterator<number, undefined>): number | undefined {
		const column = free.next().value;
		if (column === undefined) return undefined;
		const siblings = this.#places.get(key.text) ?? new Map<string, Place>();
		siblings.set(key.detail, { key, column, before: this.#total(column), generation });
		this.#places.set(key.text, siblings);
		return column;
	}

	/** Columns that nobody has had, then those of owners that no worker knows any more. */
	*#freeColumns(oldest: number): Generator<number, undefined> {
		while (this.#taken < this.#size) yield this.#first + this.#taken++;
		for (const [text, siblings] of this.#places) {
			for (const [detail, { column, generation }] of siblings) {
				if (generation >= oldest) continue;
				siblings.delete(detail);
				if (siblings.size === 0) this.#places.delete(text);
				yield column;
			}
		}
		return undefined;
	}

	counts(): readonly OwnerCount[] {
		const places = [...this.#places.values()].flatMap((siblings) => [...siblings.values()]);
		const own = places.map(({ key: { text, detail }, column, before }) => ({
			owner: { ...unitAndName(text), detail },
			value: this.#total(column) - before,
		}));
		const others = this.#total(this.#first + this.#size);
		return others === 0 ? own : [...own, { owner: undefined, value: others }];
	}
}

/** The names of nodes and of steered names begin with their unit. */
export function unitAndName(text: string): { readonly unit: string; readonly name: string } {
	const blank = text.indexOf(' ');
	return { unit: text.slice(0, blank), name: text.slice(blank + 1) };
}

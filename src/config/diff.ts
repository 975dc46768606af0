/**
 * What differs between two versions of a unit: records that came and went, places of the steering document that are
 * others.
 */

import { type Path, printPath } from '../lib/result.ts';
import { isRecord } from '../model/shape-walk.ts';
import { canonicalJson } from './canonical-json.ts';
import { recordLines } from './edit-records.ts';
import type { UnitContent } from './unit-content.ts';

export interface UnitDiff {
	readonly unit: string;
	readonly kind: 'created' | 'changed' | 'removed';
	readonly records: {
		/** Lines of a master file; a record that has changed went and came. */
		readonly removed: readonly string[];
		readonly added: readonly string[];
		/** How many there are, where the lists are cut short. */
		readonly removedCount: number;
		readonly addedCount: number;
	};
	readonly steering: readonly SteeringDiff[];
}

export interface SteeringDiff {
	/** As people write it: `pools.eu.endpoints[2].weight`. */
	readonly path: string;
	/** Absent where there was, or is, nothing. */
	readonly before?: unknown;
	readonly after?: unknown;
}

/** Of each list of records. */
const LINES_MAX = 1000;

/** @returns undefined when they say the same */
export function diffUnits(
	unit: string,
	before: UnitContent | undefined,
	after: UnitContent | undefined,
): UnitDiff | undefined {
	const isSameZone = before?.source.zone === after?.source.zone && before?.source.includes === after?.source.includes;
	const [old, fresh] = [before, after].map((content) =>
		content === undefined || isSameZone ? [] : recordLines(content).map(({ line }) => line),
	) as [string[], string[]];
	const removed = without(old, fresh);
	const added = without(fresh, old);
	const steering = [...diffValues(before?.document ?? {}, after?.document ?? {}, [])];
	const kind = before === undefined ? 'created' : after === undefined ? 'removed' : 'changed';
	if (kind === 'changed' && removed.length + added.length + steering.length === 0) return undefined;
	return {
		unit,
		kind,
		records: {
			removed: removed.slice(0, LINES_MAX),
			added: added.slice(0, LINES_MAX),
			removedCount: removed.length,
			addedCount: added.length,
		},
		steering,
	};
}

/** Lines of one list that the other has not, each as often as it is missing there. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
	const counts = new Map<string, number>();
	for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
	return lines.filter((line) => {
		const count = counts.get(line) ?? 0;
		counts.set(line, count - 1);
		return count <= 0;
	});
}

/** Down to the places that differ; lists of unequal length differ as a whole. */
function* diffValues(before: unknown, after: unknown, path: Path): Generator<SteeringDiff> {
	if (canonicalJson(before) === canonicalJson(after)) return;
	if (isRecord(before) && isRecord(after)) {
		for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
			const [was, is] = [before, after].map((one) => (Object.hasOwn(one, key) ? one[key] : undefined));
			yield* diffValues(was, is, [...path, key]);
		}
	} else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
		for (const [i, entry] of before.entries()) yield* diffValues(entry, after[i], [...path, i]);
	} else {
		yield {
			path: printPath(path),
			...(before === undefined ? {} : { before }),
			...(after === undefined ? {} : { after }),
		};
	}
}

/**
 * The units of a store as texts, like those of files: a steering document stands as JSON, which is YAML. A unit that
 * has not changed is the very same object.
 */

import { isDeepStrictEqual } from 'node:util';
import { type FileProblem, type FileText, readCommon, readZone, type UnitText } from '../config/zones-directory.ts';
import { lowerName, printName, scanName } from '../dns/name.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { Item, Unit } from '../store/item.ts';

/** A unit as an item of a store. */
export type UnitItem = Extract<Item, { kind: 'unit' }>;

interface Held {
	readonly text: UnitText;
	/** Why it cannot be read at all. */
	readonly problem: string | undefined;
}

export class StoredUnits {
	readonly #held = new Map<string, Held>();

	/** @param removed  names of units that the store no longer has */
	update(changed: readonly UnitItem[], removed: readonly string[]): void {
		for (const name of removed) this.#held.delete(name);
		for (const { name, content } of changed) {
			this.#held.set(name, { text: textOfUnit(name, content), problem: problemOf(name, content) });
		}
	}

	has(unit: string): boolean {
		return this.#held.has(unit);
	}

	get names(): ReadonlySet<string> {
		return new Set(this.#held.keys());
	}

	/** Undefined where the store leaves it to others. */
	get common(): UnitText | undefined {
		return this.#held.get(COMMON_UNIT)?.text;
	}

	get zones(): readonly UnitText[] {
		return [...this.#held.values()].flatMap(({ text, problem }) =>
			text.unit === COMMON_UNIT || problem !== undefined ? [] : [text],
		);
	}

	get problems(): readonly FileProblem[] {
		return [...this.#held.values()].flatMap(({ text, problem }) =>
			problem === undefined ? [] : [{ ...atStart(text), message: problem, isWarning: false }],
		);
	}

	/** Units whose files say something else. */
	differingFrom(files: readonly UnitText[]): readonly string[] {
		return files.flatMap((text) => {
			const own = this.#held.get(text.unit)?.text;
			const isThere = text.zone !== undefined || text.steering !== undefined;
			return own === undefined || !isThere || saysTheSame(own, text) ? [] : [text.unit];
		});
	}
}

/** The units that have changed from one configuration to the next, by their etags. */
export function changedUnits(
	before: ReadonlyMap<string, UnitItem>,
	after: ReadonlyMap<string, UnitItem>,
): { readonly changed: readonly UnitItem[]; readonly removed: readonly string[] } {
	return {
		changed: [...after.values()].filter(({ name, etag }) => before.get(name)?.etag !== etag),
		removed: [...before.keys()].filter((name) => !after.has(name)),
	};
}

/** The text of a unit as the store has it. */
export function textOfUnit(name: string, { zone, includes, steering }: Unit): UnitText {
	const fileOf = (ending: string, text: string): FileText => ({ path: `store:/${name}${ending}`, text });
	const steeringText = steering?.kind === 'document' ? JSON.stringify(steering.document, undefined, 2) : steering?.text;
	return {
		unit: name,
		zone: zone === undefined ? undefined : fileOf('zone', zone),
		steering: steeringText === undefined ? undefined : fileOf(name === COMMON_UNIT ? '.yaml' : 'yaml', steeringText),
		...(includes === undefined
			? {}
			: { includes: new Map(Object.entries(includes).map(([path, text]) => [path, { text }] as const)) }),
	};
}

function problemOf(name: string, { zone }: Unit): string | undefined {
	if (name === COMMON_UNIT) return zone === undefined ? undefined : 'Cannot have a master file in common';
	const apex = scanName(name, Uint8Array.of(0));
	const isApex = typeof apex !== 'string' && printName(lowerName(apex)) === name;
	if (!isApex) return `Cannot use the unit name "${name}": expected an apex in lower case with its final dot`;
	return zone === undefined ? 'Cannot serve a zone without its master file' : undefined;
}

function atStart({ unit, zone, steering }: UnitText): Pick<FileProblem, 'unit' | 'file' | 'line' | 'column'> {
	return { unit, file: zone?.path ?? steering?.path ?? `store:/${unit}`, line: 1, column: 1 };
}

/** Records as text, character for character; steering by what it says, for JSON and YAML say it differently. */
function saysTheSame(a: UnitText, b: UnitText): boolean {
	if (a.zone?.text !== b.zone?.text || !isDeepStrictEqual(a.includes, b.includes)) return false;
	if (a.steering?.text === b.steering?.text) return true;
	const [one, two] = [a, b].map((text) => {
		const read =
			text.unit === COMMON_UNIT
				? readCommon(text)
				: readZone({ ...text, zone: text.zone && { ...text.zone, text: '' } });
		return 'steering' in read ? read.steering : undefined;
	});
	return one !== undefined && isDeepStrictEqual(one, two);
}

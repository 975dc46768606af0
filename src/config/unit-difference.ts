/**
 * What lies between two sets of units, each known by a text that is equal for equal contents.
 */

export interface UnitDifference {
	readonly added: readonly string[];
	readonly changed: readonly string[];
	readonly removed: readonly string[];
}

/** Units by name; each list sorted. */
export function unitDifference(
	before: ReadonlyMap<string, string>,
	after: ReadonlyMap<string, string>,
): UnitDifference {
	const names = [...after.keys()].sort();
	return {
		added: names.filter((name) => !before.has(name)),
		changed: names.filter((name) => before.has(name) && before.get(name) !== after.get(name)),
		removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
	};
}

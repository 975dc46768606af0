/**
 * Reload by unit: which version of each unit is served when some of the new ones are wrong.
 *
 *     new units -> build -> problems? -> the units to blame go back to their last good version -> build again ...
 *
 * | what is wrong                                                     | what keeps its last good version |
 * |-------------------------------------------------------------------|----------------------------------|
 * | a zone, by itself or with the common document of before           | the zone (unserved when new)     |
 * | the common document by itself                                     | common                           |
 * | a zone that was good with the common document of before           | common                           |
 */

import { printName } from '../dns/name.ts';
import type { SteeringDocument } from '../model/steering.ts';
import { COMMON_UNIT } from '../steering/compile.ts';
import { build, type BuildContext, type BuildProblem, type Units, type ZoneUnit } from './build.ts';
import type { Snapshot } from './snapshot.ts';

export interface Settled {
	readonly snapshot: Snapshot;
	/** What the snapshot was built from. */
	readonly units: Units;
	/** Everything that was found, of the new versions. */
	readonly problems: readonly BuildProblem[];
	/** Units whose new version was refused. */
	readonly refused: ReadonlySet<string>;
}

/**
 * @param next    the new version of every unit that there is to be
 * @param last    the last good version of units, which may stand in
 * @param before  units whose new version could not even be read, with the problems found: they are refused from the start
 */
export function settle(
	next: Units,
	last: Units,
	context: BuildContext,
	before: { readonly refused: ReadonlySet<string>; readonly problems: readonly BuildProblem[] },
): Settled {
	const lastZones = new Map(last.zones.map((zone) => [printName(zone.apex), zone]));
	const refused = new Set(before.refused);
	const problems: BuildProblem[] = [...before.problems];
	let common = refused.has(COMMON_UNIT) ? last.common : next.common;
	let zones = [...next.zones, ...last.zones.filter(({ apex }) => isStandIn(printName(apex), next.zones, refused))];
	for (;;) {
		const built = build({ common, zones }, context);
		const errors = built.problems.filter(({ isWarning }) => !isWarning);
		if (built.snapshot !== undefined) {
			const warnings = built.problems.filter(({ unit }) => !refused.has(unit));
			return { snapshot: built.snapshot, units: { common, zones }, problems: [...problems, ...warnings], refused };
		}
		problems.push(...errors);
		const blamed = new Set(errors.map(({ unit }) => unit));
		const isCommonNew = common !== last.common;
		if (isCommonNew && (blamed.has(COMMON_UNIT) || breaksZone(common, zones, blamed, last.common, context))) {
			refused.add(COMMON_UNIT);
			common = last.common;
			continue;
		}
		const kept = zones.flatMap((zone) => keepOrReplace(zone, blamed, lastZones, refused));
		// Each round replaces something new by something old, or drops it, so the rounds end.
		if (kept.length === zones.length && kept.every((zone, i) => zone === zones[i])) {
			throw new Error(`Cannot settle on a version: ${errors[0]?.unit} ${errors[0]?.message}`);
		}
		zones = kept;
	}
}

/** A refused zone that the new units do not have at all, because it could not be read. */
function isStandIn(unit: string, zones: readonly ZoneUnit[], refused: ReadonlySet<string>): boolean {
	return refused.has(unit) && !zones.some(({ apex }) => printName(apex) === unit);
}

/** Whether a blamed zone has no problem with the common document of before: then the new one is to blame. */
function breaksZone(
	common: SteeringDocument,
	zones: readonly ZoneUnit[],
	blamed: ReadonlySet<string>,
	lastCommon: SteeringDocument,
	context: BuildContext,
): boolean {
	if (common === lastCommon) return false;
	const { problems } = build({ common: lastCommon, zones }, context);
	const stillBlamed = new Set(problems.filter(({ isWarning }) => !isWarning).map(({ unit }) => unit));
	return [...blamed].some((unit) => !stillBlamed.has(unit));
}

function keepOrReplace(
	zone: ZoneUnit,
	blamed: ReadonlySet<string>,
	lastZones: ReadonlyMap<string, ZoneUnit>,
	refused: Set<string>,
): ZoneUnit[] {
	const unit = printName(zone.apex);
	if (!blamed.has(unit)) return [zone];
	refused.add(unit);
	const last = lastZones.get(unit);
	return last === undefined || last === zone ? [] : [last];
}

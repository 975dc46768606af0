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
import { COMMON_UNIT } from '../lib/unit.ts';
import type { SteeringDocument } from '../model/steering.ts';
import { type BuildContext, type BuildProblem, build, type Units, type ZoneUnit } from './build.ts';
import type { Snapshot } from './snapshot.ts';

export interface Settled<Z extends ZoneUnit> {
	readonly snapshot: Snapshot;
	/** What the snapshot was built from. */
	readonly units: Units<Z>;
	/** What was found in the new versions. */
	readonly problems: readonly BuildProblem[];
	/** Units whose new version was refused. */
	readonly refused: ReadonlySet<string>;
}

/**
 * @param next    the new version of every unit that could be read
 * @param last    the last good version of units, which may stand in
 * @param unread  units whose new version could not even be read: they are refused from the start
 */
export function settle<Z extends ZoneUnit>(
	next: Units<Z>,
	last: Units<Z>,
	context: BuildContext,
	unread: ReadonlySet<string>,
): Settled<Z> {
	const lastZones = new Map(last.zones.map((zone) => [printName(zone.apex), zone]));
	const refused = new Set(unread);
	const problems: BuildProblem[] = [];
	let common = refused.has(COMMON_UNIT) ? last.common : next.common;
	let zones = [...next.zones, ...last.zones.filter(({ apex }) => refused.has(printName(apex)))];
	for (;;) {
		const built = build({ common, zones }, context);
		// What is said of a version that stands in was said when it was new.
		const ofNew = built.problems.filter(({ unit }) => !refused.has(unit));
		if (built.snapshot !== undefined) {
			return { snapshot: built.snapshot, units: { common, zones }, problems: [...problems, ...ofNew], refused };
		}
		const errors = ofNew.filter(({ isWarning }) => !isWarning);
		problems.push(...errors);
		const blamed = new Set(built.problems.filter(({ isWarning }) => !isWarning).map(({ unit }) => unit));
		const isCommonToBlame =
			common !== last.common && (blamed.has(COMMON_UNIT) || isCuredBy(last.common, zones, blamed, context));
		if (isCommonToBlame) {
			refused.add(COMMON_UNIT);
			common = last.common;
			continue;
		}
		const before = zones;
		zones = before.flatMap((zone) => keepOrReplace(zone, blamed, lastZones, refused));
		// Each round replaces something new by something old, or drops it, so the rounds end.
		if (zones.length === before.length && zones.every((zone, i) => zone === before[i])) {
			throw new Error(`Cannot settle on a version: ${built.problems[0]?.unit}: ${built.problems[0]?.message}`);
		}
	}
}

/** Whether some zone that is blamed has nothing wrong with the common document of before: then the new one is to blame. */
function isCuredBy(
	lastCommon: SteeringDocument,
	zones: readonly ZoneUnit[],
	blamed: ReadonlySet<string>,
	context: BuildContext,
): boolean {
	const { problems } = build({ common: lastCommon, zones }, context);
	const stillBlamed = new Set(problems.filter(({ isWarning }) => !isWarning).map(({ unit }) => unit));
	return [...blamed].some((unit) => !stillBlamed.has(unit));
}

/** The zone itself, its last good version when it is blamed, or nothing when there is none. */
function keepOrReplace<Z extends ZoneUnit>(
	zone: Z,
	blamed: ReadonlySet<string>,
	lastZones: ReadonlyMap<string, Z>,
	refused: Set<string>,
): Z[] {
	const unit = printName(zone.apex);
	if (!blamed.has(unit)) return [zone];
	refused.add(unit);
	const last = lastZones.get(unit);
	return last === undefined || last === zone ? [] : [last];
}

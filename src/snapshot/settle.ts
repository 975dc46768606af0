/**
 * Reload by unit: which version of each unit is served when some of the new ones are wrong.
 *
 *     new units -> build -> problems? -> the units to blame go back to their last good version -> build again ...
 *
 * | what is wrong                                                     | what keeps its last good version     |
 * |-------------------------------------------------------------------|--------------------------------------|
 * | a zone, by itself or with the common document of before           | the zone (unserved when new)         |
 * | the common document by itself                                     | common                               |
 * | a zone that was good with the common document of before           | common                               |
 * | a zone that has not changed, through another that has             | the other, also one that was dropped |
 */

import { printPath } from '../lib/result.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { SteeringDocument } from '../model/steering.ts';
import type { GeoNotes } from '../steering/nodes.ts';
import { type BuildContext, type BuildProblem, build, type Units, type ZoneUnit } from './build.ts';
import type { Snapshot } from './snapshot.ts';

export interface Settled<Z extends ZoneUnit> {
	readonly snapshot: Snapshot;
	readonly geoNotes: ReadonlyMap<number, GeoNotes>;
	/** What the snapshot was built from. */
	readonly units: Units<Z>;
	/** What was found in the new versions. */
	readonly problems: readonly BuildProblem[];
	/** Units whose new version was refused. */
	readonly refused: ReadonlySet<string>;
}

/**
 * @param next    the new version of every unit that could be read
 * @param last    the last good version of units, which may stand in; together they build
 * @param unread  units whose new version could not even be read: they are refused from the start
 */
export function settle<Z extends ZoneUnit>(
	next: Units<Z>,
	last: Units<Z>,
	context: BuildContext,
	unread: ReadonlySet<string>,
): Settled<Z> {
	const unitOf = (zone: ZoneUnit) => context.cache.facts(zone).unit;
	const lastZones = new Map(last.zones.map((zone) => [unitOf(zone), zone]));
	const refused = new Set(unread);
	const problems: BuildProblem[] = [];
	let common = refused.has(COMMON_UNIT) ? last.common : next.common;
	let zones = [...next.zones, ...last.zones.filter((zone) => refused.has(unitOf(zone)))];
	// Each round refuses something new, so the rounds end.
	for (;;) {
		const built = build({ common, zones }, context);
		// What is said of a version that stands in was said when it was new.
		const ofNew = built.problems.filter(({ unit }) => !refused.has(unit));
		if (built.snapshot !== undefined) {
			const { snapshot, geoNotes } = built;
			return { snapshot, geoNotes, units: { common, zones }, problems: [...problems, ...ofNew], refused };
		}
		const blamed = unitsToBlame(built.problems);
		const cured = common === last.common ? NONE : curedBy(last.common, zones, blamed, context);
		if (cured.size > 0) {
			// What is wrong with others beside it, a later round tells.
			problems.push(...errorsOf(ofNew).filter(({ unit }) => cured.has(unit)));
			refused.add(COMMON_UNIT);
			common = last.common;
			continue;
		}
		const changed = zones.filter((zone) => blamed.has(unitOf(zone)) && lastZones.get(unitOf(zone)) !== zone);
		if (changed.length > 0) {
			problems.push(...errorsOf(ofNew));
			for (const zone of changed) refused.add(unitOf(zone));
			zones = revert(zones, new Set(changed.map(unitOf)), lastZones, unitOf);
			continue;
		}
		const [error] = errorsOf(built.problems);
		const culprit = findCulprit(common, zones, lastZones, error?.unit ?? '', context);
		if (culprit !== undefined) {
			const isDropped = !zones.some((zone) => unitOf(zone) === culprit);
			const what = isDropped ? 'drop this zone: without it' : 'take this version: with it';
			const message = `Cannot ${what}, ${whatIsWrong(error)}`;
			problems.push({ unit: culprit, at: { line: 1 }, message, isWarning: false });
			refused.add(culprit);
			zones = revert(zones, new Set([culprit]), lastZones, unitOf);
		} else if (common !== last.common) {
			problems.push(...errorsOf(ofNew));
			refused.add(COMMON_UNIT);
			common = last.common;
		} else {
			throw new Error(`Cannot settle on a version: ${whatIsWrong(error)}`);
		}
	}
}

const NONE: ReadonlySet<string> = new Set();

function unitsToBlame(problems: readonly BuildProblem[]): ReadonlySet<string> {
	return new Set(errorsOf(problems).map(({ unit }) => unit));
}

function errorsOf(problems: readonly BuildProblem[]): readonly BuildProblem[] {
	return problems.filter(({ isWarning }) => !isWarning);
}

function whatIsWrong(problem: BuildProblem | undefined): string {
	if (problem === undefined) return 'nothing is wrong';
	const { unit, at, message } = problem;
	return 'path' in at ? `${unit} ${printPath(at.path)}: ${message}` : `${unit} line ${at.line}: ${message}`;
}

/** The units that are blamed and have nothing wrong with the common document of before: then the new one is to blame. */
function curedBy(
	lastCommon: SteeringDocument,
	zones: readonly ZoneUnit[],
	blamed: ReadonlySet<string>,
	context: BuildContext,
): ReadonlySet<string> {
	if (blamed.has(COMMON_UNIT)) return new Set([COMMON_UNIT]);
	const stillBlamed = unitsToBlame(build({ common: lastCommon, zones }, context).problems);
	return new Set([...blamed].filter((unit) => !stillBlamed.has(unit)));
}

/** The zones with some units at their last good version: put back when they were dropped, left out when they are new. */
function revert<Z extends ZoneUnit>(
	zones: readonly Z[],
	units: ReadonlySet<string>,
	lastZones: ReadonlyMap<string, Z>,
	unitOf: (zone: ZoneUnit) => string,
): Z[] {
	const present = new Set(zones.map(unitOf));
	const kept = zones.flatMap((zone) => {
		const last = units.has(unitOf(zone)) ? lastZones.get(unitOf(zone)) : zone;
		return last === undefined ? [] : [last];
	});
	const dropped = [...lastZones].filter(([unit]) => units.has(unit) && !present.has(unit));
	return [...kept, ...dropped.map(([, zone]) => zone)];
}

/**
 * A unit whose change is what is wrong with the unchanged zone `victim`; undefined when no change of a zone is.
 * The changes in a row: with the first few taken back the victim is still wrong, with one more it is not.
 */
function findCulprit<Z extends ZoneUnit>(
	common: SteeringDocument,
	zones: readonly Z[],
	lastZones: ReadonlyMap<string, Z>,
	victim: string,
	context: BuildContext,
): string | undefined {
	const unitOf = (zone: ZoneUnit) => context.cache.facts(zone).unit;
	const present = new Set(zones.map(unitOf));
	const changes = [
		...zones.filter((zone) => lastZones.get(unitOf(zone)) !== zone).map(unitOf),
		...[...lastZones.keys()].filter((unit) => !present.has(unit)),
	];
	const isWrongWithout = (count: number) => {
		const fewer = revert(zones, new Set(changes.slice(0, count)), lastZones, unitOf);
		return unitsToBlame(build({ common, zones: fewer }, context).problems).has(victim);
	};
	if (isWrongWithout(changes.length)) return undefined;
	let wrong = 0;
	let right = changes.length;
	while (right - wrong > 1) {
		const middle = (wrong + right) >>> 1;
		if (isWrongWithout(middle)) wrong = middle;
		else right = middle;
	}
	return changes[right - 1];
}

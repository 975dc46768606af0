/**
 * What a start serves: what its source has, and the last good version of each unit that is bad there; with none, a
 * unit of the zones directory stands in the way of the start, and one of a store is left out.
 */

import { type FileProblem, printFileProblem } from '../config/zones-directory.ts';
import type { GeoData } from '../geo/decide.ts';
import type { Log } from '../lib/ports.ts';
import { StartRefused } from './start-refused.ts';
import { SourceRefused } from './unit-source.ts';
import type { Loaded, UnitKeeper } from './units.ts';

interface FirstLoad {
	readonly loaded: Loaded;
	/** Why the source was refused as a whole. */
	readonly refusal: string | undefined;
}

/** @throws StartRefused, SourceRefused */
export function firstLoad(keeper: UnitKeeper, geo: GeoData, isForced: boolean, log: Log): FirstLoad {
	const lastGood = new Set(keeper.servedUnits);
	for (const what of keeper.damaged) log.warn({ what }, 'a last good version cannot be read, and is passed over');
	let loaded: Loaded;
	try {
		loaded = keeper.load(geo, isForced);
	} catch (error) {
		if (!(error instanceof SourceRefused) || (lastGood.size === 0 && !error.mayStartEmpty)) throw error;
		const from =
			lastGood.size === 0
				? 'with nothing, and refusing every query'
				: 'from the last good zones of the state directory';
		log.error({ reason: error.message }, `starting ${from}`);
		return { loaded: keeper.rebuild(geo), refusal: error.message };
	}
	const { refused } = loaded.settled;
	if ([...refused].some((unit) => !lastGood.has(unit) && !loaded.stored.has(unit)))
		throw new StartRefused(loaded.problems.filter(({ isWarning }) => !isWarning).map(printFileProblem));
	logLoaded(loaded, log);
	for (const unit of refused) {
		if (lastGood.has(unit)) log.error({ unit }, 'starting with the last good version of this unit');
		else log.error({ unit }, 'starting without this unit: there is no good version of it');
	}
	return { loaded, refusal: undefined };
}

/** Units that a line of the log names. */
const NAMED_UNITS_MAX = 20;

/** What was found in a load. */
export function logLoaded({ problems, differing }: Loaded, log: Log): void {
	for (const problem of problems) logProblem(problem, log);
	if (differing.length === 0) return;
	const units = differing.slice(0, NAMED_UNITS_MAX);
	log.warn(
		{ units, count: differing.length },
		'files of units that the store owns differ from it, and are not served: `meridian plan` shows how, `apply` makes them the truth, `export` writes the store out',
	);
}

function logProblem({ unit, file, line, column, message, isWarning }: FileProblem, log: Log): void {
	const fields = { unit, file, line, column };
	if (isWarning) log.warn(fields, message);
	else log.error(fields, message);
}

/**
 * `meridian check [DIR]`: validates a zones directory with the very build that boots, and leaves no trace.
 */

import { statSync } from 'node:fs';
import { printFileProblem } from '../config/zones-directory.ts';
import { combineGeoData, readMmdbFile } from '../geo/mmdb-file.ts';
import type { Command } from './command.ts';
import { defaultGeodbPath } from './default-geodb.ts';
import { UnitKeeper } from './units.ts';

/** @returns the exit code: 1 when there is an error */
export function runCheck({ operands, settings, isForced, print, printError }: Command): number {
	const directory = operands[0] ?? settings.zonesDir;
	try {
		if (!statSync(directory).isDirectory()) throw new Error('it is no directory');
		const [first, ...others] = settings.geodb.length === 0 ? [defaultGeodbPath()] : settings.geodb;
		const geo = combineGeoData([readMmdbFile(first ?? defaultGeodbPath()), ...others.map(readMmdbFile)]);
		const { settled, problems } = new UnitKeeper(directory, undefined).load(geo, isForced);
		for (const problem of problems) print(printFileProblem(problem));
		const errors = problems.filter(({ isWarning }) => !isWarning).length;
		const warnings = problems.length - errors;
		const { zones, steering, targets } = settled.snapshot;
		const good = `${count(zones.zoneCount, 'zone')}, ${count(steering.names.length, 'steered name')}, ${count(targets.length, 'target')}`;
		print(`${directory}: ${good} good; ${count(errors, 'error')}, ${count(warnings, 'warning')}`);
		return errors > 0 ? 1 : 0;
	} catch (error) {
		printError(`Cannot check ${directory}: ${(error as Error).message}`);
		return 1;
	}
}

function count(n: number, what: string): string {
	return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/**
 * `meridian check [DIR]`: validates a zones directory with the very build that boots, and leaves no trace.
 */

import { readdirSync } from 'node:fs';
import { type FileProblem, printFileProblem } from '../config/zones-directory.ts';
import { combineGeoData } from '../geo/combine.ts';
import type { Settings } from '../model/settings.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { readGeodb } from './geodb.ts';
import { DirectorySource, SourceRefused } from './unit-source.ts';
import { type Loaded, UnitKeeper } from './units.ts';

/** Files; reading more takes so long that somebody may wonder. */
const MANY = 1000;

/** @returns the exit code: 1 when there is an error, or a warning and `--strict` */
export function runCheck({ operands, settings, isForced, isStrict, print, printError }: Command): number {
	const directory = operands[0] ?? settings.zonesDir;
	try {
		const files = readdirSync(directory).length;
		if (files >= MANY) printError(`Checking ${counted(files, 'file')} in ${directory}`);
		const { settled, problems } = checkDirectory(directory, settings, isForced);
		for (const problem of problems) print(printFileProblem(problem));
		const errors = problems.filter(({ isWarning }) => !isWarning).length;
		const warnings = problems.length - errors;
		const { zones, steering, targets } = settled.snapshot;
		const good = `${counted(zones.zoneCount, 'zone')}, ${counted(steering.names.length, 'steered name')}, ${counted(targets.length, 'target')}`;
		print(`${directory}: ${good} good; ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
		return errors > 0 || (isStrict && warnings > 0) ? 1 : 0;
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		const what = code === 'ENOTDIR' ? 'it is a file, and check takes the directory that holds it' : message;
		printError(error instanceof SourceRefused ? message : `Cannot check ${directory}: ${what}`);
		return 1;
	}
}

/** Build what a directory holds; problems stand in the order of the files. */
export function checkDirectory(directory: string, settings: Settings, isForced: boolean): Loaded {
	const geo = combineGeoData(readGeodb(settings.geodb));
	const loaded = new UnitKeeper(new DirectorySource(directory), undefined, []).load(geo, isForced);
	return { ...loaded, problems: loaded.problems.toSorted(byPlace) };
}

function byPlace(a: FileProblem, b: FileProblem): number {
	if (a.file !== b.file) return a.file < b.file ? -1 : 1;
	return a.line - b.line || a.column - b.column;
}

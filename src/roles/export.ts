/**
 * `meridian export DIR`: writes what the API has out as a zones directory, which `check` passes and `plan` finds
 * unchanged. Overrides and tokens are no part of it.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { UnitContent } from '../config/unit-content.ts';
import { filesOfUnit, type UnitFile } from '../config/unit-files.ts';
import { printYaml } from '../config/yaml-document.ts';
import type { UnitText } from '../config/zones-directory.ts';
import { ApiClient } from './api-client.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { fetchUnit, listUnits } from './plan.ts';

/** Files of a zones directory. */
const OWN_FILE = /\.(?:zone|yaml)$/;

/** @returns the exit code: 1 when the API cannot be read or the files cannot be written, 2 without DIR */
export async function runExport({ operands, settings, isForced, print, printError }: Command): Promise<number> {
	const [directory] = operands;
	if (directory === undefined) {
		printError('Cannot export without a directory: it takes DIR');
		return 2;
	}
	try {
		const before = filesIn(directory);
		if (before.length > 0 && !isForced) throw new Error('it is not empty; --force replaces its .zone and .yaml files');
		const client = new ApiClient(settings);
		const files: UnitFile[] = [];
		let units = 0;
		for (const unit of (await listUnits(client)).keys()) {
			const own = filesOfUnit(textOf(await fetchUnit(client, unit)));
			if (typeof own === 'string') throw new Error(own);
			files.push(...own);
			if (own.length > 0) units++;
		}
		// Nothing is written before all of it is there.
		mkdirSync(directory, { recursive: true });
		const written = new Set(files.map(({ path }) => path));
		for (const name of before) if (OWN_FILE.test(name) && !written.has(name)) rmSync(join(directory, name));
		for (const { path, octets } of files) {
			mkdirSync(dirname(join(directory, path)), { recursive: true });
			writeFileSync(join(directory, path), octets);
		}
		print(`${directory}: ${counted(units, 'unit')} in ${counted(files.length, 'file')}`);
		return 0;
	} catch (error) {
		printError(`Cannot export to ${directory}: ${(error as Error).message}`);
		return 1;
	}
}

function textOf({ source: { unit, zone, includes, steering }, document }: UnitContent): UnitText {
	const hasSteering = steering?.kind === 'text' || Object.keys(document).length > 0;
	const text = steering?.kind === 'text' ? steering.text : printYaml(document);
	return {
		unit,
		zone: zone === undefined ? undefined : { path: unit, text: zone },
		steering: hasSteering ? { path: unit, text } : undefined,
		...(includes === undefined
			? {}
			: { includes: new Map(Object.entries(includes).map(([path, included]) => [path, { text: included }] as const)) }),
	};
}

function filesIn(directory: string): readonly string[] {
	try {
		return readdirSync(directory);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
		throw error;
	}
}

/**
 * `meridian export DIR`: writes the units of the store out as a zones directory, which `check` passes and `apply` finds
 * unchanged. Overrides and tokens are no part of it.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesOfUnit, type UnitFile } from '../config/unit-files.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { textOfUnit } from './stored-units.ts';
import { withStore } from './with-store.ts';

/** Files of a zones directory. */
const OWN_FILE = /\.(?:zone|yaml)$/;

/** @returns the exit code: 1 when the store cannot be read or the files cannot be written, 2 without DIR */
export async function runExport(command: Command): Promise<number> {
	const { operands, isForced, print, printError } = command;
	const [directory] = operands;
	if (directory === undefined) {
		printError('Cannot export without a directory: it takes DIR');
		return 2;
	}
	return withStore(command, async ({ condition, configuration }) => {
		if (condition.kind !== 'ready') {
			printError(`Cannot export: the store is ${condition.kind}: ${condition.reason}`);
			return 1;
		}
		const before = filesIn(directory);
		if (before.length > 0 && !isForced) {
			printError(`Cannot export to ${directory}: it is not empty; --force replaces its .zone and .yaml files`);
			return 1;
		}
		const files: UnitFile[] = [];
		let units = 0;
		for (const item of configuration.items.values()) {
			if (item.kind !== 'unit') continue;
			const own = filesOfUnit(textOfUnit(item.name, item.content));
			if (typeof own === 'string') {
				printError(own);
				return 1;
			}
			files.push(...own);
			units++;
		}
		mkdirSync(directory, { recursive: true });
		const written = new Set(files.map(({ path }) => path));
		for (const name of before) if (OWN_FILE.test(name) && !written.has(name)) rmSync(join(directory, name));
		for (const { path, octets } of files) {
			mkdirSync(dirname(join(directory, path)), { recursive: true });
			writeFileSync(join(directory, path), octets);
		}
		const { epoch = 0, generation = 0 } = configuration.head ?? {};
		print(
			`${directory}: ${counted(units, 'unit')} in ${counted(files.length, 'file')}, of generation ${epoch}.${generation}`,
		);
		return 0;
	});
}

function filesIn(directory: string): readonly string[] {
	try {
		return readdirSync(directory);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
		throw error;
	}
}

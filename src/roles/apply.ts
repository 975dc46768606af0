/**
 * `meridian apply [DIR]`: makes the store hold what a zones directory holds, as one generation. Built first, by the
 * build that boots: what has an error changes nothing.
 */

import { type UnitDifference, unitDifference } from '../config/unit-difference.ts';
import { printFileProblem, type UnitText } from '../config/zones-directory.ts';
import { combineGeoData } from '../geo/combine.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { Change, Unit } from '../store/item.ts';
import type { Commit, Store } from '../store/ports.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { readGeodb } from './geodb.ts';
import { DirectorySource } from './unit-source.ts';
import { UnitKeeper } from './units.ts';
import { withStore } from './with-store.ts';

/** Somebody else may commit at the same time; what is to be is the same then. */
const TRIES_MAX = 3;

/** @returns the exit code: 1 when the directory has an error, or the store does not take it */
export async function runApply(command: Command): Promise<number> {
	const { operands, settings, isForced, print, printError } = command;
	const directory = operands[0] ?? settings.zonesDir;
	const units = readUnits(directory, command);
	if (units === undefined) return 1;
	return withStore(command, async (store) => {
		for (let tries = 1; tries <= TRIES_MAX; tries++) {
			const before = store.configuration;
			const difference = differenceTo(store, units);
			const refusal = isForced ? undefined : refusalOf(difference, store);
			if (refusal !== undefined) {
				printError(refusal);
				return 1;
			}
			if (isNothing(difference)) {
				print(`${directory}: the store holds it already${generationOf(store)}; nothing changed`);
				return 0;
			}
			const commit: Commit = {
				expected: before.head,
				changes: changesOf(difference, units),
				author: process.env['USER'] ?? 'meridian',
				reason: `apply ${directory}`,
			};
			const result = await store.commit(commit);
			if (result.kind === 'conflict') continue;
			for (const line of printDifference(difference)) print(line);
			print(`${directory}: applied${generationOf(store)}`);
			return 0;
		}
		printError(`Cannot apply ${directory}: others changed the store at the same time, ${TRIES_MAX} times in a row`);
		return 1;
	});
}

/** All units of the directory; undefined when something is wrong with it, which has been told. */
function readUnits(
	directory: string,
	{ settings, isForced, printError }: Command,
): ReadonlyMap<string, Unit> | undefined {
	try {
		const geo = combineGeoData(readGeodb(settings.geodb));
		const source = new DirectorySource(directory);
		const { problems, versions } = new UnitKeeper(source, undefined, []).load(geo, isForced);
		const errors = problems.filter(({ isWarning }) => !isWarning);
		for (const problem of problems) printError(printFileProblem(problem));
		if (errors.length > 0) {
			printError(`Cannot apply ${directory}: ${counted(errors.length, 'error')}; nothing changed`);
			return undefined;
		}
		const texts = [versions.common.text, ...[...versions.zones.values()].map(({ text }) => text)];
		const units = texts.filter(({ zone, steering }) => zone !== undefined || steering !== undefined);
		return new Map(units.map((text) => [text.unit, unitOf(text)]));
	} catch (error) {
		printError((error as Error).message);
		return undefined;
	}
}

function unitOf({ zone, steering, includes }: UnitText): Unit {
	const included = [...(includes ?? [])].flatMap(([path, file]) =>
		'text' in file ? [[path, file.text] as const] : [],
	);
	return {
		zone: zone?.text,
		includes: included.length === 0 ? undefined : Object.fromEntries(included),
		steering: steering === undefined ? undefined : { kind: 'text', text: steering.text },
		owner: 'store',
	};
}

function differenceTo(store: Store, units: ReadonlyMap<string, Unit>): UnitDifference {
	const before = new Map<string, string>();
	for (const item of store.configuration.items.values())
		if (item.kind === 'unit') before.set(item.name, JSON.stringify(item.content));
	return unitDifference(before, new Map([...units].map(([name, unit]) => [name, JSON.stringify(unit)])));
}

/** A directory that drops most zones of the store is rather the wrong one. */
function refusalOf({ removed }: UnitDifference, store: Store): string | undefined {
	const zones = [...store.configuration.items.values()].filter(
		({ kind, name }) => kind === 'unit' && name !== COMMON_UNIT,
	).length;
	const dropped = removed.filter((name) => name !== COMMON_UNIT).length;
	if (dropped <= 2 || dropped <= zones / 2) return undefined;
	return `Cannot apply this: it drops ${dropped} of ${zones} zones; --force applies it all the same`;
}

function isNothing({ added, changed, removed }: UnitDifference): boolean {
	return added.length + changed.length + removed.length === 0;
}

function changesOf({ added, changed, removed }: UnitDifference, units: ReadonlyMap<string, Unit>): readonly Change[] {
	return [
		...[...added, ...changed].map((name): Change => ({ kind: 'unit', name, content: units.get(name) })),
		...removed.map((name): Change => ({ kind: 'unit', name, content: undefined })),
	];
}

function printDifference({ added, changed, removed }: UnitDifference): readonly string[] {
	return [
		...added.map((name) => `+ ${name}`),
		...changed.map((name) => `~ ${name}`),
		...removed.map((name) => `- ${name}`),
	];
}

function generationOf({ configuration: { head } }: Store): string {
	return head === undefined ? '' : ` as generation ${head.epoch}.${head.generation}`;
}

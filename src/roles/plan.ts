/**
 * `meridian plan [DIR]`: what `apply` would change: the difference between a zones directory and what the API has.
 *
 *     directory -> units by etag -.
 *                                 +-> of those that differ: what the API would make of them -> difference
 *     API -> units by etag -------'
 */

import { diffUnits, type SteeringDiff, type UnitDiff } from '../config/diff.ts';
import { setZoneFile } from '../config/edit-records.ts';
import { type SteeringSource, UnitContent } from '../config/unit-content.ts';
import { loadDirectory, printFileProblem } from '../config/zones-directory.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { isRecord } from '../model/shape-walk.ts';
import { ApiClient } from './api-client.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { sourceOfText } from './directory-units.ts';

const PAGE = '1000';

/** A unit that is to be another. */
export interface PlannedUnit {
	readonly diff: UnitDiff;
	/** As the API has it; undefined where it has none. */
	readonly etag: string | undefined;
	/** As the directory has it; undefined where that has none. */
	readonly content: UnitContent | undefined;
}

export interface Plan {
	readonly units: readonly PlannedUnit[];
	/** Units that another zones directory owns, and that this one has not. */
	readonly foreign: readonly string[];
}

/** @returns the exit code: 1 when the directory or the API cannot be read */
export async function runPlan({ operands, settings, isJson, print, printError }: Command): Promise<number> {
	const directory = operands[0] ?? settings.zonesDir;
	try {
		const plan = await makePlan(new ApiClient(settings), directory);
		if (isJson) print(JSON.stringify({ units: plan.units.map(({ diff }) => diff) }, undefined, 2));
		else for (const line of printPlan(plan)) print(line);
		return 0;
	} catch (error) {
		printError(`Cannot plan ${directory}: ${(error as Error).message}`);
		return 1;
	}
}

/** @throws Error when the directory or the API cannot be read */
export async function makePlan(client: ApiClient, directory: string): Promise<Plan> {
	const own = readUnits(directory);
	const theirs = await listUnits(client);
	const units: PlannedUnit[] = [];
	for (const [unit, content] of own) {
		const { etag } = theirs.get(unit) ?? {};
		if (etag === content.etag) continue;
		const before = etag === undefined ? undefined : await fetchUnit(client, unit);
		// As the API would have it: a serial that does not rise is raised, and is no difference by itself.
		const after = unit === COMMON_UNIT ? content : setZoneFile(before, content);
		const diff = diffUnits(unit, before, after);
		if (diff !== undefined) units.push({ diff, etag, content });
	}
	const gone = [...theirs].filter(([unit]) => !own.has(unit));
	for (const [unit, { etag, owner }] of gone) {
		if (owner === 'directory') continue;
		const before = await fetchUnit(client, unit);
		const after = unit === COMMON_UNIT ? EMPTY_COMMON : undefined;
		const diff = diffUnits(unit, before, after);
		if (diff !== undefined) units.push({ diff, etag, content: after });
	}
	return { units, foreign: gone.flatMap(([unit, { owner }]) => (owner === 'directory' ? [unit] : [])) };
}

const EMPTY_COMMON = new UnitContent({ unit: COMMON_UNIT, zone: undefined, includes: undefined, steering: undefined });

/** @throws Error with all that is wrong with the files */
function readUnits(directory: string): ReadonlyMap<string, UnitContent> {
	const { common, zones, problems } = loadDirectory(directory);
	const units = new Map<string, UnitContent>();
	const lines = problems.filter(({ isWarning }) => !isWarning).map(printFileProblem);
	for (const text of [common, ...zones]) {
		if (text.zone === undefined && text.steering === undefined) continue;
		const content = new UnitContent(sourceOfText(text));
		for (const { line, column, message } of content.steeringProblems)
			lines.push(`${text.steering?.path}:${line}:${column}: ${message}`);
		for (const { line, column, message } of content.recordProblems)
			lines.push(`${text.zone?.path}:${line}:${column}: ${message}`);
		units.set(text.unit, content);
	}
	if (lines.length > 0) throw new Error(`${counted(lines.length, 'problem')}\n${lines.join('\n')}`);
	return units;
}

interface ListedUnit {
	readonly etag: string;
	readonly owner: 'store' | 'directory';
}

export async function listUnits(client: ApiClient): Promise<ReadonlyMap<string, ListedUnit>> {
	const units = new Map<string, ListedUnit>();
	// It is there before anything stands in it.
	units.set(COMMON_UNIT, (await client.ask('GET', '/v1/common')).body as ListedUnit);
	let after: string | undefined;
	do {
		const { body } = await client.ask('GET', '/v1/zones', { query: { limit: PAGE, after } });
		const page = body as {
			readonly items: readonly (ListedUnit & { readonly name: string })[];
			readonly next?: string;
		};
		for (const { name, etag, owner } of page.items) units.set(name, { etag, owner });
		after = page.next;
	} while (after !== undefined);
	return units;
}

export async function fetchUnit(client: ApiClient, unit: string): Promise<UnitContent> {
	const { body } = await client.ask('GET', `${pathOfUnit(unit)}/unit`);
	const { zone, includes, steering, steeringText } = body as {
		readonly zone?: string;
		readonly includes?: Readonly<Record<string, string>>;
		readonly steering?: unknown;
		readonly steeringText?: string;
	};
	const source: SteeringSource | undefined =
		steeringText === undefined ? { kind: 'document', document: steering ?? {} } : { kind: 'text', text: steeringText };
	return new UnitContent({ unit, zone, includes, steering: source });
}

function pathOfUnit(unit: string): string {
	return `/v1${resourceOfUnit(unit)}`;
}

/** As the changes of a request name it. */
export function resourceOfUnit(unit: string): string {
	return unit === COMMON_UNIT ? '/common' : `/zones/${encodeURIComponent(unit)}`;
}

const SIGNS = { created: '+', changed: '~', removed: '-' } as const;

/** A table that comes or goes as a whole as one change for each of its entries: on one line nobody reads it. */
function byEntry(change: SteeringDiff): readonly SteeringDiff[] {
	const { path, before, after } = change;
	const table = before === undefined ? after : before;
	if (/[.[]/.test(path) || !isRecord(table) || (before !== undefined && after !== undefined)) return [change];
	return Object.entries(table).map(([name, entry]) =>
		before === undefined ? { path: `${path}.${name}`, after: entry } : { path: `${path}.${name}`, before: entry },
	);
}

function printChange({ path, before, after }: SteeringDiff): string {
	return `${path}: ${JSON.stringify(before) ?? 'nothing'} -> ${JSON.stringify(after) ?? 'nothing'}`;
}

export function printPlan({ units, foreign }: Plan): readonly string[] {
	const lines: string[] = [];
	for (const { diff } of units) {
		const { unit, kind, records, steering } = diff;
		lines.push(`${SIGNS[kind]} ${unit}`);
		for (const line of records.removed) lines.push(`    - ${line}`);
		for (const line of records.added) lines.push(`    + ${line}`);
		const hidden = records.removedCount + records.addedCount - records.removed.length - records.added.length;
		if (hidden > 0) lines.push(`    ... and ${hidden} records more`);
		for (const change of steering.flatMap(byEntry)) lines.push(`    ${printChange(change)}`);
	}
	for (const unit of foreign) lines.push(`  ${unit} belongs to the zones directory of the process: it stays`);
	if (units.length === 0) lines.push('nothing would change');
	return lines;
}

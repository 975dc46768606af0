/**
 * `meridian apply [DIR]`: makes the API have what a zones directory has, as one generation; of very many units as few as
 * requests can carry. What would be wrong, or is refused by a guard, changes nothing.
 */

import { printFileProblem } from '../config/zones-directory.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { Settings } from '../model/settings.ts';
import { ApiClient, ApiRefused } from './api-client.ts';
import { checkDirectory } from './check.ts';
import type { Command } from './command.ts';
import { makePlan, type PlannedUnit, printPlan, resourceOfUnit } from './plan.ts';

/** Below what the API takes. */
const CHANGES_MAX = 10_000;
const CHARACTERS_MAX = 20 * 1024 * 1024;

/** @returns the exit code: 1 when nothing, or not all, could be applied */
export async function runApply({ operands, settings, isForced, print, printError }: Command): Promise<number> {
	const directory = operands[0] ?? settings.zonesDir;
	try {
		const client = new ApiClient(settings);
		const plan = await makePlan(client, directory);
		for (const line of printPlan(plan)) print(line);
		for (const part of partsOf(plan.units)) {
			const { body } = await client.ask('POST', '/v1/changes', {
				body: {
					units: Object.fromEntries(part.map(({ diff, etag }) => [diff.unit, etag ?? null])),
					changes: part.map(changeOf),
				},
				query: isForced ? { force: 'true' } : {},
				reason: `apply ${directory}`,
			});
			const { epoch, generation, takenOver } = body as Applied;
			for (const { message } of takenOver) print(message);
			print(`${directory}: applied as generation ${epoch}.${generation}`);
		}
		return 0;
	} catch (error) {
		const placed = error instanceof ApiRefused && error.code === 'invalid' ? errorsIn(directory, settings) : [];
		for (const line of placed) printError(line);
		printError(`Cannot apply ${directory}: ${placed.length > 0 ? 'it has mistakes' : (error as Error).message}`);
		if (error instanceof ApiRefused && error.code === 'guarded') printError('apply --force does it all the same');
		return 1;
	}
}

/** The API names what is wrong by its place in the request; in the files it has a line. */
function errorsIn(directory: string, settings: Settings): readonly string[] {
	const { problems } = checkDirectory(directory, settings, true);
	return problems.filter(({ isWarning }) => !isWarning).map(printFileProblem);
}

interface Applied {
	readonly epoch: number;
	readonly generation: number;
	readonly takenOver: readonly { readonly message: string }[];
}

/** As a rule one; common first, for zones may use what is new there. */
function partsOf(units: readonly PlannedUnit[]): readonly (readonly PlannedUnit[])[] {
	const parts: PlannedUnit[][] = [];
	let characters = 0;
	const rank = ({ diff }: PlannedUnit) => (diff.unit === COMMON_UNIT ? 0 : 1);
	for (const unit of units.toSorted((a, b) => rank(a) - rank(b))) {
		const size = JSON.stringify(changeOf(unit)).length;
		const last = parts.at(-1);
		if (last === undefined || last.length === CHANGES_MAX || characters + size > CHARACTERS_MAX) {
			parts.push([unit]);
			characters = size;
		} else {
			last.push(unit);
			characters += size;
		}
	}
	return parts;
}

function changeOf({ diff, content }: PlannedUnit) {
	const resource = resourceOfUnit(diff.unit);
	if (content === undefined) return { op: 'delete', resource };
	const { zone, includes, steering } = content.source;
	const value = {
		...(zone === undefined ? {} : { zone }),
		...(includes === undefined ? {} : { includes }),
		...(steering?.kind === 'text' ? { steeringText: steering.text } : {}),
	};
	return { op: 'put', resource: `${resource}/unit`, value };
}

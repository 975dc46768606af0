/**
 * `meridian explain NAME TYPE --client IP`: which answer a client gets, and why. Asks the process that listens at
 * `admin.listen`; where there is none, builds from the zones directory and says that health is unknown.
 */

import { type ExplainQuestion, type ExplainSources, explain } from '../explain/explain.ts';
import type { Explanation } from '../explain/explanation.ts';
import { printExplanation } from '../explain/print.ts';
import { combineGeoData } from '../geo/combine.ts';
import { createHealthWords } from '../health/verdict-table.ts';
import { createChance } from '../lib/chance.ts';
import { parseListenAddress } from '../lib/listen-address.ts';
import type { Settings } from '../model/settings.ts';
import { ApiAbsent, ApiClient, ApiRefused } from './api-client.ts';
import { hintOf } from './api-command.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { readGeodb } from './geodb.ts';
import { DirectorySource } from './unit-source.ts';
import { UnitKeeper } from './units.ts';

const DEFAULT_RESOLVER = '127.0.0.1';

/** @returns the exit code: 1 when there is no explanation, 2 when the question is none */
export async function runExplain({ operands, settings, options, isJson, print, printError }: Command): Promise<number> {
	const [name, type = 'A'] = operands;
	if (name === undefined) {
		printError('Cannot explain without a name: it takes NAME TYPE');
		return 2;
	}
	const client = options.get('client');
	const resolver = options.get('resolver') ?? DEFAULT_RESOLVER;
	const question: ExplainQuestion = { name: name.endsWith('.') ? name : `${name}.`, type, client, resolver };
	try {
		const asked = await askProcess(settings, question);
		const explained = asked ?? fromDirectory(settings, question);
		if (typeof explained === 'string') {
			printError(explained);
			return 2;
		}
		if (asked === undefined)
			printError(
				`No process answers at ${settings['admin.listen']}: this is from ${settings.zonesDir}, health unknown`,
			);
		print(isJson ? JSON.stringify(explained, undefined, 2) : printExplanation(explained));
		return 0;
	} catch (error) {
		printError(`Cannot explain ${name} ${type}: ${(error as Error).message}`);
		const hint = hintOf(error);
		if (hint !== undefined) printError(hint);
		return 1;
	}
}

/** What the running process says; a text for a question that is none, undefined where no process listens. */
async function askProcess(settings: Settings, question: ExplainQuestion): Promise<Explanation | string | undefined> {
	// Port 0 is one that nobody was told.
	if (settings['admin.url'] === '' && parseListenAddress(settings['admin.listen'])?.port === 0) return undefined;
	try {
		return (await new ApiClient(settings).ask('GET', '/v1/explain', { query: { ...question } })).body as Explanation;
	} catch (error) {
		if (error instanceof ApiAbsent) return undefined;
		if (error instanceof ApiRefused && error.status === 400) return error.message;
		throw error;
	}
}

function fromDirectory(settings: Settings, question: ExplainQuestion): Explanation | string {
	const files = readGeodb(settings.geodb);
	const geo = combineGeoData(files);
	const { settled, problems } = new UnitKeeper(new DirectorySource(settings.zonesDir), undefined, [
		settings.region,
	]).load(geo, true);
	if (settled.refused.size > 0) {
		const count = problems.filter(({ isWarning }) => !isWarning).length;
		throw new Error(`${settings.zonesDir} has ${counted(count, 'problem')}, see meridian check`);
	}
	const { snapshot, geoNotes } = settled;
	const sources: ExplainSources = {
		snapshot,
		geoNotes,
		geo,
		health: createHealthWords(snapshot.targets.length),
		slots: Int32Array.from(snapshot.targets.keys()),
		chance: createChance(Date.now()),
		vantages: [settings.region],
		noteOf: () => 'not asked: no process runs',
		databases: files,
	};
	return explain(sources, question);
}

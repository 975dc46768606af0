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
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { readGeodb } from './geodb.ts';
import { DirectorySource } from './unit-source.ts';
import { UnitKeeper } from './units.ts';

const ASK_TIMEOUT_MS = 5000;
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
		return 1;
	}
}

/** What the running process says; a text for a question that is none, undefined where no process listens. */
async function askProcess(settings: Settings, question: ExplainQuestion): Promise<Explanation | string | undefined> {
	const at = parseListenAddress(settings['admin.listen']);
	if (at === undefined || at.port === 0) return undefined;
	const url = new URL(`http://${at.family === 6 ? `[${at.address}]` : at.address}:${at.port}/v1/explain`);
	for (const [key, value] of Object.entries(question)) if (value !== undefined) url.searchParams.set(key, value);
	let response: Response;
	try {
		response = await fetch(url, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
	} catch (error) {
		// Nobody listens; whatever else goes wrong is a fault of a process that is there.
		const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
		if (code === 'ECONNREFUSED') return undefined;
		throw new Error(`the process at ${url.host} does not answer (${code ?? (error as Error).message})`, {
			cause: error,
		});
	}
	const body = (await response.json()) as Explanation & { readonly detail?: string };
	if (response.ok) return body;
	if (response.status === 400) return body.detail ?? 'the question was refused';
	throw new Error(`the process at ${url.host} answers ${response.status}: ${body.detail ?? 'without a reason'}`);
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

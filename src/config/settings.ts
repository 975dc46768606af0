/**
 * Settings from where users put them: flags, the environment, a YAML file.
 */

import { readFileSync } from 'node:fs';
import {
	flagOf,
	keyOf,
	readSettings,
	SETTINGS,
	type SettingProblem,
	type Settings,
	type SettingTexts,
	variableOf,
} from '../model/settings.ts';
import { readYaml, type TextPosition } from './yaml-document.ts';

/** Variables that begin like ours and are no settings. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['MERIDIAN_CONFIG']);
/**
 * What Kubernetes puts into every container for a service by the name of `meridian`, or `meridian-...`. One that ends
 * in PORT holds a URL: a number there is somebody's guess at a setting.
 */
const SERVICE_VARIABLE =
	/_(?:SERVICE_HOST=|SERVICE_PORT(?:_[A-Z0-9_]+)?=|PORT_\d+_(?:TCP|UDP|SCTP)_(?:ADDR|PORT|PROTO)=|PORT(?:_\d+_(?:TCP|UDP|SCTP))?=(?:tcp|udp|sctp):)/;

export interface LoadedSettings {
	readonly settings: Settings;
	readonly problems: readonly SettingProblem[];
}

/**
 * @param flags  values of flags by their name with its dashes
 * @param file   path of the configuration file, when one is named
 */
export function loadSettings(
	flags: ReadonlyMap<string, string>,
	environment: Readonly<Record<string, string | undefined>>,
	file: string | undefined,
): LoadedSettings {
	const problems: SettingProblem[] = [];
	const fromFlags = layerOf([...flags], flagOf, problems);
	const variables = Object.entries(environment).filter(
		([name, text]) =>
			name.startsWith('MERIDIAN_') && !OTHER_VARIABLES.has(name) && !SERVICE_VARIABLE.test(`${name}=${text}`),
	);
	const fromVariables = layerOf(
		variables.map(([name, text]) => [name, text ?? '']),
		variableOf,
		problems,
	);
	const { layer: fromFile, placed } = file === undefined ? NO_FILE : readFile(file, problems);
	const { settings, problems: ofValues } = readSettings([fromFlags, fromVariables, fromFile]);
	return { settings, problems: [...problems, ...ofValues.map(placed)] };
}

interface FileSettings {
	readonly layer: SettingTexts;
	/** A problem with a key of the file, with its place there. */
	readonly placed: (problem: SettingProblem) => SettingProblem;
}

const NO_FILE: FileSettings = { layer: new Map(), placed: (problem) => problem };

function layerOf(
	entries: readonly (readonly [string, string])[],
	spelling: (key: string) => string,
	problems: SettingProblem[],
): SettingTexts {
	const layer = new Map<string, { text: string; source: string }>();
	for (const [source, text] of entries) {
		const found = keyOf(source, spelling);
		if ('key' in found) layer.set(found.key, { text, source });
		else problems.push({ source, message: found.problem });
	}
	return layer;
}

/** Keys may be nested (`dns: { listen: ... }`) or written with dots; lists may be YAML lists. */
function readFile(file: string, problems: SettingProblem[]): FileSettings {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		problems.push({ source: file, message: `Cannot read the configuration ${file}: ${(error as Error).message}` });
		return NO_FILE;
	}
	const yaml = readYaml(text, { hasNumbersAsText: true });
	const complain = ({ line, column }: TextPosition, message: string) =>
		problems.push({ source: file, message: `${file}:${line}:${column}: ${message}` });
	for (const problem of yaml.problems) complain(problem, problem.message);
	if (yaml.value !== undefined && (typeof yaml.value !== 'object' || Array.isArray(yaml.value))) {
		complain(yaml.positionOf([]), 'Cannot use this as settings: expected keys with values');
		return NO_FILE;
	}
	const places = new Map<string, TextPosition>();
	const entries: [string, string][] = [];
	for (const { path, value } of leavesOf(yaml.value, [])) {
		const key = path.join('.');
		if (places.has(key)) complain(yaml.positionOf(path), `Cannot set ${key} twice`);
		places.set(key, yaml.positionOf(path));
		entries.push([key, value]);
	}
	const placed = (problem: SettingProblem): SettingProblem => {
		const place = places.get(problem.source);
		if (place === undefined) return problem;
		return { source: file, message: `${file}:${place.line}:${place.column}: ${problem.message}` };
	};
	const unknown: SettingProblem[] = [];
	const layer = layerOf(entries, (key) => key, unknown);
	problems.push(...unknown.map(placed));
	return { layer, placed };
}

function leavesOf(value: unknown, path: readonly string[]): { path: readonly string[]; value: string }[] {
	if (value === undefined || value === null) return path.length === 0 ? [] : [{ path, value: '' }];
	if (Array.isArray(value)) return [{ path, value: value.map(textOf).join(',') }];
	if (typeof value !== 'object') return [{ path, value: String(value) }];
	const isSection = Object.keys(SETTINGS).some((key) => key.startsWith(`${path.join('.')}.`));
	if (Object.keys(value).length === 0 && path.length > 0 && !isSection) return [{ path, value: '' }];
	return Object.entries(value).flatMap(([key, entry]) => leavesOf(entry, [...path, key]));
}

function textOf(value: unknown): string {
	return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

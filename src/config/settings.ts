/**
 * Settings from where users put them: flags, the environment, a YAML file.
 */

import { readFileSync } from 'node:fs';
import {
	flagOf,
	keyOf,
	readSettings,
	type SettingProblem,
	type Settings,
	type SettingTexts,
	variableOf,
} from '../model/settings.ts';
import { readYaml } from './yaml-document.ts';

/** Variables that begin like ours and are no settings. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['MERIDIAN_CONFIG']);

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
		([name]) => name.startsWith('MERIDIAN_') && !OTHER_VARIABLES.has(name),
	);
	const fromVariables = layerOf(
		variables.map(([name, text]) => [name, text ?? '']),
		variableOf,
		problems,
	);
	const fromFile = file === undefined ? new Map() : fileLayer(file, problems);
	const { settings, problems: ofValues } = readSettings([fromFlags, fromVariables, fromFile]);
	return { settings, problems: [...problems, ...ofValues] };
}

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
function fileLayer(file: string, problems: SettingProblem[]): SettingTexts {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		problems.push({ source: file, message: `Cannot read the configuration ${file}: ${(error as Error).message}` });
		return new Map();
	}
	const yaml = readYaml(text);
	for (const { line, column, message } of yaml.problems)
		problems.push({ source: file, message: `${file}:${line}:${column}: ${message}` });
	const entries: [string, string][] = [];
	const places = new Map<string, string>();
	for (const { path, value } of leavesOf(yaml.value, [])) {
		const key = path.join('.');
		const { line, column } = yaml.positionOf(path);
		places.set(key, `${file}:${line}:${column}: ${key}`);
		entries.push([key, value]);
	}
	const found: SettingProblem[] = [];
	const layer = layerOf(entries, (key) => key, found);
	for (const { source, message } of found)
		problems.push({ source, message: message.replace(source, places.get(source) ?? source) });
	return new Map([...layer].map(([key, { text: value }]) => [key, { text: value, source: places.get(key) ?? key }]));
}

function leavesOf(value: unknown, path: readonly string[]): { path: readonly string[]; value: string }[] {
	if (value === undefined || value === null) return path.length === 0 ? [] : [{ path, value: '' }];
	if (Array.isArray(value)) return [{ path, value: value.join(',') }];
	if (typeof value !== 'object') return [{ path, value: String(value) }];
	return Object.entries(value).flatMap(([key, entry]) => leavesOf(entry, [...path, key]));
}

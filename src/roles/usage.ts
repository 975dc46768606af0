/**
 * What `meridian --help` and `meridian COMMAND --help` print.
 */

import { flagOf, SETTINGS, variableOf } from '../model/settings.ts';
import { tableLines } from './table-lines.ts';
import { VERSION } from './version.ts';

/** Flags that are no settings and take no value; what `--force` means differs from command to command. */
export const SWITCHES = {
	demo: 'with small backends for the example zones',
	force: '',
	help: 'print this',
	json: 'print JSON rather than text for people',
	once: 'one round of checks, printed as a table; exit 1 when one fails',
	strict: 'take warnings for errors',
	version: 'print the version',
} as const;

/** Flags that are no settings and take a value: what the value is called, and what it means. */
export const OPTIONS = {
	client: ['IP', 'the client, an address or a network, as the client subnet option tells it'],
	expires: ['DURATION', 'how long the token is good, such as 90d; for ever when absent'],
	for: ['DURATION', 'until it ends by itself, such as 30m or 2h (1h)'],
	reason: ['TEXT', 'why, for the history'],
	resolver: ['IP', 'who asks (127.0.0.1)'],
	role: ['ROLE', 'viewer, operator, editor or admin'],
	zones: ['ZONES', 'the zones it may change, separated by commas; all when absent'],
} as const;

/** What its help tells of a command. */
export interface Usage {
	readonly summary: string;
	readonly operands: string;
	readonly switches?: readonly Exclude<keyof typeof SWITCHES, 'force'>[];
	readonly options?: readonly (keyof typeof OPTIONS)[];
	/** What `--force` does here; a command without it takes no such flag. */
	readonly force?: string;
	/** The settings that matter to it; all when absent. */
	readonly settings?: readonly (keyof typeof SETTINGS)[];
	/** What may stand behind the name of the command. */
	readonly examples: readonly string[];
}

/** The flags that a command takes beside settings and what all take, without dashes. */
export function flagsOf({ switches = [], options = [], force }: Usage): readonly string[] {
	return [...switches, ...options, ...(force === undefined ? [] : ['force'])];
}

export function printUsage(commands: Readonly<Record<string, Usage>>): string {
	return [
		`meridian ${VERSION}`,
		'',
		'Usage: meridian COMMAND [--flag VALUE ...]',
		'',
		...columns(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
		'',
		'meridian COMMAND --help tells what a command takes, with examples.',
		'',
		'Settings, as a flag, a variable, or a key of the file named by --config or MERIDIAN_CONFIG:',
		...settingLines(Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]),
	].join('\n');
}

export function printCommandUsage(name: string, command: Usage): string {
	const { summary, operands, switches = [], options = [], force, settings, examples } = command;
	const flags = [
		...options.map((option) => [`--${option} ${OPTIONS[option][0]}`, OPTIONS[option][1]] as const),
		...switches.map((flag) => [`--${flag}`, SWITCHES[flag]] as const),
		...(force === undefined ? [] : [['--force', force] as const]),
	];
	return [
		`meridian ${name}: ${summary}`,
		'',
		`Usage: meridian ${[name, operands, '[--flag VALUE ...]'].filter((part) => part !== '').join(' ')}`,
		...(flags.length === 0 ? [] : ['', ...columns(flags)]),
		'',
		'For example:',
		...examples.map((example) => `  meridian ${name} ${example}`.trimEnd()),
		'',
		settings === undefined
			? 'It takes all settings: meridian --help lists them.'
			: 'Settings, as a flag, a variable, or a key of the file named by --config:',
		...settingLines(settings ?? []),
	].join('\n');
}

function settingLines(keys: readonly (keyof typeof SETTINGS)[]): string[] {
	return columns(
		keys.map((key) => {
			const { description, fallback } = SETTINGS[key];
			return [flagOf(key), variableOf(key), `${description}${fallback === '' ? '' : ` (${fallback})`}`];
		}),
	);
}

function columns(rows: readonly (readonly string[])[]): string[] {
	return tableLines(rows).map((line) => `  ${line}`);
}

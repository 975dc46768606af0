/**
 * The door of the program: words and environment to a role. Owns signals and exit codes.
 *
 * | exit code | meaning                                             |
 * |-----------|-----------------------------------------------------|
 * | 0         | it did what was asked, or ended as it was told to   |
 * | 1         | it could not                                        |
 * | 2         | the words were not understood                       |
 */

import { parseArgs } from 'node:util';
import { loadSettings } from './config/settings.ts';
import { nearestName } from './model/check-document.ts';
import { flagOf, SETTINGS, variableOf } from './model/settings.ts';
import { runCheck } from './roles/check.ts';
import type { Command, Signals } from './roles/command.ts';
import { runInstance } from './roles/run-instance.ts';
import { VERSION } from './roles/version.ts';

const NODE_MAJOR_MIN = 24;
/** Ctrl-C under npm arrives twice, from the terminal and from npm: a second signal so soon is the same one. */
const SAME_SIGNAL_MS = 1000;

interface Role {
	readonly summary: string;
	readonly operands: string;
	readonly run: (command: Command) => Promise<number> | number;
}

const ROLES: Readonly<Record<string, Role>> = {
	start: {
		summary: 'all in one: answer, probe, admin surface (--demo: with small backends for the example zones)',
		operands: '',
		run: runInstance,
	},
	serve: { summary: 'answer only', operands: '', run: runInstance },
	check: { summary: 'validate a zones directory', operands: '[DIR]', run: runCheck },
};

/** Flags that are no settings. */
const SWITCHES = ['demo', 'force', 'help', 'version'] as const;

async function main(): Promise<number> {
	if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
		printError(`Meridian needs Node ${NODE_MAJOR_MIN} or later, this is ${process.version}`);
		return 1;
	}
	const { tokens } = parseArgs({ args: process.argv.slice(2), strict: false, tokens: true, options: optionShapes() });
	const words: string[] = [];
	const switches = new Set<string>();
	const flags = new Map<string, string>();
	let file = process.env['MERIDIAN_CONFIG'];
	for (const token of tokens) {
		if (token.kind === 'positional') words.push(token.value);
		if (token.kind !== 'option') continue;
		if ((SWITCHES as readonly string[]).includes(token.name)) switches.add(token.name);
		else if (token.value === undefined) return misunderstood(unknownFlag(token.rawName));
		else if (token.name === 'config') file = token.value;
		else flags.set(token.rawName, token.value);
	}
	if (switches.has('version')) return say(`meridian ${VERSION}`, 0);
	const [name, ...operands] = words;
	if (switches.has('help') || name === undefined || name === 'help')
		return say(usage(), switches.has('help') || name === 'help' ? 0 : 2);
	const role = ROLES[name];
	if (role === undefined || !Object.hasOwn(ROLES, name)) return misunderstood(unknownRole(name));
	if (operands.length > (role.operands === '' ? 0 : 1))
		return misunderstood(`Cannot use "${operands.at(-1)}": ${name} takes ${role.operands || 'no more words'}`);
	if (switches.has('demo') && name !== 'start')
		return misunderstood(`Cannot use --demo with ${name}: it goes with start`);
	const { settings, problems } = loadSettings(flags, process.env, file);
	if (problems.length > 0) return misunderstood(problems.map(({ message }) => message).join('\n'));
	return role.run({
		name,
		operands,
		settings,
		isDemo: switches.has('demo'),
		isForced: switches.has('force'),
		signals: createSignals(),
		print: (text) => process.stdout.write(`${text}\n`),
		printError,
	});
}

/** Every setting takes a value, so that `--flag value` and `--flag=value` mean the same. */
function optionShapes(): Record<string, { type: 'string' | 'boolean' }> {
	const shapes: Record<string, { type: 'string' | 'boolean' }> = { config: { type: 'string' } };
	for (const key of Object.keys(SETTINGS)) shapes[flagOf(key).slice(2)] = { type: 'string' };
	for (const name of SWITCHES) shapes[name] = { type: 'boolean' };
	return shapes;
}

function unknownFlag(flag: string): string {
	const known = [...Object.keys(SETTINGS).map(flagOf), '--config', ...SWITCHES.map((name) => `--${name}`)];
	if (known.includes(flag)) return `Cannot use ${flag} without a value`;
	const nearest = nearestName(flag, known);
	return `Cannot set ${flag}: there is no such setting${nearest === undefined ? '' : `, did you mean ${nearest}?`}`;
}

function unknownRole(name: string): string {
	const nearest = nearestName(name, Object.keys(ROLES));
	const hint =
		nearest === undefined ? `expected one of ${Object.keys(ROLES).join(', ')}` : `did you mean "${nearest}"?`;
	return `Cannot run "${name}": ${hint}`;
}

function createSignals(): Signals {
	let reload: (() => void) | undefined;
	process.on('SIGHUP', () => reload?.());
	const end = new Promise<void>((resolve) => {
		let firstMs: number | undefined;
		for (const signal of ['SIGTERM', 'SIGINT'] as const) {
			process.on(signal, () => {
				if (firstMs !== undefined && performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(1);
				firstMs ??= performance.now();
				resolve();
			});
		}
	});
	return {
		onReload: (handler) => {
			reload = handler;
		},
		untilEnd: () => end,
	};
}

function usage(): string {
	const roles = Object.entries(ROLES).map(
		([name, { summary, operands }]) => `  ${`${name} ${operands}`.padEnd(14)} ${summary}`,
	);
	const settings = Object.entries(SETTINGS).map(([key, { description, fallback }]) => {
		const shown = fallback === '' ? '' : ` (${fallback})`;
		return `  ${flagOf(key).padEnd(16)} ${variableOf(key).padEnd(24)} ${description}${shown}`;
	});
	return [
		`meridian ${VERSION}`,
		'',
		'Usage: meridian COMMAND [--flag VALUE ...]',
		'',
		...roles,
		'',
		'Settings, as a flag, a variable, or a key of the file named by --config or MERIDIAN_CONFIG:',
		...settings,
		'  --force          take an empty zones directory, or one that drops most zones',
	].join('\n');
}

function misunderstood(message: string): number {
	printError(message);
	return 2;
}

function say(text: string, code: number): number {
	process.stdout.write(`${text}\n`);
	return code;
}

function printError(text: string): void {
	process.stderr.write(`${text}\n`);
}

process.on('uncaughtException', (error) => {
	printError(`Meridian met a fault and ends: ${error.stack ?? error.message}`);
	process.exit(1);
});

process.exitCode = await main();

/**
 * The door of the program: words and environment to a role. Owns signals and exit codes.
 *
 * | exit code | meaning                                             |
 * |-----------|-----------------------------------------------------|
 * | 0         | it did what was asked, or ended as it was told to   |
 * | 1         | it could not                                        |
 * | 2         | the words were not understood                       |
 */

import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nearestName } from './lib/nearest-name.ts';
import { flagOf, SETTINGS } from './model/settings.ts';
import type { Signals } from './roles/command.ts';
import { ROLES, type Role } from './roles/roles.ts';
import { flagsOf, OPTIONS, printCommandUsage, printUsage, SWITCHES } from './roles/usage.ts';
import { VERSION } from './roles/version.ts';

const NODE_MAJOR_MIN = 24;
/** Where tools keep what they can make again. */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/meridian', import.meta.url));
/** Ctrl-C under npm arrives twice, from the terminal and from npm: a second signal so soon is the same one. */
const SAME_SIGNAL_MS = 1000;
/** Answering what has arrived takes 2 s at most; whatever keeps the process longer than this is cut off. */
const END_MS_MAX = 10_000;
/** Those of every role. */
const COMMON_SWITCHES: readonly string[] = ['help', 'version'];

async function main(): Promise<number> {
	if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
		printError(`Meridian needs Node ${NODE_MAJOR_MIN} or later, this is ${process.version}`);
		return 1;
	}
	const line = readLine(process.argv.slice(2));
	if (typeof line === 'string') return misunderstood(line);
	const { words, switches, options, flags, file = process.env['MERIDIAN_CONFIG'] } = line;
	if (switches.has('version')) return say(`meridian ${VERSION}`, 0);
	const [name, ...operands] = words;
	if (switches.has('help') || name === 'help') return help(name === 'help' ? operands[0] : name);
	if (name === undefined) return misunderstood(printUsage(ROLES));
	const role = roleOf(name, operands, [...switches, ...options.keys()]);
	if (typeof role === 'string') return misunderstood(role);
	keepCompiled();
	const { loadSettings } = await import('./config/settings.ts');
	const { settings, problems } = loadSettings(flags, process.env, file);
	if (problems.length > 0) return misunderstood(problems.map(({ message }) => message).join('\n'));
	return role.run({
		name,
		operands,
		settings,
		isDemo: switches.has('demo'),
		isForced: switches.has('force'),
		isJson: switches.has('json'),
		isStrict: switches.has('strict'),
		isOnce: switches.has('once'),
		options,
		takeSignals,
		print: (text) => process.stdout.write(`${text}\n`),
		printError,
		showProgress,
	});
}

/**
 * Let all modules from here on, also those of threads, be compiled once and not at each start: that is half of its time, and
 * a compiler's memory in each thread. Where nothing can be written they are compiled anew.
 */
function keepCompiled(): void {
	const { directory } = enableCompileCache(COMPILED);
	// A thread takes it from there.
	if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ??= directory;
}

interface Line {
	/** The command and what it is to work on. */
	readonly words: readonly string[];
	readonly switches: ReadonlySet<string>;
	/** Values of flags that are no settings. */
	readonly options: ReadonlyMap<string, string>;
	/** Values of settings, by flag with its dashes. */
	readonly flags: ReadonlyMap<string, string>;
	/** Of --config. */
	readonly file: string | undefined;
}

/** Part the command line; a text says what is wrong with it. */
function readLine(args: readonly string[]): Line | string {
	const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, options: optionShapes() });
	const words: string[] = [];
	const switches = new Set<string>();
	const options = new Map<string, string>();
	const flags = new Map<string, string>();
	let file: string | undefined;
	for (const token of tokens) {
		if (token.kind === 'positional') words.push(token.value);
		if (token.kind !== 'option') continue;
		const { name, rawName, value, inlineValue } = token;
		if (Object.hasOwn(SWITCHES, name)) {
			if (value !== undefined) return `Cannot use ${rawName}=${value}: ${rawName} takes no value`;
			switches.add(name);
			continue;
		}
		// Without "=" the next flag would be taken for a value.
		if (value === undefined || (!inlineValue && value.startsWith('--'))) return flagProblem(rawName);
		if (name === 'config') file = value;
		else if (Object.hasOwn(OPTIONS, name)) options.set(name, value);
		else flags.set(rawName, value);
	}
	return { words, switches, options, flags, file };
}

/** The role that was asked for; a text says why it cannot be had. */
function roleOf(name: string, operands: readonly string[], flags: readonly string[]): Role | string {
	const role = ROLES[name];
	if (role === undefined || !Object.hasOwn(ROLES, name)) return unknownRole(name);
	if (operands.length > (role.operandsMax ?? 0))
		return `Cannot use "${operands.at(-1)}": ${name} takes ${role.operands || 'no more words'}`;
	for (const flag of flags) {
		if (COMMON_SWITCHES.includes(flag) || takes(role, flag)) continue;
		const takers = Object.entries(ROLES).flatMap(([other, one]) => (takes(one, flag) ? [other] : []));
		return `Cannot use --${flag} with ${name}: it goes with ${takers.join(', ')}`;
	}
	return role;
}

function takes(role: Role, flag: string): boolean {
	return flagsOf(role).includes(flag);
}

/** Every setting takes a value, so that `--flag value` and `--flag=value` mean the same. */
function optionShapes(): Record<string, { type: 'string' | 'boolean'; short?: string }> {
	const shapes: Record<string, { type: 'string' | 'boolean'; short?: string }> = { config: { type: 'string' } };
	for (const key of Object.keys(SETTINGS)) shapes[flagOf(key).slice(2)] = { type: 'string' };
	for (const name of Object.keys(SWITCHES)) shapes[name] = { type: 'boolean' };
	for (const name of Object.keys(OPTIONS)) shapes[name] = { type: 'string' };
	shapes['help'] = { type: 'boolean', short: 'h' };
	return shapes;
}

function flagProblem(flag: string): string {
	const own = [...Object.keys(SWITCHES), ...Object.keys(OPTIONS)].map((name) => `--${name}`);
	const known = [...Object.keys(SETTINGS).map(flagOf), '--config', ...own];
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

function takeSignals(): Signals {
	let reload: (() => void) | undefined;
	let isReloadWanted = false;
	process.on('SIGHUP', () => {
		isReloadWanted = true;
		reload?.();
	});
	const end = new Promise<void>((resolve) => {
		let firstMs: number | undefined;
		for (const signal of ['SIGTERM', 'SIGINT'] as const) {
			process.on(signal, () => {
				if (firstMs !== undefined && performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(1);
				if (firstMs !== undefined) return;
				firstMs = performance.now();
				setTimeout(() => {
					printError(`Meridian had not ended ${END_MS_MAX / 1000} s after ${signal}: the rest is cut off`);
					process.exit(1);
				}, END_MS_MAX).unref();
				resolve();
			});
		}
	});
	return {
		onReload: (handler) => {
			reload = handler;
			// One that came during the start was about files that may have been read before.
			if (isReloadWanted) handler();
		},
		untilEnd: () => end,
	};
}

/** @param name  of a command; all of them without one */
function help(name: string | undefined): number {
	if (name === undefined) return say(printUsage(ROLES), 0);
	const role = roleOf(name, [], []);
	return typeof role === 'string' ? misunderstood(role) : say(printCommandUsage(name, role), 0);
}

function misunderstood(message: string): number {
	printError(message);
	return 2;
}

function say(text: string, code: number): number {
	process.stdout.write(`${text}\n`);
	return code;
}

function showProgress(text: string): void {
	if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function printError(text: string): void {
	process.stderr.write(`${text}\n`);
}

// A reader that went away (`meridian check | head`) is no fault of ours.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.on('uncaughtException', (error) => {
	printError(`Meridian met a fault and ends: ${error.stack ?? error.message}`);
	process.exit(1);
});

process.exitCode = await main();

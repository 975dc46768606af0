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
import { loadSettings } from './config/settings.ts';
import { nearestName } from './model/check-document.ts';
import { flagOf, SETTINGS, variableOf } from './model/settings.ts';
import type { Command, Signals } from './roles/command.ts';
import { VERSION } from './roles/version.ts';

const NODE_MAJOR_MIN = 24;
/** Where tools keep what they can make again. */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/meridian', import.meta.url));
/** Ctrl-C under npm arrives twice, from the terminal and from npm: a second signal so soon is the same one. */
const SAME_SIGNAL_MS = 1000;
/** Answering what has arrived takes 2 s at most; whatever keeps the process longer than this is cut off. */
const END_MS_MAX = 10_000;

interface Role {
	readonly summary: string;
	readonly operands: string;
	/** 0 unless said. */
	readonly operandsMax?: number;
	/** What it takes beside the settings and what every role takes. */
	readonly switches?: readonly (typeof SWITCHES)[number][];
	/** The same with a value. */
	readonly options?: readonly (typeof OPTIONS)[number][];
	/** Its modules are loaded when it is asked for. */
	readonly run: (command: Command) => Promise<number>;
}

/** Flags that are no settings. */
const SWITCHES = ['demo', 'force', 'help', 'json', 'once', 'strict', 'version'] as const;
/** Those of every role. */
const COMMON_SWITCHES: readonly string[] = ['force', 'help', 'version'];
/** Flags with a value that are no settings. */
const OPTIONS = ['client', 'expires', 'for', 'reason', 'resolver', 'role', 'zones'] as const;

const ROLES: Readonly<Record<string, Role>> = {
	start: {
		summary: 'all in one: answer, probe, admin surface (--demo: with small backends for the example zones)',
		operands: '',
		switches: ['demo'],
		run: async (command) => (await import('./roles/run-instance.ts')).runInstance(command),
	},
	serve: {
		summary: 'answer only',
		operands: '',
		run: async (command) => (await import('./roles/run-instance.ts')).runInstance(command),
	},
	admin: {
		summary: 'the admin API of a fleet, which shares its state through Redis',
		operands: '',
		run: async (command) => (await import('./roles/admin.ts')).runAdmin(command),
	},
	probe: {
		summary:
			'probe for a fleet, from one region; with --once: check every target, or those of one pool, and print it (--json)',
		operands: '[POOL]',
		operandsMax: 1,
		switches: ['once', 'json'],
		run: async (command) => (await import('./roles/probe.ts')).runProbe(command),
	},
	check: {
		summary: 'validate a zones directory (--strict: warnings are errors)',
		operands: '[DIR]',
		operandsMax: 1,
		switches: ['strict'],
		run: async (command) => (await import('./roles/check.ts')).runCheck(command),
	},
	explain: {
		summary: 'which answer a client gets, and why (--client IP, --resolver IP, --json)',
		operands: 'NAME TYPE',
		operandsMax: 2,
		switches: ['json'],
		options: ['client', 'resolver'],
		run: async (command) => (await import('./roles/explain.ts')).runExplain(command),
	},
	geo: {
		summary: 'what databases, networks and places say of addresses (--json)',
		operands: 'IP [IP...]',
		operandsMax: Number.POSITIVE_INFINITY,
		switches: ['json'],
		run: async (command) => (await import('./roles/geo.ts')).runGeo(command),
	},
	plan: {
		summary: 'what apply would change (--json)',
		operands: '[DIR]',
		operandsMax: 1,
		switches: ['json'],
		run: async (command) => (await import('./roles/plan.ts')).runPlan(command),
	},
	apply: {
		summary: 'make the store hold what a zones directory holds (--force: though a guard refuses it)',
		operands: '[DIR]',
		operandsMax: 1,
		run: async (command) => (await import('./roles/apply.ts')).runApply(command),
	},
	export: {
		summary: 'write the store out as a zones directory (--force: over what is there)',
		operands: 'DIR',
		operandsMax: 1,
		run: async (command) => (await import('./roles/export.ts')).runExport(command),
	},
	drain: {
		summary: 'keep new answers from a pool, an endpoint or a region (--for 1h, --reason TEXT, --json)',
		operands: 'TARGET',
		operandsMax: 1,
		switches: ['json'],
		options: ['for', 'reason'],
		run: async (command) => (await import('./roles/override.ts')).runOverride(command),
	},
	override: {
		summary: 'show what is overridden, or switch a TARGET up, down, drain, or end that; clear a pool that tripped',
		operands: '[TARGET STATE]',
		operandsMax: 2,
		switches: ['json'],
		options: ['for', 'reason'],
		run: async (command) => (await import('./roles/override.ts')).runOverride(command),
	},
	token: {
		summary: 'tokens of the admin API: create NAME --role ROLE (--zones A,B --expires 90d), list, revoke NAME (--json)',
		operands: 'ACTION [NAME]',
		operandsMax: 2,
		switches: ['json'],
		options: ['role', 'zones', 'expires'],
		run: async (command) => (await import('./roles/token.ts')).runToken(command),
	},
	release: {
		summary: 'give a zone that the store owns back to its files (--reason TEXT, --json)',
		operands: 'ZONE',
		operandsMax: 1,
		switches: ['json'],
		options: ['reason'],
		run: async (command) => (await import('./roles/release.ts')).runRelease(command),
	},
	restore: {
		summary: 'write the newest known state over a store that was lost (--reason TEXT, --json)',
		operands: '',
		switches: ['json'],
		options: ['reason'],
		run: async (command) => (await import('./roles/release.ts')).runRestore(command),
	},
	status: {
		summary:
			'what the store holds, and which instances and probers live; exit 1 when it is lost or unreachable (--json)',
		operands: '',
		switches: ['json'],
		run: async (command) => (await import('./roles/status.ts')).runStatus(command),
	},
};

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
	if (switches.has('help') || name === 'help') return say(usage(), 0);
	if (name === undefined) return misunderstood(usage());
	const role = roleOf(name, operands, [...switches, ...options.keys()]);
	if (typeof role === 'string') return misunderstood(role);
	const { settings, problems } = loadSettings(flags, process.env, file);
	if (problems.length > 0) return misunderstood(problems.map(({ message }) => message).join('\n'));
	keepCompiled();
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
 * Let the modules of a role, and of its threads, be compiled once and not at each start: that is half of its time, and
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
		if ((SWITCHES as readonly string[]).includes(name)) {
			if (value !== undefined) return `Cannot use ${rawName}=${value}: ${rawName} takes no value`;
			switches.add(name);
			continue;
		}
		// Without "=" the next flag would be taken for a value.
		if (value === undefined || (!inlineValue && value.startsWith('--'))) return flagProblem(rawName);
		if (name === 'config') file = value;
		else if ((OPTIONS as readonly string[]).includes(name)) options.set(name, value);
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

function takes({ switches = [], options = [] }: Role, flag: string): boolean {
	return [...switches, ...options].some((own) => own === flag);
}

/** Every setting takes a value, so that `--flag value` and `--flag=value` mean the same. */
function optionShapes(): Record<string, { type: 'string' | 'boolean'; short?: string }> {
	const shapes: Record<string, { type: 'string' | 'boolean'; short?: string }> = { config: { type: 'string' } };
	for (const key of Object.keys(SETTINGS)) shapes[flagOf(key).slice(2)] = { type: 'string' };
	for (const name of SWITCHES) shapes[name] = { type: 'boolean' };
	for (const name of OPTIONS) shapes[name] = { type: 'string' };
	shapes['help'] = { type: 'boolean', short: 'h' };
	return shapes;
}

function flagProblem(flag: string): string {
	const own = [...SWITCHES, ...OPTIONS].map((name) => `--${name}`);
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
		'  --json           print JSON rather than text for people',
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

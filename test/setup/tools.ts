/**
 * The programs outside of npm that tests call, and the Debian packages they come in.
 * Adding one is adding a row to TOOLS; a test finds it with findProgram().
 */

import { spawn } from 'node:child_process';
import { accessSync, constants, globSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Tool {
	readonly program: string;
	/** For what is no program but a part that one loads: a pattern of where Debian puts it. */
	readonly file?: string;
	/** Debian package that holds it. */
	readonly debian: string;
	/** Whether `npm test` fails without it; tests skip, saying so, what needs one that is not required. */
	readonly isRequired: boolean;
	readonly use: string;
}

export const TOOLS: readonly Tool[] = [
	{ program: 'dig', debian: 'bind9-dnsutils', isRequired: true, use: 'asks the server as any resolver would' },
	{ program: 'named-compilezone', debian: 'bind9-utils', isRequired: false, use: 'reads the same master files' },
	{ program: 'named-checkzone', debian: 'bind9-utils', isRequired: false, use: 'finds the same faults in zones' },
	{ program: 'kzonecheck', debian: 'knot-dnssecutils', isRequired: false, use: 'finds the same faults in zones' },
	{ program: 'nsd', debian: 'nsd', isRequired: false, use: 'answers the same questions' },
	{ program: 'knotd', debian: 'knot', isRequired: false, use: 'answers the same questions' },
	{ program: 'unbound', debian: 'unbound', isRequired: false, use: 'resolves names that are delegated to us' },
	{
		program: 'pdns_recursor',
		debian: 'pdns-recursor',
		isRequired: false,
		use: 'resolves names that are delegated to us',
	},
	{ program: 'named', debian: 'bind9', isRequired: false, use: 'answers the same questions' },
	{
		program: 'redis-server',
		debian: 'redis-server',
		isRequired: false,
		use: 'is what a fleet shares its state through',
	},
	{
		program: 'redis-sentinel',
		debian: 'redis-sentinel',
		isRequired: false,
		use: 'chooses another Redis when one is gone',
	},
	{
		program: 'promtool',
		debian: 'prometheus',
		isRequired: false,
		use: 'reads alert rules and metrics as Prometheus does',
	},
	{ program: 'faketime', debian: 'faketime', isRequired: false, use: 'sets the clock of a process' },
	{ program: 'gdnsd', debian: 'gdnsd', isRequired: false, use: 'steers by the same geo map' },
	{
		program: 'geoip.so',
		file: '/usr/lib/*/knot/modules-*/geoip.so',
		debian: 'knot-module-geoip',
		isRequired: false,
		use: 'steers by the same geo map, in Knot',
	},
	{ program: 'pdns_server', debian: 'pdns-server', isRequired: false, use: 'steers by the same geo map' },
	{
		program: 'libgeoipbackend.so',
		file: '/usr/lib/*/pdns/libgeoipbackend.so',
		debian: 'pdns-backend-geoip',
		isRequired: false,
		use: 'steers by the same geo map, in PowerDNS',
	},
];

/** Beside PATH: where Debian keeps daemons, which the PATH of an ordinary user leaves out. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Answers "forbidden" to every package that would start its daemon on installation. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY = '#!/bin/sh\nexit 101\n';

const APT_TIME_LIMIT_MS = 600_000;

/** @returns the absolute path of a program, or of a part named in TOOLS; undefined when it is not on this machine */
export function findProgram(program: string): string | undefined {
	const file = TOOLS.find((tool) => tool.program === program)?.file;
	if (file !== undefined) return globSync(file)[0];
	const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS].filter((folder) => folder !== '');
	return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/**
 * Install what is missing of TOOLS, where that is allowed (root on a machine with apt-get).
 *
 * @param print  told what goes on, a line at a time
 * @returns true when every required tool is there
 */
export async function provideTools(print: (line: string) => void): Promise<boolean> {
	for (const [debian, tools] of Map.groupBy(TOOLS.filter(isMissing), (tool) => tool.debian)) {
		if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) break;
		print(`tools: installing ${debian} for ${tools.map(({ program }) => program).join(', ')}`);
		const problem = await install(debian);
		if (problem !== undefined) print(problem);
	}
	const missing = TOOLS.filter(isMissing);
	for (const { program, debian, isRequired, use } of missing) {
		const need = isRequired ? 'required' : 'optional, its tests are skipped';
		print(`tools: ${program} is missing (${need}): it ${use}. Install it, on Debian with: apt-get install ${debian}`);
	}
	return !missing.some(({ isRequired }) => isRequired);
}

function isMissing({ program }: Tool): boolean {
	return findProgram(program) === undefined;
}

/** @returns what apt-get said, when it failed */
async function install(debian: string): Promise<string | undefined> {
	const lock = ['-o', 'DPkg::Lock::Timeout=300'];
	const attempt = () => aptGet(['-y', ...lock, '--no-install-recommends', 'install', debian]);
	const release = holdDaemons();
	try {
		// The package lists of an image are often absent or old: fetched only when the first attempt shows it.
		if ((await attempt()) === undefined) return undefined;
		await aptGet([...lock, 'update']);
		return await attempt();
	} finally {
		release();
	}
}

function aptGet(args: readonly string[]): Promise<string | undefined> {
	return new Promise((resolve) => {
		const child = spawn('apt-get', args, {
			env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
			stdio: ['ignore', 'pipe', 'pipe'],
			timeout: APT_TIME_LIMIT_MS,
		});
		let output = '';
		const keep = (text: string): void => {
			output += text;
		};
		child.stdout.setEncoding('utf8').on('data', keep);
		child.stderr.setEncoding('utf8').on('data', keep);
		child.on('error', (error) => resolve(`Cannot run apt-get: ${error.message}`));
		child.on('close', (code, signal) => {
			resolve(
				code === 0 ? undefined : `Cannot apt-get ${args.join(' ')} (${signal ?? `exit ${code}`}):\n${output.trim()}`,
			);
		});
	});
}

/**
 * Keep packages from starting their daemons, unless the machine has a policy of its own, which then stands.
 *
 * @returns the function that lifts it; a signal lifts it too, for left behind it would hold every later daemon
 */
function holdDaemons(): () => void {
	try {
		writeFileSync(POLICY_FILE, POLICY, { flag: 'wx', mode: 0o755 });
	} catch {
		return () => {};
	}
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
	const release = (): void => {
		for (const signal of signals) process.off(signal, onSignal);
		rmSync(POLICY_FILE, { force: true });
	};
	const onSignal = (signal: NodeJS.Signals): void => {
		release();
		process.kill(process.pid, signal);
	};
	for (const signal of signals) process.on(signal, onSignal);
	return release;
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return statSync(path).isFile();
	} catch {
		return false;
	}
}

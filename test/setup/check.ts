/**
 * `npm run check`: everything that can be said of the code without running it, in parallel.
 * One line for each check; the whole output of those that failed, and the warnings of those that did not.
 */

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Check {
	readonly name: string;
	/** A program of node_modules/.bin, or `node` for the one that runs this. */
	readonly program: string;
	readonly args: readonly string[];
	/** Found in the output of a success, it has the output shown. */
	readonly warning?: RegExp;
}

interface Outcome {
	readonly check: Check;
	readonly isOk: boolean;
	readonly output: string;
	readonly seconds: string;
}

const CHECKS: readonly Check[] = [
	{ name: 'tsc', program: 'tsc', args: ['-p', '.', '--pretty', 'false'] },
	{
		name: 'biome',
		program: 'biome',
		args: ['check', '--colors=off', '--max-diagnostics=100', '.'],
		warning: /^Found \d+ (?:warning|info)/m,
	},
	{ name: 'knip', program: 'knip', args: ['--no-progress'] },
	{
		name: 'architecture',
		program: 'node',
		args: ['--test', '--test-reporter=dot', 'test/architecture.test.ts'],
	},
];

/** Far above what any of them needs: it only ends one that hangs. */
const TIME_LIMIT_MS = 60_000;

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
// The tools are scripts for "node": let them find the one that runs this, not an older one of the machine.
const path = [dirname(process.execPath), bin, process.env['PATH'] ?? ''].join(delimiter);

function run(check: Check): Promise<Outcome> {
	const startMs = performance.now();
	return new Promise((resolve) => {
		const program = check.program === 'node' ? process.execPath : join(bin, check.program);
		const child = spawn(program, check.args, {
			cwd: root,
			env: { ...process.env, PATH: path },
			stdio: ['ignore', 'pipe', 'pipe'],
			timeout: TIME_LIMIT_MS,
		});
		let output = '';
		const finish = (isOk: boolean, note = ''): void => {
			resolve({ check, isOk, output: output + note, seconds: secondsSince(startMs) });
		};
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
		child.on('error', (error) => finish(false, `Cannot run ${check.program}: ${error.message}; is "npm ci" done?\n`));
		child.on('close', (code, signal) => finish(code === 0, signal === null ? '' : `Ended by ${signal}\n`));
	});
}

function report({ check, isOk, output, seconds }: Outcome): void {
	const hasWarning = isOk && check.warning?.test(output) === true;
	const verdict = isOk ? 'ok' : 'FAILED';
	print(`${verdict.padEnd(7)}${check.name.padEnd(13)}${seconds.padStart(5)} s${hasWarning ? '  with warnings' : ''}\n`);
	if (!isOk || hasWarning) print(`${output.trim().replace(/^(?=.)/gm, '       ')}\n`);
}

function secondsSince(startMs: number): string {
	return ((performance.now() - startMs) / 1000).toFixed(1);
}

function print(text: string): void {
	process.stdout.write(text);
}

const startMs = performance.now();
print(`check: ${CHECKS.map(({ name }) => name).join(', ')} on ${availableParallelism()} cores\n`);
const outcomes = await Promise.all(CHECKS.map(run));
for (const outcome of outcomes) report(outcome);
const failed = outcomes.filter(({ isOk }) => !isOk).map(({ check }) => check.name);
print(`check: ${failed.length === 0 ? 'all ok' : `FAILED: ${failed.join(', ')}`} in ${secondsSince(startMs)} s\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

/**
 * A whole server under load, one thread that answers, once for each transport: what an answered query costs it, from
 * the processor time that the kernel counts, and how long answers take at a fixed rate.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ended } from '../setup/ended.ts';
import { freePort } from '../setup/free-port.ts';
import type { LoadResult } from './load.ts';

export interface TransportCost {
	readonly transport: string;
	readonly usPerQuery: number;
	readonly userUsPerQuery: number;
	readonly closed: LoadResult;
	readonly open: LoadResult;
}

/** The example zone: two thirds of the answers are steered by the client's network. */
const QUESTIONS = ['www.example.org A', 'www.example.org AAAA', 'mail.example.org A'];
const RUN_SEC = 4;
const RATE = 20_000;
const START_MS_MAX = 20_000;
/** Clock ticks of /proc/PID/stat, which Linux gives as 100 a second to every user. */
const US_PER_TICK = 10_000;

const root = fileURLToPath(new URL('../..', import.meta.url));

async function measure(transport: string): Promise<TransportCost> {
	const stateDir = mkdtempSync(join(tmpdir(), 'meridian-bench-'));
	const port = await freePort();
	const args = ['--dns-transport', transport, '--dns-listen', `127.0.0.1:${port}`, '--dns-workers', '1'];
	const more = ['--admin-listen', '127.0.0.1:0', '--state-dir', stateDir, '--log-level', 'error'];
	const server = spawn(process.execPath, [join(root, 'src/main.ts'), 'serve', ...args, ...more], {
		cwd: root,
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	try {
		await screenOf(server.stdout);
		const pid = server.pid ?? 0;
		load(port, '--threads', '2', '--seconds', '2');
		const before = processorUs(pid);
		const closed = load(port, '--threads', '2', '--seconds', String(RUN_SEC));
		const after = processorUs(pid);
		const open = load(port, '--rate', String(RATE), '--seconds', String(RUN_SEC));
		const userUsPerQuery = (after.user - before.user) / closed.answered;
		const usPerQuery = userUsPerQuery + (after.system - before.system) / closed.answered;
		return { transport, usPerQuery, userUsPerQuery, closed, open };
	} finally {
		await ended(server);
		rmSync(stateDir, { recursive: true, force: true });
	}
}

/** The start screen is printed once the server answers. */
async function screenOf(stdout: NodeJS.ReadableStream): Promise<void> {
	const giveUp = AbortSignal.timeout(START_MS_MAX);
	await new Promise<void>((resolve, reject) => {
		giveUp.addEventListener('abort', () => reject(new Error('Cannot measure: the server does not start')));
		stdout.once('end', () => reject(new Error('Cannot measure: the server has ended')));
		stdout.once('data', () => resolve());
	});
	stdout.resume();
}

function load(port: number, ...options: readonly string[]): LoadResult {
	const names = QUESTIONS.flatMap((question) => ['--name', question]);
	const script = join(root, 'test/bench/load.ts');
	const { status, stdout, stderr } = spawnSync(process.execPath, [script, `127.0.0.1:${port}`, ...names, ...options], {
		encoding: 'utf8',
	});
	if (status !== 0) throw new Error(`Cannot measure: ${stderr}${stdout}`);
	return JSON.parse(stdout);
}

function processorUs(pid: number): { readonly user: number; readonly system: number } {
	// The second column, the command, may hold blanks; what is behind it is plain.
	const columns = readFileSync(`/proc/${pid}/stat`, 'utf8')
		.replace(/^.*\) /s, '')
		.split(' ');
	return { user: US_PER_TICK * Number(columns[11]), system: US_PER_TICK * Number(columns[12]) };
}

const costs: TransportCost[] = [];
for (const transport of ['batch', 'dgram']) costs.push(await measure(transport));
process.stdout.write(`${JSON.stringify(costs)}\n`);

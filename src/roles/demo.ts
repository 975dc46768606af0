/**
 * The demo: one small backend, a process of its own, for each loopback check in the zones directory.
 * For the example zones only; a real zones directory checks real machines.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadDirectory, readCommon, readZone } from '../config/zones-directory.ts';
import type { Log } from '../lib/ports.ts';
import { parsePrefix } from '../lib/prefix.ts';
import type { Settings } from '../model/settings.ts';
import type { PoolDocument } from '../model/steering.ts';
import { holderOf } from './port-holder.ts';

const BACKEND = fileURLToPath(new URL('./demo-backend.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const LOOPBACK = '127.0.0.1';
const STOP_MS_MAX = 2000;

export interface DemoBackend {
	readonly pool: string;
	readonly port: number;
	/** Undefined when it could not start. */
	readonly pid: number | undefined;
	/** Why it could not start. */
	readonly problem: string | undefined;
	/** A line for a shell that brings it up again. */
	readonly restartCommand: string;
}

export interface Demo {
	readonly backends: readonly DemoBackend[];
	/** The settings, with leave to probe the backends. */
	readonly settings: Settings;
	/** End the backends that still run. */
	stop(): Promise<void>;
}

/** Start the backends; one whose port is taken is left to whoever has it. */
export async function startDemo(settings: Settings, log: Log): Promise<Demo> {
	const allowed = parsePrefix(`${LOOPBACK}/32`);
	if (typeof allowed === 'string') throw new Error(allowed);
	const children: ChildProcess[] = [];
	const backends = await Promise.all(
		loopbackChecks(settings.zonesDir).map(async ({ pool, port }): Promise<DemoBackend> => {
			const child = spawn(process.execPath, [BACKEND, String(port), pool], {
				stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
			});
			children.push(child);
			const isUp = await hasStarted(child);
			const problem = isUp ? undefined : `Cannot listen on ${LOOPBACK}:${port}${inUse(port)}`;
			if (!isUp) log.warn({ pool, port, reason: problem }, 'the demo backend did not start');
			return { pool, port, pid: isUp ? child.pid : undefined, problem, restartCommand: commandFor(port, pool) };
		}),
	);
	return {
		backends,
		settings: { ...settings, 'probe.allow': [...settings['probe.allow'], allowed] },
		stop: async () => {
			await Promise.all(children.map(stopped));
		},
	};
}

function inUse(port: number): string {
	const holder = holderOf(LOOPBACK, port);
	return holder === '' ? '' : `: it is in use${holder}`;
}

/** Short where it can be: in the project's own directory, with the node that npm put there. */
function commandFor(port: number, pool: string): string {
	const isAtHome = realpath(process.cwd()) === realpath(PROJECT);
	const ownNode = 'node_modules/.bin/node';
	const hasOwnNode = realpath(join(PROJECT, ownNode)) === realpath(process.execPath);
	const node = isAtHome && hasOwnNode ? ownNode : process.execPath;
	const words = [node, isAtHome ? 'src/roles/demo-backend.ts' : BACKEND, String(port), pool];
	return `${words.map(shellWord).join(' ')} &`;
}

function realpath(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return path;
	}
}

function shellWord(text: string): string {
	return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Pools that are checked on loopback, with the port; each port once. */
function loopbackChecks(zonesDir: string): { readonly pool: string; readonly port: number }[] {
	const ports = new Map<number, string>();
	let pools: (readonly [string, PoolDocument])[];
	try {
		const { common, zones } = loadDirectory(zonesDir);
		const units = [readCommon(common), ...zones.map(readZone)];
		pools = units.flatMap((unit) => ('unit' in unit ? [...unit.steering.pools] : []));
	} catch {
		// The instance will say what is wrong with the directory.
		return [];
	}
	for (const [pool, { endpoints }] of pools) {
		for (const { check } of endpoints) {
			if (check?.address === LOOPBACK && check.port !== undefined && !ports.has(check.port))
				ports.set(check.port, pool);
		}
	}
	return [...ports].map(([port, pool]) => ({ pool, port }));
}

/** A backend says when it listens, and ends when it cannot. */
function hasStarted(child: ChildProcess): Promise<boolean> {
	return new Promise((resolve) => {
		child.once('message', () => resolve(true));
		child.once('exit', () => resolve(false));
		child.once('error', () => resolve(false));
	});
}

function stopped(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
	return new Promise((resolve) => {
		const giveUp = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
		child.once('exit', () => {
			clearTimeout(giveUp);
			resolve();
		});
		child.kill('SIGTERM');
		// A stopped process takes no SIGTERM until it goes on.
		child.kill('SIGCONT');
	});
}

/**
 * The demo: one small backend, a process of its own, for each loopback check in the zones directory.
 * For the example zones only; a real zones directory checks real machines.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loadDirectory, readCommon, readZone } from '../config/zones-directory.ts';
import type { Log } from '../lib/ports.ts';
import { parsePrefix } from '../lib/prefix.ts';
import type { Settings } from '../model/settings.ts';
import type { PoolDocument } from '../model/steering.ts';

const BACKEND = fileURLToPath(new URL('./demo-backend.ts', import.meta.url));
const LOOPBACK = '127.0.0.1';

export interface DemoBackend {
	readonly pool: string;
	readonly port: number;
	readonly pid: number;
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
	const children: ChildProcess[] = [];
	const backends: DemoBackend[] = [];
	for (const { pool, port } of loopbackChecks(settings.zonesDir)) {
		const child = spawn(process.execPath, [BACKEND, String(port), pool], { stdio: ['ignore', 'pipe', 'ignore'] });
		children.push(child);
		const isUp = await hasStarted(child);
		const restartCommand = `${process.execPath} ${BACKEND} ${port} ${pool} &`;
		if (isUp && child.pid !== undefined) backends.push({ pool, port, pid: child.pid, restartCommand });
		else log.warn({ pool, port }, 'the demo backend did not start; something else may have its port');
	}
	const allowed = parsePrefix(`${LOOPBACK}/32`);
	if (typeof allowed === 'string') throw new Error(allowed);
	return {
		backends,
		settings: { ...settings, 'probe.allow': [...settings['probe.allow'], allowed] },
		stop: async () => {
			await Promise.all(children.map(stopped));
		},
	};
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

/** A backend prints one line when it listens, and ends when it cannot. */
function hasStarted(child: ChildProcess): Promise<boolean> {
	return new Promise((resolve) => {
		child.stdout?.once('data', () => resolve(true));
		child.once('exit', () => resolve(false));
		child.once('error', () => resolve(false));
	});
}

function stopped(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
	return new Promise((resolve) => {
		child.once('exit', () => resolve());
		child.kill('SIGTERM');
		// A stopped process takes no SIGTERM until it goes on.
		child.kill('SIGCONT');
	});
}

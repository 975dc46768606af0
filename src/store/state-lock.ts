/**
 * One process per state directory: a lock file that names its holder. A holder that is gone, however it went,
 * holds nothing: the file of a dead process is taken over.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface StateLock {
	release(): void;
}

interface Holder {
	readonly pid: number;
	/** When the kernel started it, so that a pid used again is not taken for the old process. */
	readonly startTicks: string;
}

const TRIES = 5;

/** @throws Error that names the process that holds the directory, or says why it cannot be written */
export function lockState(stateDir: string): StateLock {
	const path = join(stateDir, 'lock');
	try {
		mkdirSync(stateDir, { recursive: true, mode: 0o755 });
	} catch (cause) {
		throw new Error(`Cannot make the state directory ${stateDir}: ${(cause as Error).message}`, { cause });
	}
	const own: Holder = { pid: process.pid, startTicks: startTicksOf(process.pid) ?? '' };
	for (let tries = 0; tries < TRIES; tries++) {
		try {
			writeFileSync(path, JSON.stringify(own), { flag: 'wx', mode: 0o644 });
			return { release: () => rmSync(path, { force: true }) };
		} catch (cause) {
			if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
				throw new Error(`Cannot lock the state directory ${stateDir}: ${(cause as Error).message}`, { cause });
			}
		}
		const holder = readHolder(path);
		if (holder !== undefined && isAlive(holder)) {
			throw new Error(`Cannot use the state directory ${stateDir}: process ${holder.pid} uses it`);
		}
		rmSync(path, { force: true });
	}
	throw new Error(`Cannot lock the state directory ${stateDir}: others take it again and again`);
}

function readHolder(path: string): Holder | undefined {
	try {
		const holder: unknown = JSON.parse(readFileSync(path, 'utf8'));
		if (typeof holder !== 'object' || holder === null || !('pid' in holder) || typeof holder.pid !== 'number')
			return undefined;
		return { pid: holder.pid, startTicks: 'startTicks' in holder ? String(holder.startTicks) : '' };
	} catch {
		// Half written by a process that died, or removed in the meantime.
		return undefined;
	}
}

function isAlive({ pid, startTicks }: Holder): boolean {
	try {
		process.kill(pid, 0);
	} catch (error) {
		// A process of somebody else is alive too.
		if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
	}
	const ticks = startTicksOf(pid);
	return ticks === undefined || startTicks === '' || ticks === startTicks;
}

/** Field 22 of /proc/PID/stat; undefined where there is none. The second field may hold spaces, so counting starts behind it. */
function startTicksOf(pid: number): string | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
	} catch {
		return undefined;
	}
}

/**
 * One process per state directory: a lock file that names its holder. A holder that is gone, however it went,
 * holds nothing: the file of a dead process is taken over.
 */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from './make-directory.ts';

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
		makeDirectory(stateDir, 0o755);
	} catch (cause) {
		throw new Error(`Cannot make the state directory ${stateDir}: ${(cause as Error).message}`, { cause });
	}
	const own = JSON.stringify({ pid: process.pid, startTicks: statOf(process.pid)?.startTicks ?? '' } satisfies Holder);
	for (let tries = 0; tries < TRIES; tries++) {
		try {
			writeFileSync(path, own, { flag: 'wx', mode: 0o644 });
			return { release: () => removeIf(path, own) };
		} catch (cause) {
			if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
				throw new Error(`Cannot lock the state directory ${stateDir}: ${(cause as Error).message}`, { cause });
			}
		}
		const found = readText(path);
		// Removed in the meantime.
		if (found === undefined) continue;
		const holder = holderOf(found);
		if (holder !== undefined && isAlive(holder)) {
			throw new Error(`Cannot use the state directory ${stateDir}: process ${holder.pid} uses it`);
		}
		removeIf(path, found);
	}
	throw new Error(`Cannot lock the state directory ${stateDir}: others take it again and again`);
}

/**
 * Remove the lock file if it still says `text`. Moved away first and looked at then, since between a look and a
 * removal another process may have put its own lock there; that one is put back.
 */
function removeIf(path: string, text: string): void {
	const aside = `${path}.${process.pid}`;
	try {
		renameSync(path, aside);
		if (readText(aside) !== text) linkSync(aside, path);
	} catch {
		// Somebody else has removed it, or has the lock by now.
	}
	rmSync(aside, { force: true });
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}

/** Undefined when it is no holder: half written by a process that died. */
function holderOf(text: string): Holder | undefined {
	try {
		const holder: unknown = JSON.parse(text);
		if (typeof holder !== 'object' || holder === null || !('pid' in holder) || !isPid(holder.pid)) return undefined;
		return { pid: holder.pid, startTicks: 'startTicks' in holder ? String(holder.startTicks) : '' };
	} catch {
		return undefined;
	}
}

function isPid(value: unknown): value is number {
	return typeof value === 'number' && Number.isInteger(value) && value > 0;
}

function isAlive({ pid, startTicks }: Holder): boolean {
	try {
		process.kill(pid, 0);
	} catch (error) {
		// A process of somebody else is alive too.
		if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
	}
	const stat = statOf(pid);
	if (stat === undefined) return true;
	// A zombie has ended; only its parent does not know yet.
	return stat.state !== 'Z' && (startTicks === '' || stat.startTicks === startTicks);
}

/** Fields 3 and 22 of /proc/PID/stat; undefined where there is none. The second field may hold spaces, so counting starts behind it. */
function statOf(pid: number): { readonly state: string; readonly startTicks: string } | undefined {
	const text = readText(`/proc/${pid}/stat`);
	if (text === undefined) return undefined;
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return { state: fields[0] ?? '', startTicks: fields[19] ?? '' };
}

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

/** Of locks in the way of one another; each deeper one is there only when a process died within a moment. */
const DEPTH_MAX = 4;

/** @throws Error that names the process that holds the directory, or says why it cannot be written */
export function lockState(stateDir: string): StateLock {
	const path = join(stateDir, 'lock');
	try {
		makeDirectory(stateDir, 0o755);
	} catch (cause) {
		throw new Error(`Cannot make the state directory ${stateDir}: ${(cause as Error).message}`, { cause });
	}
	const own = JSON.stringify({ pid: process.pid, startTicks: statOf(process.pid)?.startTicks ?? '' } satisfies Holder);
	let holder: Holder | undefined;
	try {
		holder = take(path, own, 0);
	} catch (cause) {
		throw new Error(`Cannot lock the state directory ${stateDir}: ${(cause as Error).message}`, { cause });
	}
	if (holder !== undefined)
		throw new Error(`Cannot use the state directory ${stateDir}: process ${holder.pid} uses it`);
	return { release: () => release(path, own) };
}

/**
 * Take a lock. It appears whole, by a link, so whoever reads one reads a name. That of a dead process is replaced by a
 * rename, while a lock beside it keeps others from doing the same: so at no time can two believe that they hold it.
 *
 * @returns undefined when it is ours, else who holds it
 * @throws the runtime's error when it cannot be written
 */
function take(path: string, own: string, depth: number): Holder | undefined {
	const fresh = `${path}.${process.pid}`;
	writeFileSync(fresh, own, { mode: 0o644 });
	try {
		for (;;) {
			try {
				linkSync(fresh, path);
				return undefined;
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
			}
			const found = readText(path);
			// Released in the meantime.
			if (found === undefined) continue;
			const holder = holderOf(found);
			if (holder !== undefined && isAlive(holder)) return holder;
			if (depth >= DEPTH_MAX) throw new Error(`${path} is of a process that is gone, and so are ${depth} beside it`);
			const other = take(`${path}.over`, own, depth + 1);
			if (other !== undefined) return other;
			try {
				if (readText(path) === found) {
					renameSync(fresh, path);
					return undefined;
				}
			} finally {
				release(`${path}.over`, own);
			}
		}
	} finally {
		rmSync(fresh, { force: true });
	}
}

/** Nobody else touches the lock of a process that lives. */
function release(path: string, own: string): void {
	if (readText(path) === own) rmSync(path, { force: true });
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

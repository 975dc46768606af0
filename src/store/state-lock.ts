/**
 * One process per state directory: a lock file that names its holder. A holder that is gone, however it went,
 * holds nothing: the file of a dead process is taken over.
 */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from './make-directory.ts';

export interface StateLock {
	/** Why the directory is not locked; undefined when it is. */
	readonly problem: string | undefined;
	release(): void;
}

export interface LockOptions {
	/** Nothing there is the truth of anything: where nobody can write the process goes on, and locks it when it can. */
	readonly isCache?: boolean;
	readonly retryMs?: number;
}

interface Holder {
	readonly pid: number;
	/** When the kernel started it, so that a pid used again is not taken for the old process. */
	readonly startTicks: string;
}

/** Of locks in the way of one another; each deeper one is there only when a process died within a moment. */
const DEPTH_MAX = 4;
const RETRY_MS = 1000;
/** No room, or a file system that was made read only: nobody else can write there either. */
const UNWRITABLE = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/** @throws Error that names the process that holds the directory, or says why it cannot be written */
export function lockState(stateDir: string, { isCache = false, retryMs = RETRY_MS }: LockOptions = {}): StateLock {
	try {
		makeDirectory(stateDir, 0o755);
	} catch (cause) {
		throw new Error(`Cannot make the state directory ${stateDir}: ${(cause as Error).message}`, { cause });
	}
	const path = join(stateDir, 'lock');
	const own = JSON.stringify({ pid: process.pid, startTicks: statOf(process.pid)?.startTicks ?? '' } satisfies Holder);
	let problem = attempt(stateDir, path, own, isCache);
	let timer: NodeJS.Timeout | undefined;
	const tryAgain = () => {
		try {
			problem = attempt(stateDir, path, own, true);
			if (problem === undefined) clearInterval(timer);
		} catch (error) {
			problem = (error as Error).message;
		}
	};
	if (problem !== undefined) timer = setInterval(tryAgain, retryMs).unref();
	return {
		get problem() {
			return problem;
		},
		release: () => {
			clearInterval(timer);
			release(path, own);
		},
	};
}

/**
 * @returns why it is not locked, where that may be; undefined when it is
 * @throws Error
 */
function attempt(stateDir: string, path: string, own: string, isCache: boolean): string | undefined {
	let holder: Holder | undefined;
	let problem: string | undefined;
	try {
		holder = take(path, own, 0);
	} catch (cause) {
		const { message, code } = cause as NodeJS.ErrnoException;
		problem = `Cannot lock the state directory ${stateDir}: ${message}`;
		if (!isCache || code === undefined || !UNWRITABLE.has(code)) throw new Error(problem, { cause });
		const found = holderOf(readText(path) ?? '');
		if (found !== undefined && isAlive(found)) holder = found;
	}
	if (holder !== undefined)
		throw new Error(`Cannot use the state directory ${stateDir}: process ${holder.pid} uses it`);
	return problem;
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
	try {
		writeFileSync(fresh, own, { mode: 0o644 });
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
		drop(fresh);
	}
}

function drop(path: string): void {
	try {
		rmSync(path, { force: true });
	} catch {
		// What cannot be removed could not be written either.
	}
}

/** Nobody else touches the lock of a process that lives. */
function release(path: string, own: string): void {
	if (readText(path) === own) drop(path);
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

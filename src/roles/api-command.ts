/**
 * What commands that work over the admin API have in common: words for what went wrong, times.
 */

import { ApiAbsent, ApiRefused } from './api-client.ts';
import type { Command } from './command.ts';

/** @returns the exit code: 2 for a request that was none, else 1 */
export function failureOf({ printError, isJson, print }: Command, error: unknown): number {
	if (isJson && error instanceof ApiRefused) print(JSON.stringify(error.problem, undefined, 2));
	if (error instanceof ApiAbsent)
		printError(`${error.message}: is it running, and is admin.url or admin.listen right?`);
	else printError((error as Error).message);
	const hint = hintOf(error);
	if (hint !== undefined) printError(hint);
	return error instanceof ApiRefused && error.status === 400 ? 2 : 1;
}

/** What to do about an error of the API, where that is known. */
export function hintOf(error: unknown): string | undefined {
	if (!(error instanceof ApiRefused) || error.status !== 401) return undefined;
	return 'Set MERIDIAN_ADMIN_TOKEN, or name with --state-dir the directory whose admin-token this user may read';
}

export function misunderstood({ name, printError }: Command, what: string): number {
	printError(`Cannot run ${name}: ${what}`);
	return 2;
}

/** How long until a time, in its two largest units; `0s` for what is past. */
export function timeLeft(time: string): string {
	let left = Math.max(0, Math.round((Date.parse(time) - Date.now()) / 1000));
	const parts: string[] = [];
	for (const [unit, seconds] of UNITS) {
		if (left < seconds && !(unit === 's' && parts.length === 0)) continue;
		parts.push(`${Math.floor(left / seconds)}${unit}`);
		left %= seconds;
	}
	return parts.slice(0, 2).join(' ');
}

const UNITS = [
	['d', 86_400],
	['h', 3600],
	['m', 60],
	['s', 1],
] as const;

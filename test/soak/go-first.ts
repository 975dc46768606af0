/**
 * Before other work on the machine, where that is allowed, so that a measurement is not of what else runs.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Nice value. */
const PRIORITY = -15;
/** Where Linux schedules sessions against one another, nice values count within a session only (sched(7)). */
const SESSION_FILE = '/proc/self/autogroup';

/** Go first; processes and threads that are started from now on do so too. Returns the function that ends it. */
export function goFirst(): () => void {
	const before = getPriority();
	const sessionBefore = sessionPriority();
	try {
		setPriority(PRIORITY);
		if (sessionBefore !== undefined) writeFileSync(SESSION_FILE, String(PRIORITY));
	} catch {
		return () => {};
	}
	return () => {
		setPriority(before);
		if (sessionBefore !== undefined) writeFileSync(SESSION_FILE, String(sessionBefore));
	};
}

function sessionPriority(): number | undefined {
	try {
		return Number(/ nice (-?\d+)$/m.exec(readFileSync(SESSION_FILE, 'latin1'))?.[1] ?? Number.NaN) || 0;
	} catch {
		return undefined;
	}
}

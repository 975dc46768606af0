/**
 * What the thread that builds and the one that reads a prober's targets have in common. Both take units of a store, and
 * neither holds up the main thread: it hands over no more than it can clone in a moment, and it alone has the log.
 */

import { setPriority } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Log } from '../lib/ports.ts';
import type { UnitItem } from './stored-units.ts';

/** Units in one message: cloning them is the main thread's work. */
const UNITS_MAX = 500;
const OCTETS_PER_MB = 1024 * 1024;
/** Behind the threads that answer, and the one that checks, where a processor is short. */
const NICENESS = 5;

/** To the thread: units of the store, as far as they have changed. */
export interface UnitsMessage {
	readonly kind: 'units';
	readonly changed: readonly UnitItem[];
	readonly removed: readonly string[];
}

/** To the thread: nothing is known of the store. */
export interface UnknownMessage {
	readonly kind: 'unknown';
	readonly reason: string;
}

/** From the thread: a line for the log. */
export interface LogMessage {
	readonly kind: 'log';
	readonly level: 'info' | 'warn' | 'error';
	readonly fields: Readonly<Record<string, unknown>>;
	readonly message: string;
}

/** At least one message, in their order. */
export function unitMessages(changed: readonly UnitItem[], removed: readonly string[]): readonly UnitsMessage[] {
	const messages: UnitsMessage[] = [{ kind: 'units', changed: changed.slice(0, UNITS_MAX), removed }];
	for (let at = UNITS_MAX; at < changed.length; at += UNITS_MAX)
		messages.push({ kind: 'units', changed: changed.slice(at, at + UNITS_MAX), removed: [] });
	return messages;
}

/** What the process could take for itself: a thread with a limit of its own ends alone when it is used up. */
export function heapMbMax(): number {
	return Math.floor(getHeapStatistics().heap_size_limit / OCTETS_PER_MB);
}

/** The log as the thread has it. */
export function logOver(tell: (message: LogMessage) => void): Log {
	const at = (level: LogMessage['level']) => (fields: LogMessage['fields'], message: string) =>
		tell({ kind: 'log', level, fields, message });
	return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** On Linux a thread has a priority of its own; elsewhere that would be the priority of the whole process. */
export function standBack(): void {
	if (process.platform !== 'linux') return;
	try {
		setPriority(NICENESS);
	} catch {
		// It is no more than a courtesy.
	}
}

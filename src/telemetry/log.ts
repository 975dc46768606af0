/**
 * The log: one JSON object a line on standard error. Standard output belongs to what a command prints for people.
 */

import { destination, pino } from 'pino';
import type { Log } from '../lib/ports.ts';

export interface ProcessLog extends Log {
	/** Write what is still held; for the end of the process. */
	flush(): void;
}

export function createLog(level: string): ProcessLog {
	const log = pino({ level, base: { pid: process.pid } }, destination({ fd: 2, sync: true }));
	return {
		info: (fields, message) => log.info(fields, message),
		warn: (fields, message) => log.warn(fields, message),
		error: (fields, message) => log.error(fields, message),
		flush: () => log.flush(),
	};
}

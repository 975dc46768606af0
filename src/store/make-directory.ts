/**
 * A directory with those above it. The runtime's own recursive form turns in circles for ever where a file system
 * answers ENOENT to making an entry in a folder that is there (/proc does).
 */

import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** @throws the runtime's error when it cannot be made */
export function makeDirectory(path: string, mode: number): void {
	const missing: string[] = [];
	for (let at = resolve(path); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at))
		missing.push(at);
	for (const at of missing.reverse()) {
		try {
			mkdirSync(at, { mode });
		} catch (error) {
			// Another process may have been faster.
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		}
	}
}

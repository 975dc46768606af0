/**
 * Ending a process that a test started.
 */

import type { ChildProcess } from 'node:child_process';

const PATIENCE_MS = 5000;

/** Ask it to end, and make it after a while; settles when it has. */
export function ended(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
	return new Promise((resolve) => {
		const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
		child.once('exit', () => {
			clearTimeout(kill);
			resolve();
		});
		child.kill('SIGTERM');
	});
}

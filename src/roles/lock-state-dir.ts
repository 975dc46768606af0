import type { Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { lockState, type StateLock } from '../store/state-lock.ts';

/**
 * Lock the state directory of a process that answers or checks.
 * @throws Error that names the process that holds the directory, or says why it cannot be written
 */
export function lockStateDir(settings: Settings, log: Log): StateLock {
	// With Redis all that stands there is kept for the next start.
	const lock = lockState(settings.stateDir, { isCache: settings['redis.url'] !== '' });
	if (lock.problem !== undefined) log.error({ reason: lock.problem }, 'nothing is kept for the next start');
	return lock;
}

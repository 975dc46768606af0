/**
 * A command that works on the store: Redis where `redis.url` names one, else that of the state directory, which no
 * other process may be using.
 */

import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/ports.ts';
import { lockState } from '../store/state-lock.ts';
import { createLog } from '../telemetry/log.ts';
import type { Command } from './command.ts';

/** @returns the exit code: 1 when the store cannot be used, which is told */
export async function withStore(
	{ settings, printError }: Pick<Command, 'settings' | 'printError'>,
	work: (store: Store) => Promise<number>,
): Promise<number> {
	const log = createLog(settings['log.level']);
	try {
		const lock = settings['redis.url'] === '' ? lockState(settings.stateDir) : undefined;
		try {
			const store = await openStore(settings, log);
			try {
				return await work(store);
			} finally {
				await store.close();
			}
		} finally {
			lock?.release();
		}
	} catch (error) {
		printError((error as Error).message);
		return 1;
	}
}

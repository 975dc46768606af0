/**
 * The store that the settings name: Redis where there is one, else the one of this process.
 */

import { readFileSync } from 'node:fs';
import type { Log } from '../lib/ports.ts';
import { parseRedisAddress } from '../lib/redis-address.ts';
import type { Settings } from '../model/settings.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import type { Store } from './ports.ts';
import { openRedisStore } from './redis-store.ts';

/**
 * Open it. The embedded one wants its state directory locked by the caller.
 * @throws Error when the embedded one, or the file of authorities, cannot be read
 */
export async function openStore(settings: Settings, log: Log): Promise<Store> {
	const address = parseRedisAddress(settings['redis.url']);
	if (address === undefined) return openEmbeddedStore(settings.stateDir, log);
	return openRedisStore({
		address,
		ca: readAuthorities(settings['redis.ca']),
		prefix: settings['redis.prefix'],
		fleetKeys: settings['fleet.key'],
		log,
	});
}

function readAuthorities(path: string): string | undefined {
	if (path === '') return undefined;
	try {
		return readFileSync(path, 'utf8');
	} catch (cause) {
		throw new Error(`Cannot read the authorities of redis.ca: ${(cause as Error).message}`, { cause });
	}
}

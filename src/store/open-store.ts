/**
 * The store that the settings name: Redis where there is one, else the one of this process.
 */

import { readFileSync } from 'node:fs';
import type { Log } from '../lib/ports.ts';
import { parseRedisAddress, printRedisAddress, type RedisAddress } from '../lib/redis-address.ts';
import type { Settings } from '../model/settings.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { KnownConfiguration } from './known-configuration.ts';
import type { Store } from './ports.ts';
import { openRedisStore, type RedisStoreParts } from './redis-store.ts';

/**
 * Open it. The embedded one wants its state directory locked by the caller.
 * @throws Error when the embedded one, or the file of authorities, cannot be read
 */
export async function openStore(settings: Settings, log: Log): Promise<Store> {
	const address = parseRedisAddress(settings['redis.url']);
	if (address === undefined) return openEmbeddedStore(settings.stateDir, log);
	return openRedisStore(redisParts(address, settings, log));
}

/**
 * The same, for a process that goes on from the last generation it has seen, whatever has become of Redis meanwhile.
 * The state directory is locked by the caller.
 * @throws Error
 */
export async function openKnownStore(settings: Settings, log: Log): Promise<Store> {
	const address = parseRedisAddress(settings['redis.url']);
	if (address === undefined) return openEmbeddedStore(settings.stateDir, log);
	// Another store has another past.
	const identity = `${printRedisAddress(address)} ${settings['redis.prefix']}`;
	const kept = new KnownConfiguration(settings.stateDir, identity, log);
	const known = kept.load();
	const parts = redisParts(address, settings, log);
	const store = await openRedisStore(known === undefined ? parts : { ...parts, known });
	if (store.configuration !== known) kept.save(store.configuration);
	store.watch((hint) => {
		if (hint === 'configuration') kept.save(store.configuration);
	});
	return store;
}

function redisParts(address: RedisAddress, settings: Settings, log: Log): RedisStoreParts {
	return {
		address,
		ca: readAuthorities(settings['redis.ca']),
		prefix: settings['redis.prefix'],
		fleetKeys: settings['fleet.key'],
		log,
	};
}

function readAuthorities(path: string): string | undefined {
	if (path === '') return undefined;
	try {
		return readFileSync(path, 'utf8');
	} catch (cause) {
		throw new Error(`Cannot read the authorities of redis.ca: ${(cause as Error).message}`, { cause });
	}
}

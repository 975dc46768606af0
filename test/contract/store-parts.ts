/**
 * What tests of stores put into them, and a log that remembers.
 */

import assert from 'node:assert/strict';
import type { Log } from '../../src/lib/ports.ts';
import { parseRedisAddress } from '../../src/lib/redis-address.ts';
import type { Change, Unit } from '../../src/store/item.ts';
import type { Commit, InstanceNote, Publication, Reason, Store } from '../../src/store/ports.ts';
import { openRedisStore, type RedisStoreParts } from '../../src/store/redis-store.ts';
import type { Timing } from '../../src/store/timing.ts';

export const FLEET_KEY = 'a-key-of-sixteen-and-more';
export const PREFIX = 'meridian:';
export const BY_TEST: Reason = { author: 'tester', reason: 'a test' };

/** As in a fleet, but ten times as fast; what waits for a machine that is busy with other tests is not. */
export const FAST: Timing = {
	leaseMs: 1000,
	beatMs: 100,
	resyncMs: 1000,
	commandTimeoutMs: 1500,
	connectTimeoutMs: 2000,
	retryMs: 300,
};

export interface LoggedLine {
	readonly level: 'info' | 'warn' | 'error';
	readonly fields: Readonly<Record<string, unknown>>;
	readonly message: string;
}

export function memoryLog(): Log & { readonly lines: readonly LoggedLine[] } {
	const lines: LoggedLine[] = [];
	const at = (level: LoggedLine['level']) => (fields: LoggedLine['fields'], message: string) => {
		lines.push({ level, fields, message });
	};
	return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

export function openRedis(url: string, parts: Partial<RedisStoreParts> = {}): Promise<Store> {
	const address = parseRedisAddress(url);
	assert(address !== undefined, url);
	const base = { address, ca: undefined, prefix: PREFIX, fleetKeys: [FLEET_KEY], log: memoryLog(), timing: FAST };
	return openRedisStore({ ...base, ...parts });
}

export function unit(zone: string, more: Partial<Unit> = {}): Unit {
	return { zone, includes: undefined, steering: { kind: 'text', text: 'pools: {}\n' }, owner: 'store', ...more };
}

export function put(name: string, zone: string): Change {
	return { kind: 'unit', name, content: unit(zone) };
}

/** Commit onto what the store holds. */
export async function commitTo(store: Store, changes: readonly Change[], more: Partial<Commit> = {}): Promise<void> {
	const expected = store.configuration.head;
	const result = await store.commit({ expected, changes, ...BY_TEST, ...more });
	assert.equal(result.kind, 'committed');
}

/** Text of the zone that a store holds. */
export function zoneOf(store: Store, name: string): string | undefined {
	const item = store.configuration.items.get(`unit:${name}`);
	return item?.kind === 'unit' ? item.content.zone : undefined;
}

export const NOTE: InstanceNote = {
	...{ instance: 'dns-1', role: 'serve', version: '1.2.3', region: 'eu-west', epoch: 1, generation: 7 },
};

export function publication(vote: 'up' | 'down', ...keys: readonly string[]): Publication {
	const nowMs = performance.now();
	return {
		votes: new Map(keys.map((key) => [key, { vote, sinceMs: nowMs - 5000, checkedMs: nowMs - 100 }])),
		roundTripMs: new Map([['192.0.2.1', 12.5]]),
	};
}

/**
 * The health that an instance has, by its role.
 *
 * | process          | votes of                                   | probes itself                |
 * |------------------|--------------------------------------------|------------------------------|
 * | `serve`          | nobody                                     | no                           |
 * | `start`          | its own prober                             | yes                          |
 * | with `redis.url` | all probers of the fleet                   | `start`, and tells the fleet |
 */

import type { VerdictTable } from '../health/verdict-table.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import type { Store } from '../store/ports.ts';
import { createChecking } from './checking.ts';
import type { Closers } from './closers.ts';
import { FleetHealth } from './fleet-health.ts';
import type { Health } from './health.ts';
import { LocalHealth } from './local-health.ts';
import { OwnVotes } from './own-votes.ts';
import { publishEveryMs } from './publish-every.ts';
import { Publisher } from './publisher.ts';

interface InstanceHealthParts {
	readonly settings: Settings;
	readonly clock: Clock;
	readonly log: Log;
	readonly store: Store | undefined;
	readonly verdicts: VerdictTable;
	/** What it is called in the fleet. */
	readonly instance: string;
	readonly isProbing: boolean;
}

export interface InstanceHealth {
	readonly health: Health | undefined;
	/** Undefined for a process that stands alone. */
	readonly fleet: FleetHealth | undefined;
}

export async function createInstanceHealth(parts: InstanceHealthParts, closers: Closers): Promise<InstanceHealth> {
	const { settings, clock, log, store, verdicts, instance, isProbing } = parts;
	const { region, stateDir, 'health.maxStale': maxStaleMs, 'health.guardHold': guardHoldMs } = settings;
	const common = { clock, wallMs: () => Date.now(), log, region, stateDir, verdicts, maxStaleMs, guardHoldMs };
	if (store === undefined || settings['redis.url'] === '') {
		if (!isProbing) return { health: undefined, fleet: undefined };
		const health = new LocalHealth({ ...common, ...(await createChecking(settings, clock)) });
		closers.add(() => health.close());
		return { health, fleet: undefined };
	}
	if (!isProbing) {
		const fleet = new FleetHealth({ ...common, store });
		closers.add(() => fleet.close());
		return { health: fleet, fleet };
	}
	const checking = await createChecking(settings, clock);
	const own = new OwnVotes({ ...common, ...checking, identity: instance, onTurn: () => publisher.touch() });
	const fleet = new FleetHealth({ ...common, store, own });
	closers.add(() => fleet.close());
	const publisher = new Publisher({
		...{ store, clock, log, name: { instance, region } },
		collect: () => own.publication(),
		everyMs: () => publishEveryMs(own.targets),
		onTaken: ({ message }) => log.error({ reason: message }, 'this process has no voice in its fleet'),
	});
	closers.add(() => publisher.close());
	return { health: fleet, fleet };
}

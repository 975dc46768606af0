/**
 * What operators have switched, as this process goes by it: overrides and trips of the store, until they end by the
 * store's clock, carried on by the clock of this process while nobody can be asked.
 *
 *     store --> overrides, trips --.
 *                                  +--> those that count now --> told whenever they are others
 *     stateDir/switches.json ------'    (and again when the next one ends)
 *
 * The file stands in for a store of others (Redis) that does not answer at a start. What counts by then is told by this
 * machine's time of day: two machines may end an override as far apart as their clocks are.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { nextEndMs, type Switch, switchesAt } from '../config/overrides.ts';
import type { Log } from '../lib/ports.ts';
import type { Item, Tripped } from '../store/item.ts';
import type { Store } from '../store/ports.ts';

const FILE = 'switches.json';
/** The store's clock may be set, and timers have an end. */
const LOOK_MS_MAX = 60_000;

export interface SwitchFeedParts {
	readonly store: Store;
	readonly stateDir: string;
	readonly log: Log;
}

export class SwitchFeed {
	readonly #parts: SwitchFeedParts;
	readonly #forget: () => void;
	#items: Pick<ReadonlyMap<string, Item>, 'values'> | undefined;
	#all: readonly Switch[];
	#active: readonly Switch[] = [];
	#timer: NodeJS.Timeout | undefined;
	#onChange: ((active: readonly Switch[]) => void) | undefined;
	/** What was told last. */
	#told: readonly Switch[] = [];
	/** What has tripped here, and the store may not know of yet. */
	#ownTrips: readonly Switch['target'][] = [];

	constructor(parts: SwitchFeedParts) {
		this.#parts = parts;
		const { head } = parts.store.configuration;
		this.#all = head === undefined && parts.store.condition.kind !== 'ready' ? this.#readFile() : [];
		this.#forget = parts.store.watch((hint) => {
			if (hint !== 'probers') this.#look();
		});
		this.#look();
	}

	/** Those that count now; `onChange` tells when they are others. */
	get active(): readonly Switch[] {
		this.#told = this.#active;
		return this.#active;
	}

	/** Call back when others count than those that were asked for last, and whenever that happens again. */
	onChange(callback: (active: readonly Switch[]) => void): void {
		this.#onChange = callback;
		this.#tell();
	}

	/** These have tripped here, whatever the store says. */
	setOwnTrips(targets: readonly Switch['target'][]): void {
		this.#ownTrips = targets;
		this.#look();
	}

	close(): void {
		clearTimeout(this.#timer);
		this.#forget();
	}

	#look(): void {
		const { store } = this.#parts;
		clearTimeout(this.#timer);
		const { head, items } = store.configuration;
		if (head !== undefined && items !== this.#items) {
			this.#items = items;
			const all = [...items.values()].flatMap(switchOf);
			if (!isDeepStrictEqual(all, this.#all)) this.#writeFile(all);
			this.#all = all;
		}
		const nowMs = store.nowMs();
		const own = this.#ownTrips.map((target): Switch => ({ state: 'down', target, untilMs: undefined }));
		const active = [...switchesAt(this.#all, nowMs), ...own];
		this.#active = active;
		const nextMs = nextEndMs(this.#all, nowMs);
		if (nextMs !== undefined)
			this.#timer = setTimeout(() => this.#look(), Math.min(LOOK_MS_MAX, Math.max(1, nextMs - nowMs)));
		this.#tell();
	}

	#tell(): void {
		if (this.#onChange === undefined || isDeepStrictEqual(this.#told, this.#active)) return;
		this.#told = this.#active;
		const switched = this.#active.map(({ state, target }) => ({ state, ...target }));
		this.#parts.log.info({ switched }, 'operators have switched something, or it has ended');
		this.#onChange(this.#active);
	}

	#readFile(): readonly Switch[] {
		try {
			const value: unknown = JSON.parse(readFileSync(join(this.#parts.stateDir, FILE), 'utf8'));
			return Array.isArray(value) ? (value as Switch[]) : [];
		} catch {
			return [];
		}
	}

	#writeFile(all: readonly Switch[]): void {
		const path = join(this.#parts.stateDir, FILE);
		try {
			writeFileSync(`${path}.new`, JSON.stringify(all), { mode: 0o600 });
			renameSync(`${path}.new`, path);
		} catch (error) {
			this.#parts.log.warn({ path, reason: (error as Error).message }, 'overrides were not kept for the next start');
		}
	}
}

export function targetOfTrip(tripped: Tripped): Switch['target'] {
	return 'pool' in tripped
		? { kind: 'pool', unit: tripped.unit, pool: tripped.pool }
		: { kind: 'member', unit: tripped.unit, policy: tripped.policy, member: tripped.member };
}

function switchOf(item: Item): readonly Switch[] {
	if (item.kind === 'override') {
		const { state, target, untilMs } = item.content;
		return [{ state, target, untilMs }];
	}
	if (item.kind !== 'trip') return [];
	return [{ state: 'down', target: targetOfTrip(item.content), untilMs: undefined }];
}

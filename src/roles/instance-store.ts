/**
 * The store of an instance, and how its units come to what is built.
 */

import type { DirectoryTexts } from '../config/zones-directory.ts';
import type { Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/ports.ts';
import { changedUnits, type UnitItem } from './stored-units.ts';
import { DirectorySource, MergedSource, StoreSource, type UnitSource } from './unit-source.ts';

/** Takes the units of a store, as far as they have changed. */
export interface StoredUnitsTaker {
	update(changed: readonly UnitItem[], removed: readonly string[]): void;
	/** Nothing is known of the store. */
	setUnknown(reason: string): void;
}

/**
 * Open the store that the settings name; undefined for a process that has only its zones directory.
 *
 * @param isWhole  the process does everything by itself: without Redis it has a store of its own
 * @throws Error when it cannot be read
 */
export async function openInstanceStore(settings: Settings, isWhole: boolean, log: Log): Promise<Store | undefined> {
	return settings['redis.url'] === '' && !isWhole ? undefined : openStore(settings, log);
}

/** With Redis the store is the truth of every unit; the one in a process is that of the units it owns. */
export function createSource(
	settings: Settings,
	store: Store | undefined,
): {
	readonly source: UnitSource;
	readonly taker: StoredUnitsTaker | undefined;
	/** What the zones directory had at the last look; undefined where it is no source. */
	readonly files: (() => DirectoryTexts | undefined) | undefined;
} {
	if (store === undefined)
		return { source: new DirectorySource(settings.zonesDir), taker: undefined, files: undefined };
	if (settings['redis.url'] !== '') {
		const source = new StoreSource();
		return { source, taker: source, files: undefined };
	}
	const source = new MergedSource(settings.zonesDir);
	return { source, taker: source, files: () => source.files };
}

/** What has been handed over of a store. */
export class StoreFeed {
	readonly #store: Store;
	readonly #taker: StoredUnitsTaker;
	#given: ReadonlyMap<string, UnitItem> | undefined;

	constructor(store: Store, taker: StoredUnitsTaker) {
		this.#store = store;
		this.#taker = taker;
	}

	/** Hand over what has changed. @returns whether anything has */
	update(): boolean {
		const { condition, configuration } = this.#store;
		if (configuration.head === undefined && condition.kind !== 'ready') {
			if (this.#given === undefined) this.#taker.setUnknown(`it is ${condition.kind}: ${condition.reason}`);
			return false;
		}
		const units = new Map<string, UnitItem>();
		for (const item of configuration.items.values()) if (item.kind === 'unit') units.set(item.name, item);
		const isFirst = this.#given === undefined;
		const { changed, removed } = changedUnits(this.#given ?? new Map(), units);
		this.#given = units;
		if (!isFirst && changed.length + removed.length === 0) return false;
		this.#taker.update(changed, removed);
		return true;
	}
}

/**
 * The store of an instance, and how its units come to what is built.
 */

import type { Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { openKnownStore } from '../store/open-store.ts';
import type { Head, Store } from '../store/ports.ts';
import { changedUnits, type UnitItem } from './stored-units.ts';
import type { UnitTaker } from './unit-source.ts';

/**
 * Open the store that the settings name; undefined for a process that has only its zones directory.
 *
 * @param isWhole  the process does everything by itself: without Redis it has a store of its own
 * @throws Error when it cannot be read
 */
export async function openInstanceStore(settings: Settings, isWhole: boolean, log: Log): Promise<Store | undefined> {
	return settings['redis.url'] === '' && !isWhole ? undefined : openKnownStore(settings, log);
}

/** Commits that come together are taken together. */
const PAUSE_MS = 20;

/** What has been handed over of a store. */
export class StoreFeed {
	readonly #store: Store;
	readonly #taker: UnitTaker;
	#head: Head | undefined;
	#given: ReadonlyMap<string, UnitItem> | undefined;

	constructor(store: Store, taker: UnitTaker) {
		this.#store = store;
		this.#taker = taker;
	}

	/** Of the configuration that was handed over last. */
	get head(): Head | undefined {
		return this.#head;
	}

	/** Whoever takes has forgotten everything. */
	reset(): void {
		this.#given = undefined;
	}

	/** Tell whenever there may be something to hand over. @returns the function that ends it */
	watch(onNews: () => void): () => void {
		let pause: NodeJS.Timeout | undefined;
		const tell = () => {
			pause = undefined;
			onNews();
		};
		const unwatch = this.#store.watch((hint) => {
			if (hint !== 'probers') pause ??= setTimeout(tell, PAUSE_MS);
		});
		return () => {
			unwatch();
			clearTimeout(pause);
		};
	}

	/** Hand over what has changed. @returns whether anything has */
	update(): boolean {
		const { condition, configuration } = this.#store;
		if (configuration.head === undefined && condition.kind !== 'ready') {
			if (this.#given === undefined) this.#taker.setUnknown(`it is ${condition.kind}: ${condition.reason}`);
			return false;
		}
		this.#head = configuration.head;
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

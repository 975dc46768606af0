/**
 * Changes on items: what a commit makes of a configuration, before anybody stores it.
 */

import { nextHead } from './head.ts';
import { type Change, ITEMS_MAX, type Item, idOf, makeItem } from './item.ts';
import type { ChangedItem, Configuration, Head, HistoryEntry } from './ports.ts';
import { StoreError } from './store-error.ts';

/** A history reaches back so many generations, and holds so much of what they replaced. */
export const HISTORY_MAX = 256;
export const HISTORY_OCTETS_MAX = 64 * 1024 * 1024;

export interface Applied {
	readonly head: Head;
	readonly items: ReadonlyMap<string, Item>;
	readonly changed: readonly ChangedItem[];
	/** Texts of the items that are new, by id. */
	readonly texts: ReadonlyMap<string, string>;
}

/**
 * @returns undefined when nothing would be another than it is
 * @throws StoreError STORE_CONTENT
 */
export function applyChanges(before: Configuration, changes: readonly Change[]): Applied | undefined {
	const items = new Map(before.items);
	const changed = new Map<string, ChangedItem>();
	const texts = new Map<string, string>();
	for (const change of changes) {
		const id = idOf(change);
		if (changed.has(id)) throw new StoreError('STORE_CONTENT', `Cannot change ${JSON.stringify(id)} twice in a commit`);
		const made = makeItem(change);
		const was = items.get(id)?.etag;
		if (made?.item.etag === was) continue;
		changed.set(id, { id, before: was, after: made?.item.etag });
		if (made === undefined) items.delete(id);
		else {
			items.set(id, made.item);
			texts.set(id, made.text);
		}
	}
	if (changed.size === 0) return undefined;
	if (items.size > ITEMS_MAX)
		throw new StoreError('STORE_CONTENT', `Cannot hold ${items.size} items: expected at most ${ITEMS_MAX}`);
	return { head: nextHead(before.head, items), items, changed: [...changed.values()], texts };
}

/** What a generation has replaced: the item, by id; undefined where there was none. */
export type Replaced = ReadonlyMap<string, Item | undefined>;

/**
 * Items as they were at a generation.
 *
 * @param entries  the latest ones, newest first, without a gap
 * @returns undefined when the entries do not reach that far
 */
export function itemsBack(
	{ head, items }: Configuration,
	entries: readonly { readonly entry: HistoryEntry; readonly replaced: Replaced }[],
	generation: number,
): ReadonlyMap<string, Item> | undefined {
	if (head === undefined || generation > head.generation || head.generation - generation > entries.length)
		return undefined;
	const then = new Map(items);
	for (const { entry, replaced } of entries) {
		if (entry.head.generation <= generation) break;
		for (const [id, item] of replaced) {
			if (item === undefined) then.delete(id);
			else then.set(id, item);
		}
	}
	return then;
}

/**
 * Heads: how one follows from another, and whether one that was found can follow from one that was seen.
 *
 *     hash = SHA-256(parent, epoch, generation, SHA-256(id and etag of every item, sorted by id))
 *
 * So a head vouches for all items, and for the heads before it.
 *
 * | found, against what was seen                         | is    |
 * |------------------------------------------------------|-------|
 * | the same                                             | same  |
 * | of a later epoch                                     | newer |
 * | later, and the history leads back to what was seen   | newer |
 * | later, and the history does not reach back so far    | newer |
 * | none, earlier, or the history leads to another head  | lost  |
 */

import { createHash } from 'node:crypto';
import type { Item } from './item.ts';
import type { Head } from './ports.ts';
import { isCount, type JsonValue, readFields } from './untrusted-json.ts';

export type Descent =
	| { readonly kind: 'same' }
	| { readonly kind: 'newer' }
	| { readonly kind: 'lost'; readonly reason: string };

/** What a head says of an item. */
export type Etagged = Pick<Item, 'etag'>;

export function nextHead(before: Head | undefined, items: ReadonlyMap<string, Etagged>): Head {
	return headOf(
		{ epoch: before?.epoch ?? 1, generation: (before?.generation ?? 0) + 1, parent: before?.hash ?? '' },
		items,
	);
}

export function headOf({ epoch, generation, parent }: Omit<Head, 'hash'>, items: ReadonlyMap<string, Etagged>): Head {
	const index = createHash('sha256');
	for (const id of [...items.keys()].sort()) index.update(`${id} ${items.get(id)?.etag}\n`);
	const hash = createHash('sha256')
		.update([parent, epoch, generation, index.digest('hex')].join('\n'))
		.digest('hex');
	return { epoch, generation, hash, parent };
}

/** Whether these are the items that a head speaks of. */
export function isHeadOf(head: Head, items: ReadonlyMap<string, Etagged>): boolean {
	return headOf(head, items).hash === head.hash;
}

export function isSameHead(a: Head | undefined, b: Head | undefined): boolean {
	return a?.hash === b?.hash && a?.epoch === b?.epoch && a?.generation === b?.generation;
}

/** @returns undefined when it is no head */
export function readHead(value: JsonValue | undefined): Head | undefined {
	const { epoch, generation, hash, parent } = readFields(value, ['epoch', 'generation', 'hash', 'parent']) ?? {};
	if (!isCount(epoch) || !isCount(generation) || epoch < 1 || generation < 1) return undefined;
	if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
	if (typeof parent !== 'string' || !/^(?:[0-9a-f]{64})?$/.test(parent)) return undefined;
	return { epoch, generation, hash, parent };
}

/** @param lineage  heads of the history, newest first, each the parent of the one before; the first is `found` */
export function descentOf(seen: Head | undefined, found: Head | undefined, lineage: readonly Head[]): Descent {
	if (seen === undefined) return found === undefined ? { kind: 'same' } : { kind: 'newer' };
	const was = `${seen.epoch}.${seen.generation}`;
	if (found === undefined) return { kind: 'lost', reason: `it has no head, and was at ${was}` };
	if (found.epoch > seen.epoch) return { kind: 'newer' };
	if (found.epoch < seen.epoch || found.generation < seen.generation)
		return { kind: 'lost', reason: `it is at ${found.epoch}.${found.generation}, and was at ${was}` };
	const then = found.generation === seen.generation ? found.hash : hashAt(seen.generation, lineage);
	if (then !== undefined && then !== seen.hash)
		return { kind: 'lost', reason: `its generation ${seen.generation} is another than the one that was seen` };
	return { kind: found.generation === seen.generation ? 'same' : 'newer' };
}

function hashAt(generation: number, lineage: readonly Head[]): string | undefined {
	for (const head of lineage) {
		if (head.generation === generation) return head.hash;
		if (head.generation === generation + 1) return head.parent;
	}
	return undefined;
}

/**
 * A generation as the history in Redis has it: what changed, and where what was replaced still stands.
 */

import { readHead } from './head.ts';
import type { ChangedItem, HistoryEntry } from './ports.ts';
import { isCount, type JsonValue, readFields } from './untrusted-json.ts';

export interface KeptGeneration {
	readonly entry: HistoryEntry;
	/** Version of what was replaced, by item; what was not there before has none. */
	readonly versions: ReadonlyMap<string, string>;
}

/**
 * The script that commits reads `changed` and `octets` too, to let go of what leaves the history.
 * @param octets  of the items that were replaced
 */
export function writeEntry({ entry, versions }: KeptGeneration, octets: number): JsonValue {
	const { head, atMs, author, reason, changed } = entry;
	return {
		head: { ...head },
		atMs,
		author,
		reason,
		octets,
		changed: changed.map(({ id, before = '', after = '' }) => [
			id,
			before,
			after,
			before === '' ? '' : (versions.get(id) ?? ''),
		]),
	};
}

/** @returns undefined when it is no entry */
export function readEntry(value: JsonValue): KeptGeneration | undefined {
	const fields = readFields(value, ['head', 'atMs', 'author', 'reason', 'octets', 'changed']) ?? {};
	const { atMs, author, reason, octets, changed } = fields;
	const head = readHead(fields.head);
	if (head === undefined || !isCount(atMs) || !isCount(octets)) return undefined;
	if (typeof author !== 'string' || typeof reason !== 'string' || !Array.isArray(changed)) return undefined;
	const items: ChangedItem[] = [];
	const versions = new Map<string, string>();
	for (const one of changed as readonly JsonValue[]) {
		if (!Array.isArray(one) || one.length !== 4 || !one.every((part) => typeof part === 'string')) return undefined;
		const [id, before, after, version] = one as [string, string, string, string];
		items.push({ id, before: before || undefined, after: after || undefined });
		if (version !== '') versions.set(id, version);
	}
	return { entry: { head, atMs, author, reason, changed: items }, versions };
}

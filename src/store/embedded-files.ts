/**
 * The embedded store on disk: snapshots, and after each one a log of what was committed since.
 *
 *     store/00000001.log                            from nothing
 *     store/00000002.snapshot  00000002.log         the log goes on from the snapshot
 *     store/00000003.snapshot  00000003.log         written aside, then renamed; the pair before is kept, older ones go
 *
 * A log is made of frames, one a line: SHA-256, blank, a JSON list of the generations that one fsync made durable.
 * A frame is written when the one before is on the disk. So what a crash leaves half written is the last frame, of
 * which nothing was acknowledged, and damage before it is no crash's.
 *
 * | found                      | then                                                                          |
 * |----------------------------|-------------------------------------------------------------------------------|
 * | a damaged last frame       | cut                                                                           |
 * | a damaged frame before it  | the log is put aside, and what stands before the damage is the state          |
 * | a damaged snapshot         | put aside; the pair before it, and then its own log, lead to the same state   |
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { HISTORY_MAX, HISTORY_OCTETS_MAX, type Replaced } from './apply.ts';
import { isHeadOf, readHead } from './head.ts';
import { type Item, readItem, textOf } from './item.ts';
import type { Configuration, Head, HistoryEntry } from './ports.ts';
import { isCount, type JsonValue, readFields, readUntrustedJson } from './untrusted-json.ts';

/** A generation as it is kept. */
export interface LogRecord {
	readonly head: Head;
	readonly atMs: number;
	readonly author: string;
	readonly reason: string;
	/** Text of each item that changed, by id; null for a removal. */
	readonly changes: readonly (readonly [string, string | null])[];
}

export interface KeptEntry {
	readonly entry: HistoryEntry;
	readonly replaced: Replaced;
}

export interface Kept {
	readonly configuration: Configuration;
	/** Newest first. */
	readonly history: readonly KeptEntry[];
}

export interface Loaded extends Kept {
	/** Of the pair of files to go on with. */
	readonly number: number;
	/** What was wrong, one line for each; empty when all was well. */
	readonly damages: readonly string[];
	/** Something that had been acknowledged may be gone. */
	readonly hasLost: boolean;
	/** The files are not fit to go on with: a snapshot is due. */
	readonly isMended: boolean;
}

const NOTHING: Kept = { configuration: { head: undefined, items: new Map() }, history: [] };
const SNAPSHOT_TITLE = 'meridian-store 1';
const NEWLINE = 10;

export function fileNameOf(number: number, ending: 'snapshot' | 'log'): string {
	return `${String(number).padStart(8, '0')}.${ending}`;
}

/** Numbers of the files with that ending, lowest first; none where there is no folder. */
export function numbersIn(folder: string, ending: 'snapshot' | 'log'): readonly number[] {
	let names: readonly string[];
	try {
		names = readdirSync(folder);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
		throw error;
	}
	return names
		.filter((name) => /^\d{8}\.(?:snapshot|log)$/.test(name) && name.endsWith(`.${ending}`))
		.map((name) => Number.parseInt(name, 10))
		.sort((a, b) => a - b);
}

/**
 * Read what there is; a damaged end of a log is cut, other damage is put aside.
 * @throws Error where a state can neither be read nor be told from none
 */
export function loadFiles(folder: string): Loaded {
	const damages: string[] = [];
	const aside: string[] = [];
	const snapshots = numbersIn(folder, 'snapshot');
	const logs = numbersIn(folder, 'log');
	let base = NOTHING;
	let number = 1;
	for (const one of [...snapshots].reverse()) {
		const path = join(folder, fileNameOf(one, 'snapshot'));
		const read = readSnapshot(readFileSync(path));
		if (typeof read !== 'string') {
			base = read;
			number = one;
			break;
		}
		damages.push(`the snapshot ${path} is put aside: ${read}`);
		aside.push(path);
	}
	// Without a snapshot only the first log begins at nothing; to start with nothing would be to forget everything.
	if (base === NOTHING && snapshots.length + logs.length > 0 && logs[0] !== 1)
		throw new Error(`Cannot open the store in ${folder}: ${damages.join('; ') || 'its snapshot is gone'}`);
	let isMended = damages.length > 0;
	let hasLost = false;
	let kept = base;
	for (const one of logs.filter((log) => log >= number)) {
		const path = join(folder, fileNameOf(one, 'log'));
		const log = replayLog(readFileSync(path), kept);
		kept = log.kept;
		if (log.damage === undefined) continue;
		const { reason, offset } = log.damage;
		// Behind an unfinished write that was given up, the next pair of files goes on.
		if (log.damage.isAtEnd && one !== logs.at(-1)) continue;
		if (log.damage.isAtEnd) {
			truncateSync(path, offset);
			damages.push(`the log ${path} is cut at octet ${offset}, where a write had not been finished`);
			continue;
		}
		damages.push(`the log ${path} is put aside, and what stands before octet ${offset} is taken: ${reason}`);
		aside.push(path);
		isMended = true;
		hasLost = true;
		break;
	}
	const { head, items } = kept.configuration;
	if (head !== undefined && !isHeadOf(head, items))
		throw new Error(`Cannot open the store in ${folder}: its items are not those of its head`);
	for (const path of aside) renameSync(path, `${path}.damaged`);
	return { ...kept, number: Math.max(number, ...snapshots, ...logs), damages, hasLost, isMended };
}

interface Replayed {
	readonly kept: Kept;
	readonly damage: { readonly offset: number; readonly reason: string; readonly isAtEnd: boolean } | undefined;
}

function replayLog(octets: Uint8Array, base: Kept): Replayed {
	let kept = base;
	for (let offset = 0; offset < octets.length; ) {
		const end = octets.indexOf(NEWLINE, offset);
		const records = end < 0 ? undefined : readFrame(octets.subarray(offset, end));
		const followed = records === undefined ? 'a frame does not match its check' : followAll(kept, records);
		if (typeof followed === 'string') {
			const isAtEnd = records === undefined && (end < 0 || !hasFrame(octets, end + 1));
			return { kept, damage: { offset, reason: followed, isAtEnd } };
		}
		kept = followed;
		offset = end + 1;
	}
	return { kept, damage: undefined };
}

/** Whether a frame that is whole stands somewhere behind. */
function hasFrame(octets: Uint8Array, from: number): boolean {
	for (let offset = from; ; ) {
		const end = octets.indexOf(NEWLINE, offset);
		if (end < 0) return false;
		if (readFrame(octets.subarray(offset, end)) !== undefined) return true;
		offset = end + 1;
	}
}

export function writeFrame(records: readonly string[]): string {
	const body = `[${records.join(',')}]`;
	return `${checkOf(body)} ${body}\n`;
}

function readFrame(line: Uint8Array): readonly LogRecord[] | undefined {
	const body = line.subarray(65);
	if (Buffer.from(line.subarray(0, 64)).toString('latin1') !== checkOf(body)) return undefined;
	const value = readUntrustedJson(body);
	if (!Array.isArray(value)) return undefined;
	const records = value.map(readLogRecord);
	return records.every((record) => record !== undefined) ? records : undefined;
}

function readLogRecord(value: JsonValue): LogRecord | undefined {
	const fields = readFields(value, ['head', 'atMs', 'author', 'reason', 'changes']) ?? {};
	const { atMs, author, reason, changes } = fields;
	const head = readHead(fields.head);
	if (head === undefined || !isCount(atMs) || typeof author !== 'string' || typeof reason !== 'string')
		return undefined;
	const pairs = Array.isArray(changes) ? readPairs(changes) : undefined;
	return pairs && { head, atMs, author, reason, changes: pairs };
}

function readPairs(value: readonly JsonValue[]): LogRecord['changes'] | undefined {
	const isGood = value.every(
		(pair) => Array.isArray(pair) && typeof pair[0] === 'string' && (pair[1] === null || typeof pair[1] === 'string'),
	);
	return isGood ? (value as LogRecord['changes']) : undefined;
}

function followAll(base: Kept, records: readonly LogRecord[]): Kept | string {
	let kept = base;
	for (const record of records) {
		const next = follow(kept, record);
		if (typeof next === 'string') return next;
		kept = next;
	}
	return kept;
}

function follow({ configuration, history }: Kept, { head, changes, ...rest }: LogRecord): Kept | string {
	const before = configuration.head;
	if (head.parent !== (before?.hash ?? '') || head.generation !== (before?.generation ?? 0) + 1)
		return `generation ${head.generation} does not follow from ${before?.generation ?? 'nothing'}`;
	const items = new Map(configuration.items);
	const replaced = new Map<string, Item | undefined>();
	const changed: HistoryEntry['changed'][number][] = [];
	for (const [id, text] of changes) {
		const item = text === null ? undefined : readItem(id, Buffer.from(text));
		if (item === undefined && text !== null) return `${JSON.stringify(id)} of generation ${head.generation} is no item`;
		const was = items.get(id);
		replaced.set(id, was);
		changed.push({ id, before: was?.etag, after: item?.etag });
		if (item === undefined) items.delete(id);
		else items.set(id, item);
	}
	return {
		configuration: { head, items },
		history: remember(history, { entry: { head, ...rest, changed }, replaced }),
	};
}

/** The history with one more entry, within its bounds. */
export function remember(history: readonly KeptEntry[], latest: KeptEntry): readonly KeptEntry[] {
	const kept: KeptEntry[] = [];
	let octets = 0;
	for (const one of [latest, ...history.slice(0, HISTORY_MAX - 1)]) {
		for (const item of one.replaced.values()) octets += item?.octets ?? 0;
		if (octets > HISTORY_OCTETS_MAX) break;
		kept.push(one);
	}
	return kept;
}

/** Lines of a snapshot; the last one is the check of all before. */
export function* writeSnapshot({ configuration, history }: Kept): Generator<string> {
	const check = createHash('sha256');
	const line = (text: string) => {
		check.update(`${text}\n`);
		return `${text}\n`;
	};
	yield line(SNAPSHOT_TITLE);
	yield line(JSON.stringify(configuration.head ?? null));
	for (const [id, item] of configuration.items) yield line(JSON.stringify(['item', id, textOf(item.content)]));
	for (const { entry, replaced } of history) {
		const texts = [...replaced].map(([id, item]) => [id, item === undefined ? null : textOf(item.content)]);
		yield line(JSON.stringify(['entry', entry, texts]));
	}
	yield `end ${check.digest('hex')}\n`;
}

/** What a snapshot holds, or what is wrong with it. */
function readSnapshot(octets: Uint8Array): Kept | string {
	const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
	const end = text.lastIndexOf('end ');
	const last = text.subarray(Math.max(0, end)).toString('latin1');
	if (end < 0 || last !== `end ${checkOf(text.subarray(0, end))}\n`) return 'it does not match its check';
	const items = new Map<string, Item>();
	const history: KeptEntry[] = [];
	let head: Head | undefined;
	for (let [offset, number] = [0, 0]; offset < end; number++) {
		const stop = text.indexOf(NEWLINE, offset);
		const line = text.subarray(offset, stop);
		offset = stop + 1;
		if (number === 0) {
			if (line.toString('latin1') !== SNAPSHOT_TITLE) return 'it is of another version';
			continue;
		}
		const value = readUntrustedJson(line);
		if (number === 1) head = readHead(value);
		else if (!Array.isArray(value)) return `line ${number + 1} is none of a snapshot`;
		else if (value[0] === 'item') {
			const item = readItem(String(value[1]), Buffer.from(String(value[2])));
			if (item === undefined) return `line ${number + 1} is no item`;
			items.set(String(value[1]), item);
		} else {
			// The snapshot matches its check, so this is what was written; only what was undefined is missing.
			const [, entry, texts] = value as unknown as ['entry', HistoryEntry, readonly [string, string | null][]];
			const changed = entry.changed.map(({ id, before, after }) => ({ id, before, after }));
			const replaced = new Map(
				texts.map(([id, own]) => [id, own === null ? undefined : readItem(id, Buffer.from(own))]),
			);
			history.push({ entry: { ...entry, changed }, replaced });
		}
	}
	if (head !== undefined && !isHeadOf(head, items)) return 'its items are not those of its head';
	return { configuration: { head, items }, history };
}

function checkOf(body: string | Uint8Array): string {
	return createHash('sha256').update(body).digest('hex');
}

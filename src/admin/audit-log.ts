/**
 * The audit log: JSON, one record a line, only ever appended to. Files are named by the number of their first record;
 * a full one is followed by the next, and the oldest goes when there are too many.
 *
 *     audit/0000000001.jsonl  audit/0000048211.jsonl ...        16 files of 16 MiB
 *
 * A record is on the disk when `write` has settled. After a write that failed the next begins on a line of its own, so
 * that what is half written spoils nothing else; its number is not used again.
 */

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE_OCTETS_MAX = 16 * 1024 * 1024;
const FILES_MAX = 16;
const FILE_NAME = /^(\d{10,16})\.jsonl$/;

export interface AuditRecord {
	/** ISO 8601, by the clock of this machine. */
	readonly time: string;
	/** A write is told before it is begun, and when it has come to its end; what is refused at the door, at its end. */
	readonly phase: 'started' | 'finished';
	readonly requestId: string;
	readonly author: string;
	readonly role?: string | undefined;
	readonly address: string;
	readonly operation: string;
	readonly method: string;
	readonly path: string;
	readonly unit?: string | undefined;
	readonly reason?: string | undefined;
	readonly status?: number | undefined;
	/** Of the problem. */
	readonly code?: string | undefined;
	/** That the write made. */
	readonly generation?: number | undefined;
	/** Refusals of the same kind that were not recorded since the last one that was. */
	readonly unrecorded?: number | undefined;
}

export type NumberedRecord = AuditRecord & { readonly number: number };

export interface AuditPage {
	readonly records: readonly NumberedRecord[];
	/** There are more, in the direction that was asked for. */
	readonly hasMore: boolean;
}

export type AuditQuestion =
	/** Oldest first. */
	| { readonly kind: 'after'; readonly number: number; readonly limit: number }
	/** Newest first. */
	| { readonly kind: 'before'; readonly number: number; readonly limit: number };

interface Waiting {
	readonly line: string;
	readonly done: () => void;
	readonly failed: (cause: unknown) => void;
}

export class AuditLog {
	readonly #directory: string;
	readonly #fileOctetsMax: number;
	#next: number;
	#file: FileHandle | undefined;
	#fileOctets = 0;
	/** The end of the last file is no end of a line. */
	#isTorn: boolean;
	#waiting: Waiting[] = [];
	#writing: Promise<void> | undefined;

	/** @throws the runtime's error when what is there cannot be read */
	constructor(directory: string, fileOctetsMax = FILE_OCTETS_MAX) {
		this.#directory = directory;
		this.#fileOctetsMax = fileOctetsMax;
		const last = firstNumbers(directory).at(-1);
		const text = last === undefined ? '' : readFileSync(join(directory, fileNameOf(last)), 'utf8');
		this.#isTorn = text !== '' && !text.endsWith('\n');
		this.#next = (recordsOf(text).at(-1)?.number ?? (last ?? 1) - 1) + 1;
	}

	/** @throws the runtime's error when it could not be written */
	write(record: AuditRecord): Promise<void> {
		const line = `${JSON.stringify({ number: this.#next++, ...record })}\n`;
		return new Promise((resolve, reject) => {
			this.#waiting.push({ line, done: resolve, failed: reject });
			this.#writing ??= this.#run();
		});
	}

	/** @throws the runtime's error when it cannot be read */
	async read(question: AuditQuestion): Promise<AuditPage> {
		const { kind, number, limit } = question;
		const found: NumberedRecord[] = [];
		const numbers = firstNumbers(this.#directory);
		const order = kind === 'after' ? numbers : numbers.toReversed();
		for (const [i, first] of order.entries()) {
			if (kind === 'before' && first >= number) continue;
			// All of this file stands before the next one's first record.
			if (kind === 'after' && (order[i + 1] ?? Number.POSITIVE_INFINITY) <= number + 1) continue;
			const records = recordsOf(await readFile(join(this.#directory, fileNameOf(first)), 'utf8'));
			const wanted = records.filter((record) => (kind === 'after' ? record.number > number : record.number < number));
			found.push(...(kind === 'after' ? wanted : wanted.toReversed()));
			if (found.length > limit) break;
		}
		return { records: found.slice(0, limit), hasMore: found.length > limit };
	}

	async close(): Promise<void> {
		await this.#writing;
		await this.#file?.close();
		this.#file = undefined;
	}

	async #run(): Promise<void> {
		// What comes in the same turn shares a write.
		await Promise.resolve();
		while (this.#waiting.length > 0) {
			const group = this.#waiting.splice(0);
			try {
				await this.#append(group.map(({ line }) => line).join(''), numberOf(group[0]?.line));
				for (const { done } of group) done();
			} catch (cause) {
				this.#isTorn = true;
				await this.#file?.close().catch(() => {});
				this.#file = undefined;
				for (const { failed } of group) failed(cause);
			}
		}
		this.#writing = undefined;
	}

	async #append(text: string, firstNumber: number): Promise<void> {
		const file = await this.#openFile(firstNumber);
		const octets = Buffer.from(this.#isTorn ? `\n${text}` : text);
		await file.appendFile(octets);
		await file.datasync();
		this.#isTorn = false;
		this.#fileOctets += octets.length;
	}

	async #openFile(firstNumber: number): Promise<FileHandle> {
		if (this.#file !== undefined && this.#fileOctets < this.#fileOctetsMax) return this.#file;
		await makeDirectory(this.#directory);
		const numbers = firstNumbers(this.#directory);
		const isFull = this.#file !== undefined;
		await this.#file?.close();
		this.#file = undefined;
		const name = fileNameOf(isFull ? firstNumber : (numbers.at(-1) ?? firstNumber));
		this.#file = await open(join(this.#directory, name), 'a', 0o600);
		this.#fileOctets = (await this.#file.stat()).size;
		if (isFull) for (const old of numbers.slice(0, 1 - FILES_MAX)) rmSync(join(this.#directory, fileNameOf(old)));
		return this.#file;
	}
}

/** The one above it is there. */
async function makeDirectory(path: string): Promise<void> {
	try {
		await mkdir(path, { mode: 0o700 });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
	}
}

function fileNameOf(number: number): string {
	return `${String(number).padStart(10, '0')}.jsonl`;
}

/** Of the files, rising. */
function firstNumbers(directory: string): readonly number[] {
	let names: readonly string[];
	try {
		names = readdirSync(directory);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
		throw error;
	}
	return names.flatMap((name) => Number(FILE_NAME.exec(name)?.[1] ?? Number.NaN) || []).sort((a, b) => a - b);
}

function numberOf(line: string | undefined): number {
	return recordsOf(line ?? '')[0]?.number ?? 1;
}

/** What is no record, such as a line that was half written, is passed over. */
function recordsOf(text: string): readonly NumberedRecord[] {
	return text.split('\n').flatMap((line) => {
		if (line === '') return [];
		try {
			const record = JSON.parse(line) as NumberedRecord;
			return Number.isSafeInteger(record.number) ? [record] : [];
		} catch {
			return [];
		}
	});
}

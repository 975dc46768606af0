/**
 * Writes the files of the embedded store: generations that come while the disk is busy share the next fsync.
 *
 *     append() -> waiting -> one frame -> fsync -> all of them are told
 *                                |
 *                                '-> the log has grown -> snapshot aside, fsync, rename, fsync of the folder -> new log
 *
 * After a write that failed nobody knows what the end of the log holds, so the next one begins with a new snapshot.
 */

import { rmSync, statSync, truncateSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameOf, type Kept, numbersIn, writeFrame, writeSnapshot } from './embedded-files.ts';
import { makeDirectory } from './make-directory.ts';

/** A log that is longer than this, and than its snapshot, is compacted. */
const LOG_OCTETS_MIN = 4 * 1024 * 1024;
/** Of what shares an fsync; a longer text by itself goes alone. */
const FRAME_OCTETS_MAX = 64 * 1024 * 1024;
const WRITE_OCTETS = 1024 * 1024;

interface Waiting {
	readonly text: string;
	readonly done: () => void;
	readonly failed: (cause: unknown) => void;
}

export interface WriterStart {
	readonly number: number;
	/** The files are not fit to go on with. */
	readonly isSnapshotDue: boolean;
}

export class EmbeddedWriter {
	readonly #folder: string;
	/** All that has been acknowledged. */
	readonly #durable: () => Kept;
	readonly #logOctetsMin: number;
	#number: number;
	#isSnapshotDue: boolean;
	#log: FileHandle | undefined;
	#logOctets = 0;
	#snapshotOctets = 0;
	#waiting: Waiting[] = [];
	#running: Promise<void> | undefined;

	constructor(
		folder: string,
		{ number, isSnapshotDue }: WriterStart,
		durable: () => Kept,
		logOctetsMin = LOG_OCTETS_MIN,
	) {
		this.#folder = folder;
		this.#number = number;
		this.#isSnapshotDue = isSnapshotDue;
		this.#durable = durable;
		this.#logOctetsMin = logOctetsMin;
	}

	/**
	 * @param done    called when it is on the disk, before anything else is written
	 * @param failed  called when it is not; everything that waits fails with it
	 */
	append(text: string, done: () => void, failed: (cause: unknown) => void): void {
		this.#waiting.push({ text, done, failed });
		this.#running ??= this.#run();
	}

	async close(): Promise<void> {
		await this.#running;
		await this.#log?.close();
		this.#log = undefined;
	}

	async #run(): Promise<void> {
		// What is appended in the same turn belongs together.
		await Promise.resolve();
		while (this.#waiting.length > 0) {
			const group = this.#nextGroup();
			try {
				await this.#write(group.map(({ text }) => text));
			} catch (cause) {
				await this.#giveUp();
				const failed = [...group, ...this.#waiting];
				this.#waiting = [];
				for (const one of failed) one.failed(cause);
				continue;
			}
			for (const { done } of group) done();
			await this.#compactWhenDue();
		}
		// In the same turn as the look that found nothing waiting, so that nothing slips in between.
		this.#running = undefined;
	}

	#nextGroup(): readonly Waiting[] {
		let octets = 0;
		let count = 0;
		while (count < this.#waiting.length) {
			octets += this.#waiting[count]?.text.length ?? 0;
			if (count > 0 && octets > FRAME_OCTETS_MAX) break;
			count++;
		}
		return this.#waiting.splice(0, count);
	}

	async #write(texts: readonly string[]): Promise<void> {
		if (this.#isSnapshotDue) await this.#compact();
		const log = await this.#openLog();
		const frame = Buffer.from(writeFrame(texts));
		await log.appendFile(frame);
		await log.datasync();
		this.#logOctets += frame.length;
	}

	async #openLog(): Promise<FileHandle> {
		if (this.#log !== undefined) return this.#log;
		makeDirectory(this.#folder, 0o700);
		const path = join(this.#folder, fileNameOf(this.#number, 'log'));
		// The store holds hashes of tokens, and zones that need not be everybody's.
		const log = await open(path, 'a', 0o600);
		this.#log = log;
		this.#logOctets = (await log.stat()).size;
		await syncFolder(this.#folder);
		return log;
	}

	async #compactWhenDue(): Promise<void> {
		if (this.#logOctets < Math.max(this.#logOctetsMin, this.#snapshotOctets)) return;
		try {
			await this.#compact();
		} catch {
			// The log goes on as it is; the next write tries again.
			this.#isSnapshotDue = true;
		}
	}

	async #compact(): Promise<void> {
		makeDirectory(this.#folder, 0o700);
		const number = this.#number + 1;
		const path = join(this.#folder, fileNameOf(number, 'snapshot'));
		const file = await open(`${path}.new`, 'w', 0o600);
		try {
			let held: string[] = [];
			let octets = 0;
			for (const line of writeSnapshot(this.#durable())) {
				held.push(line);
				octets += line.length;
				if (octets < WRITE_OCTETS) continue;
				await file.appendFile(held.join(''));
				[held, octets] = [[], 0];
			}
			await file.appendFile(held.join(''));
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(`${path}.new`, path);
		await syncFolder(this.#folder);
		await this.#log?.close();
		this.#log = undefined;
		this.#logOctets = 0;
		this.#number = number;
		this.#snapshotOctets = statSync(path).size;
		this.#isSnapshotDue = false;
		this.#removeBefore(number - 1);
	}

	/** The pair before the newest stays: it leads to the newest snapshot, should that be damaged. */
	#removeBefore(number: number): void {
		for (const ending of ['snapshot', 'log'] as const) {
			for (const one of numbersIn(this.#folder, ending))
				if (one < number) rmSync(join(this.#folder, fileNameOf(one, ending)), { force: true });
		}
	}

	/** Take back what may have been written, as far as that can be done. */
	async #giveUp(): Promise<void> {
		this.#isSnapshotDue = true;
		const wasOpen = this.#log !== undefined;
		await this.#log?.close().catch(() => {});
		this.#log = undefined;
		try {
			if (wasOpen) truncateSync(join(this.#folder, fileNameOf(this.#number, 'log')), this.#logOctets);
		} catch {
			// The snapshot that is due replaces it.
		}
	}
}

async function syncFolder(folder: string): Promise<void> {
	const handle = await open(folder, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

/**
 * Votes in the state directory, so that a restart does not forget what was down. Written when something has turned,
 * not with every check: changes within a second make one write, aside and renamed, with the disk's word that it is there.
 *
 * | what happens                 | then                                                               |
 * |------------------------------|--------------------------------------------------------------------|
 * | crash while it is written    | the old file is there, or the new one                              |
 * | file that is damaged         | put aside as `NAME.json.damaged`, told of once; the start goes on |
 * | disk that cannot be written  | told of once, tried again with the next change                     |
 */

import { createHash } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../lib/ports.ts';

interface Stored<T> {
	readonly version: 1;
	readonly savedAtMs: number;
	readonly votes: T;
}

interface VotesFileParts<T> {
	/** Of the file, without its ending. */
	readonly name: string;
	/** What there is where nothing could be read. */
	readonly none: T;
	readonly log: Log;
	/** What is to be kept, now: as JSON can say it. */
	readonly collect: () => T;
	/** Milliseconds since 1970. */
	readonly wallMs: () => number;
	/** Between a change and its write. */
	readonly delayMs?: number;
}

const DELAY_MS = 1000;

export class VotesFile<T> {
	readonly #directory: string;
	readonly #path: string;
	readonly #parts: VotesFileParts<T>;
	#timer: NodeJS.Timeout | undefined;
	/** When the timer ends, by the clock of the process. */
	#dueMs = Number.POSITIVE_INFINITY;
	/** The write under way; writes never overtake each other. */
	#writing: Promise<void> = Promise.resolve();
	#problem: string | undefined;

	constructor(stateDir: string, parts: VotesFileParts<T>) {
		this.#directory = stateDir;
		this.#path = join(stateDir, `${parts.name}.json`);
		this.#parts = parts;
	}

	/** Why votes could not be kept; undefined while all is well. */
	get problem(): string | undefined {
		return this.#problem;
	}

	/** What was kept, and how long ago. */
	load(): { readonly votes: T; readonly elapsedMs: number } {
		let text: string;
		try {
			text = readFileSync(this.#path, 'utf8');
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#putAside((error as Error).message);
			return { votes: this.#parts.none, elapsedMs: 0 };
		}
		const stored = readStored<T>(text);
		if (typeof stored === 'string') {
			this.#putAside(stored);
			return { votes: this.#parts.none, elapsedMs: 0 };
		}
		// A clock that was set back must not bring votes from the future.
		return { votes: stored.votes, elapsedMs: Math.max(0, this.#parts.wallMs() - stored.savedAtMs) };
	}

	/** There is something new: write soon. */
	touch(withinMs: number = this.#parts.delayMs ?? DELAY_MS): void {
		const dueMs = performance.now() + withinMs;
		if (dueMs >= this.#dueMs) return;
		clearTimeout(this.#timer);
		this.#dueMs = dueMs;
		this.#timer = setTimeout(() => void this.#write(), withinMs);
	}

	/** Write what there is now; settles when it is on the disk, or cannot be. */
	async flush(): Promise<void> {
		await this.#write();
	}

	#write(): Promise<void> {
		clearTimeout(this.#timer);
		this.#dueMs = Number.POSITIVE_INFINITY;
		this.#writing = this.#writing.then(() => this.#writeNow());
		return this.#writing;
	}

	async #writeNow(): Promise<void> {
		const { collect, wallMs, log } = this.#parts;
		try {
			const stored: Stored<T> = { version: 1, savedAtMs: wallMs(), votes: collect() };
			await writeDurably(this.#directory, this.#path, printStored(stored));
			this.#problem = undefined;
		} catch (error) {
			const problem = `Cannot keep votes for the next start: ${(error as Error).message}`;
			if (this.#problem === undefined) log.error({ reason: problem }, 'votes were not written');
			this.#problem = problem;
		}
	}

	#putAside(reason: string): void {
		const aside = `${this.#path}.damaged`;
		this.#parts.log.warn(
			{ file: this.#path, aside, reason },
			'votes of the last run cannot be read, and are put aside',
		);
		try {
			renameSync(this.#path, aside);
		} catch {
			// The next write replaces it.
		}
	}
}

async function writeDurably(directory: string, path: string, text: string): Promise<void> {
	const file = await open(`${path}.new`, 'w', 0o644);
	try {
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
	await rename(`${path}.new`, path);
	// The new name is in the directory, which has its own place on the disk.
	const folder = await open(directory, 'r');
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}

/** Two lines: the check of the second, and the second. */
function printStored(stored: Stored<unknown>): string {
	const text = JSON.stringify(stored);
	return `${checkOf(text)}\n${text}\n`;
}

/** What was stored, or what is wrong with the text. */
function readStored<T>(text: string): Stored<T> | string {
	const [check, body = ''] = text.split('\n');
	if (check !== checkOf(body)) return 'it does not match its check';
	const stored = JSON.parse(body) as Stored<T> | { readonly version: unknown };
	return stored.version === 1 ? (stored as Stored<T>) : `its version is ${JSON.stringify(stored.version)}, expected 1`;
}

function checkOf(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}

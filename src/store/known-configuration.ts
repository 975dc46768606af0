/**
 * The last generation of a store elsewhere that this process has seen, kept in its state directory: what it serves
 * while that store is away, what tells a store that was emptied from one that is new, and what a restore writes back.
 *
 *     known/ETAG       an item's text; never written over
 *     known/index      the head, and the etag of each item; written aside and renamed when all items are there
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../lib/ports.ts';
import { isHeadOf, readHead } from './head.ts';
import { etagOf, type Item, readItem, textOf } from './item.ts';
import { makeDirectory } from './make-directory.ts';
import type { Configuration } from './ports.ts';
import { readFields, readUntrustedJson } from './untrusted-json.ts';

const ETAG = /^[0-9a-f]{64}$/;

/** For so long at a time files are written, and so many at least. */
const SLICE_MS = 20;
const SLICE_FILES_MIN = 64;

export class KnownConfiguration {
	readonly #folder: string;
	readonly #store: string;
	readonly #log: Log;
	/** Etags of the texts that are there. */
	#kept = new Set<string>();
	/** What is being written. */
	#writing: Generator<void, void> | undefined;
	#hasFailed = false;

	/**
	 * @param store  names the store: what another one held says nothing
	 * @throws the runtime's error when the folder cannot be made
	 */
	constructor(stateDir: string, store: string, log: Log) {
		this.#folder = join(stateDir, 'known');
		this.#store = store;
		this.#log = log;
		makeDirectory(this.#folder, 0o700);
	}

	/** Undefined where there is none, or none that could be read. */
	load(): Configuration | undefined {
		let octets: Uint8Array;
		try {
			octets = readFileSync(join(this.#folder, 'index'));
		} catch {
			return undefined;
		}
		const configuration = this.#read(octets);
		if (configuration === 'of another store') return undefined;
		if (configuration === undefined)
			this.#log.warn({ folder: this.#folder }, 'the configuration of the last run cannot be read, and is passed over');
		else this.#kept = new Set([...configuration.items.values()].map(({ etag }) => etag));
		return configuration;
	}

	/**
	 * Keep it from now on: a small one at once, a large one bit by bit, while other things go on. What cannot be kept is
	 * told once, and tried again with the next generation.
	 */
	save(configuration: Configuration): void {
		// One that is under way goes on with what is newer: what it has written stays.
		const isUnderWay = this.#writing !== undefined;
		this.#writing = this.#write(configuration);
		if (!isUnderWay) this.#writeOn();
	}

	#writeOn(): void {
		const endMs = performance.now() + SLICE_MS;
		let files = 0;
		try {
			while (this.#writing?.next().done === false) {
				if (++files < SLICE_FILES_MIN || performance.now() < endMs) continue;
				setImmediate(() => this.#writeOn());
				return;
			}
			this.#hasFailed = false;
		} catch (error) {
			if (!this.#hasFailed)
				this.#log.error({ reason: (error as Error).message }, 'the configuration cannot be kept for the next start');
			this.#hasFailed = true;
		}
		this.#writing = undefined;
	}

	/** Yields between two files. */
	*#write({ head, items }: Configuration): Generator<void, void> {
		if (head === undefined) return;
		const etags = new Set<string>();
		for (const item of items.values()) {
			etags.add(item.etag);
			if (this.#kept.has(item.etag)) continue;
			writeAside(join(this.#folder, item.etag), textOf(item.content));
			this.#kept.add(item.etag);
			yield;
		}
		const index = JSON.stringify({ store: this.#store, head, items: [...items].map(([id, { etag }]) => [id, etag]) });
		writeAside(join(this.#folder, 'index'), `${createHash('sha256').update(index).digest('hex')}\n${index}`);
		for (const name of readdirSync(this.#folder)) {
			if (name === 'index' || etags.has(name)) continue;
			rmSync(join(this.#folder, name), { force: true });
			this.#kept.delete(name);
			yield;
		}
	}

	#read(octets: Uint8Array): Configuration | 'of another store' | undefined {
		const [check = '', index = ''] = Buffer.from(octets).toString('utf8').split('\n');
		if (createHash('sha256').update(index).digest('hex') !== check) return undefined;
		const value = readUntrustedJson(Buffer.from(index));
		const fields = value === undefined ? undefined : readFields(value, ['store', 'head', 'items']);
		const { store, head: headValue, items: list } = fields ?? {};
		if (typeof store === 'string' && store !== this.#store) return 'of another store';
		const head = readHead(headValue);
		if (head === undefined || !Array.isArray(list)) return undefined;
		const items = new Map<string, Item>();
		for (const entry of list) {
			const [id, etag] = Array.isArray(entry) ? entry : [];
			if (typeof id !== 'string' || typeof etag !== 'string') return undefined;
			const item = this.#readItem(id, etag);
			if (item === undefined) return undefined;
			items.set(id, item);
		}
		return isHeadOf(head, items) ? { head, items } : undefined;
	}

	#readItem(id: string, etag: string): Item | undefined {
		if (!ETAG.test(etag)) return undefined;
		try {
			const octets = readFileSync(join(this.#folder, etag));
			return etagOf(octets) === etag ? readItem(id, octets) : undefined;
		} catch {
			return undefined;
		}
	}
}

function writeAside(path: string, text: string): void {
	writeFileSync(`${path}.new`, text, { mode: 0o600 });
	renameSync(`${path}.new`, path);
}

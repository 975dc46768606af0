/**
 * The last good version of each unit, kept in the state directory so that a start with a broken file can fall
 * back to it. One file a unit, written aside and renamed: after a crash of the process there is the old one or the
 * new one. A file that a crash of the machine left half written does not match its own check and is passed over.
 */

import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from './make-directory.ts';

/** The texts of a unit's files. */
export interface UnitFiles {
	/** `common`, or the apex with its dot. */
	readonly unit: string;
	readonly zone: string | undefined;
	readonly steering: string | undefined;
	/** Texts of the files that the zone file includes, by path as written there. */
	readonly includes?: Readonly<Record<string, string>>;
}

interface StoredUnit extends UnitFiles {
	readonly check: string;
}

export class LastGood {
	readonly #directory: string;
	/** Check of what is stored, by unit: equal content is not written again. */
	readonly #stored = new Map<string, string>();

	/** What is stored, as it was given: not even its check is taken again. */
	readonly #saved = new Map<string, UnitFiles>();
	/** What a crash left behind is gone, as are units of before. */
	#isTidy = false;

	/** @throws the runtime's error when the directory cannot be made */
	constructor(stateDir: string) {
		this.#directory = join(stateDir, 'last-good');
		makeDirectory(this.#directory, 0o755);
	}

	/** All stored units; a file that is damaged is passed over and named. */
	load(): { readonly units: readonly UnitFiles[]; readonly damaged: readonly string[] } {
		const units: UnitFiles[] = [];
		const damaged: string[] = [];
		for (const name of readdirSync(this.#directory)) {
			if (!name.endsWith('.json')) continue;
			const path = join(this.#directory, name);
			const unit = readStored(path);
			if (unit === undefined) {
				damaged.push(path);
				continue;
			}
			this.#stored.set(unit.unit, unit.check);
			const { includes } = unit;
			units.push({
				unit: unit.unit,
				zone: unit.zone,
				steering: unit.steering,
				...(includes === undefined ? {} : { includes }),
			});
		}
		return { units, damaged };
	}

	/**
	 * Make the store hold exactly these units.
	 * @throws the runtime's error when a file cannot be written; the others are as they were or as they should be
	 */
	save(units: Iterable<UnitFiles>): void {
		resultOf(this.saving(units));
	}

	/** The same in steps: writing a hundred thousand units, or a large one, takes seconds. */
	*saving(units: Iterable<UnitFiles>): Generator<undefined, void> {
		const kept = new Set<string>();
		for (const unit of units) {
			yield;
			kept.add(unit.unit);
			if (this.#saved.get(unit.unit) === unit) continue;
			const check = yield* checkOf(unit);
			if (this.#stored.get(unit.unit) === check) {
				this.#saved.set(unit.unit, unit);
				continue;
			}
			const path = join(this.#directory, fileNameOf(unit.unit));
			yield* writeStored(`${path}.new`, unit, check);
			renameSync(`${path}.new`, path);
			this.#stored.set(unit.unit, check);
			this.#saved.set(unit.unit, unit);
		}
		for (const unit of this.#stored.keys()) {
			if (kept.has(unit)) continue;
			rmSync(join(this.#directory, fileNameOf(unit)), { force: true });
			this.#stored.delete(unit);
			this.#saved.delete(unit);
		}
		if (this.#isTidy) return;
		const names = new Set([...kept].map(fileNameOf));
		for (const name of readdirSync(this.#directory)) {
			if (OWN_FILE.test(name) && !names.has(name)) rmSync(join(this.#directory, name), { force: true });
		}
		this.#isTidy = true;
	}
}

/** Units, and what a crash left of writing one. */
const OWN_FILE = /^[0-9a-f]{32}\.json(?:\.new)?$/;

/** A name of fixed length and harmless letters, whatever the apex is. */
function fileNameOf(unit: string): string {
	return `${createHash('sha256').update(unit).digest('hex').slice(0, 32)}.json`;
}

/** Of the texts as JSON, without ever having it whole. */
function* checkOf({ unit, zone, steering, includes }: UnitFiles): Generator<undefined, string> {
	const hash = createHash('sha256');
	for (const part of joined(listParts([unit, zone, steering, includes]))) {
		hash.update(part);
		yield;
	}
	return hash.digest('hex');
}

function* writeStored(
	path: string,
	{ unit, zone, steering, includes }: UnitFiles,
	check: string,
): Generator<undefined> {
	const file = openSync(path, 'w');
	try {
		for (const part of joined(tableParts({ unit, zone, steering, includes, check }))) {
			writeSync(file, part);
			yield;
		}
	} finally {
		closeSync(file);
	}
}

type Value = string | undefined | Readonly<Record<string, string>>;

/** Of a text; larger ones come in parts. */
const PART_LENGTH = 65_536;

/** Parts that are worth a step. */
function* joined(parts: Iterable<string>): Generator<string> {
	let text = '';
	for (const part of parts) {
		text += part;
		if (text.length < PART_LENGTH) continue;
		yield text;
		text = '';
	}
	if (text !== '') yield text;
}

function* listParts(values: readonly Value[]): Generator<string> {
	for (const [i, value] of values.entries()) {
		yield i === 0 ? '[' : ',';
		if (value === undefined) yield 'null';
		else yield* valueParts(value);
	}
	yield ']';
}

function* tableParts(table: Readonly<Record<string, Value>>): Generator<string> {
	let before = '{';
	for (const [key, value] of Object.entries(table)) {
		if (value === undefined) continue;
		yield `${before}${JSON.stringify(key)}:`;
		yield* valueParts(value);
		before = ',';
	}
	yield before === '{' ? '{}' : '}';
}

function* valueParts(value: string | Readonly<Record<string, string>>): Generator<string> {
	if (typeof value !== 'string') {
		yield* tableParts(value);
		return;
	}
	if (value.length <= PART_LENGTH) {
		yield JSON.stringify(value);
		return;
	}
	let before = '"';
	for (let at = 0; at < value.length; ) {
		let end = at + PART_LENGTH;
		// The two halves of a character stay together.
		if (/[\uD800-\uDBFF]/.test(value.charAt(end - 1))) end++;
		yield before + JSON.stringify(value.slice(at, end)).slice(1, -1);
		before = '';
		at = end;
	}
	yield '"';
}

function readStored(path: string): StoredUnit | undefined {
	try {
		const stored = JSON.parse(readFileSync(path, 'utf8')) as StoredUnit;
		return stored.check === resultOf(checkOf(stored)) ? stored : undefined;
	} catch {
		return undefined;
	}
}

function resultOf<T>(steps: Generator<undefined, T>): T {
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
	}
}

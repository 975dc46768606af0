/**
 * The last good version of each unit, kept in the state directory so that a start with a broken file can fall
 * back to it. One file a unit, written aside and renamed: after a crash of the process there is the old one or the
 * new one. A file that a crash of the machine left half written does not match its own check and is passed over.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
		const steps = this.saving(units);
		while (steps.next().done !== true);
	}

	/** The same in steps of a unit each: writing a hundred thousand of them takes seconds. */
	*saving(units: Iterable<UnitFiles>): Generator<undefined, void> {
		const kept = new Set<string>();
		for (const unit of units) {
			yield;
			kept.add(unit.unit);
			if (this.#saved.get(unit.unit) === unit) continue;
			const check = checkOf(unit);
			if (this.#stored.get(unit.unit) === check) {
				this.#saved.set(unit.unit, unit);
				continue;
			}
			const path = join(this.#directory, fileNameOf(unit.unit));
			writeFileSync(`${path}.new`, JSON.stringify({ ...unit, check } satisfies StoredUnit));
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

function checkOf({ unit, zone, steering, includes }: UnitFiles): string {
	return createHash('sha256')
		.update(JSON.stringify([unit, zone ?? null, steering ?? null, includes ?? null]))
		.digest('hex');
}

function readStored(path: string): StoredUnit | undefined {
	try {
		const stored = JSON.parse(readFileSync(path, 'utf8')) as StoredUnit;
		return stored.check === checkOf(stored) ? stored : undefined;
	} catch {
		return undefined;
	}
}

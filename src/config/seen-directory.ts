/**
 * What the last load of a zones directory found, so that the next one costs little more than a look at each file: what
 * has not changed is the very same object.
 */

import { readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FileText, UnitText } from './zones-directory.ts';

/** What changes when a file does. A double counts nanoseconds to a few hundred: finer than any file system's clock. */
type FileState = Pick<Stats, 'mtimeMs' | 'ctimeMs' | 'size' | 'ino'>;

/** A file as it was read. */
interface SeenFile {
	readonly state: FileState;
	readonly text: FileText;
}

/** The unit that a file name stands for, or what is wrong with the name. */
export type NamedUnit = { readonly unit: string } | { readonly problem: string };

/** Files are read again when their state has changed, or was so young that a change might not show in it. */
const SETTLED_MS = 2000;

export class SeenDirectory {
	#names: readonly string[] = [];
	#sorted: readonly string[] = [];
	readonly #namedUnits = new Map<string, NamedUnit>();
	/** By name, those of the last load and those of this one. */
	#files = new Map<string, SeenFile>();
	#nextFiles = new Map<string, SeenFile>();
	#units: ReadonlyMap<string, UnitText> = new Map();

	/** Sorted; the same list as before is not sorted again. */
	sort(names: readonly string[]): readonly string[] {
		const isSame = names.length === this.#names.length && names.every((name, i) => name === this.#names[i]);
		if (!isSame) {
			this.#names = names;
			this.#sorted = names.toSorted();
			this.#namedUnits.clear();
		}
		return this.#sorted;
	}

	/** @param find  what the name stands for, when it has not been found before */
	namedUnit(name: string, find: (name: string) => NamedUnit): NamedUnit {
		const before = this.#namedUnits.get(name);
		if (before !== undefined) return before;
		const found = find(name);
		this.#namedUnits.set(name, found);
		return found;
	}

	/** @throws the runtime's error */
	read(directory: string, name: string): FileText {
		const before = this.#files.get(name);
		const now = statSync(before?.text.path ?? join(directory, name));
		const seen = before !== undefined && isSame(before.state, now) ? before : readSeen(join(directory, name), now);
		if (Date.now() - Math.max(now.mtimeMs, now.ctimeMs) > SETTLED_MS) this.#nextFiles.set(name, seen);
		return seen.text;
	}

	/** The unit as it was when its files are the same; included files are looked at anew. */
	unit(text: UnitText): UnitText {
		const before = this.#units.get(text.unit);
		const isSameUnit =
			before !== undefined &&
			before.zone === text.zone &&
			before.steering === text.steering &&
			before.includes === undefined &&
			text.includes === undefined;
		return isSameUnit ? before : text;
	}

	/** Whether the unit had this text as its master file, and included nothing: so it is now. */
	isPlain(unit: string, zone: FileText): boolean {
		const before = this.#units.get(unit);
		return before !== undefined && before.zone === zone && before.includes === undefined;
	}

	/** The load is over, and these are its units. */
	keep(units: ReadonlyMap<string, UnitText>): void {
		this.#files = this.#nextFiles;
		this.#nextFiles = new Map();
		this.#units = units;
	}
}

function isSame(a: FileState, b: FileState): boolean {
	return a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino;
}

function readSeen(path: string, { mtimeMs, ctimeMs, size, ino }: FileState): SeenFile {
	// One character for each octet: master files may hold any.
	const encoding = path.endsWith('.zone') ? 'latin1' : 'utf8';
	return { state: { mtimeMs, ctimeMs, size, ino }, text: { path, text: readFileSync(path, encoding) } };
}

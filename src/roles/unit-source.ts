/**
 * Where the texts of units come from.
 *
 * | process                | source                                                                         |
 * |------------------------|--------------------------------------------------------------------------------|
 * | `serve`                | the zones directory                                                            |
 * | `start`                | the units that the embedded store owns, and the zones directory for all others |
 * | either, with redis.url | the store alone                                                                |
 */

import { SeenDirectory } from '../config/seen-directory.ts';
import { type DirectoryTexts, type FileProblem, loadDirectory, type UnitText } from '../config/zones-directory.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { StoredUnits, type UnitItem } from './stored-units.ts';

export interface SourceTexts extends DirectoryTexts {
	/** Units that the store has. */
	readonly stored: ReadonlySet<string>;
	/** Those of them whose files in the zones directory say something else. */
	readonly differing: readonly string[];
}

export interface SourceRequest {
	/** Look at files again; without it they say what they said the last time. */
	readonly isFresh: boolean;
	/** Take an empty directory, or one that drops most zones, as it is. */
	readonly isForced: boolean;
	/** What is served now; before that, what can be fallen back to. */
	readonly served: DirectoryTexts;
}

export interface UnitSource {
	/** What the zones directory had at the last look, whoever owns it; undefined where it is no source. */
	readonly files: DirectoryTexts | undefined;
	/** @throws SourceRefused when it cannot be read, or looks as if it were not what is meant */
	load(request: SourceRequest): SourceTexts;
}

/** Takes the units of a store, as far as they have changed. */
export interface UnitTaker {
	/** @param removed  names of units that the store no longer has */
	update(changed: readonly UnitItem[], removed: readonly string[]): void;
	/** Nothing is known of the store. */
	setUnknown(reason: string): void;
}

export type SourceKind = 'directory' | 'store' | 'merged';

/** @returns the source, and where the units of the store are told */
export function createSource(
	kind: SourceKind,
	zonesDir: string,
): { readonly source: UnitSource; readonly taker: UnitTaker | undefined } {
	if (kind === 'directory') return { source: new DirectorySource(zonesDir), taker: undefined };
	const source = kind === 'store' ? new StoreSource() : new MergedSource(zonesDir);
	return { source, taker: source };
}

/** The source was refused as a whole: what was served before goes on. */
export class SourceRefused extends Error {
	/** It may come later: until then nothing is served. */
	readonly mayStartEmpty: boolean;

	constructor(message: string, mayStartEmpty = false) {
		super(message);
		this.mayStartEmpty = mayStartEmpty;
	}
}

export const NO_TEXTS: DirectoryTexts = {
	common: { unit: COMMON_UNIT, zone: undefined, steering: undefined },
	zones: [],
	problems: [],
};

/** The zones directory alone. */
export class DirectorySource implements UnitSource {
	/** Whoever asks for it has a store. */
	readonly files = undefined;
	readonly #directory: string;
	readonly #seen = new SeenDirectory();

	constructor(directory: string) {
		this.#directory = directory;
	}

	load({ isForced, served }: SourceRequest): SourceTexts {
		const texts = readDirectory(this.#directory, this.#seen, isForced);
		if (!isForced) {
			if (texts.zones.length === 0) throw hasNoZone(this.#directory);
			assertFewDropped(this.#directory, served.zones, texts.zones);
		}
		return { ...texts, stored: new Set(), differing: [] };
	}
}

/** A store that holds every unit. */
export class StoreSource implements UnitSource {
	readonly files = undefined;
	readonly #units = new StoredUnits();
	/** Why nothing is known of the store. */
	#unknown: string | undefined = 'it has not been asked yet';

	setUnknown(reason: string): void {
		this.#unknown = reason;
	}

	update(changed: readonly UnitItem[], removed: readonly string[]): void {
		this.#unknown = undefined;
		this.#units.update(changed, removed);
	}

	load(): SourceTexts {
		if (this.#unknown !== undefined)
			throw new SourceRefused(`Cannot load the zones of the store: ${this.#unknown}`, true);
		const { common = NO_TEXTS.common, zones, problems, names } = this.#units;
		return { common, zones, problems, stored: names, differing: [] };
	}
}

/** The zones directory, and over it the units that a store owns. */
export class MergedSource implements UnitSource {
	readonly #directory: string;
	readonly #seen = new SeenDirectory();
	readonly #units = new StoredUnits();
	/** What the directory had when it was taken the last time. */
	#files: DirectoryTexts | undefined;
	/** A unit was given back to its files since. */
	#hasReleased = false;

	constructor(directory: string) {
		this.#directory = directory;
	}

	get files(): DirectoryTexts | undefined {
		return this.#files;
	}

	setUnknown(): void {
		// Its own is always known.
	}

	update(changed: readonly UnitItem[], removed: readonly string[]): void {
		// What the store has and leaves to the directory is not its own.
		const isOwn = ({ content }: UnitItem) => content.owner === 'store';
		const left = changed.filter((unit) => !isOwn(unit)).map(({ name }) => name);
		const gone = [...removed, ...left];
		this.#hasReleased ||= gone.some((name) => this.#units.has(name));
		this.#units.update(changed.filter(isOwn), gone);
	}

	load({ isFresh, isForced, served }: SourceRequest): SourceTexts {
		const isOwn = ({ unit }: UnitText | FileProblem) => this.#units.has(unit);
		const files = isFresh ? this.#read(isForced, served) : this.#filesAsKnown(served);
		const { common = files.common, zones, problems, names } = this.#units;
		return {
			common,
			zones: [...files.zones.filter((text) => !isOwn(text)), ...zones],
			problems: [...files.problems.filter((problem) => !isOwn(problem)), ...problems],
			stored: names,
			differing: isFresh ? this.#units.differingFrom([files.common, ...files.zones]) : [],
		};
	}

	/** Without a look at files, unless one of them has become the truth again. */
	#filesAsKnown(served: DirectoryTexts): DirectoryTexts {
		try {
			if (this.#hasReleased) return this.#read(false, served);
		} catch (error) {
			// What the store has changed does not wait for a directory that is in order.
			if (!(error instanceof SourceRefused)) throw error;
		}
		// A directory that was refused at the start leaves the last good zones in its place.
		return this.#files ?? served;
	}

	#read(isForced: boolean, served: DirectoryTexts): DirectoryTexts {
		const ofFiles = (this.#files ?? served).zones.filter(({ unit }) => !this.#units.has(unit));
		// With the store alone there may be no directory at all.
		const mayBeEmpty = isForced || (ofFiles.length === 0 && this.#units.zones.length > 0);
		const files = readDirectory(this.#directory, this.#seen, mayBeEmpty);
		if (files.zones.length === 0 && !mayBeEmpty) throw hasNoZone(this.#directory);
		if (!isForced) assertFewDropped(this.#directory, ofFiles, files.zones);
		this.#files = files;
		this.#hasReleased = false;
		return files;
	}
}

function readDirectory(directory: string, seen: SeenDirectory, mayBeMissing: boolean): DirectoryTexts {
	try {
		return loadDirectory(directory, seen);
	} catch (error) {
		if (mayBeMissing && (error as NodeJS.ErrnoException).code === 'ENOENT') return NO_TEXTS;
		throw directoryRefused(directory, (error as Error).message);
	}
}

/** An empty directory, or most of one, is rather a mistake, such as a disk that is not mounted. */
function assertFewDropped(directory: string, before: readonly UnitText[], after: readonly UnitText[]): void {
	if (before.length === after.length && before.every(({ unit }, i) => unit === after[i]?.unit)) return;
	const present = new Set(after.map(({ unit }) => unit));
	const dropped = before.filter(({ unit }) => !present.has(unit)).length;
	if (dropped > 2 && dropped > before.length / 2)
		throw directoryRefused(directory, `it drops ${dropped} of ${before.length} zones; --force takes it all the same`);
}

function hasNoZone(directory: string): SourceRefused {
	return directoryRefused(directory, 'it holds no zone (*.zone); --force takes it all the same');
}

function directoryRefused(directory: string, why: string): SourceRefused {
	return new SourceRefused(`Cannot take the zones directory ${directory}: ${why}`);
}

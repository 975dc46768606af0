/**
 * The units that are served: loaded from their source, settled against the last good ones, kept for the next start.
 *
 *     source -> texts -> units (unchanged ones are not read again) -> settle -> generation
 *                                           ^
 *     stateDir/last-good -------------------'   stands in for what is broken
 */

import type { Includes } from '../config/includes.ts';
import { type Switch, switchedDocument } from '../config/overrides.ts';
import {
	type DirectoryTexts,
	digestOf,
	type FileProblem,
	placed,
	type ReadUnit,
	type ReadZone,
	readCommon,
	readZone,
	type UnitText,
} from '../config/zones-directory.ts';
import type { GeoData } from '../geo/decide.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { durationMs } from '../model/duration.ts';
import { monitorOf } from '../model/monitor.ts';
import { usesOf } from '../model/policy-uses.ts';
import { DEPTH_MAX } from '../model/steering.ts';
import type { BuildContext, BuildProblem } from '../snapshot/build.ts';
import { BuildCache } from '../snapshot/build-cache.ts';
import { type Settled, settle } from '../snapshot/settle.ts';
import type { SteeringUnit } from '../steering/compile.ts';
import { MergeCache } from '../steering/merge-cache.ts';
import type { LastGood, UnitFiles } from '../store/last-good.ts';
import type { ZoneTable } from '../zone/table.ts';
import { NO_TEXTS, SourceRefused, type UnitSource } from './unit-source.ts';

export interface Loaded {
	readonly settled: Settled<ReadZone>;
	/** All problems, errors and warnings, with their places in files. */
	readonly problems: readonly FileProblem[];
	/** What it was built from. */
	readonly versions: Versions;
	/** Units that a store has. */
	readonly stored: ReadonlySet<string>;
	/** Those of them whose files say something else. */
	readonly differing: readonly string[];
}

export interface Versions {
	readonly common: ReadUnit;
	readonly zones: ReadonlyMap<string, ReadZone>;
}

export class UnitKeeper {
	readonly #source: UnitSource;
	readonly #lastGood: LastGood | undefined;
	#vantages: readonly string[];
	#switches: readonly Switch[] = [];
	readonly #merges = new MergeCache();
	readonly #cache = new BuildCache();
	readonly #files = new WeakMap<ReadUnit, UnitFiles>();
	/** Stored units that cannot be read back. */
	readonly damaged: readonly string[];
	/** Units that were read and are not served yet, by name. */
	readonly #recent = new Map<string, ReadUnit>();
	/** What is served now; before that, what the state directory has. */
	#served: Versions;

	/**
	 * @param lastGood  absent for a check, which leaves no trace
	 * @param vantages  regions that have had a prober
	 */
	constructor(source: UnitSource, lastGood: LastGood | undefined, vantages: readonly string[]) {
		this.#vantages = vantages;
		this.#source = source;
		this.#lastGood = lastGood;
		const { units, damaged } = lastGood?.load() ?? { units: [], damaged: [] };
		const { versions, unreadable } = storedVersions(units);
		this.#served = versions;
		this.damaged = [...damaged, ...unreadable];
	}

	/** From the next build on. */
	setVantages(vantages: readonly string[]): void {
		this.#vantages = vantages;
	}

	/** Units with a version that is served, or can be fallen back to; none on a first start. */
	get servedUnits(): readonly string[] {
		return this.#served.zones.size === 0 ? [] : [COMMON_UNIT, ...this.#served.zones.keys()];
	}

	/**
	 * Load the units of the source and settle on what could be served.
	 * @param isForced  take an empty directory, or one that drops most zones, as it is
	 * @param isFresh   look at files again
	 * @throws SourceRefused
	 */
	load(geo: GeoData, isForced: boolean, isFresh = true): Loaded {
		const texts = this.#source.load({ isForced, isFresh, served: textsOf(this.#served) });
		const problems: FileProblem[] = [...texts.problems];
		const unread = new Set(problems.flatMap(({ unit, isWarning }) => (isWarning ? [] : [unit])));
		const read = <T extends ReadUnit>(
			text: UnitText,
			before: T | undefined,
			reader: (text: UnitText) => T | readonly FileProblem[],
		) => {
			if (unread.has(text.unit)) return undefined;
			// An unchanged unit is the same object, so that nothing about it is done again.
			if (before !== undefined && isOf(before, text)) return before;
			const unit = reader(text);
			if ('unit' in unit) return unit;
			problems.push(...unit);
			unread.add(text.unit);
			return undefined;
		};
		const common = read(texts.common, this.#served.common, readCommon);
		const zones = new Map<string, ReadZone>();
		for (const text of texts.zones) {
			const zone = read(text, this.#served.zones.get(text.unit), readZone);
			if (zone !== undefined) zones.set(text.unit, zone);
		}
		const { stored, differing } = texts;
		return { ...this.#settle(geo, common ?? this.#served.common, zones, unread, problems), stored, differing };
	}

	/** Build again from what is served; for a new geo database, or when the directory is refused at a start. */
	rebuild(geo: GeoData): Loaded {
		const settled = this.#settle(geo, this.#served.common, this.#served.zones, new Set(), []);
		return { ...settled, stored: new Set(), differing: [] };
	}

	/** Units as the source has them by now, whether they are served yet or not; nothing is looked for. */
	current(): Versions {
		const served = this.#served;
		let texts: DirectoryTexts;
		try {
			texts = this.#source.load({ isForced: true, isFresh: false, served: textsOf(served) });
		} catch (error) {
			if (!(error instanceof SourceRefused)) throw error;
			return served;
		}
		// What cannot be read is not served, and what stands in for it stays.
		const read = <T extends ReadUnit>(text: UnitText, before: T | undefined, reader: Reader<T>): T | undefined => {
			const known = [before, this.#recent.get(text.unit) as T | undefined].find(
				(one) => one !== undefined && isOf(one, text),
			);
			const unit = known ?? reader(text);
			if (!('unit' in unit)) return before;
			if (unit !== before) this.#recent.set(text.unit, unit);
			return unit;
		};
		const zones = new Map<string, ReadZone>();
		for (const text of texts.zones) {
			const zone = read(text, served.zones.get(text.unit), readZone);
			if (zone !== undefined) zones.set(text.unit, zone);
		}
		return { common: read(texts.common, served.common, readCommon) ?? served.common, zones };
	}

	/** From now on this is what is served. */
	accept({ versions }: Loaded): void {
		this.#served = versions;
		this.#recent.clear();
	}

	/** The zone table that was built last was copied, and the copy stays for as long as it is served. */
	lendTable(copy: ZoneTable): void {
		this.#cache.tables.lend(copy);
	}

	/**
	 * Keep what is served as the last good version.
	 * @throws the runtime's error when it cannot be written
	 */
	save(): void {
		this.#lastGood?.save(this.#servedFiles(this.#served));
	}

	/**
	 * The same in steps, of a unit each; what is served meanwhile is left to the next time.
	 * @throws the runtime's error when it cannot be written
	 */
	saving(): Iterator<undefined, void> | undefined {
		return this.#lastGood?.saving(this.#servedFiles(this.#served));
	}

	*#servedFiles({ common, zones }: Versions): Generator<UnitFiles> {
		yield this.#filesOf(common);
		for (const zone of zones.values()) yield this.#filesOf(zone);
	}

	/** The same object for the same unit, so that it is not looked at twice. */
	#filesOf(unit: ReadUnit): UnitFiles {
		const { text } = unit;
		let files = this.#files.get(unit);
		if (files === undefined) {
			files = {
				unit: text.unit,
				zone: text.zone?.text,
				steering: text.steering?.text,
				...(text.includes === undefined ? {} : { includes: includedTexts(text.includes) }),
			};
			this.#files.set(unit, files);
		}
		return files;
	}

	#settle(
		geo: GeoData,
		common: ReadUnit,
		zones: ReadonlyMap<string, ReadZone>,
		unread: ReadonlySet<string>,
		problems: FileProblem[],
	): Omit<Loaded, 'stored' | 'differing'> {
		const settled = settle(
			{ common: common.steering, zones: [...zones.values()] },
			{ common: this.#served.common.steering, zones: [...this.#served.zones.values()] },
			{ ...this.context(geo), switched: this.switched },
			unread,
		);
		this.#merges.sweep();
		// What a zone misses because common could not be read is no mistake of the zone's.
		const isCommonMissing = unread.has(COMMON_UNIT) && this.#served.common.text.steering === undefined;
		for (const problem of settled.problems) {
			if (isCommonMissing && 'path' in problem.at) continue;
			problems.push(located(problem, problem.unit === COMMON_UNIT ? common : zones.get(problem.unit)));
		}
		const versions: Versions = {
			common: settled.refused.has(COMMON_UNIT) ? this.#served.common : common,
			zones: new Map(settled.units.zones.map((zone) => [zone.unit, zone])),
		};
		return { settled, problems, versions };
	}

	/** What operators have switched, for the builds to come. */
	setSwitches(switches: readonly Switch[]): void {
		this.#switches = switches;
	}

	/** What they bring into documents; undefined for nothing. */
	get switched(): BuildContext['switched'] {
		const switches = this.#switches;
		return switches.length === 0 ? undefined : (unit, document) => switchedDocument(unit, document, switches);
	}

	/** For a build; the zones of a generation that was built before may change. */
	context(geo: GeoData): BuildContext {
		const model = { depthMax: DEPTH_MAX, durationMs, monitorOf, usesOf };
		return { geo, merges: this.#merges, cache: this.#cache, model, vantages: this.#vantages };
	}
}

type Reader<T> = (text: UnitText) => T | readonly FileProblem[];

function isOf(unit: ReadUnit, text: UnitText): boolean {
	return unit.text === text || unit.digest === digestOf(text);
}

function textsOf({ common, zones }: Versions): DirectoryTexts {
	return { common: common.text, zones: [...zones.values()].map(({ text }) => text), problems: [] };
}

/** The steering documents that are served. */
export function documentsOf({ versions }: Loaded): readonly SteeringUnit[] {
	return [versions.common, ...versions.zones.values()].map(({ text, steering }) => ({
		unit: text.unit,
		document: steering,
	}));
}

function located(problem: BuildProblem, unit: ReadUnit | undefined): FileProblem {
	const { at, message, isWarning } = problem;
	const place = unit?.locate(at) ?? { file: problem.unit, line: 1, column: 1 };
	const about = { unit: problem.unit, ...place, isWarning };
	return 'path' in at ? { ...about, message: placed(at.path, message), path: at.path } : { ...about, message };
}

/** A unit that was read has the text of every file that it includes. */
function includedTexts(includes: Includes): Record<string, string> {
	const entries = [...includes].flatMap(([path, file]) => ('text' in file ? [[path, file.text] as const] : []));
	return Object.fromEntries(entries);
}

/** What was good once may not be to a later version of this program. */
function storedVersions(stored: readonly UnitFiles[]): {
	readonly versions: Versions;
	readonly unreadable: readonly string[];
} {
	const empty = readCommon(NO_TEXTS.common);
	if (!('unit' in empty)) throw new Error('Cannot read an empty steering document');
	let common: ReadUnit = empty;
	const zones = new Map<string, ReadZone>();
	const unreadable: string[] = [];
	for (const { unit, zone, steering, includes } of stored) {
		const fileOf = (text: string | undefined) => (text === undefined ? undefined : { path: `last good ${unit}`, text });
		const included = Object.entries(includes ?? {}).map(([path, text]) => [path, { text }] as const);
		const text: UnitText = { unit, zone: fileOf(zone), steering: fileOf(steering), includes: new Map(included) };
		if (unit === COMMON_UNIT) {
			const read = readCommon(text);
			if ('unit' in read) common = read;
			else unreadable.push(unit);
		} else {
			const read = readZone(text);
			if ('unit' in read) zones.set(unit, read);
			else unreadable.push(unit);
		}
	}
	return { versions: { common, zones }, unreadable };
}

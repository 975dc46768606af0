/**
 * The configuration as the API sees it: units that the store owns, and those that still belong to the zones directory.
 */

import { UnitContent, type UnitSource } from '../config/unit-content.ts';
import type { Problem } from '../lib/result.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { Unit } from '../store/item.ts';
import type { Configuration, Head, Store } from '../store/ports.ts';

/** Units of the zones directory, as they are served. */
export interface DirectoryUnits {
	names(): Iterable<string>;
	unit(name: string): UnitSource | undefined;
	/** Let the others tell of what is served by now. */
	refresh(): Promise<void>;
}

/** A unit as it would become; without a source it would be gone. */
export interface ProposedUnit {
	readonly unit: string;
	readonly source: UnitSource | undefined;
}

export interface UnitProblem {
	readonly unit: string;
	readonly at: Pick<Problem, 'path'> | { readonly line: number; readonly file?: string };
	readonly message: string;
	readonly isWarning: boolean;
}

/** Clients that got an answer of a steered name, and would get none. */
export interface SilencedName {
	readonly unit: string;
	readonly name: string;
	readonly type: string;
	/** Some of their networks; empty for all clients. */
	readonly networks: readonly string[];
	/** Only because of what operators have switched now. */
	readonly isAsSwitched?: boolean;
}

export interface Validation {
	readonly problems: readonly UnitProblem[];
	readonly silenced: readonly SilencedName[];
}

/** What acts on a configuration. */
export interface ConfigurationParts {
	readonly store: Store;
	/** Absent where the store is the only source. */
	readonly directory: DirectoryUnits | undefined;
	/** The build that boots, over what the store has by now with these units in the place of others. */
	readonly validate: (changes: readonly ProposedUnit[]) => Promise<Validation>;
	/** What a client would get from it; a text for a question that is none. */
	readonly explainDraft: (changes: readonly ProposedUnit[], question: DraftQuestion) => Promise<object | string>;
	/** 0..1, for waiting times that differ. */
	readonly draw: () => number;
}

export interface DraftQuestion {
	readonly name: string;
	readonly type: string;
	readonly client: string | undefined;
	readonly resolver: string;
}

export interface HeldUnit {
	readonly owner: Unit['owner'];
	readonly content: UnitContent;
}

/** Contents that have been read, by what they were read from. */
export type ContentCache = WeakMap<object, UnitContent>;

const EMPTY_COMMON = new UnitContent({ unit: COMMON_UNIT, zone: undefined, includes: undefined, steering: undefined });

/** One generation, whole. */
export class ConfigurationView {
	readonly base: Configuration;
	readonly #directory: DirectoryUnits | undefined;
	readonly #cache: ContentCache;

	constructor(base: Configuration, directory: DirectoryUnits | undefined, cache: ContentCache) {
		this.base = base;
		this.#directory = directory;
		this.#cache = cache;
	}

	get head(): Head | undefined {
		return this.base.head;
	}

	unit(name: string): HeldUnit | undefined {
		const item = this.base.items.get(`unit:${name}`);
		// What a store has of the zones directory's is not the truth where that directory is at hand.
		if (item?.kind === 'unit' && (item.content.owner === 'store' || this.#directory === undefined))
			return { owner: item.content.owner, content: this.#content(item, () => sourceOf(name, item.content)) };
		const own = this.directoryUnit(name);
		if (own !== undefined) return { owner: 'directory', content: own };
		// Common is there before anything stands in it.
		return name === COMMON_UNIT ? { owner: 'store', content: EMPTY_COMMON } : undefined;
	}

	/** As the zones directory has it, whoever owns it. */
	directoryUnit(name: string): UnitContent | undefined {
		const source = this.#directory?.unit(name);
		return source === undefined ? undefined : this.#content(source, () => source);
	}

	/** Of all units, sorted. */
	names(): readonly string[] {
		const names = new Set(this.#directory?.names());
		for (const item of this.base.items.values()) if (item.kind === 'unit') names.add(item.name);
		return [...names].sort();
	}

	#content(key: object, source: () => UnitSource): UnitContent {
		let content = this.#cache.get(key);
		if (content === undefined) {
			content = new UnitContent(source());
			this.#cache.set(key, content);
		}
		return content;
	}
}

/** The content of a unit item as it stands in a store. */
function sourceOf(unit: string, { zone, includes, steering }: Unit): UnitSource {
	return { unit, zone, includes, steering };
}

export function unitItemOf({ source }: UnitContent): Unit {
	const { zone, includes, steering } = source;
	return { zone, includes, steering: steering as Unit['steering'], owner: 'store' };
}

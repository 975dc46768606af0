/**
 * The zones directory as the admin API sees it: of a unit that it owns what is served, of one that the store has taken
 * over what its files say. The builder has the texts; the main thread keeps a copy, and asks for what has changed.
 */

import type { DirectoryUnits } from '../admin/configuration.ts';
import type { UnitSource } from '../config/unit-content.ts';
import type { DirectoryTexts, UnitText } from '../config/zones-directory.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { DirectoryReply } from './builder-messages.ts';
import type { Loaded } from './units.ts';

export interface DirectoryParts {
	/** Of the generation that is served. */
	readonly number: () => number;
	readonly ask: () => Promise<DirectoryReply>;
}

export class MirroredDirectory implements DirectoryUnits {
	readonly #parts: DirectoryParts;
	readonly #units = new Map<string, UnitSource>();
	/** The generation that was asked about last. */
	#number = 0;
	#asking: Promise<void> | undefined;

	constructor(parts: DirectoryParts) {
		this.#parts = parts;
	}

	names(): Iterable<string> {
		return this.#units.keys();
	}

	unit(name: string): UnitSource | undefined {
		return this.#units.get(name);
	}

	async refresh(): Promise<void> {
		if (this.#number === this.#parts.number()) return;
		// Whoever comes meanwhile waits for the same answer.
		this.#asking ??= this.#ask();
		await this.#asking;
	}

	async #ask(): Promise<void> {
		const number = this.#parts.number();
		try {
			const { isWhole, changed, removed } = await this.#parts.ask();
			if (isWhole) this.#units.clear();
			for (const unit of removed) this.#units.delete(unit);
			for (const source of changed) this.#units.set(source.unit, source);
			this.#number = number;
		} finally {
			this.#asking = undefined;
		}
	}
}

/** @param files  what the directory had at the last look */
export function* directoryTexts(loaded: Loaded, files: DirectoryTexts | undefined): Generator<UnitText> {
	const { versions, stored } = loaded;
	const isTold = (text: UnitText) => text.zone !== undefined || text.steering !== undefined;
	for (const { text } of [versions.common, ...versions.zones.values()])
		if (!stored.has(text.unit) && isTold(text)) yield text;
	for (const text of files === undefined ? [] : [files.common, ...files.zones])
		if (stored.has(text.unit) && isTold(text)) yield text;
}

export function sourceOfText({ unit, zone, steering, includes = new Map() }: UnitText): UnitSource {
	const included = [...includes].flatMap(([path, file]) => ('text' in file ? [[path, file.text] as const] : []));
	return {
		unit,
		zone: unit === COMMON_UNIT ? undefined : zone?.text,
		includes: included.length === 0 ? undefined : Object.fromEntries(included),
		steering: steering === undefined ? undefined : { kind: 'text', text: steering.text },
	};
}

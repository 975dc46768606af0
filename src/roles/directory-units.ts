/**
 * The zones directory as the admin API sees it: of a unit that it owns what is served, of one that the store has taken
 * over what its files say.
 */

import type { DirectoryUnits } from '../admin/configuration.ts';
import type { UnitSource } from '../config/unit-content.ts';
import type { DirectoryTexts, UnitText } from '../config/zones-directory.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { Loaded } from './units.ts';

export class ServedDirectory implements DirectoryUnits {
	readonly #loaded: () => Loaded;
	readonly #files: () => DirectoryTexts | undefined;
	/** By the directory's texts, which are replaced as a whole. */
	readonly #byName = new WeakMap<DirectoryTexts, ReadonlyMap<string, UnitText>>();
	/** The same object for the same text, so that nothing about it is done again. */
	readonly #sources = new WeakMap<UnitText, UnitSource>();

	constructor(loaded: () => Loaded, files: () => DirectoryTexts | undefined) {
		this.#loaded = loaded;
		this.#files = files;
	}

	*names(): Generator<string> {
		for (const { unit } of this.texts()) yield unit;
	}

	unit(name: string): UnitSource | undefined {
		const text = this.#text(name);
		return text === undefined ? undefined : this.#sourceOf(text);
	}

	*texts(): Generator<UnitText> {
		const { common, zones } = this.#loaded().versions;
		for (const { unit } of [common, ...zones.values()]) {
			const text = this.#text(unit);
			if (text !== undefined) yield text;
		}
	}

	#text(name: string): UnitText | undefined {
		const { versions, stored } = this.#loaded();
		const served = name === COMMON_UNIT ? versions.common : versions.zones.get(name);
		const text = stored.has(name) ? this.#fileOf(name) : served?.text;
		// Common without a file is nobody's.
		return text?.zone === undefined && text?.steering === undefined ? undefined : text;
	}

	#fileOf(name: string): UnitText | undefined {
		const files = this.#files();
		if (files === undefined) return undefined;
		let byName = this.#byName.get(files);
		if (byName === undefined) {
			byName = new Map([files.common, ...files.zones].map((text) => [text.unit, text]));
			this.#byName.set(files, byName);
		}
		return byName.get(name);
	}

	#sourceOf(text: UnitText): UnitSource {
		let source = this.#sources.get(text);
		if (source === undefined) {
			const { unit, zone, steering, includes = [] } = text;
			const included = [...includes].flatMap(([path, file]) => ('text' in file ? [[path, file.text] as const] : []));
			source = {
				unit,
				zone: zone?.text,
				includes: included.length === 0 ? undefined : Object.fromEntries(included),
				steering: steering === undefined ? undefined : { kind: 'text', text: steering.text },
			};
			this.#sources.set(text, source);
		}
		return source;
	}
}

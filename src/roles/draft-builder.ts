/**
 * The build that boots, over a configuration of the store and a draft of changes to it: what would be wrong, who would
 * get no answer any more, and what a client would get. Nothing of it is served.
 */

import type {
	ConfigurationParts,
	DraftQuestion,
	ProposedUnit,
	SilencedName,
	UnitProblem,
	Validation,
} from '../admin/configuration.ts';
import { type ReadUnit, type ReadZone, readCommon, readZone, type UnitText } from '../config/zones-directory.ts';
import type { GeoData } from '../geo/decide.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { durationMs } from '../model/duration.ts';
import { monitorOf } from '../model/monitor.ts';
import { DEPTH_MAX } from '../model/steering.ts';
import { type BuildProblem, type Built, build } from '../snapshot/build.ts';
import { BuildCache } from '../snapshot/build-cache.ts';
import { MergeCache } from '../steering/merge-cache.ts';
import { silencedNames } from '../steering/silence.ts';
import type { Unit } from '../store/item.ts';
import type { Configuration } from '../store/ports.ts';
import { textOfUnit } from './stored-units.ts';

export interface DraftParts {
	readonly geo: () => GeoData;
	readonly vantages: readonly string[];
	/** Units that are served from the zones directory. */
	readonly directory: () => Iterable<UnitText>;
	readonly explain: (built: Built, question: DraftQuestion) => object | string;
}

type Texts = ReadonlyMap<string, UnitText>;

export class DraftBuilder implements Pick<ConfigurationParts, 'validate' | 'explainDraft'> {
	readonly #parts: DraftParts;
	readonly #merges = new MergeCache();
	readonly #cache = new BuildCache();
	/** By the content that it was made from: an item of the store, or a draft. */
	readonly #texts = new WeakMap<object, UnitText>();
	readonly #read = new WeakMap<UnitText, ReadUnit | ReadZone | undefined>();

	constructor(parts: DraftParts) {
		this.#parts = parts;
	}

	validate = async (base: Configuration, changes: readonly ProposedUnit[]): Promise<Validation> => {
		const before = this.#build(this.#textsOf(base, []));
		const after = this.#build(this.#textsOf(base, changes));
		this.#merges.sweep();
		const changed = new Set(changes.map(({ unit }) => unit));
		const known = new Set(before.problems.map(keyOf));
		// What was wrong elsewhere before is no reason to refuse what is not about it.
		const problems = after.problems.filter((problem) => changed.has(problem.unit) || !known.has(keyOf(problem)));
		return { problems: problems.map(problemOf), silenced: silencedBy(before, after, changed) };
	};

	explainDraft = async (
		base: Configuration,
		changes: readonly ProposedUnit[],
		question: DraftQuestion,
	): Promise<object | string> => {
		const built = this.#build(this.#textsOf(base, changes));
		return built.snapshot === undefined ? 'Cannot explain what cannot be built' : this.#parts.explain(built, question);
	};

	#textsOf({ items }: Configuration, changes: readonly ProposedUnit[]): Texts {
		const texts = new Map<string, UnitText>();
		for (const text of this.#parts.directory()) texts.set(text.unit, text);
		for (const item of items.values())
			if (item.kind === 'unit' && item.content.owner === 'store')
				texts.set(item.name, this.#textOf(item.content, item.name, item.content));
		for (const { unit, source } of changes) {
			if (source === undefined) texts.delete(unit);
			else
				texts.set(
					unit,
					this.#textOf(source, unit, { ...source, steering: source.steering as Unit['steering'], owner: 'store' }),
				);
		}
		return texts;
	}

	#textOf(key: object, name: string, unit: Unit): UnitText {
		let text = this.#texts.get(key);
		if (text === undefined) {
			text = textOfUnit(name, unit);
			this.#texts.set(key, text);
		}
		return text;
	}

	#build(texts: Texts): Built {
		const zones: ReadZone[] = [];
		let common: ReadUnit | undefined;
		for (const text of texts.values()) {
			if (text.unit === COMMON_UNIT) common = this.#readOnce(text, readCommon);
			else {
				const zone = this.#readOnce(text, readZone);
				// A unit that cannot even be read is not served, and was told of where it came from.
				if (zone !== undefined && 'apex' in zone) zones.push(zone);
			}
		}
		const empty = readCommon({ unit: COMMON_UNIT, zone: undefined, steering: undefined }) as ReadUnit;
		const { geo, vantages } = this.#parts;
		const model = { depthMax: DEPTH_MAX, durationMs, monitorOf };
		const context = { geo: geo(), merges: this.#merges, cache: this.#cache, model, vantages };
		return build({ common: (common ?? empty).steering, zones }, context);
	}

	#readOnce<T extends ReadUnit>(text: UnitText, reader: (text: UnitText) => T | readonly unknown[]): T | undefined {
		if (!this.#read.has(text)) {
			const read = reader(text);
			this.#read.set(text, 'unit' in read ? read : undefined);
		}
		return this.#read.get(text) as T | undefined;
	}
}

function problemOf({ unit, at, message, isWarning }: BuildProblem): UnitProblem {
	return { unit, at, message, isWarning };
}

function keyOf({ unit, at, message }: BuildProblem): string {
	return JSON.stringify([unit, at, message]);
}

/** A change in common may reach any name. */
function silencedBy(before: Built, after: Built, changed: ReadonlySet<string>): readonly SilencedName[] {
	if (before.snapshot === undefined || after.snapshot === undefined) return [];
	const [old, fresh] = [before.snapshot.steering, after.snapshot.steering];
	const unitOf = (name: string) => name.slice(0, name.indexOf(' '));
	const names = old.names.map(({ name }) => name);
	const looked = changed.has(COMMON_UNIT) ? names : names.filter((name) => changed.has(unitOf(name)));
	return silencedNames(old, fresh, new Set(looked)).map(({ name, family, networks }) => ({
		unit: unitOf(name),
		name: name.slice(name.indexOf(' ') + 1),
		type: family === 4 ? 'A' : 'AAAA',
		networks,
	}));
}

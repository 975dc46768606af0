/**
 * The build that boots, over the units as they are by now and a draft of changes to them: what would be wrong, who
 * would get no answer any more, and what a client would get. Nothing of it is served.
 *
 * | question                     | with what operators have switched                                       |
 * |------------------------------|-------------------------------------------------------------------------|
 * | what is wrong                | no: it has to be right when all overrides have ended                     |
 * | who would get no answer      | both ways: what an override hides is lost later, what it has left, now   |
 * | what a client would get      | yes: it is what would be served                                          |
 */

import type { ProposedUnit, SilencedName, UnitProblem } from '../admin/configuration.ts';
import { type FileProblem, type ReadUnit, type ReadZone, readCommon, readZone } from '../config/zones-directory.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { type BuildContext, type BuildProblem, type Built, build } from '../snapshot/build.ts';
import { silencedNames } from '../steering/silence.ts';
import type { Unit } from '../store/item.ts';
import { textOfUnit } from './stored-units.ts';
import type { Versions } from './units.ts';

export interface DraftParts {
	/** Units as they are; the same object for one that has not changed. */
	readonly current: () => Versions;
	readonly context: () => BuildContext;
	/** What operators have switched; undefined for nothing. */
	readonly switched: () => BuildContext['switched'];
}

export interface BuiltDraft {
	readonly problems: readonly UnitProblem[];
	readonly silenced: readonly SilencedName[];
	/** What would be served. */
	readonly built: Built;
}

export class DraftBuilder {
	readonly #parts: DraftParts;
	/** The build that drafts were compared with last, and what it was made from. */
	#before: { readonly versions: Versions; readonly geo: unknown; readonly built: Built } | undefined;

	constructor(parts: DraftParts) {
		this.#parts = parts;
	}

	draft(changes: readonly ProposedUnit[]): BuiltDraft {
		const current = this.#parts.current();
		const before = this.#buildBefore(current);
		const { versions, unread } = changed(current, changes);
		const built = this.#build(versions);
		const names = new Set(changes.map(({ unit }) => unit));
		const known = new Set(before.problems.map(keyOf));
		// What was wrong elsewhere before is no reason to refuse what is not about it.
		const own = built.problems.filter((problem) => names.has(problem.unit) || !known.has(keyOf(problem)));
		const problems = own.map(({ unit, at, message, isWarning }) => ({ unit, at, message, isWarning }));
		const told = { problems: [...unread, ...problems] };
		const silenced = silencedBy(before, built, names);
		const switched = this.#parts.switched();
		if (switched === undefined || built.snapshot === undefined) return { ...told, silenced, built };
		const servedBefore = this.#build(current, switched);
		// Last, for the next build may change the zones of the one before.
		const served = this.#build(versions, switched);
		const silencedAnyway = new Set(silenced.map(nameOf));
		const now = silencedBy(servedBefore, served, names).filter((one) => !silencedAnyway.has(nameOf(one)));
		return { ...told, silenced: [...silenced, ...now.map((one) => ({ ...one, isAsSwitched: true }))], built: served };
	}

	#buildBefore(versions: Versions): Built {
		const { geo } = this.#parts.context();
		const last = this.#before;
		if (last !== undefined && last.geo === geo && areSame(last.versions, versions)) return last.built;
		const built = this.#build(versions);
		this.#before = { versions, geo, built };
		return built;
	}

	#build({ common, zones }: Versions, switched?: BuildContext['switched']): Built {
		return build({ common: common.steering, zones: [...zones.values()] }, { ...this.#parts.context(), switched });
	}
}

function nameOf({ unit, name, type }: SilencedName): string {
	return `${unit} ${name} ${type}`;
}

function areSame(a: Versions, b: Versions): boolean {
	if (a.common !== b.common || a.zones.size !== b.zones.size) return false;
	for (const [unit, zone] of a.zones) if (b.zones.get(unit) !== zone) return false;
	return true;
}

function changed(
	current: Versions,
	changes: readonly ProposedUnit[],
): { readonly versions: Versions; readonly unread: readonly UnitProblem[] } {
	const unread: UnitProblem[] = [];
	const zones = new Map(current.zones);
	let { common } = current;
	const take = <T extends ReadUnit>(read: T | readonly FileProblem[], put: (unit: T) => void) => {
		if ('unit' in read) put(read);
		else unread.push(...read.map(problemOf));
	};
	for (const { unit, source } of changes) {
		const text =
			source && textOfUnit(unit, { ...source, steering: source.steering as Unit['steering'], owner: 'store' });
		const put = (zone: ReadZone) => zones.set(unit, zone);
		if (unit === COMMON_UNIT) {
			take(readCommon(text ?? { unit, zone: undefined, steering: undefined }), (read) => {
				common = read;
			});
		} else if (text === undefined) zones.delete(unit);
		else take(readZone(text), put);
	}
	return { versions: { common, zones }, unread };
}

function problemOf({ unit, line, path, message, isWarning }: FileProblem): UnitProblem {
	return { unit, at: path === undefined ? { line } : { path }, message, isWarning };
}

function keyOf({ unit, at, message }: BuildProblem): string {
	return JSON.stringify([unit, at, message]);
}

/** A change in common may reach any name. */
function silencedBy(before: Built, after: Built, touched: ReadonlySet<string>): readonly SilencedName[] {
	if (before.snapshot === undefined || after.snapshot === undefined) return [];
	const [old, fresh] = [before.snapshot.steering, after.snapshot.steering];
	const unitOf = (name: string) => name.slice(0, name.indexOf(' '));
	const names = old.names.map(({ name }) => name);
	const looked = touched.has(COMMON_UNIT) ? names : names.filter((name) => touched.has(unitOf(name)));
	return silencedNames(old, fresh, new Set(looked)).map(({ name, family, networks }) => ({
		unit: unitOf(name),
		name: name.slice(name.indexOf(' ') + 1),
		type: family === 4 ? 'A' : 'AAAA',
		networks,
	}));
}

/**
 * How a change comes into the store: whole or not at all, and never on top of something it was not made for.
 *
 *     edits -> preconditions -> units as they become -> shapes -> the build that boots -> guards -> compare-and-set
 *       ^                                                                                              |
 *       '------------------------------ lost to another writer: once more ------------------------------'
 *
 * Writes of this process wait for one another, so only those of other processes come between.
 */

import { applyEdit, type Edit, pathInValue } from '../config/change.ts';
import { diffUnits, type UnitDiff } from '../config/diff.ts';
import type { UnitContent } from '../config/unit-content.ts';
import { printPath } from '../lib/result.ts';
import type { Change } from '../store/item.ts';
import type { Configuration, Head, Store } from '../store/ports.ts';
import {
	type ConfigurationParts,
	ConfigurationView,
	type ContentCache,
	type HeldUnit,
	type ProposedUnit,
	type UnitProblem,
	unitItemOf,
	type Validation,
} from './configuration.ts';
import { type GuardFinding, guardFindings } from './guards.ts';
import { pointerOf } from './pointer.ts';
import { ApiProblem, type ProblemError } from './problem.ts';
import { storeProblem } from './store-problem.ts';

/** An edit, and where in the request it stands. */
export interface PlacedEdit {
	readonly edit: Edit;
	/** JSON pointer of its value. */
	readonly pointer: string;
}

export interface WriteRequest {
	/** Told the state before; throws ApiProblem when it is not the one that the request was made for. */
	readonly check: (view: ConfigurationView) => void;
	/** Units as they become. */
	readonly draft: (view: ConfigurationView) => Draft | Promise<Draft>;
	readonly author: string;
	readonly reason: string;
	readonly isForced: boolean;
	readonly isDryRun: boolean;
}

export interface Draft {
	/** By unit: undefined for one that goes. */
	readonly units: ReadonlyMap<string, UnitContent | undefined>;
	/** Units that the store gives back to the zones directory. */
	readonly released?: readonly string[];
	/** To tell where in the request a mistake lies. */
	readonly edits?: readonly PlacedEdit[];
}

export interface WriteResult {
	/** The generation that the change made; the present one when nothing changed, or nothing was to. */
	readonly head: Head | undefined;
	readonly isDryRun: boolean;
	readonly diff: readonly UnitDiff[];
	/** Units that belonged to the zones directory until now, with what that means. */
	readonly takenOver: readonly { readonly unit: string; readonly message: string }[];
	readonly warnings: readonly { readonly unit: string; readonly message: string }[];
	/** What a dry run would be refused for, or what force has passed over. */
	readonly guards: readonly GuardFinding[];
	/** The configuration with the change. */
	readonly after: (unit: string) => UnitContent | undefined;
}

/** How often a change is built anew because another process was faster. */
const TRIES_MAX = 50;
/** Requests that may wait for their turn: fewer than there may be connections, so that the others are told and not cut off. */
const WAITING_MAX = 64;
const WAIT_MS = 5;

export class Writer {
	readonly #parts: ConfigurationParts;
	readonly #cache: ContentCache = new WeakMap();
	#last: Promise<unknown> = Promise.resolve();
	#waiting = 0;

	constructor(parts: ConfigurationParts) {
		this.#parts = parts;
	}

	get store(): Store {
		return this.#parts.store;
	}

	/** The present generation. */
	async view(): Promise<ConfigurationView> {
		await this.#parts.directory?.refresh();
		return this.viewOf(this.#parts.store.configuration);
	}

	viewOf(configuration: Configuration): ConfigurationView {
		return new ConfigurationView(configuration, this.#parts.directory, this.#cache);
	}

	/** @throws ApiProblem */
	async write(request: WriteRequest): Promise<WriteResult> {
		if (request.isForced && !request.isDryRun && request.reason === '') throw reasonRequired('force a change');
		if (this.#waiting >= WAITING_MAX) throw busy('too many writes wait already');
		this.#waiting++;
		const turn = this.#last.then(() => this.#writeInTurn(request));
		this.#last = turn.catch(() => {});
		try {
			return await turn;
		} finally {
			this.#waiting--;
		}
	}

	/** Units of a draft as the build takes them, when their own shapes are good. @throws ApiProblem invalid */
	proposed(draft: Draft): readonly ProposedUnit[] {
		const errors: ProblemError[] = [];
		for (const [unit, content] of draft.units) {
			if (content === undefined) continue;
			const { steering, document } = content;
			if (steering.ok) continue;
			for (const { path, message } of steering.problems)
				errors.push(placeError(draft, { unit, at: { path }, message, isWarning: false }, document));
		}
		if (errors.length > 0) throw invalid(errors);
		return [...draft.units].map(([unit, content]) => ({ unit, source: content?.source }));
	}

	/** Build a draft aside, over what there is. @throws ApiProblem invalid */
	async validate(view: ConfigurationView, draft: Draft): Promise<Validation> {
		const validation = await this.#parts.validate(this.proposed(draft));
		const errors = validation.problems.filter(({ isWarning }) => !isWarning);
		if (errors.length === 0) return validation;
		const documentOf = (unit: string) => (draft.units.get(unit) ?? view.unit(unit)?.content)?.document ?? {};
		throw invalid(errors.map((problem) => placeError(draft, problem, documentOf(problem.unit))));
	}

	async #writeInTurn(request: WriteRequest): Promise<WriteResult> {
		const { store, draw } = this.#parts;
		for (let tries = 0; tries < TRIES_MAX; tries++) {
			if (!request.isDryRun) assertWritable(store);
			const view = await this.view();
			const prepared = await this.#prepare(view, request).catch(async (problem) => {
				// What another process has committed may not be known here yet.
				if (problem instanceof ApiProblem && (await this.#isBehind(view))) return undefined;
				throw problem;
			});
			if (prepared === undefined) continue;
			const { result, changes } = prepared;
			if (request.isDryRun || changes.length === 0) return result;
			const { author, reason } = request;
			const committed = await store.commit({ expected: view.head, changes, author, reason }).catch((error) => {
				throw storeProblem(error);
			});
			if (committed.kind === 'committed') return { ...result, head: committed.head };
			// Others that lost to the same writer must not all come back at once.
			await new Promise((resolve) => setTimeout(resolve, WAIT_MS * draw() * Math.min(tries + 1, 10)));
		}
		throw busy('other processes went on writing');
	}

	/** Whether the store has another head than a request was refused on. */
	async #isBehind({ head }: ConfigurationView): Promise<boolean> {
		const { store } = this.#parts;
		await store.look().catch((error) => {
			throw storeProblem(error);
		});
		return store.configuration.head?.hash !== head?.hash;
	}

	async #prepare(
		view: ConfigurationView,
		request: WriteRequest,
	): Promise<{ readonly result: WriteResult; readonly changes: readonly Change[] }> {
		request.check(view);
		const drafted = await request.draft(view);
		const { released = [] } = drafted;
		const units = new Map([...drafted.units].filter(([unit, content]) => isOther(view.unit(unit), content)));
		for (const unit of released) if (drafted.units.has(unit)) units.set(unit, drafted.units.get(unit));
		const draft: Draft = { ...drafted, units };
		const after = (unit: string) => (units.has(unit) ? units.get(unit) : view.unit(unit)?.content);
		if (units.size === 0)
			return { result: { ...NOTHING, head: view.head, isDryRun: request.isDryRun, after }, changes: [] };
		const { problems, silenced } = await this.validate(view, draft);
		const guards = guardFindings({
			before: { unit: (name) => view.unit(name)?.content },
			after: { unit: after },
			touched: [...units.keys()],
			names: () => view.names(),
			silenced,
		});
		if (guards.length > 0 && !request.isForced && !request.isDryRun) throw guarded(guards);
		const diff = [...units].flatMap(([unit, content]) => diffUnits(unit, view.unit(unit)?.content, content) ?? []);
		const changes: Change[] = [...units].map(([unit, content]) => ({
			kind: 'unit',
			name: unit,
			content: content === undefined || released.includes(unit) ? undefined : unitItemOf(content),
		}));
		return {
			changes,
			result: {
				head: view.head,
				isDryRun: request.isDryRun,
				diff,
				takenOver: [...units].flatMap(([unit, content]) =>
					released.includes(unit) ? [] : takeOver(view.unit(unit), content, unit),
				),
				warnings: problems
					.filter(({ isWarning, unit }) => isWarning && units.has(unit))
					.map(({ unit, at, message }) => ({ unit, message: 'path' in at ? placed(at.path, message) : message })),
				guards,
				after,
			},
		};
	}
}

const NOTHING = { diff: [], takenOver: [], warnings: [], guards: [] };

/** @throws ApiProblem when there is no unit to be edited, or what it was given is wrong */
export function draftOf(view: ConfigurationView, edits: readonly PlacedEdit[]): Draft {
	const units = new Map<string, UnitContent | undefined>();
	const errors: ProblemError[] = [];
	for (const { edit, pointer } of edits) {
		const { unit } = edit;
		const held = units.has(unit) ? units.get(unit) : view.unit(unit)?.content;
		const isGone = edit.action === 'delete' && (edit.place.kind === 'unit' || edit.place.kind === 'zone');
		if (isGone && view.directoryUnit(unit) !== undefined)
			throw new ApiProblem(
				'conflict',
				`Cannot remove ${unit}: the zones directory has it, so that it would come back; remove its files there first`,
			);
		const result = applyEdit(held, edit);
		if (result.ok) units.set(unit, result.value);
		else errors.push(...result.problems.map(({ path, message }) => ({ pointer: pointer + pointerOf(path), message })));
	}
	if (errors.length > 0) throw invalid(errors);
	return { units, edits };
}

function isOther(held: HeldUnit | undefined, content: UnitContent | undefined): boolean {
	if (held === undefined || content === undefined) return held?.content !== content;
	return held.content !== content && held.content.etag !== content.etag;
}

function takeOver(held: HeldUnit | undefined, content: UnitContent | undefined, unit: string) {
	if (held?.owner !== 'directory' || content === undefined) return [];
	const { zone, steering } = held.content.source;
	const anew = [
		...(steering !== undefined && content.source.steering?.kind === 'document' ? ['steering file'] : []),
		...(zone !== content.source.zone ? ['master file'] : []),
	];
	const lost = anew.length === 0 ? '' : `; comments of its ${anew.join(' and ')} are not kept`;
	const message = `${unit} belonged to the zones directory and now belongs to the store: its files are not read any more${lost}`;
	return [{ unit, message }];
}

/** Tell a mistake by its place in the request, or, where the request did not bring it, by its place in the unit. */
function placeError(
	{ edits = [] }: Draft,
	{ unit, at, message }: UnitProblem,
	document: Readonly<Record<string, unknown>>,
): ProblemError {
	const own = edits.filter(({ edit }) => edit.unit === unit).reverse();
	if (!('path' in at)) {
		const file = own.find(({ edit }) => edit.place.kind === 'zone-file' || edit.place.kind === 'unit');
		return { pointer: own[0]?.pointer ?? '', message, unit, ...(file === undefined ? {} : { line: at.line }) };
	}
	for (const { edit, pointer } of own) {
		const path = edit.action === 'delete' ? undefined : pathInValue(edit, document, at.path);
		if (path !== undefined) return { pointer: pointer + pointerOf(path), message };
	}
	return { pointer: own[0]?.pointer ?? '', message, unit, path: printPath(at.path) };
}

function placed(path: Parameters<typeof printPath>[0], message: string): string {
	return path.length === 0 ? message : `${printPath(path)}: ${message}`;
}

function invalid(errors: readonly ProblemError[]): ApiProblem {
	const [first] = errors;
	const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
	return new ApiProblem('invalid', `${first?.message}${more}`, { errors });
}

function guarded(findings: readonly GuardFinding[]): ApiProblem {
	const why = findings.map(({ message }) => message).join('; ');
	return new ApiProblem('guarded', `${why}; with ?force=true and a Meridian-Reason header it is done all the same`, {
		errors: findings.map(({ guard, unit, message }) => ({ pointer: '', message: `${guard}: ${message}`, unit })),
	});
}

export function reasonRequired(what: string): ApiProblem {
	return new ApiProblem('reason-required', `Cannot ${what} without a reason: expected a Meridian-Reason header`);
}

function busy(why: string): ApiProblem {
	return new ApiProblem('busy', `Cannot write now: ${why}`, { headers: { 'retry-after': '1' } });
}

/** @throws ApiProblem */
function assertWritable({ condition }: Store): void {
	if (condition.kind === 'unreachable') throw new ApiProblem('store-unreachable', condition.reason);
	if (condition.kind === 'lost') throw new ApiProblem('store-lost', `${condition.reason}; see meridian restore`);
}

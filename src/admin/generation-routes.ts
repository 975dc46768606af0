/**
 * The history, and the ways back: to what a unit was, to the zones directory, out of a lost store.
 */

import type { FastifyInstance, FastifyPluginCallback, FastifyRequest } from 'fastify';
import { diffUnits } from '../config/diff.ts';
import { setZoneFile } from '../config/edit-records.ts';
import { UnitContent } from '../config/unit-content.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import {
	ConditionHeadersShape,
	GenerationDiffShape,
	GenerationListQueryShape,
	GenerationListShape,
	GenerationParamsShape,
	ReasonHeadersShape,
	RestoreReplyShape,
	RollbackShape,
	WriteQueryShape,
	WriteReplyShape,
} from '../model/api-shapes.ts';
import type { Item } from '../store/item.ts';
import type { HistoryEntry } from '../store/ports.ts';
import type { ConfigurationView } from './configuration.ts';
import { holdPrecondition, readPrecondition } from './precondition.ts';
import { ApiProblem, type ProblemCode } from './problem.ts';
import { notFound, type Params, STORE_PROBLEMS, writeOptions, writeReply } from './resource-routes.ts';
import { storeProblem } from './store-problem.ts';
import { zoneUnit } from './unit-names.ts';
import { type Draft, reasonRequired, type Writer } from './writer.ts';

/** As far back as a store may remember. */
const HISTORY_MAX = 100_000;

const BACK_PROBLEMS: readonly ProblemCode[] = [
	'malformed',
	'reason-required',
	'guarded',
	'conflict',
	'precondition-failed',
	'invalid',
	'precondition-required',
	...STORE_PROBLEMS,
];

export function generationRoutes(writer: Writer): FastifyPluginCallback {
	return (app, _options, done) => {
		historyRoutes(app, writer);
		for (const scope of SCOPES) wayBackRoutes(app, writer, scope);
		restoreRoute(app, writer);
		done();
	};
}

interface Scope {
	readonly prefix: string;
	readonly noun: string;
	readonly title: string;
	readonly unitOf: (params: Params) => string;
}

const SCOPES: readonly Scope[] = [
	{ prefix: '/v1/zones/:apex', noun: 'Zone', title: 'a zone', unitOf: zoneUnit },
	{ prefix: '/v1/common', noun: 'Common', title: 'common', unitOf: () => COMMON_UNIT },
];

/** @throws ApiProblem for what the store could not do */
async function asked<T>(answer: Promise<T>): Promise<T> {
	try {
		return await answer;
	} catch (error) {
		throw storeProblem(error);
	}
}

function historyRoutes(app: FastifyInstance, writer: Writer): void {
	const { store } = writer;
	app.get('/v1/generations', {
		schema: {
			operationId: 'listGenerations',
			summary: 'Generations of the store, newest first',
			tags: ['history'],
			querystring: GenerationListQueryShape,
			response: { 200: GenerationListShape },
		},
		config: { access: 'viewer', problems: ['malformed', 'store-unreachable'] },
		handler: async (request) => {
			const { limit = '100', before, unit } = request.query as Readonly<Record<string, string | undefined>>;
			const all = await asked(store.history(HISTORY_MAX));
			const wanted = all.filter(
				({ head, changed }) =>
					(before === undefined || head.generation < Number(before)) &&
					(unit === undefined || changed.some(({ id }) => id === `unit:${unit}`)),
			);
			const page = wanted.slice(0, Number(limit));
			const next = wanted.length > page.length ? String(page.at(-1)?.head.generation) : undefined;
			return { items: page.map(entryOf), next };
		},
	});
	app.get('/v1/generations/:generation', {
		schema: {
			operationId: 'getGeneration',
			summary: 'What a generation changed, by whom and why',
			tags: ['history'],
			params: GenerationParamsShape,
			response: { 200: GenerationDiffShape },
		},
		config: { access: 'viewer', problems: ['malformed', 'not-found', 'store-unreachable'] },
		handler: async (request) => {
			const generation = Number((request.params as Params)['generation']);
			const entry = (await asked(store.history(HISTORY_MAX))).find(({ head }) => head.generation === generation);
			if (entry === undefined) throw notFound(request);
			const [before, after] = await Promise.all([
				asked(store.itemsAt(generation - 1)),
				asked(store.itemsAt(generation)),
			]);
			// As far back as the store does not remember what was replaced.
			if (after === undefined) return entryOf(entry);
			const [was, is] = [before ?? new Map(), after].map((items) => writer.viewOf({ head: entry.head, items }));
			const zones = request.caller?.zones;
			const units = entry.changed
				.filter(({ id }) => id.startsWith('unit:'))
				.map(({ id }) => id.slice('unit:'.length))
				// A token that may not read a zone reads nothing of its past either.
				.filter((unit) => zones === undefined || zones.has(unit) || unit === COMMON_UNIT);
			const diff = units.flatMap((unit) => diffUnits(unit, was?.unit(unit)?.content, is?.unit(unit)?.content) ?? []);
			return { ...entryOf(entry), diff };
		},
	});
}

function wayBackRoutes(app: FastifyInstance, writer: Writer, { prefix, noun, title, unitOf }: Scope): void {
	const problems: readonly ProblemCode[] = noun === 'Zone' ? ['not-found', ...BACK_PROBLEMS] : BACK_PROBLEMS;
	const writing = {
		tags: ['history'],
		querystring: WriteQueryShape,
		headersTaken: ConditionHeadersShape,
		response: { 200: WriteReplyShape },
	};
	app.post(`${prefix}/rollback`, {
		schema: {
			operationId: `rollback${noun}`,
			summary: `Give ${title} the content that it had at a generation, as a new one`,
			...writing,
			body: RollbackShape,
		},
		config: { access: 'editor', unitOf, problems: [...problems, 'too-large', 'unsupported-media-type'] },
		handler: async (request) => {
			const unit = unitOf(request.params as Params);
			const { generation } = request.body as { readonly generation: number };
			if (writeOptions(request).reason === '') throw reasonRequired('roll back');
			return goBack(writer, unit, request, async (view) => {
				const items = await asked(writer.store.itemsAt(generation));
				if (items !== undefined) return rollback(writer, view, unit, items);
				throw new ApiProblem(
					'conflict',
					`Cannot go back to generation ${generation}: the history does not reach there`,
				);
			});
		},
	});
	app.post(`${prefix}/release`, {
		schema: { operationId: `release${noun}`, summary: `Give ${title} back to the zones directory`, ...writing },
		config: { access: 'editor', unitOf, problems },
		handler: (request) => {
			const unit = unitOf(request.params as Params);
			return goBack(writer, unit, request, (view) => release(view, unit));
		},
	});
}

function restoreRoute(app: FastifyInstance, { store }: Writer): void {
	app.post('/v1/store/restore', {
		schema: {
			operationId: 'restoreStore',
			summary: 'Write the newest state that this process knows over a lost store, as a new epoch',
			tags: ['history'],
			headersTaken: ReasonHeadersShape,
			response: { 200: RestoreReplyShape },
		},
		config: {
			access: 'admin',
			problems: ['reason-required', 'conflict', 'store-unreachable', 'store-uncertain', 'store-refused'],
		},
		handler: async (request) => {
			const { author, reason } = writeOptions(request);
			if (reason === '') throw reasonRequired('restore the store');
			if (store.condition.kind === 'unreachable') throw new ApiProblem('store-unreachable', store.condition.reason);
			if (store.condition.kind === 'ready')
				throw new ApiProblem('conflict', 'Cannot restore the store: it is not lost');
			const { epoch, generation } = await asked(store.restore({ author, reason }));
			return { epoch, generation };
		},
	});
}

async function goBack(
	writer: Writer,
	unit: string,
	request: FastifyRequest,
	draft: (view: ConfigurationView) => Draft | Promise<Draft>,
) {
	const precondition = readPrecondition(request.headers);
	const result = await writer.write({
		...writeOptions(request),
		check: (view) => {
			const etag = view.unit(unit)?.content.etag;
			// One that was removed comes back by If-None-Match: *.
			if (etag === undefined && precondition.kind !== 'absent') throw notFound(request);
			holdPrecondition(precondition, etag, unit);
		},
		draft,
	});
	return { ...writeReply(request, result), etag: result.after(unit)?.etag };
}

/** Before the take-over the files were the truth, and are so again. */
function rollback(writer: Writer, view: ConfigurationView, unit: string, items: ReadonlyMap<string, Item>): Draft {
	const held = view.unit(unit)?.content;
	const then = writer.viewOf({ head: view.head, items }).unit(unit);
	if (then?.owner === 'directory') return release(view, unit);
	if (then === undefined) {
		if (unit !== COMMON_UNIT) return { units: new Map([[unit, undefined]]) };
		return {
			units: new Map([[unit, new UnitContent({ unit, zone: undefined, includes: undefined, steering: undefined })]]),
		};
	}
	const content = new UnitContent(then.content.source);
	return { units: new Map([[unit, unit === COMMON_UNIT ? content : setZoneFile(held, content)]]) };
}

function release(view: ConfigurationView, unit: string): Draft {
	const files = view.directoryUnit(unit);
	if (files === undefined)
		throw new ApiProblem(
			'conflict',
			`Cannot release ${unit}: the zones directory has no files of it that can be served`,
		);
	if (view.unit(unit)?.owner === 'directory') return { units: new Map() };
	return { units: new Map([[unit, files]]), released: [unit] };
}

function entryOf({ head, atMs, author, reason, changed }: HistoryEntry) {
	return {
		epoch: head.epoch,
		generation: head.generation,
		at: new Date(atMs).toISOString(),
		author,
		reason,
		changed: changed.map(({ id }) => (id.startsWith('unit:') ? id.slice('unit:'.length) : id)),
	};
}

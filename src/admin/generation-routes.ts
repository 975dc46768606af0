/**
 * The history, and the ways back: to what a unit was, to the zones directory, out of a lost store.
 */

import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import { diffUnits } from '../config/diff.ts';
import { setZoneFile } from '../config/edit-records.ts';
import { UnitContent } from '../config/unit-content.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import {
	ConditionHeadersShape,
	GenerationDiffShape,
	GenerationListQueryShape,
	GenerationListShape,
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
	...(['malformed', 'reason-required', 'not-found', 'guarded', 'conflict', 'precondition-failed', 'invalid'] as const),
	...(['precondition-required'] as const),
	...STORE_PROBLEMS,
];

export function generationRoutes(writer: Writer): FastifyPluginCallback {
	const { store } = writer;
	const historyOf = (limit: number) =>
		store.history(limit).catch((error) => {
			throw storeProblem(error);
		});
	const itemsAt = (generation: number) =>
		store.itemsAt(generation).catch((error) => {
			throw storeProblem(error);
		});
	return (app, _options, done) => {
		app.get('/v1/generations', {
			schema: {
				operationId: 'listGenerations',
				summary: 'Generations of the store, newest first',
				tags: ['history'],
				querystring: GenerationListQueryShape,
				response: { 200: GenerationListShape },
			},
			config: { access: 'viewer', problems: ['malformed', 'store-unreachable', 'store-lost'] },
			handler: async (request) => {
				const { limit = '100', before, unit } = request.query as Readonly<Record<string, string | undefined>>;
				const all = await historyOf(HISTORY_MAX);
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
				response: { 200: GenerationDiffShape },
			},
			config: { access: 'viewer', problems: ['malformed', 'not-found', 'store-unreachable', 'store-lost'] },
			handler: async (request) => {
				const generation = generationOf((request.params as Params)['generation'] ?? '');
				const entry = (await historyOf(HISTORY_MAX)).find(({ head }) => head.generation === generation);
				if (entry === undefined) throw notFound(request);
				const [before, after] = await Promise.all([itemsAt(generation - 1), itemsAt(generation)]);
				if (after === undefined) return entryOf(entry);
				const [was, is] = [before ?? new Map(), after].map((items) => writer.viewOf({ head: entry.head, items }));
				const units = entry.changed
					.filter(({ id }) => id.startsWith('unit:'))
					.map(({ id }) => id.slice('unit:'.length));
				const diff = units.flatMap((unit) => diffUnits(unit, was?.unit(unit)?.content, is?.unit(unit)?.content) ?? []);
				return { ...entryOf(entry), diff };
			},
		});
		for (const [prefix, noun, unitOf] of [
			['/v1/zones/:apex', 'Zone', zoneUnit],
			['/v1/common', 'Common', () => COMMON_UNIT],
		] as const) {
			const writing = {
				tags: ['history'],
				querystring: WriteQueryShape,
				headersTaken: ConditionHeadersShape,
				response: { 200: WriteReplyShape },
			};
			app.post(`${prefix}/rollback`, {
				schema: {
					operationId: `rollback${noun}`,
					summary: `Give ${noun === 'Zone' ? 'a zone' : 'common'} the content that it had at a generation, as a new one`,
					...writing,
					body: RollbackShape,
				},
				config: {
					access: 'editor',
					unitOf,
					problems: [...BACK_PROBLEMS, 'too-large', 'unsupported-media-type'],
				},
				handler: async (request) => {
					const unit = unitOf(request.params as Params);
					const { generation } = request.body as { readonly generation: number };
					if (writeOptions(request).reason === '') throw reasonRequired('roll back');
					return goBack(writer, unit, request, async (view) => {
						const items = await itemsAt(generation);
						if (items === undefined)
							throw new ApiProblem(
								'conflict',
								`Cannot go back to generation ${generation}: the history does not reach there`,
							);
						return rollback(writer, view, unit, items);
					});
				},
			});
			app.post(`${prefix}/release`, {
				schema: {
					operationId: `release${noun}`,
					summary: `Give ${noun === 'Zone' ? 'a zone' : 'common'} back to the zones directory`,
					...writing,
				},
				config: { access: 'editor', unitOf, problems: BACK_PROBLEMS },
				handler: (request) => {
					const unit = unitOf(request.params as Params);
					return goBack(writer, unit, request, (view) => release(view, unit));
				},
			});
		}
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
				if (store.condition.kind === 'ready')
					throw new ApiProblem('conflict', 'Cannot restore the store: it is not lost');
				const head = await store.restore({ author, reason }).catch((error) => {
					throw storeProblem(error);
				});
				return { epoch: head.epoch, generation: head.generation };
			},
		});
		done();
	};
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
	return { ...writeReply(result), etag: result.after(unit)?.etag };
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

function generationOf(text: string): number {
	if (/^\d{1,15}$/.test(text)) return Number(text);
	const message = `Cannot use "${text}" as a generation: expected a number`;
	throw new ApiProblem('malformed', message, { errors: [{ pointer: '/params/generation', message }] });
}

/**
 * Many edits as one generation, and what an edit would do to an answer.
 */

import type { FastifyPluginCallback } from 'fastify';
import { etagAtPlace } from '../config/change.ts';
import {
	ChangesShape,
	DraftExplainReplyShape,
	DraftExplainShape,
	ReasonHeadersShape,
	WriteQueryShape,
	WriteReplyShape,
} from '../model/api-shapes.ts';
import { isRecord, listAt, valueAt } from '../model/shape-walk.ts';
import { editsOf, type GivenChange } from './change-list.ts';
import type { ConfigurationParts } from './configuration.ts';
import { holdPrecondition } from './precondition.ts';
import { ApiProblem, type ProblemError } from './problem.ts';
import { LARGE_BODY_OCTETS_MAX, STORE_PROBLEMS, writeOptions, writeReply } from './resource-routes.ts';
import type { ExplainQuery, StateParts } from './state-routes.ts';
import { draftOf, type Writer } from './writer.ts';

interface GivenChanges {
	readonly units: Readonly<Record<string, string | null>>;
	readonly changes: readonly GivenChange[];
}

const DEFAULT_RESOLVER = '127.0.0.1';

export function changeRoutes(
	writer: Writer,
	{ explainDraft }: Pick<ConfigurationParts, 'explainDraft'>,
	explain: StateParts['explain'],
): FastifyPluginCallback {
	return (app, _options, done) => {
		app.post('/v1/changes', {
			schema: {
				operationId: 'makeChanges',
				summary: 'Many edits as one generation: all of them, or none',
				tags: ['changes'],
				querystring: WriteQueryShape,
				headersTaken: ReasonHeadersShape,
				body: ChangesShape,
				response: { 200: WriteReplyShape },
			},
			bodyLimit: LARGE_BODY_OCTETS_MAX,
			config: {
				access: 'editor',
				unitsOfBody: (body) => listAt(body, 'changes').flatMap(unitsOfChange),
				problems: [
					...(['malformed', 'reason-required', 'not-found', 'guarded', 'conflict', 'precondition-failed'] as const),
					...(['too-large', 'unsupported-media-type', 'invalid', 'precondition-required'] as const),
					...STORE_PROBLEMS,
				],
			},
			handler: async (request) => {
				const { units, changes } = request.body as GivenChanges;
				const edits = editsOf(changes);
				const touched = [...new Set(edits.map(({ edit }) => edit.unit))];
				const unnamed = touched.filter((unit) => !Object.hasOwn(units, unit));
				if (unnamed.length > 0) {
					const errors = unnamed.map((unit) => ({
						pointer: '/units',
						message: `Cannot do without the ETag of ${unit}`,
					}));
					throw new ApiProblem('precondition-required', errors[0]?.message ?? '', { errors });
				}
				const result = await writer.write({
					...writeOptions(request),
					check: (view) => {
						for (const [unit, given] of Object.entries(units)) {
							const etag = view.unit(unit)?.content.etag;
							const isAbsent = given === null;
							holdPrecondition(isAbsent ? { kind: 'absent' } : { kind: 'match', etags: [given] }, etag, unit);
						}
					},
					draft: (view) => {
						const missing: ProblemError[] = edits.flatMap(({ edit, pointer }, i) => {
							if (edit.action === 'put' || etagAtPlace(view.unit(edit.unit)?.content, edit.place) !== undefined)
								return [];
							// What an earlier change of this request creates may be changed by a later one.
							if (edits.slice(0, i).some((one) => one.edit.unit === edit.unit)) return [];
							return [{ pointer: pointer.replace(/value$/, 'resource'), message: 'There is no such resource' }];
						});
						if (missing.length > 0) throw new ApiProblem('not-found', 'There is no such resource', { errors: missing });
						return draftOf(view, edits);
					},
				});
				return writeReply(request, result);
			},
		});
		app.post('/v1/explain', {
			schema: {
				operationId: 'explainDraft',
				summary: 'Which answer a client gets, and which one it would get with a draft of changes',
				tags: ['changes'],
				body: DraftExplainShape,
				response: { 200: DraftExplainReplyShape },
			},
			config: {
				access: 'viewer',
				unitsOfBody: (body) => listAt(body, 'changes').flatMap(unitsOfChange),
				problems: ['malformed', 'too-large', 'unsupported-media-type', 'invalid', 'conflict'],
			},
			handler: async (request) => {
				const { changes, ...question } = request.body as ExplainQuery & { readonly changes?: readonly GivenChange[] };
				const live = await explain({
					...question,
					type: question.type,
					client: question.client,
					resolver: question.resolver,
				});
				if (typeof live === 'string') throw new ApiProblem('malformed', live);
				if (changes === undefined) return { live };
				const view = await writer.view();
				const draft = draftOf(view, editsOf(changes));
				const { name, type = 'A', client, resolver = DEFAULT_RESOLVER } = question;
				await writer.validate(view, draft);
				const answer = await explainDraft(writer.proposed(draft), { name, type, client, resolver });
				if (typeof answer === 'string') throw new ApiProblem('malformed', answer);
				return { live, draft: answer };
			},
		});
		done();
	};
}

function unitsOfChange(change: unknown): readonly string[] {
	const resource = valueAt(change, ['resource']);
	if (!isRecord(change) || typeof resource !== 'string') return [];
	try {
		return editsOf([{ op: 'delete', resource }]).map(({ edit }) => edit.unit);
	} catch {
		// What names no resource is refused by the route itself.
		return [];
	}
}

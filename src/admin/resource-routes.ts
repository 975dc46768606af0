/**
 * One resource, its four operations: the same for a pool, a record set, a master file or a whole unit.
 *
 * | operation | answers                                                                        |
 * |-----------|--------------------------------------------------------------------------------|
 * | GET       | the value, its ETag in the header                                              |
 * | PUT       | puts a value in its place, or creates it; the same value again changes nothing |
 * | PATCH     | JSON merge patch (RFC 7396)                                                     |
 * | DELETE    | removes it                                                                     |
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Edit, etagAtPlace, type Place, valueAtPlace } from '../config/change.ts';
import {
	AnyObjectShape,
	ConditionHeadersShape,
	type TSchema,
	WriteQueryShape,
	WriteReplyShape,
} from '../model/api-shapes.ts';
import { holdPrecondition, readPrecondition } from './precondition.ts';
import { ApiProblem, type ProblemCode } from './problem.ts';
import { reasonOf } from './reason.ts';
import type { Access } from './route.ts';
import { draftOf, type WriteResult, type Writer } from './writer.ts';

export type Params = Readonly<Record<string, string>>;

export interface Resource {
	/** With its parameters: `/v1/zones/:apex/pools/:name`. */
	readonly url: string;
	/** As operations are called: `ZonePool` makes `getZonePool`. */
	readonly noun: string;
	/** As people call it: `a pool of a zone`. */
	readonly title: string;
	readonly tag: string;
	readonly unitOf: (params: Params) => string;
	readonly placeOf: (params: Params) => Place;
	readonly shape: TSchema;
	/** JSON unless said. */
	readonly mediaType?: string;
	/** Of get, put, patch and delete; all unless said. */
	readonly operations?: readonly ('get' | 'put' | 'patch' | 'delete')[];
	/** The unit itself: putting it may create the unit. */
	readonly isWhole?: boolean;
	/** Its unit is always there. */
	readonly hasUnit?: boolean;
	/** It is there whenever its unit is. */
	readonly isPartOfUnit?: boolean;
	/** Operations that a guard may refuse. */
	readonly guarded: readonly ('put' | 'patch' | 'delete')[];
	/** Nothing can be wrong without it. */
	readonly removesFreely?: boolean;
	readonly bodyOctetsMax?: number;
	/** Of an answer to GET that is more than the value. */
	readonly get?: { readonly shape: TSchema; readonly value: (params: Params) => Promise<unknown> };
}

export const STORE_PROBLEMS: readonly ProblemCode[] = [
	'busy',
	'store-unreachable',
	'store-uncertain',
	'store-lost',
	'store-refused',
];

/** Of a body that holds a whole unit. */
export const LARGE_BODY_OCTETS_MAX = 32 * 1024 * 1024;

/** What an operation may be refused for. */
function problemsOf(resource: Resource, operation: 'put' | 'patch' | 'delete'): readonly ProblemCode[] {
	const { isWhole, hasUnit, isPartOfUnit, guarded, removesFreely } = resource;
	const isDelete = operation === 'delete';
	const mayBeMissing = operation === 'put' ? !isWhole && !hasUnit : !(hasUnit && isPartOfUnit);
	return [
		...(['malformed', 'reason-required', 'precondition-failed', 'precondition-required'] as const),
		...(mayBeMissing ? (['not-found'] as const) : []),
		...(guarded.includes(operation) ? (['guarded'] as const) : []),
		...(isDelete && isWhole ? (['conflict'] as const) : []),
		...(isDelete ? [] : (['too-large', 'unsupported-media-type'] as const)),
		...(isDelete && removesFreely ? [] : (['invalid'] as const)),
		...STORE_PROBLEMS,
	];
}

export function resourceRoutes(app: FastifyInstance, writer: Writer, resource: Resource): void {
	const { url, noun, title, tag, unitOf, placeOf, shape, mediaType, operations, get } = resource;
	const bodyLimit = resource.bodyOctetsMax === undefined ? {} : { bodyLimit: resource.bodyOctetsMax };
	const isThere = resource.hasUnit === true && resource.isPartOfUnit === true;
	const readProblems: readonly ProblemCode[] = [
		...(resource.hasUnit ? [] : (['malformed'] as const)),
		...(isThere ? [] : (['not-found'] as const)),
	];
	const has = (operation: 'get' | 'put' | 'patch' | 'delete') => operations?.includes(operation) ?? true;
	const access = (of: Access) => ({ access: of, unitOf });
	const writing = {
		tags: [tag],
		querystring: WriteQueryShape,
		headersTaken: ConditionHeadersShape,
	};
	const edit = (action: 'put' | 'patch' | 'delete') => (request: FastifyRequest, reply: FastifyReply) =>
		writeResource(writer, resource, action, request, reply);

	if (has('get')) {
		app.get(url, {
			schema: {
				operationId: `get${noun}`,
				summary: title,
				tags: [tag],
				...(mediaType === undefined || get !== undefined ? {} : { replyType: mediaType }),
				response: { 200: get?.shape ?? shape },
			},
			config: { ...access('viewer'), problems: readProblems },
			handler: async (request, reply) => {
				const params = request.params as Params;
				const held = (await writer.view()).unit(unitOf(params))?.content;
				const etag = etagAtPlace(held, placeOf(params));
				if (etag === undefined) throw notFound(request);
				reply.header('etag', `"${etag}"`);
				if (get !== undefined) return reply.send(await get.value(params));
				const value = valueAtPlace(held, placeOf(params));
				if (mediaType === undefined) return reply.send(value);
				return reply.type(mediaType).send(Buffer.from(value as string, 'latin1'));
			},
		});
	}
	if (has('put')) {
		app.put(url, {
			schema: {
				operationId: `put${noun}`,
				summary: `Create or replace ${title}`,
				...writing,
				bodyTaken: shape,
				...(mediaType === undefined ? {} : { bodyType: mediaType }),
				response: resource.isPartOfUnit ? { 200: WriteReplyShape } : { 200: WriteReplyShape, 201: WriteReplyShape },
			},
			...bodyLimit,
			config: { ...access('editor'), problems: problemsOf(resource, 'put') },
			handler: edit('put'),
		});
	}
	if (has('patch')) {
		app.patch(url, {
			schema: {
				operationId: `patch${noun}`,
				summary: `Change ${title} by a merge patch`,
				...writing,
				bodyTaken: AnyObjectShape,
				bodyType: 'application/merge-patch+json',
				response: { 200: WriteReplyShape },
			},
			...bodyLimit,
			config: { ...access('editor'), problems: problemsOf(resource, 'patch') },
			handler: edit('patch'),
		});
	}
	if (has('delete')) {
		app.delete(url, {
			schema: {
				operationId: `delete${noun}`,
				summary: `Remove ${title}`,
				...writing,
				response: { 200: WriteReplyShape },
			},
			config: { ...access('editor'), problems: problemsOf(resource, 'delete') },
			handler: edit('delete'),
		});
	}
}

async function writeResource(
	writer: Writer,
	resource: Resource,
	action: 'put' | 'patch' | 'delete',
	request: FastifyRequest,
	reply: FastifyReply,
): Promise<FastifyReply> {
	const params = request.params as Params;
	const unit = resource.unitOf(params);
	const place = resource.placeOf(params);
	if (action !== 'delete') assertBody(request, resource);
	const precondition = readPrecondition(request.headers);
	const edit: Edit = action === 'delete' ? { unit, place, action } : { unit, place, action, value: request.body };
	let isNew = false;
	const result = await writer.write({
		...writeOptions(request),
		check: (view) => {
			const held = view.unit(unit)?.content;
			const etag = etagAtPlace(held, place);
			const isMissing = action === 'put' ? held === undefined && resource.isWhole !== true : etag === undefined;
			if (isMissing) throw notFound(request);
			holdPrecondition(precondition, etag, request.url.split('?')[0] ?? '');
			isNew = etag === undefined;
		},
		draft: (view) => draftOf(view, [{ edit, pointer: '' }]),
	});
	const after = result.after(unit);
	const etag = etagAtPlace(after, place);
	if (etag !== undefined) reply.header('etag', `"${etag}"`);
	// What may be large is not sent back.
	const isWhole = place.kind === 'zone-file' || place.kind === 'unit' || place.kind === 'zone';
	const value = isWhole ? undefined : valueAtPlace(after, place);
	return reply.code(isNew && !result.isDryRun ? 201 : 200).send({ ...writeReply(request, result), etag, value });
}

/** @throws ApiProblem */
function assertBody({ headers, body }: FastifyRequest, { mediaType = 'application/json' }: Resource): void {
	if (body === undefined) throw new ApiProblem('malformed', 'Cannot do without a body');
	const isText = headers['content-type']?.startsWith('text/dns') === true;
	if (isText === (mediaType === 'text/dns')) return;
	throw new ApiProblem('unsupported-media-type', `Cannot use ${headers['content-type']}: expected ${mediaType}`);
}

/** What the query and headers of a write say. */
export function writeOptions({ query, headers, author }: FastifyRequest) {
	const { dryRun, force } = query as { readonly dryRun?: string; readonly force?: string };
	return {
		author,
		reason: reasonOf({ headers }) ?? '',
		isForced: force === 'true',
		isDryRun: dryRun === 'true',
	};
}

/** @param request  learns the generation, for the audit log */
export function writeReply(
	request: FastifyRequest,
	{ head, isDryRun, diff, takenOver, warnings, guards }: WriteResult,
) {
	if (!isDryRun) request.generation = head?.generation;
	return {
		epoch: head?.epoch ?? 0,
		generation: head?.generation ?? 0,
		dryRun: isDryRun,
		changed: diff,
		takenOver,
		warnings,
		guards,
	};
}

export function notFound(request: FastifyRequest): ApiProblem {
	return new ApiProblem('not-found', `There is no ${request.url.split('?')[0]}`);
}

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
	/** Of an answer to GET that is more than the value. */
	readonly get?: { readonly shape: TSchema; readonly value: (params: Params) => unknown };
}

const WRITE_PROBLEMS: readonly ProblemCode[] = [
	...(['malformed', 'reason-required', 'guarded', 'conflict', 'precondition-failed', 'too-large'] as const),
	...(['unsupported-media-type', 'invalid', 'precondition-required'] as const),
];
export const STORE_PROBLEMS: readonly ProblemCode[] = [
	'busy',
	'store-unreachable',
	'store-uncertain',
	'store-lost',
	'store-refused',
];

export function resourceRoutes(app: FastifyInstance, writer: Writer, resource: Resource): void {
	const { url, noun, title, tag, unitOf, placeOf, shape, mediaType, operations, get } = resource;
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
			config: { ...access('viewer'), problems: ['malformed', 'not-found'] },
			handler: (request, reply) => {
				const params = request.params as Params;
				const held = writer.view().unit(unitOf(params))?.content;
				const etag = etagAtPlace(held, placeOf(params));
				if (etag === undefined) throw notFound(request);
				reply.header('etag', `"${etag}"`);
				if (get !== undefined) return reply.send(get.value(params));
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
				response: { 200: WriteReplyShape, 201: WriteReplyShape },
			},
			config: { ...access('editor'), problems: [...WRITE_PROBLEMS, ...STORE_PROBLEMS] },
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
			config: { ...access('editor'), problems: ['not-found', ...WRITE_PROBLEMS, ...STORE_PROBLEMS] },
			handler: edit('patch'),
		});
	}
	if (has('delete')) {
		const problems = WRITE_PROBLEMS.filter((code) => code !== 'too-large' && code !== 'unsupported-media-type');
		app.delete(url, {
			schema: {
				operationId: `delete${noun}`,
				summary: `Remove ${title}`,
				...writing,
				response: { 200: WriteReplyShape },
			},
			config: { ...access('editor'), problems: ['not-found', ...problems, ...STORE_PROBLEMS] },
			handler: edit('delete'),
		});
	}
}

async function writeResource(
	writer: Writer,
	{ unitOf, placeOf }: Resource,
	action: 'put' | 'patch' | 'delete',
	request: FastifyRequest,
	reply: FastifyReply,
): Promise<FastifyReply> {
	const params = request.params as Params;
	const unit = unitOf(params);
	const place = placeOf(params);
	const precondition = readPrecondition(request.headers);
	const edit: Edit = action === 'delete' ? { unit, place, action } : { unit, place, action, value: request.body };
	let isNew = false;
	const result = await writer.write({
		...writeOptions(request),
		check: (view) => {
			const etag = etagAtPlace(view.unit(unit)?.content, place);
			if (etag === undefined && action !== 'put') throw notFound(request);
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
	return reply.code(isNew && !result.isDryRun ? 201 : 200).send({ ...writeReply(result), etag, value });
}

/** What the query and headers of a write say. */
export function writeOptions({ query, headers, author }: FastifyRequest) {
	const { dryRun, force } = query as { readonly dryRun?: string; readonly force?: string };
	const reason = headers['meridian-reason'];
	return {
		author,
		// Headers are octets; what people write into them is UTF-8.
		reason:
			typeof reason === 'string' ? Buffer.from(reason, 'latin1').toString('utf8').trim().slice(0, REASON_MAX) : '',
		isForced: force === 'true',
		isDryRun: dryRun === 'true',
	};
}

const REASON_MAX = 1000;

export function writeReply({ head, isDryRun, diff, takenOver, warnings, guards }: WriteResult) {
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

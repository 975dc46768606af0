/**
 * The document of the API (OpenAPI 3.1), made from the routes themselves: what is not declared is not there, and what
 * is there is in the document.
 *
 *     routes as they are registered -> schemas, access and problems -> paths; shapes with a title -> components
 */

import type { RouteOptions } from 'fastify';
import { OPEN_SHAPES, ProblemShape, type TSchema } from '../model/api-shapes.ts';
import { PROBLEMS, type ProblemCode } from './problem.ts';

/** Problems that any operation may answer; they stand under `default`. */
const COMMON_PROBLEMS = 'unauthenticated, forbidden, misdirected, rate-limited, audit-failed or internal';

type Json = Readonly<Record<string, unknown>>;

export function writeDocument(routes: readonly RouteOptions[], version: string): Json {
	const components = new Map<string, unknown>();
	const paths: Record<string, Record<string, unknown>> = {};
	for (const route of routes) {
		// Fastify makes one beside each GET.
		if (route.method === 'HEAD') continue;
		const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
		const operations = paths[path] ?? {};
		operations[String(route.method).toLowerCase()] = operationOf(route, components);
		paths[path] = operations;
	}
	const problem = components.get('Problem') as Json;
	const code = {
		type: 'string',
		enum: Object.keys(PROBLEMS),
		description: 'what went wrong, in a word that stays the same',
	};
	components.set('Problem', { ...problem, properties: { ...(problem['properties'] as Json), code } });
	return {
		openapi: '3.1.0',
		info: { title: 'Meridian', version, description: 'Change zones and policies of Meridian, and undo it.' },
		paths,
		components: {
			schemas: Object.fromEntries(components),
			securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
		},
	};
}

function operationOf({ url, schema = {}, config = {} }: RouteOptions, components: Map<string, unknown>): Json {
	const refer = (shape: unknown) => withReferences(shape, components);
	const { operationId, summary, tags, params, querystring, headersTaken, bodyType, response } = schema;
	const body = schema.body ?? schema.bodyTaken;
	const parameters = [
		...(params === undefined ? pathParametersOf(url) : parametersOf(params, 'path', refer)),
		...parametersOf(querystring, 'query', refer),
		...parametersOf(headersTaken, 'header', refer),
	];
	const content = (type: string | undefined, shape: unknown) => ({
		[type ?? 'application/json']: { schema: refer(shape) },
	});
	const responses: Record<string, unknown> = {};
	for (const [status, shape] of Object.entries((response ?? {}) as Json)) {
		const isBare = status === '204' || status === '304';
		responses[status] = {
			description: titleOf(status),
			...(isBare ? {} : { content: content(schema.replyType, shape) }),
		};
	}
	for (const [status, codes] of byStatus(config.problems ?? [])) {
		const before = responses[status] as Json | undefined;
		const problem = content('application/problem+json', ProblemShape);
		responses[status] = {
			description: [before?.['description'], codes.join(', ')].filter((part) => part !== undefined).join('; or '),
			content: { ...(before?.['content'] as Json | undefined), ...problem },
		};
	}
	responses['default'] = {
		description: COMMON_PROBLEMS,
		content: content('application/problem+json', ProblemShape),
	};
	return {
		operationId,
		summary,
		...(tags === undefined ? {} : { tags }),
		'x-access': config.access,
		security: config.access === 'public' ? [] : [{ token: [] }],
		...(parameters.length === 0 ? {} : { parameters }),
		...(body === undefined ? {} : { requestBody: { required: true, content: content(bodyType, body) } }),
		responses,
	};
}

function titleOf(status: string): string {
	return { '200': 'Done', '201': 'Created', '204': 'Removed', '304': 'Not modified' }[status] ?? 'See the body';
}

function byStatus(codes: readonly ProblemCode[]): ReadonlyMap<string, readonly ProblemCode[]> {
	const statuses = new Map<string, ProblemCode[]>();
	for (const code of codes) {
		const status = String(PROBLEMS[code].status);
		statuses.set(status, [...(statuses.get(status) ?? []), code]);
	}
	return statuses;
}

/** Those that a path names and that no shape says more of. */
function pathParametersOf(url: string): readonly Json[] {
	return [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => {
		const description = PATH_PARAMETERS[name];
		const told = description === undefined ? {} : { description };
		return { name, in: 'path', required: true, ...told, schema: { type: 'string' } };
	});
}

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
	apex: 'the apex of a zone, with its final dot or without it',
	name: 'a name: of an entry, or the owner of a record set, such as www or @',
	type: 'a type such as A or TXT',
	endpoint: 'the name of an endpoint',
};

function parametersOf(shape: unknown, place: string, refer: (shape: unknown) => unknown): readonly Json[] {
	if (shape === undefined) return [];
	const { properties = {}, required = [] } = shape as {
		readonly properties?: Readonly<Record<string, TSchema & { readonly description?: string }>>;
		readonly required?: readonly string[];
	};
	return Object.entries(properties).map(([name, { description, ...schema }]) => ({
		name,
		in: place,
		required: place === 'path' || required.includes(name),
		...(description === undefined ? {} : { description }),
		schema: refer(schema),
	}));
}

/** A copy of a shape in which what has a title is a reference to the component of that name. */
function withReferences(shape: unknown, components: Map<string, unknown>): unknown {
	if (Array.isArray(shape)) return shape.map((one) => withReferences(one, components));
	if (typeof shape !== 'object' || shape === null) return shape;
	const { title } = shape as { readonly title?: unknown };
	const copy = () =>
		Object.fromEntries(Object.entries(shape).map(([key, value]) => [key, withReferences(value, components)]));
	if (typeof title !== 'string') return copy();
	if (!components.has(title)) {
		// In its place before it is written, as it may refer to itself.
		components.set(title, {});
		components.set(title, Object.hasOwn(OPEN_SHAPES, title) ? withReferences(OPEN_SHAPES[title], components) : copy());
	}
	return { $ref: `#/components/schemas/${title}` };
}

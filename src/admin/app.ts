/**
 * The admin surface. What it shows and does is passed in; each family of routes is a plugin in a file of its own.
 *
 * | family           | routes                                                    |
 * |------------------|-----------------------------------------------------------|
 * | state-routes.ts  | /livez, /readyz, /metrics, /v1/health, /v1/fleet, /v1/geo, /v1/latency, /v1/explain |
 * | token-routes.ts  | /v1/tokens                                                |
 * | override-routes.ts | /v1/overrides                                           |
 * | trip-routes.ts   | /v1/trips, and those of pools                             |
 * | status-routes.ts | /v1/store                                                 |
 * | event-routes.ts  | /v1/events                                                |
 * | audit.ts         | /v1/audit                                                 |
 * | zone-routes.ts   | zones, master files, SOA settings, record sets            |
 * | steering-routes.ts | what stands in steering documents                       |
 * | change-routes.ts | /v1/changes, explain with a draft                         |
 * | generation-routes.ts | history, rollback, release, restore                   |
 * | here             | /v1/openapi.json                                          |
 */

import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { AnyObjectShape, type TSchema } from '../model/api-shapes.ts';
import { shapeReader } from '../model/check-document.ts';
import { methodsOf } from './allowed-methods.ts';
import { type AuditParts, addAudit, auditRoutes } from './audit.ts';
import { addDoor, type DoorParts } from './auth.ts';
import { changeRoutes } from './change-routes.ts';
import type { ConfigurationParts } from './configuration.ts';
import type { AdminCounts } from './counts.ts';
import { EventFeed } from './event-feed.ts';
import { eventRoutes } from './event-routes.ts';
import { generationRoutes } from './generation-routes.ts';
import { readBody } from './json-body.ts';
import { writeDocument } from './openapi.ts';
import { type OverrideParts, overrideRoutes } from './override-routes.ts';
import { pointerOf } from './pointer.ts';
import { ApiProblem, problemBody } from './problem.ts';
import { openServer, type ServerTls } from './server.ts';
import { type StateParts, stateRoutes } from './state-routes.ts';
import { statusRoutes } from './status-routes.ts';
import { steeringRoutes } from './steering-routes.ts';
import { type TokenRouteParts, tokenRoutes } from './token-routes.ts';
import { tripRoutes } from './trip-routes.ts';
import { Writer } from './writer.ts';
import { zoneRoutes } from './zone-routes.ts';
import './route.ts';

/** Who may ask, and how. */
export interface OperatingParts extends TokenRouteParts, AuditParts, OverrideParts {
	readonly door: DoorParts;
	readonly counts: AdminCounts;
	/** Told how many seconds each request took. */
	readonly observe: (seconds: number) => void;
	/** PEM; undefined for no TLS. */
	readonly tls: ServerTls | undefined;
}

export interface AdminParts extends StateParts, OperatingParts {
	readonly version: string;
	/** Absent in a process that has no store. */
	readonly configuration?: ConfigurationParts;
	/** Told of faults; whoever asked hears only that there was one. */
	readonly onFault: (error: Error) => void;
}

const BODY_OCTETS_MAX = 1024 * 1024;
/** An id that a caller gives to a request is taken when it can stand in a log as it is. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The surface, listening or about to. */
export interface AdminSurface {
	/** @returns the URL; rejects with the runtime's error when the address cannot be bound */
	listen(at: { readonly host: string; readonly port: number }): Promise<string>;
	close(): Promise<void>;
	/** Ask it without a socket. */
	inject(request: InjectedRequest): Promise<InjectedReply>;
}

export interface InjectedRequest {
	readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	readonly url: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string | Uint8Array;
	/** Address of who asks; loopback unless said. */
	readonly from?: string;
}

export interface InjectedReply {
	readonly status: number;
	readonly type: string;
	readonly headers: Readonly<Record<string, unknown>>;
	readonly body: string;
}

export function createAdminSurface(parts: AdminParts): AdminSurface {
	const app = createApp(parts);
	return {
		listen: (at) => app.listen({ ...at }),
		close: () => app.close(),
		inject: async ({ method, url, headers = {}, body, from }) => {
			const reply = await app.inject({
				method,
				url,
				headers: { ...headers },
				...(body === undefined ? {} : { payload: typeof body === 'string' ? body : Buffer.from(body) }),
				...(from === undefined ? {} : { remoteAddress: from }),
			});
			return {
				status: reply.statusCode,
				type: String(reply.headers['content-type']),
				headers: reply.headers,
				body: reply.body,
			};
		},
	};
}

function createApp(parts: AdminParts): FastifyInstance {
	const onError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
		sendProblem(problemOf(error, parts.onFault), request, reply);
	const app = openServer(parts.tls, {
		bodyLimit: BODY_OCTETS_MAX,
		forceCloseConnections: true,
		genReqId: ({ headers }) => {
			const given = headers['x-request-id'];
			return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
		},
		// What is wrong before there is a route, such as a URL that cannot be decoded.
		frameworkErrors: onError,
	});
	app.addHook('onRequest', (request, reply, done) => {
		reply.header('x-request-id', request.id);
		done();
	});
	registerBodies(app);
	const readers = new Map<TSchema, ReturnType<typeof shapeReader>>();
	app.setValidatorCompiler(({ schema, httpPart }) => {
		// Many routes take the same.
		const shape = schema as TSchema;
		const read = readers.get(shape) ?? shapeReader(shape);
		readers.set(shape, read);
		return validatorOf(read, httpPart);
	});
	// Replies are as the routes make them: a shape that says less than there is takes nothing away.
	app.setSerializerCompiler(() => (data) => JSON.stringify(data));
	const routes: RouteOptions[] = [];
	app.addHook('onRoute', (route) => void routes.push(route));
	app.setNotFoundHandler((request, reply) => sendProblem(unknownRoute(request, routes), request, reply));
	app.setErrorHandler(onError);
	addDoor(app, parts.door);
	addAudit(app, parts);
	parts.counts.add(app, parts.observe);
	app.register(stateRoutes(parts));
	app.register(tokenRoutes(parts));
	app.register(auditRoutes(parts));
	app.register(overrideRoutes(parts));
	app.register(tripRoutes(parts));
	app.register(
		eventRoutes({
			feed: new EventFeed(parts, { mark: randomUUID().slice(0, 8) }),
			tokens: parts.door.tokens,
			counts: parts.counts,
		}),
	);
	app.register(statusRoutes(parts));
	if (parts.configuration !== undefined) registerConfiguration(app, parts.configuration, parts);
	app.get('/v1/openapi.json', {
		schema: {
			operationId: 'getOpenApi',
			summary: 'This document',
			response: { 200: AnyObjectShape },
		},
		config: { access: 'public' },
		handler: () => writeDocument(routes, parts.version),
	});
	return app;
}

function registerConfiguration(app: FastifyInstance, configuration: ConfigurationParts, { explain }: AdminParts): void {
	const writer = new Writer(configuration);
	app.register(zoneRoutes(writer));
	app.register(steeringRoutes(writer));
	app.register(changeRoutes(writer, configuration, explain));
	app.register(generationRoutes(writer));
}

function unknownRoute({ method, url }: FastifyRequest, routes: readonly RouteOptions[]): ApiProblem {
	const [path = ''] = url.split('?');
	const methods = methodsOf(path, routes);
	if (methods.length === 0) return new ApiProblem('not-found', `There is no ${method} ${url}`);
	const allow = methods.join(', ');
	return new ApiProblem('method-not-allowed', `Cannot ${method} ${path}: expected ${allow}`, { headers: { allow } });
}

/** Bodies as the routes take them; what is no JSON is never guessed at. */
function registerBodies(app: FastifyInstance): void {
	app.removeAllContentTypeParsers();
	for (const type of ['application/json', 'application/merge-patch+json'])
		app.addContentTypeParser(type, { parseAs: 'string' }, async (_request: FastifyRequest, body: string | Buffer) =>
			readBody(String(body)),
		);
	// One character for each octet: master files may hold any.
	app.addContentTypeParser('text/dns', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: string | Buffer) =>
		(body as Buffer).toString('latin1'),
	);
}

/** All mistakes of a part of a request, each with its place. */
function validatorOf(
	read: ReturnType<typeof shapeReader>,
	httpPart: string | undefined,
): (value: unknown) => { error?: Error; value?: unknown } {
	const root = httpPart === 'body' ? '' : `/${httpPart === 'querystring' ? 'query' : httpPart}`;
	return (value) => {
		const result = read(value);
		if (result.ok) return { value: result.value };
		const errors = result.problems.map(({ path, message }) => ({ pointer: root + pointerOf(path), message }));
		return { error: new ApiProblem('malformed', errors[0]?.message ?? 'Cannot read the request', { errors }) };
	};
}

function problemOf(error: FastifyError | ApiProblem, onFault: (error: Error) => void): ApiProblem {
	if (error instanceof ApiProblem) return error;
	const status = error.statusCode ?? 500;
	if (status === 413) return new ApiProblem('too-large', error.message);
	if (status === 415) return new ApiProblem('unsupported-media-type', error.message);
	if (status < 500) return new ApiProblem('malformed', error.message);
	onFault(error);
	return new ApiProblem('internal', 'See the log');
}

/** RFC 9457. */
function sendProblem(problem: ApiProblem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
	request.problem = problem.code;
	return reply
		.code(problem.statusCode)
		.headers({ ...problem.headers })
		.type('application/problem+json')
		.send(JSON.stringify(problemBody(problem, request.id)));
}

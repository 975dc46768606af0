/**
 * What every route declares, beside its schemas: who may ask, and which unit it is about.
 *
 *     app.get('/v1/zones/:apex', { schema: { operationId: 'getZone', ... }, config: { access: 'viewer', unitOf } }, ...)
 *
 * The document of the API (openapi.ts) is made from the same declarations.
 */

import type { TSchema } from '../model/api-shapes.ts';
import type { Caller } from './auth-tokens.ts';
import type { ProblemCode } from './problem.ts';

/** Each may do what those before it may. `public` asks for no token. */
export type Access = 'public' | 'viewer' | 'operator' | 'editor' | 'admin';

declare module 'fastify' {
	interface FastifyContextConfig {
		access?: Access;
		/** The unit that a scoped token must be for; without it the route is about all of them. */
		unitOf?: (params: Readonly<Record<string, string>>) => string;
		/** Public to who stands on this machine. */
		isOpenOnLoopback?: boolean;
		/** Units that the body names, where the path names none. */
		unitsOfBody?: (body: unknown) => readonly string[];
		/** Problems that the operation may answer, beside those of every operation. */
		problems?: readonly ProblemCode[];
	}
	interface FastifySchema {
		operationId?: string;
		summary?: string;
		tags?: readonly string[];
		/** Request headers, for the document. */
		headersTaken?: TSchema;
		/** A body that the route checks itself, for the document. */
		bodyTaken?: TSchema;
		/** Media type of the body, and of the reply with status 200; JSON unless said. */
		bodyType?: string;
		replyType?: string;
	}
	interface FastifyRequest {
		/** Who asks, as the history and the audit log name them. */
		author: string;
		/** Undefined where no token was asked for, or shown. */
		caller: Caller | undefined;
		/** That a write has made, for the audit log. */
		generation: number | undefined;
		/** That was answered, for the audit log. */
		problem: ProblemCode | undefined;
	}
}

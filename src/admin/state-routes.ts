/**
 * What a process tells of its own state, to whoever may reach the surface.
 */

import type { FastifyPluginCallback } from 'fastify';
import { AnyObjectShape, ExplainQueryShape, StrictQueryShape, TextShape } from '../model/api-shapes.ts';
import { mayReadDetails } from './auth.ts';
import type { FleetReport } from './fleet-report.ts';
import { ApiProblem } from './problem.ts';
import type { GeoReport, LatencyReport, ReadyReport, TargetReport } from './reports.ts';

export interface StateParts {
	readonly ready: () => ReadyReport;
	readonly targets: () => readonly TargetReport[];
	readonly fleet: () => Promise<FleetReport>;
	readonly geo: () => Promise<GeoReport>;
	readonly latency: () => LatencyReport;
	/** A text says what is wrong with the question. */
	readonly explain: (question: ExplainQuery) => Promise<object | string>;
	readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export interface ExplainQuery {
	readonly name: string;
	readonly type: string | undefined;
	readonly client: string | undefined;
	readonly resolver: string | undefined;
}

export function stateRoutes({
	ready,
	targets,
	fleet,
	geo,
	latency,
	explain,
	metrics,
}: StateParts): FastifyPluginCallback {
	return (app, _options, done) => {
		app.get('/livez', {
			schema: { operationId: 'getLiveness', summary: 'Whether the process runs', response: { 200: AnyObjectShape } },
			config: { access: 'public' },
			handler: () => ({ alive: true }),
		});
		app.get('/readyz', {
			schema: {
				operationId: 'getReadiness',
				summary: 'Whether the process can answer queries, with what is not as it should be; ?strict makes that 503',
				querystring: StrictQueryShape,
				response: { 200: AnyObjectShape, 503: AnyObjectShape },
			},
			config: { access: 'public' },
			handler: (request, reply) => {
				const report = ready();
				const isStrict = Object.hasOwn(request.query as object, 'strict');
				const isFine = report.ready && !(isStrict && report.degraded.length > 0);
				// It tells of files and zones: to strangers the status is all.
				const told = mayReadDetails(request) ? report : { ready: report.ready };
				return reply.code(isFine ? 200 : 503).send(told);
			},
		});
		app.get('/metrics', {
			schema: {
				operationId: 'getMetrics',
				summary: 'Metrics in the text form of Prometheus',
				replyType: 'text/plain',
				response: { 200: TextShape },
			},
			// Scrapers of this machine need no secret; who else scrapes sends a bearer token, as Prometheus can.
			config: { access: 'viewer', isOpenOnLoopback: true },
			handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
		});
		app.get('/v1/health', {
			schema: {
				operationId: 'listTargets',
				summary: 'Every target with its vote, since when and why',
				response: { 200: AnyObjectShape },
			},
			config: { access: 'viewer' },
			handler: () => ({ targets: targets() }),
		});
		app.get('/v1/fleet', {
			schema: {
				operationId: 'getFleet',
				summary: 'Instances and probers: what they serve, since when nothing was heard, who is isolated',
				response: { 200: AnyObjectShape },
			},
			config: { access: 'viewer' },
			handler: () => fleet(),
		});
		app.get('/v1/geo', {
			schema: {
				operationId: 'getGeo',
				summary: 'The geo databases, what they lack, and which policies suffer',
				response: { 200: AnyObjectShape },
			},
			config: { access: 'viewer' },
			handler: () => geo(),
		});
		app.get('/v1/latency', {
			schema: {
				operationId: 'getLatency',
				summary: 'Round-trip times, regions by addresses',
				response: { 200: AnyObjectShape },
			},
			config: { access: 'viewer' },
			handler: () => latency(),
		});
		app.get('/v1/explain', {
			schema: {
				operationId: 'explain',
				summary: 'Which answer a client gets now, and why',
				querystring: ExplainQueryShape,
				response: { 200: AnyObjectShape },
			},
			config: { access: 'viewer', problems: ['malformed'] },
			handler: async (request) => {
				const { name, type, client, resolver } = request.query as ExplainQuery;
				const explained = await explain({ name, type, client, resolver });
				if (typeof explained === 'string') throw new ApiProblem('malformed', explained);
				return explained;
			},
		});
		done();
	};
}

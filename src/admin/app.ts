/**
 * The admin surface. What it shows is passed in; it decides nothing itself.
 *
 * | route        | tells                                                                                   |
 * |--------------|-----------------------------------------------------------------------------------------|
 * | /livez       | 200 while the process runs                                                              |
 * | /readyz      | 200 while it can answer queries, with what is not as it should be; ?strict makes it 503 |
 * | /metrics     | Prometheus text                                                                         |
 * | /v1/health   | every target with its vote, since when and why                                          |
 * | /v1/fleet    | instances and probers: what they serve, since when nothing was heard, who is isolated    |
 * | /v1/geo      | the geo databases, what they lack, and which policies suffer                            |
 * | /v1/latency  | round-trip times, regions by addresses                                                  |
 * | /v1/explain  | which answer a client gets, and why (?name=&type=&client=&resolver=); from loopback     |
 */

import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { FleetReport } from './fleet-report.ts';
import type { GeoReport, LatencyReport, ReadyReport, TargetReport } from './reports.ts';

export interface AdminParts {
	readonly ready: () => ReadyReport;
	readonly targets: () => readonly TargetReport[];
	readonly fleet: () => Promise<FleetReport>;
	readonly geo: () => Promise<GeoReport>;
	readonly latency: () => LatencyReport;
	/** A text says what is wrong with the question. */
	readonly explain: (question: ExplainQuery) => Promise<object | string>;
	readonly metrics: { readonly contentType: string; text(): Promise<string> };
	/** Told of faults; whoever asked hears only that there was one. */
	readonly onFault: (error: Error) => void;
}

export interface ExplainQuery {
	readonly name: string;
	readonly type: string | undefined;
	readonly client: string | undefined;
	readonly resolver: string | undefined;
}

const BODY_OCTETS_MAX = 1024 * 1024;

/** The surface, listening or about to. */
export interface AdminSurface {
	/** @returns the URL; rejects with the runtime's error when the address cannot be bound */
	listen(at: { readonly host: string; readonly port: number }): Promise<string>;
	close(): Promise<void>;
	/** Ask it without a socket. */
	inject(
		method: 'GET' | 'POST',
		url: string,
	): Promise<{ readonly status: number; readonly type: string; readonly body: string }>;
}

export function createAdminSurface(parts: AdminParts): AdminSurface {
	const app = createApp(parts);
	return {
		listen: (at) => app.listen({ ...at }),
		close: () => app.close(),
		inject: async (method, url) => {
			const { statusCode, headers, body } = await app.inject({ method, url });
			return { status: statusCode, type: String(headers['content-type']), body };
		},
	};
}

function createApp({ ready, targets, fleet, geo, latency, explain, metrics, onFault }: AdminParts): FastifyInstance {
	const onError = (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
		const status = error.statusCode ?? 500;
		if (status < 500) return problem(reply, status, 'Bad request', error.message);
		onFault(error);
		return problem(reply, status, 'Internal error', 'See the log');
	};
	const app = Fastify({
		bodyLimit: BODY_OCTETS_MAX,
		requestTimeout: 10_000,
		forceCloseConnections: true,
		// What is wrong before there is a route, such as a URL that cannot be decoded.
		frameworkErrors: onError,
	});
	app.get('/livez', () => ({ alive: true }));
	app.get('/readyz', (request, reply) => {
		const report = ready();
		const isStrict = Object.hasOwn(request.query as object, 'strict');
		const isFine = report.ready && !(isStrict && report.degraded.length > 0);
		return reply.code(isFine ? 200 : 503).send(report);
	});
	app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
	app.get('/v1/health', () => ({ targets: targets() }));
	app.get('/v1/fleet', () => fleet());
	app.get('/v1/geo', () => geo());
	app.get('/v1/latency', () => latency());
	app.get('/v1/explain', async (request, reply) => {
		// It tells where backends are; who may ask from elsewhere is for tokens to say.
		if (!isLoopback(request.socket.remoteAddress)) return problem(reply, 403, 'Forbidden', 'Ask from this machine');
		const { name, type, client, resolver } = request.query as Readonly<Record<string, unknown>>;
		if (typeof name !== 'string') return problem(reply, 400, 'Bad request', 'Cannot explain without ?name=');
		for (const value of [type, client, resolver]) {
			if (value !== undefined && typeof value !== 'string')
				return problem(reply, 400, 'Bad request', 'Cannot use a parameter twice');
		}
		const explained = await explain({ name, type, client, resolver } as ExplainQuery);
		return typeof explained === 'string' ? problem(reply, 400, 'Bad request', explained) : explained;
	});
	app.setNotFoundHandler((request, reply) =>
		problem(reply, 404, 'Not found', `There is no ${request.method} ${request.url}`),
	);
	app.setErrorHandler(onError);
	return app;
}

function isLoopback(address: string | undefined): boolean {
	return address !== undefined && (/^(::ffff:)?127\./.test(address) || address === '::1');
}

/** RFC 9457. */
function problem(reply: FastifyReply, status: number, title: string, detail: string): FastifyReply {
	return reply.code(status).type('application/problem+json').send({ type: 'about:blank', title, status, detail });
}

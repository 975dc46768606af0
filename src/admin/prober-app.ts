/**
 * The surface of a prober that stands alone: it answers no queries and changes nothing.
 *
 * | route      | tells                                                                                |
 * |------------|--------------------------------------------------------------------------------------|
 * | /livez     | 200 while the process runs                                                           |
 * | /readyz    | 200 while its votes arrive, with what is not as it should be; ?strict makes that 503 |
 * | /metrics   | Prometheus text                                                                      |
 * | /v1/health | every target with its vote, since when and why                                       |
 */

import Fastify from 'fastify';
import type { AdminSurface } from './app.ts';
import type { OwnTargetReport, ProberReadyReport } from './reports.ts';

export interface ProberAppParts {
	readonly ready: () => ProberReadyReport;
	readonly targets: () => readonly OwnTargetReport[];
	readonly metrics: { readonly contentType: string; text(): Promise<string> };
	/** Told of faults; whoever asked hears only that there was one. */
	readonly onFault: (error: Error) => void;
}

export function createProberSurface({
	ready,
	targets,
	metrics,
	onFault,
}: ProberAppParts): Omit<AdminSurface, 'inject'> {
	const app = Fastify({ requestTimeout: 10_000, forceCloseConnections: true });
	app.get('/livez', () => ({ alive: true }));
	app.get('/readyz', (request, reply) => {
		const report = ready();
		const isStrict = Object.hasOwn(request.query as object, 'strict');
		return reply.code(report.ready && !(isStrict && report.degraded.length > 0) ? 200 : 503).send(report);
	});
	app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
	app.get('/v1/health', () => ({ targets: targets() }));
	app.setErrorHandler((error: Error, _request, reply) => {
		onFault(error);
		return reply.code(500).send({ type: 'about:blank', title: 'Internal error', status: 500, detail: 'See the log' });
	});
	return { listen: (at) => app.listen({ ...at }), close: () => app.close() };
}

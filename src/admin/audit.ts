/**
 * What is written to the audit log, and how it is read back.
 *
 * | a call that                        | is recorded                                                         |
 * |------------------------------------|---------------------------------------------------------------------|
 * | writes                             | before it is begun, else it is refused (507), and when it has ended |
 * | is refused at the door             | then                                                                |
 * | the same, by who has no good token | at most 10 of an address, and 100 of all, and a few a minute after that: the rest is counted |
 * | reads                              | not                                                                 |
 */

import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../lib/ports.ts';
import { AuditPageShape, AuditQueryShape } from '../model/operating-shapes.ts';
import type { AuditLog, AuditRecord } from './audit-log.ts';
import { addressKey } from './auth.ts';
import { Buckets } from './buckets.ts';
import { ApiProblem } from './problem.ts';
import { reasonOf } from './reason.ts';
import './route.ts';

export interface AuditParts {
	readonly audit: AuditLog;
	readonly clock: Clock;
	/** Milliseconds since 1970. */
	readonly wallMs: () => number;
	/** Told of what could not be recorded. */
	readonly onAuditFault: (error: Error) => void;
}

const TEXT_MAX = 1000;
const STRANGER_LIMITS = { ratePerSec: 1 / 60, burst: 10, keysMax: 4096 };
const STRANGERS_LIMITS = { ratePerSec: 1 / 3, burst: 100, keysMax: 1 };
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
/** Of refusals at the door. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 421, 429]);

export function addAudit(app: FastifyInstance, { audit, clock, wallMs, onAuditFault }: AuditParts): void {
	const byStranger = new Buckets(STRANGER_LIMITS);
	const byStrangers = new Buckets(STRANGERS_LIMITS);
	let unrecorded = 0;
	/** Refusals must not push out of the log what was done. */
	const isOneTooMany = (address: string) => {
		const nowMs = clock.nowMs();
		return byStranger.take(address, nowMs) > 0 || byStrangers.take('', nowMs) > 0;
	};
	const record = (request: FastifyRequest, phase: AuditRecord['phase']): AuditRecord => ({
		time: new Date(wallMs()).toISOString(),
		phase,
		requestId: request.id,
		author: request.author,
		role: request.caller?.role,
		address: request.socket.remoteAddress ?? '',
		operation: request.routeOptions.schema?.operationId ?? '',
		method: request.method,
		path: request.url.replace(/\?.*$/s, '').slice(0, TEXT_MAX),
		unit: unitOf(request),
		reason: reasonOf(request)?.slice(0, TEXT_MAX),
	});
	app.decorateRequest('generation', undefined);
	app.decorateRequest('problem', undefined);
	app.addHook('preHandler', async (request) => {
		if (isRead(request)) return;
		try {
			await audit.write(record(request, 'started'));
		} catch (error) {
			onAuditFault(error as Error);
			throw new ApiProblem('audit-failed', 'Cannot write: the audit log cannot be written, see the log');
		}
	});
	app.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
		done();
		const status = reply.statusCode;
		if (isRead(request) && !REFUSALS.has(status)) return;
		const isStranger = request.caller === undefined;
		if (isStranger && isOneTooMany(addressKey(request.socket.remoteAddress))) {
			unrecorded++;
			return;
		}
		const more = { status, code: request.problem, generation: request.generation };
		const counted = isStranger && unrecorded > 0 ? { unrecorded } : {};
		if (isStranger) unrecorded = 0;
		audit.write({ ...record(request, 'finished'), ...more, ...counted }).catch(onAuditFault);
	});
}

export function auditRoutes({ audit }: Pick<AuditParts, 'audit'>): FastifyPluginCallback {
	return (app, _options, done) => {
		app.get('/v1/audit', {
			schema: {
				operationId: 'listAudit',
				summary:
					'What was written or refused: the newest first, or from a record on the oldest first (?after=0 for all)',
				tags: ['audit'],
				querystring: AuditQueryShape,
				response: { 200: AuditPageShape },
			},
			config: { access: 'admin', problems: ['malformed'] },
			handler: async (request) => {
				const { after, before, limit } = request.query as Readonly<Record<string, string | undefined>>;
				if (after !== undefined && before !== undefined)
					throw new ApiProblem('malformed', 'Cannot look both ways: expected ?after= or ?before=');
				const { records, hasMore } = await audit.read({
					kind: after === undefined ? 'before' : 'after',
					number: Number(after ?? before ?? Number.MAX_SAFE_INTEGER),
					limit: Math.min(PAGE_MAX, Number(limit ?? PAGE_DEFAULT)),
				});
				const last = records.at(-1)?.number;
				return { records, ...(hasMore && last !== undefined ? { next: last } : {}) };
			},
		});
		done();
	};
}

/** @returns undefined also where the path names none that could be one */
function unitOf({ routeOptions, params }: FastifyRequest): string | undefined {
	try {
		return routeOptions.config.unitOf?.((params ?? {}) as Record<string, string>);
	} catch {
		return undefined;
	}
}

/** What viewers may do changes nothing, also where it takes a body. */
function isRead({ method, routeOptions }: FastifyRequest): boolean {
	return method === 'GET' || method === 'HEAD' || routeOptions.config.access === 'viewer';
}

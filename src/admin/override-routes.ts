/**
 * Overrides: what an operator switches beside the configuration, with a reason and an end. One for each target: a new
 * one takes the place of the one before.
 */

import { createHash } from 'node:crypto';
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import { namesLeadingTo, type PoolPlace, remainingShare, type UnitDocument } from '../config/drain.ts';
import { poolsNamed, type SwitchTarget } from '../config/overrides.ts';
import { lowerName, printName, scanName } from '../dns/name.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { durationMs } from '../model/duration.ts';
import {
	IdParamsShape,
	type NewOverride,
	NewOverrideShape,
	OverrideListShape,
	type OverrideReport,
	OverrideShape,
	ReasonTakenShape,
} from '../model/operating-shapes.ts';
import type { Item } from '../store/item.ts';
import type { Store } from '../store/ports.ts';
import { ApiProblem } from './problem.ts';
import { reasonOf } from './reason.ts';
import { CHANGE_PROBLEMS, changeItems } from './store-items.ts';

export interface OverrideParts {
	readonly store: Store;
	/** Steering documents that are served, as users wrote them; those that steer nothing may be missing. */
	readonly documents: () => Promise<readonly UnitDocument[]>;
}

type OverrideItem = Item & { readonly kind: 'override' };

const DAY_MS = 86_400_000;
const UNTIL_MS_MAX = 366 * DAY_MS;
export function overrideRoutes({ store, documents }: OverrideParts): FastifyPluginCallback {
	const all = () => [...store.configuration.items.values()].filter((item) => item.kind === 'override');
	const find = (id: string, items = store.configuration.items): OverrideItem => {
		const item = items.get(`override:${id}`);
		if (item?.kind !== 'override') throw new ApiProblem('not-found', `There is no override "${id}"`);
		return item;
	};
	return (app, _options, done) => {
		app.get('/v1/overrides', {
			schema: {
				operationId: 'listOverrides',
				summary: 'What operators have switched, with what is left of clients that were told otherwise',
				tags: ['overrides'],
				response: { 200: OverrideListShape },
			},
			config: { access: 'viewer' },
			handler: async () => {
				const units = await documents();
				const reports = all().map((item) => reportOf(item, units, store.nowMs()));
				return { overrides: reports.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)) };
			},
		});
		app.post('/v1/overrides', {
			schema: {
				operationId: 'createOverride',
				summary: 'Switch an endpoint, a pool or a region for a time, in the place of what it was switched to before',
				tags: ['overrides'],
				headersTaken: ReasonTakenShape,
				body: NewOverrideShape,
				response: { 201: OverrideShape },
			},
			config: {
				access: 'operator',
				problems: ['malformed', 'reason-required', 'invalid', ...CHANGE_PROBLEMS],
				unitsOfBody: (body) => [unitOfTarget((body as NewOverride).target as SwitchTarget)],
			},
			handler: async (request, reply) => {
				const { state, target: given, for: lasting } = request.body as NewOverride;
				const reason = reasonOf(request);
				if (reason === undefined)
					throw new ApiProblem(
						'reason-required',
						'Cannot override without a reason: expected a Meridian-Reason header',
					);
				const target = readTarget(given);
				const units = await documents();
				if (poolsOf(units, target).length === 0)
					throw new ApiProblem('invalid', `Cannot find ${printTarget(target)}`, {
						errors: [{ pointer: '/target', message: `Cannot find ${printTarget(target)}` }],
					});
				const createdMs = store.nowMs();
				const untilMs = createdMs + lastingMs(lasting);
				const { author } = request;
				const content = { state, target, reason, author, createdMs, untilMs };
				const name = idOfTarget(target);
				const head = await changeItems(store, { author, reason }, () => [{ kind: 'override', name, content }]);
				request.generation = head?.generation;
				return reply.code(201).send(reportOf(find(name), units, createdMs));
			},
		});
		app.get('/v1/overrides/:id', {
			schema: {
				operationId: 'getOverride',
				summary: 'An override',
				tags: ['overrides'],
				params: IdParamsShape,
				response: { 200: OverrideShape },
			},
			config: { access: 'viewer', problems: ['not-found'] },
			handler: async (request) => reportOf(find(idOf(request)), await documents(), store.nowMs()),
		});
		app.delete('/v1/overrides/:id', {
			schema: {
				operationId: 'endOverride',
				summary: 'End an override: what the configuration and health say counts again',
				tags: ['overrides'],
				headersTaken: ReasonTakenShape,
				params: IdParamsShape,
				response: { 204: OverrideShape },
			},
			config: {
				access: 'operator',
				problems: ['not-found', ...CHANGE_PROBLEMS],
				unitOf: ({ id = '' }) => {
					const item = store.configuration.items.get(`override:${id}`);
					return item?.kind === 'override' ? unitOfTarget(item.content.target) : COMMON_UNIT;
				},
			},
			handler: async (request, reply) => {
				const name = idOf(request);
				const { author } = request;
				const reason = reasonOf(request) ?? `override of ${printTarget(find(name).content.target)} ended`;
				const head = await changeItems(store, { author, reason }, (items) => {
					find(name, items);
					return [{ kind: 'override', name, content: undefined }];
				});
				request.generation = head?.generation;
				return reply.code(204).send();
			},
		});
		done();
	};
}

function idOf({ params }: FastifyRequest): string {
	return (params as { readonly id: string }).id;
}

/** Whoever may switch a region may do so for all zones. */
function unitOfTarget(target: SwitchTarget): string {
	return target.kind === 'region' ? COMMON_UNIT : unitName(target.unit);
}

/** @throws ApiProblem */
function readTarget(given: NewOverride['target']): SwitchTarget {
	const { kind, unit, pool, endpoint, region, ...rest } = given;
	const wanted = { endpoint: ['unit', 'pool', 'endpoint'], pool: ['unit', 'pool'], region: ['region'] }[kind];
	const errors = Object.entries({ unit, pool, endpoint, region, ...rest }).flatMap(([key, value]) => {
		if (wanted.includes(key) === (value !== undefined)) return [];
		const message =
			value === undefined ? `Cannot do without "${key}"` : `Cannot use "${key}" for a target of kind ${kind}`;
		return [{ pointer: `/target/${key}`, message }];
	});
	if (errors.length > 0) throw new ApiProblem('malformed', errors[0]?.message ?? '', { errors });
	if (kind === 'region') return { kind, region: region ?? '' };
	const place = { unit: unitName(unit ?? ''), pool: pool ?? '' };
	return kind === 'pool' ? { kind, ...place } : { kind, ...place, endpoint: endpoint ?? '' };
}

function unitName(text = ''): string {
	if (text === COMMON_UNIT) return text;
	const name = scanName(text.endsWith('.') ? text : `${text}.`, Uint8Array.of(0));
	return typeof name === 'string' ? text : printName(lowerName(name));
}

/** @throws ApiProblem */
function lastingMs(text: string): number {
	const lasting = durationMs(text);
	if (lasting > 0 && lasting <= UNTIL_MS_MAX) return lasting;
	const message = `Cannot override for ${text}: expected at most 366d`;
	throw new ApiProblem('malformed', message, { errors: [{ pointer: '/for', message }] });
}

/** The same for the same target, so that there is one of each. */
function idOfTarget(target: SwitchTarget): string {
	const key =
		target.kind === 'region' ? [target.region] : [target.unit, target.pool, 'endpoint' in target && target.endpoint];
	return createHash('sha256')
		.update(JSON.stringify([target.kind, ...key]))
		.digest('hex')
		.slice(0, 12);
}

function printTarget(target: SwitchTarget): string {
	if (target.kind === 'region') return `the region ${target.region}`;
	const pool = `the pool ${target.pool} of ${target.unit}`;
	return target.kind === 'pool' ? pool : `the endpoint ${target.endpoint} in ${pool}`;
}

function poolsOf(units: readonly UnitDocument[], target: SwitchTarget): readonly PoolPlace[] {
	return units.flatMap(({ unit, document }) => poolsNamed(unit, document, target).map((pool) => ({ unit, pool })));
}

function reportOf({ name, content }: OverrideItem, units: readonly UnitDocument[], nowMs: number): OverrideReport {
	const { state, target, reason, author, createdMs, untilMs } = content;
	const pools = poolsOf(units, target);
	const isActive = untilMs > nowMs;
	return {
		...{ id: name, state, target, reason, author, createdAt: timeText(createdMs), until: timeText(untilMs), isActive },
		pools: [...pools],
		...(isActive && state !== 'up' ? { drain: drainOf(namesLeadingTo(units, pools), createdMs, nowMs) } : {}),
	};
}

function drainOf(
	names: ReturnType<typeof namesLeadingTo>,
	createdMs: number,
	nowMs: number,
): NonNullable<OverrideReport['drain']> {
	const ttlsSec = names.map(({ ttl }) => durationMs(ttl) / 1000);
	const overMs = createdMs + 1000 * Math.max(0, ...ttlsSec);
	const share = remainingShare(ttlsSec, (nowMs - createdMs) / 1000);
	return {
		names: [...names],
		remainingShare: Math.round(share * 1000) / 1000,
		overAt: timeText(overMs),
		isOver: overMs <= nowMs,
	};
}

function timeText(ms: number): string {
	return new Date(ms).toISOString();
}

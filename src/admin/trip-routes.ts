/**
 * Trips: pools with manual failback that went down, and stay out of service until somebody clears them.
 */

import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { COMMON_UNIT } from '../lib/unit.ts';
import { NameParamsShape, TripListShape, TripShape, ZonePoolParamsShape } from '../model/operating-shapes.ts';
import type { Store } from '../store/ports.ts';
import { ApiProblem } from './problem.ts';
import { reasonOf } from './reason.ts';
import { CHANGE_PROBLEMS, changeItems } from './store-items.ts';
import { zoneUnit } from './unit-names.ts';

type Params = Readonly<Record<string, string>>;

/** The name of a trip's item: one for each pool. */
export function tripName(unit: string, pool: string): string {
	return createHash('sha256')
		.update(JSON.stringify([unit, pool]))
		.digest('hex')
		.slice(0, 12);
}

export function tripRoutes({ store }: { readonly store: Store }): FastifyPluginCallback {
	return (app, _options, done) => {
		app.get('/v1/trips', {
			schema: {
				operationId: 'listTrips',
				summary: 'Pools with manual failback that went down, and wait to be cleared',
				tags: ['overrides'],
				response: { 200: TripListShape },
			},
			config: { access: 'viewer' },
			handler: () => {
				const trips = [...store.configuration.items.values()].filter((item) => item.kind === 'trip');
				return {
					trips: trips.map(({ content: { unit, pool, trippedMs, reason } }) => ({
						...{ unit, pool, reason },
						trippedAt: new Date(trippedMs).toISOString(),
					})),
				};
			},
		});
		clearRoute(app, store, {
			url: '/v1/zones/:apex/pools/:name/trip',
			operationId: 'clearZoneTrip',
			params: ZonePoolParamsShape,
			unitOf: zoneUnit,
		});
		clearRoute(app, store, {
			url: '/v1/common/pools/:name/trip',
			operationId: 'clearCommonTrip',
			params: NameParamsShape,
			unitOf: () => COMMON_UNIT,
		});
		done();
	};
}

function clearRoute(
	app: FastifyInstance,
	store: Store,
	{
		url,
		operationId,
		params,
		unitOf,
	}: {
		readonly url: string;
		readonly operationId: string;
		readonly params: typeof NameParamsShape | typeof ZonePoolParamsShape;
		readonly unitOf: (params: Params) => string;
	},
): void {
	app.delete(url, {
		schema: {
			operationId,
			summary: 'Take a pool that has tripped into service again; while it is down it trips again',
			tags: ['overrides'],
			params,
			response: { 204: TripShape },
		},
		config: { access: 'operator', unitOf, problems: ['not-found', ...CHANGE_PROBLEMS] },
		handler: async (request: FastifyRequest, reply: FastifyReply) => {
			const unit = unitOf(request.params as Params);
			const pool = (request.params as Params)['name'] ?? '';
			const name = tripName(unit, pool);
			const { author } = request;
			const reason = reasonOf(request) ?? `trip of ${pool} cleared`;
			const head = await changeItems(store, { author, reason }, (items) => {
				if (!items.has(`trip:${name}`))
					throw new ApiProblem('not-found', `The pool "${pool}" of ${unit} has not tripped`);
				return [{ kind: 'trip', name, content: undefined }];
			});
			request.generation = head?.generation;
			return reply.code(204).send();
		},
	});
}

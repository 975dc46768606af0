/**
 * Trips: what has manual failback and went down, and stays out of service until somebody clears it: pools, and members
 * of failover policies.
 */

import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { TSchema } from '../model/api-shapes.ts';
import {
	MemberParamsShape,
	NameParamsShape,
	TripListShape,
	TripShape,
	ZoneMemberParamsShape,
	ZonePoolParamsShape,
} from '../model/operating-shapes.ts';
import type { Tripped } from '../store/item.ts';
import type { Store } from '../store/ports.ts';
import { ApiProblem } from './problem.ts';
import { reasonOf } from './reason.ts';
import { CHANGE_PROBLEMS, changeItems } from './store-items.ts';
import { zoneUnit } from './unit-names.ts';

type Params = Readonly<Record<string, string>>;

/** The name of a trip's item: one for all that can trip. */
export function tripName(tripped: Tripped): string {
	const { unit } = tripped;
	const names = 'pool' in tripped ? [unit, tripped.pool] : [unit, tripped.policy, tripped.member];
	return createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 12);
}

export function tripRoutes({ store }: { readonly store: Store }): FastifyPluginCallback {
	return (app, _options, done) => {
		app.get('/v1/trips', {
			schema: {
				operationId: 'listTrips',
				summary: 'Pools and members with manual failback that went down, and wait to be cleared',
				tags: ['overrides'],
				response: { 200: TripListShape },
			},
			config: { access: 'viewer' },
			handler: () => {
				const trips = [...store.configuration.items.values()].filter((item) => item.kind === 'trip');
				return {
					trips: trips.map(({ content: { trippedMs, ...content } }) => ({
						...content,
						trippedAt: new Date(trippedMs).toISOString(),
					})),
				};
			},
		});
		const ofZone = { prefix: '/v1/zones/:apex', noun: 'Zone', unitOf: zoneUnit };
		const ofCommon = { prefix: '/v1/common', noun: 'Common', unitOf: () => COMMON_UNIT };
		for (const { prefix, noun, unitOf } of [ofZone, ofCommon]) {
			const isZone = noun === 'Zone';
			clearRoute(app, store, {
				url: `${prefix}/pools/:name/trip`,
				operationId: `clear${noun}Trip`,
				what: 'a pool that has tripped',
				params: isZone ? ZonePoolParamsShape : NameParamsShape,
				unitOf,
				placeOf: ({ name = '' }) => ({ pool: name }),
			});
			clearRoute(app, store, {
				url: `${prefix}/policies/:name/members/:member/trip`,
				operationId: `clear${noun}MemberTrip`,
				what: 'a member of a failover policy that has tripped',
				params: isZone ? ZoneMemberParamsShape : MemberParamsShape,
				unitOf,
				placeOf: ({ name = '', member = '' }) => ({ policy: name, member }),
			});
		}
		done();
	};
}

function clearRoute(
	app: FastifyInstance,
	store: Store,
	{
		url,
		operationId,
		what,
		params,
		unitOf,
		placeOf,
	}: {
		readonly url: string;
		readonly operationId: string;
		readonly what: string;
		readonly params: TSchema;
		readonly unitOf: (params: Params) => string;
		readonly placeOf: (
			params: Params,
		) => { readonly pool: string } | { readonly policy: string; readonly member: string };
	},
): void {
	app.delete(url, {
		schema: {
			operationId,
			summary: `Take ${what} into service again; while it is down it trips again`,
			tags: ['overrides'],
			params,
			response: { 204: TripShape },
		},
		config: { access: 'operator', unitOf, problems: ['not-found', ...CHANGE_PROBLEMS] },
		handler: async (request: FastifyRequest, reply: FastifyReply) => {
			const unit = unitOf(request.params as Params);
			const place = placeOf(request.params as Params);
			const told = 'pool' in place ? `the pool "${place.pool}"` : `"${place.member}" of the policy "${place.policy}"`;
			const name = tripName({ unit, ...place });
			const { author } = request;
			const reason = reasonOf(request) ?? `trip of ${told} cleared`;
			const head = await changeItems(store, { author, reason }, (items) => {
				if (!items.has(`trip:${name}`)) throw new ApiProblem('not-found', `In ${unit} ${told} has not tripped`);
				return [{ kind: 'trip', name, content: undefined }];
			});
			request.generation = head?.generation;
			return reply.code(204).send();
		},
	});
}

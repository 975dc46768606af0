/**
 * What goes over the admin API for operating: tokens, overrides, the audit log.
 */

import Type, { type Static } from 'typebox';
import { duration, exact } from './shape-parts.ts';

const text = (description: string) => Type.String({ description });
const time = text('a time, as ISO 8601 has it');
const role = Type.Enum(['viewer', 'operator', 'editor', 'admin'], {
	description: 'viewer, operator, editor or admin',
});
const itemName = Type.String({
	pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$',
	description: '1 to 63 letters, digits, ".", "_" and "-"',
});

export const NameParamsShape = Type.Object({ name: text('a name') }, exact);

export const NewTokenShape = Type.Object(
	{
		name: itemName,
		role,
		zones: Type.Optional(
			Type.Array(Type.String({ minLength: 1, description: 'the apex of a zone' }), {
				minItems: 1,
				maxItems: 1000,
				description: 'zones that it is for; all when absent',
			}),
		),
		expiresIn: Type.Optional(duration()),
	},
	{ ...exact, title: 'NewToken', description: 'a token: name, role, zones, expiresIn' },
);

const tokenFields = {
	name: text('of the token'),
	role,
	zones: Type.Optional(Type.Array(text('an apex'), { description: 'zones that it is for; all when absent' })),
	createdAt: time,
	createdBy: text('the token that made it'),
	expiresAt: Type.Optional(time),
	isExpired: Type.Boolean({ description: 'it is good for nothing any more' }),
	lastUsedAt: Type.Optional(Type.String({ description: 'when this process has last seen it' })),
	lastUsedFrom: Type.Optional(Type.String({ description: 'the address, or its /64' })),
};

export const TokenShape = Type.Object(tokenFields, { title: 'Token' });
export const MadeTokenShape = Type.Object(
	{ ...tokenFields, token: text('the token itself, which is told only once') },
	{ title: 'MadeToken' },
);
export const TokenListShape = Type.Object({ tokens: Type.Array(TokenShape) });

const SwitchTargetShape = Type.Object(
	{
		kind: Type.Enum(['endpoint', 'pool', 'region'], { description: 'endpoint, pool or region' }),
		unit: Type.Optional(text('the apex of a zone, or common; for endpoint and pool')),
		pool: Type.Optional(text('the name of a pool; for endpoint and pool')),
		endpoint: Type.Optional(text('the name of an endpoint')),
		region: Type.Optional(text('the name of a region')),
	},
	{ ...exact, title: 'SwitchTarget', description: 'what is switched: kind, unit, pool, endpoint, region' },
);

const state = Type.Enum(['up', 'down', 'drain'], { description: 'up, down or drain' });

export const NewOverrideShape = Type.Object(
	{
		state,
		target: SwitchTargetShape,
		for: duration(),
	},
	{ ...exact, title: 'NewOverride', description: 'an override: state, target, for' },
);

const PoolPlaceShape = Type.Object({ unit: text('of the pool'), pool: text('its name') });

const DrainShape = Type.Object(
	{
		names: Type.Array(Type.Object({ unit: text('a zone'), name: text('a steered name'), ttl: text('its TTL') })),
		remainingShare: Type.Number({
			description: 'of the clients that were told the old answer, those that may still hold it, by the TTLs: 0..1',
		}),
		overAt: time,
		isOver: Type.Boolean({ description: 'nobody holds it any more, as far as TTLs are kept' }),
	},
	{ title: 'Drain' },
);

export const OverrideShape = Type.Object(
	{
		id: text('of the override'),
		state,
		target: SwitchTargetShape,
		reason: text('why'),
		author: text('the token'),
		createdAt: time,
		until: time,
		isActive: Type.Boolean({ description: 'it counts; else it has ended' }),
		pools: Type.Array(PoolPlaceShape, { description: 'pools that it reaches now' }),
		drain: Type.Optional(DrainShape),
	},
	{ title: 'Override' },
);
export const OverrideListShape = Type.Object({ overrides: Type.Array(OverrideShape) });

export const TripShape = Type.Object(
	{
		unit: text('where it is defined'),
		pool: Type.Optional(text('its name')),
		policy: Type.Optional(text('of the member that has tripped, or where it stands, such as names.www.policy')),
		member: Type.Optional(text('what the policy uses there, or for a policy in place its position, such as #2')),
		trippedAt: time,
		reason: text('why'),
	},
	{ title: 'Trip' },
);
export const TripListShape = Type.Object({ trips: Type.Array(TripShape) });

export const IdParamsShape = Type.Object({ id: text('of an override') }, exact);
export const MemberParamsShape = Type.Object({ name: text('of a policy'), member: text('of the policy') }, exact);
export const ZoneMemberParamsShape = Type.Object(
	{ apex: text('the apex of a zone'), name: text('of a policy'), member: text('of the policy') },
	exact,
);
export const ZonePoolParamsShape = Type.Object({ apex: text('the apex of a zone'), name: text('of a pool') }, exact);

export const ReasonTakenShape = Type.Object({ 'Meridian-Reason': text('why') });

const number = (description: string) => Type.Integer({ description });

export const StoreStatusShape = Type.Object(
	{
		condition: Type.Object({
			kind: text('ready, unreachable or lost'),
			reason: Type.Optional(text('why it is not ready')),
		}),
		head: Type.Union([
			Type.Object({ epoch: number('rises when a lost store is restored'), generation: number('rises by one') }),
			Type.Null(),
		]),
		units: Type.Array(
			Type.Object({ name: text('common, or an apex'), owner: text('directory or store'), etag: text('') }),
		),
		overrides: number('that count now'),
		trips: number('that wait to be cleared'),
		tokens: number('of all roles'),
		probers: Type.Array(
			Type.Object({ instance: text('of the prober'), region: text('where it stands'), isAlive: Type.Boolean() }),
		),
		refused: Type.Object({}, { description: 'values that were not taken, by reason' }),
	},
	{ title: 'StoreStatus' },
);

export const EventHeadersShape = Type.Object({
	'Last-Event-ID': Type.Optional(text('of the event that was heard last: what came since is told first')),
});
export const EventTextShape = Type.String({ description: 'events: generation, store, health, alarm, reset' });

const count = Type.String({ pattern: '^[0-9]{1,15}$', description: 'a number' });

export const AuditQueryShape = Type.Object(
	{
		after: Type.Optional(count),
		before: Type.Optional(count),
		limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$', description: 'records at once, at most 1000' })),
	},
	exact,
);

const AuditRecordShape = Type.Object(
	{
		number: Type.Integer({ description: 'rising by one; a gap is a record that was lost' }),
		time,
		phase: Type.Enum(['started', 'finished'], { description: 'started or finished' }),
		requestId: text('as the problem and the log have it'),
		author: text('the token'),
		role: Type.Optional(role),
		address: text('who asked'),
		operation: text('as this document names it'),
		method: text('of HTTP'),
		path: text('without the query'),
		unit: Type.Optional(text('the unit that it was about')),
		reason: Type.Optional(text('why, as the caller said')),
		status: Type.Optional(Type.Integer({ description: 'of HTTP' })),
		code: Type.Optional(text('of the problem')),
		generation: Type.Optional(Type.Integer({ description: 'that it made' })),
		unrecorded: Type.Optional(Type.Integer({ description: 'refusals before it that were counted and not recorded' })),
	},
	{ title: 'AuditRecord' },
);

export const AuditPageShape = Type.Object({
	records: Type.Array(AuditRecordShape),
	next: Type.Optional(Type.Integer({ description: 'number to go on from; absent on the last page' })),
});

export type NewOverride = Static<typeof NewOverrideShape>;
export type OverrideReport = Static<typeof OverrideShape>;
export type NewToken = Static<typeof NewTokenShape>;
export type TokenReport = Static<typeof TokenShape>;

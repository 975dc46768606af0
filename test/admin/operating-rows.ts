/**
 * Calls of the operations that operating is made of, each with the status that comes of it.
 */

import { tripName } from '../../src/admin/trip-routes.ts';
import { commitTo } from '../contract/store-parts.ts';
import { ROLE_TOKENS, type Scene } from './operating-parts.ts';
import type { OperationRow } from './operation-rows.ts';

export const POST_TOKEN = { operation: 'createToken', method: 'POST', url: '/v1/tokens' } as const;
export const GET_TOKEN = { operation: 'getToken', method: 'GET' } as const;
export const REVOKE_TOKEN = { operation: 'revokeToken', method: 'DELETE' } as const;

export const TOKEN_ROWS: readonly OperationRow[] = [
	{
		name: 'lists all, by name',
		operation: 'listTokens',
		method: 'GET',
		url: '/v1/tokens',
		status: 200,
		says: { tokens: [{ name: 'admin', role: 'admin', createdBy: 'a test', isExpired: false }, { name: 'admin-a' }] },
	},
	{
		...POST_TOKEN,
		name: 'makes one',
		body: { name: 'ci', role: 'editor' },
		status: 201,
		says: { name: 'ci', role: 'editor' },
	},
	{
		...POST_TOKEN,
		name: 'makes one for zones, whose names it tells in full',
		body: { name: 'ci', role: 'editor', zones: ['A.Example', 'b.example.'] },
		status: 201,
		says: { zones: ['a.example.', 'b.example.'] },
	},
	{
		...POST_TOKEN,
		name: 'makes no second one of a name',
		body: { name: 'admin', role: 'viewer' },
		status: 409,
		says: { code: 'conflict' },
	},
	{
		...POST_TOKEN,
		name: 'tells all mistakes at once',
		body: { name: 'a b', role: 'root', zones: [], owner: 1 },
		status: 400,
		says: { errors: [{ pointer: '/owner' }, { pointer: '/name' }, { pointer: '/role' }, { pointer: '/zones' }] },
	},
	{ ...POST_TOKEN, name: 'wants a role', body: { name: 'ci' }, status: 400, says: { code: 'malformed' } },
	{
		...POST_TOKEN,
		name: 'takes common for no zone',
		body: { name: 'ci', role: 'editor', zones: ['a.example', 'common'] },
		status: 400,
		says: { errors: [{ pointer: '/zones/1' }] },
	},
	{ ...POST_TOKEN, name: 'wants a duration', body: { name: 'ci', role: 'viewer', expiresIn: 'soon' }, status: 400 },
	{
		...GET_TOKEN,
		name: 'tells one',
		url: '/v1/tokens/viewer-a',
		status: 200,
		says: { role: 'viewer', zones: ['a.example.'] },
	},
	{ ...GET_TOKEN, name: 'knows no other', url: '/v1/tokens/nobody', status: 404, says: { code: 'not-found' } },
	{ ...GET_TOKEN, name: 'knows no token of Object', url: '/v1/tokens/__proto__', status: 404 },
	{ ...REVOKE_TOKEN, name: 'revokes one', url: '/v1/tokens/viewer', status: 204 },
	{ ...REVOKE_TOKEN, name: 'revokes none that is not there', url: '/v1/tokens/nobody', status: 404 },
];

const LIST_AUDIT = { operation: 'listAudit', method: 'GET' } as const;

export const AUDIT_ROWS: readonly OperationRow[] = [
	{ ...LIST_AUDIT, name: 'gives what there is', url: '/v1/audit', status: 200, says: { records: [] } },
	{
		...LIST_AUDIT,
		name: 'goes on from a record',
		url: '/v1/audit?after=0&limit=1',
		status: 200,
		says: { records: [] },
	},
	{ ...LIST_AUDIT, name: 'looks one way', url: '/v1/audit?after=0&before=9', status: 400, says: { code: 'malformed' } },
	{
		...LIST_AUDIT,
		name: 'wants a number',
		url: '/v1/audit?after=x',
		status: 400,
		says: { errors: [{ pointer: '/query/after' }] },
	},
];

const WHY = { 'meridian-reason': 'a new kernel' };
export const POOL = { kind: 'pool', unit: 'a.example.', pool: 'eu' };
export const POST_OVERRIDE = {
	operation: 'createOverride',
	method: 'POST',
	url: '/v1/overrides',
	headers: WHY,
} as const;
export const DRAIN = { state: 'drain', target: POOL, for: '2h' };

export async function withOverride({ store }: Pick<Scene, 'store'>): Promise<void> {
	const target = { kind: 'pool', unit: 'a.example.', pool: 'eu' } as const;
	const nowMs = store.nowMs();
	const content = {
		state: 'drain' as const,
		target,
		reason: 'r',
		author: 'a',
		createdMs: nowMs - 15_000,
		untilMs: nowMs + 60_000,
	};
	await commitTo(store, [{ kind: 'override', name: 'abc', content }]);
}

async function withMemberTrips({ store }: Pick<Scene, 'store'>): Promise<void> {
	for (const [unit, member] of [
		['a.example.', 'eu'],
		['common', '#1'],
	] as const) {
		const tripped = { unit, policy: 'www', member };
		const content = { ...tripped, trippedMs: 1000, reason: 'it went down' };
		await commitTo(store, [{ kind: 'trip', name: tripName(tripped), content }]);
	}
}

export async function withTrip({ store }: Pick<Scene, 'store'>): Promise<void> {
	const content = { unit: 'a.example.', pool: 'eu', trippedMs: 1000, reason: 'it went down' };
	await commitTo(store, [
		{ kind: 'trip', name: tripName({ unit: 'a.example.', pool: 'eu' }), content },
		{
			kind: 'trip',
			name: tripName({ unit: 'common', pool: 'shared' }),
			content: { ...content, unit: 'common', pool: 'shared' },
		},
	]);
}

export const OVERRIDE_ROWS: readonly OperationRow[] = [
	{
		name: 'gives none',
		operation: 'listOverrides',
		method: 'GET',
		url: '/v1/overrides',
		status: 200,
		says: { overrides: [] },
	},
	{
		name: 'tells what is left of clients',
		operation: 'listOverrides',
		method: 'GET',
		url: '/v1/overrides',
		before: withOverride,
		status: 200,
		says: {
			overrides: [
				{
					id: 'abc',
					isActive: true,
					pools: [{ unit: 'a.example.', pool: 'eu' }],
					drain: {
						names: [
							{ name: 'www', ttl: '30s' },
							{ name: 'api', ttl: '60s' },
						],
						isOver: false,
					},
				},
			],
		},
	},
	{
		...POST_OVERRIDE,
		name: 'drains a pool',
		body: DRAIN,
		status: 201,
		says: { state: 'drain', target: POOL, reason: 'a new kernel', author: 'admin.token', drain: { remainingShare: 1 } },
	},
	{
		...POST_OVERRIDE,
		name: 'switches an endpoint up',
		body: { ...DRAIN, state: 'up', target: { ...POOL, kind: 'endpoint', endpoint: 'e1' } },
		status: 201,
	},
	{
		...POST_OVERRIDE,
		name: 'evacuates a region',
		body: { state: 'down', target: { kind: 'region', region: 'eu' }, for: '30m' },
		status: 201,
		says: {
			pools: [
				{ unit: 'common', pool: 'shared' },
				{ unit: 'a.example.', pool: 'eu' },
			],
		},
	},
	{
		...POST_OVERRIDE,
		name: 'reads names as people write them',
		body: { ...DRAIN, target: { ...POOL, unit: 'A.Example' } },
		status: 201,
		says: { target: POOL },
	},
	{
		...POST_OVERRIDE,
		name: 'wants a reason',
		headers: {},
		body: DRAIN,
		status: 400,
		says: { code: 'reason-required' },
	},
	{
		...POST_OVERRIDE,
		name: 'takes no blank for a reason',
		headers: { 'meridian-reason': ' ' },
		body: DRAIN,
		status: 400,
	},
	{
		...POST_OVERRIDE,
		name: 'wants an end',
		body: { state: 'down', target: POOL },
		status: 400,
		says: { errors: [{ pointer: '' }] },
	},
	{
		...POST_OVERRIDE,
		name: 'wants an end that comes',
		body: { ...DRAIN, for: '500d' },
		status: 400,
		says: { errors: [{ pointer: '/for' }] },
	},
	{ ...POST_OVERRIDE, name: 'wants an end that is not now', body: { ...DRAIN, for: '0s' }, status: 400 },
	{
		...POST_OVERRIDE,
		name: 'wants what its target is of, and nothing else',
		body: { ...DRAIN, target: { kind: 'endpoint', unit: 'a.example.', region: 'eu' } },
		status: 400,
		says: { errors: [{ pointer: '/target/pool' }, { pointer: '/target/endpoint' }, { pointer: '/target/region' }] },
	},
	{
		...POST_OVERRIDE,
		name: 'finds no pool',
		body: { ...DRAIN, target: { ...POOL, pool: 'asia' } },
		status: 422,
		says: { code: 'invalid', detail: 'Cannot find the pool asia of a.example.' },
	},
	{
		...POST_OVERRIDE,
		name: 'finds no endpoint',
		body: { ...DRAIN, target: { ...POOL, kind: 'endpoint', endpoint: 'e9' } },
		status: 422,
	},
	{
		name: 'tells one',
		operation: 'getOverride',
		method: 'GET',
		url: '/v1/overrides/abc',
		before: withOverride,
		status: 200,
		says: { id: 'abc' },
	},
	{
		name: 'knows no other',
		operation: 'getOverride',
		method: 'GET',
		url: '/v1/overrides/abd',
		before: withOverride,
		status: 404,
	},
	{
		name: 'ends one',
		operation: 'endOverride',
		method: 'DELETE',
		url: '/v1/overrides/abc',
		before: withOverride,
		status: 204,
	},
	{ name: 'ends no other', operation: 'endOverride', method: 'DELETE', url: '/v1/overrides/abd', status: 404 },
	{ name: 'gives none', operation: 'listTrips', method: 'GET', url: '/v1/trips', status: 200, says: { trips: [] } },
	{
		name: 'tells which',
		operation: 'listTrips',
		method: 'GET',
		url: '/v1/trips',
		before: withTrip,
		status: 200,
		says: { trips: [{ unit: 'a.example.', pool: 'eu', trippedAt: '1970-01-01T00:00:01.000Z' }, { unit: 'common' }] },
	},
	{
		name: 'clears one',
		operation: 'clearZoneTrip',
		method: 'DELETE',
		url: '/v1/zones/a.example/pools/eu/trip',
		before: withTrip,
		status: 204,
	},
	{
		name: 'clears no other',
		operation: 'clearZoneTrip',
		method: 'DELETE',
		url: '/v1/zones/a.example/pools/us/trip',
		before: withTrip,
		status: 404,
	},
	{
		name: 'clears one',
		operation: 'clearCommonTrip',
		method: 'DELETE',
		url: '/v1/common/pools/shared/trip',
		before: withTrip,
		status: 204,
	},
	{
		name: 'clears no other',
		operation: 'clearCommonTrip',
		method: 'DELETE',
		url: '/v1/common/pools/eu/trip',
		status: 404,
	},
];

const CLEAR_ZONE_MEMBER = {
	operation: 'clearZoneMemberTrip',
	method: 'DELETE',
	url: '/v1/zones/a.example/policies/www/members/eu/trip',
	before: withMemberTrips,
} as const;
const CLEAR_COMMON_MEMBER = {
	operation: 'clearCommonMemberTrip',
	method: 'DELETE',
	url: '/v1/common/policies/www/members/%231/trip',
	before: withMemberTrips,
} as const;

const MEMBER_TRIP_ROWS: readonly OperationRow[] = [
	{
		name: 'tells members',
		operation: 'listTrips',
		method: 'GET',
		url: '/v1/trips',
		before: withMemberTrips,
		status: 200,
		says: {
			trips: [
				{ unit: 'a.example.', policy: 'www', member: 'eu' },
				{ unit: 'common', member: '#1' },
			],
		},
	},
	{ ...CLEAR_ZONE_MEMBER, name: 'clears one', status: 204 },
	{ ...CLEAR_ZONE_MEMBER, name: 'clears no other', url: CLEAR_ZONE_MEMBER.url.replace('eu', 'us'), status: 404 },
	{ ...CLEAR_COMMON_MEMBER, name: 'clears one', status: 204 },
	{ ...CLEAR_COMMON_MEMBER, name: 'clears no other', url: CLEAR_COMMON_MEMBER.url.replace('1', '2'), status: 404 },
];

const GET_STORE = { operation: 'getStore', method: 'GET', url: '/v1/store' } as const;

const STORE_ROWS: readonly OperationRow[] = [
	{
		...GET_STORE,
		name: 'tells what it holds',
		before: withTrip,
		status: 200,
		says: { condition: { kind: 'ready' }, trips: 2 },
	},
];

/** Without tokens of its own a store gets those of the scene. */
async function withTokens({ store }: Pick<Scene, 'store'>): Promise<void> {
	if (store.configuration.items.has('token:admin')) return;
	await commitTo(store, ROLE_TOKENS);
}

export const OPERATING_ROWS: readonly OperationRow[] = [
	...TOKEN_ROWS.map((row) => ({ ...row, before: withTokens })),
	...AUDIT_ROWS,
	...OVERRIDE_ROWS,
	...MEMBER_TRIP_ROWS,
	...STORE_ROWS,
];

/** While nobody can reach the store. */
export const STORE_AWAY_ROWS: readonly OperationRow[] = [
	{ ...POST_TOKEN, name: '', body: { name: 'ci', role: 'viewer' }, status: 503 },
	{ ...REVOKE_TOKEN, name: '', url: '/v1/tokens/viewer', before: withTokens, status: 503 },
	{ ...POST_OVERRIDE, name: '', body: DRAIN, status: 503 },
	{ operation: 'endOverride', method: 'DELETE', url: '/v1/overrides/abc', name: '', before: withOverride, status: 503 },
	{
		operation: 'clearZoneTrip',
		method: 'DELETE',
		url: '/v1/zones/a.example/pools/eu/trip',
		name: '',
		before: withTrip,
		status: 503,
	},
	{
		operation: 'clearCommonTrip',
		method: 'DELETE',
		url: '/v1/common/pools/shared/trip',
		name: '',
		before: withTrip,
		status: 503,
	},
	{ ...CLEAR_ZONE_MEMBER, name: '', status: 503 },
	{ ...CLEAR_COMMON_MEMBER, name: '', status: 503 },
];

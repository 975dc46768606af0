import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tripName } from '../../src/admin/trip-routes.ts';
import { commitTo } from '../contract/store-parts.ts';
import { openScene, type Scene, SETTING_TOKEN, tokenOfRole } from './operating-parts.ts';
import { type OperationRow, tryRow } from './operation-rows.ts';

const why = { 'meridian-reason': 'a new kernel' };
const pool = { kind: 'pool', unit: 'a.example.', pool: 'eu' };
const post = { operation: 'createOverride', method: 'POST', url: '/v1/overrides', headers: why } as const;
const drain = { state: 'drain', target: pool, for: '2h' };

async function withOverride({ store }: Scene): Promise<void> {
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

async function withTrip({ store }: Scene): Promise<void> {
	const content = { unit: 'a.example.', pool: 'eu', trippedMs: 1000, reason: 'it went down' };
	await commitTo(store, [
		{ kind: 'trip', name: tripName('a.example.', 'eu'), content },
		{ kind: 'trip', name: tripName('common', 'shared'), content: { ...content, unit: 'common', pool: 'shared' } },
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
		...post,
		name: 'drains a pool',
		body: drain,
		status: 201,
		says: { state: 'drain', target: pool, reason: 'a new kernel', author: 'admin.token', drain: { remainingShare: 1 } },
	},
	{
		...post,
		name: 'switches an endpoint up',
		body: { ...drain, state: 'up', target: { ...pool, kind: 'endpoint', endpoint: 'e1' } },
		status: 201,
	},
	{
		...post,
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
		...post,
		name: 'reads names as people write them',
		body: { ...drain, target: { ...pool, unit: 'A.Example' } },
		status: 201,
		says: { target: pool },
	},
	{ ...post, name: 'wants a reason', headers: {}, body: drain, status: 400, says: { code: 'reason-required' } },
	{ ...post, name: 'takes no blank for a reason', headers: { 'meridian-reason': ' ' }, body: drain, status: 400 },
	{
		...post,
		name: 'wants an end',
		body: { state: 'down', target: pool },
		status: 400,
		says: { errors: [{ pointer: '' }] },
	},
	{
		...post,
		name: 'wants an end that comes',
		body: { ...drain, for: '500d' },
		status: 400,
		says: { errors: [{ pointer: '/for' }] },
	},
	{ ...post, name: 'wants an end that is not now', body: { ...drain, for: '0s' }, status: 400 },
	{
		...post,
		name: 'wants what its target is of, and nothing else',
		body: { ...drain, target: { kind: 'endpoint', unit: 'a.example.', region: 'eu' } },
		status: 400,
		says: { errors: [{ pointer: '/target/pool' }, { pointer: '/target/endpoint' }, { pointer: '/target/region' }] },
	},
	{
		...post,
		name: 'finds no pool',
		body: { ...drain, target: { ...pool, pool: 'asia' } },
		status: 422,
		says: { code: 'invalid', detail: 'Cannot find the pool asia of a.example.' },
	},
	{
		...post,
		name: 'finds no endpoint',
		body: { ...drain, target: { ...pool, kind: 'endpoint', endpoint: 'e9' } },
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

describe('overrides and trips over the API', () => {
	for (const row of OVERRIDE_ROWS) {
		it(`${row.operation} ${row.name}: ${row.status}`, async (t) => {
			await tryRow(await openScene(t), row, SETTING_TOKEN);
		});
	}

	it('has one of each target: the latest', async (t) => {
		const scene = await openScene(t);
		await tryRow(scene, { ...post, name: 'drains', body: drain, status: 201 }, SETTING_TOKEN);
		await tryRow(
			scene,
			{ ...post, name: 'brings down', body: { ...drain, state: 'down' }, status: 201 },
			SETTING_TOKEN,
		);
		const overrides = [...scene.store.configuration.items.values()].filter((item) => item.kind === 'override');
		assert.deepEqual(
			overrides.map(({ content }) => content.state),
			['down'],
		);
		const [latest] = await scene.store.history(1);
		assert.deepEqual([latest?.author, latest?.reason], ['admin.token', 'a new kernel']);
	});

	for (const { what, row, status } of [
		{ what: 'its own zone', row: { ...post, body: drain }, status: 201 },
		{
			what: 'its own zone, in other words',
			row: { ...post, body: { ...drain, target: { ...pool, unit: 'A.EXAMPLE' } } },
			status: 201,
		},
		{
			what: 'common',
			row: { ...post, body: { ...drain, target: { ...pool, unit: 'common', pool: 'shared' } } },
			status: 403,
		},
		{ what: 'a region', row: { ...post, body: { ...drain, target: { kind: 'region', region: 'eu' } } }, status: 403 },
		{
			what: 'an override of its zone',
			row: { operation: '', method: 'DELETE', url: '/v1/overrides/abc', before: withOverride },
			status: 204,
		},
		{
			what: 'an override that is not there',
			row: { operation: '', method: 'DELETE', url: '/v1/overrides/abd' },
			status: 403,
		},
		{
			what: 'a trip of its zone',
			row: { operation: '', method: 'DELETE', url: '/v1/zones/a.example/pools/eu/trip', before: withTrip },
			status: 204,
		},
		{
			what: 'a trip of common',
			row: { operation: '', method: 'DELETE', url: '/v1/common/pools/shared/trip', before: withTrip },
			status: 403,
		},
	] as readonly { what: string; row: Omit<OperationRow, 'name' | 'status'>; status: number }[]) {
		it(`answers ${status} to an operator of a.example. who touches ${what}`, async (t) => {
			await tryRow(await openScene(t), { name: '', ...row, status }, tokenOfRole('operator', 'a.example.'));
		});
	}

	it('is not for viewers', async (t) => {
		await tryRow(await openScene(t), { ...post, name: '', body: drain, status: 403 }, tokenOfRole('viewer'));
	});
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openScene, SETTING_TOKEN, tokenOfRole } from './operating-parts.ts';
import {
	DRAIN as drain,
	OVERRIDE_ROWS,
	POOL as pool,
	POST_OVERRIDE as post,
	withOverride,
	withTrip,
} from './operating-rows.ts';
import { type OperationRow, tryRow } from './operation-rows.ts';

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

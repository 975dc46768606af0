import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commitTo } from '../contract/store-parts.ts';
import { bearer, openScene, SETTING_TOKEN, tokenChange } from './operating-parts.ts';
import { GET_TOKEN as get, POST_TOKEN as post, REVOKE_TOKEN as revoke, TOKEN_ROWS } from './operating-rows.ts';
import { tryRow } from './operation-rows.ts';

describe('tokens over the API', () => {
	for (const row of TOKEN_ROWS) {
		it(`${row.operation} ${row.name}: ${row.status}`, async (t) => {
			const scene = await openScene(t);
			const told = JSON.stringify(await tryRow(scene, row, SETTING_TOKEN)) ?? '';
			assert.doesNotMatch(told, /[0-9a-f]{64}/, 'no hash is told');
		});
	}

	it('are told once, good at once, and good no more when revoked', async (t) => {
		const scene = await openScene(t);
		const { token } = (await tryRow(
			scene,
			{ ...post, name: 'makes one', body: { name: 'ci', role: 'viewer', expiresIn: '30d' }, status: 201 },
			SETTING_TOKEN,
		)) as { readonly token: string };
		const ask = async () =>
			(await scene.surface.inject({ method: 'GET', url: '/v1/health', headers: bearer(token), from: '192.0.2.7' }))
				.status;
		assert.equal(await ask(), 200);
		const told = (await tryRow(
			scene,
			{ ...get, name: 'tells it', url: '/v1/tokens/ci', status: 200 },
			SETTING_TOKEN,
		)) as {
			readonly createdAt: string;
			readonly expiresAt: string;
			readonly lastUsedFrom: string;
		};
		assert.equal(told.lastUsedFrom, '192.0.2.7/32');
		assert.equal(Date.parse(told.expiresAt) - Date.parse(told.createdAt), 30 * 86_400_000);
		assert.doesNotMatch(JSON.stringify(told), new RegExp(token));
		await tryRow(scene, { ...revoke, name: 'revokes it', url: '/v1/tokens/ci', status: 204 }, SETTING_TOKEN);
		assert.equal(await ask(), 401);
		const [latest] = await scene.store.history(1);
		assert.deepEqual([latest?.author, latest?.reason], ['admin.token', 'token ci revoked']);
	});

	it('keep the last one that could make others, where the settings have none', async (t) => {
		const scene = await openScene(t, {}, { hasSettingToken: false });
		await tryRow(scene, { ...revoke, name: 'refuses', url: '/v1/tokens/admin', status: 409 }, SETTING_TOKEN);
		await commitTo(scene.store, [tokenChange('old', 'old', { expiresMs: 1 })]);
		await tryRow(scene, { ...revoke, name: 'counts no old one', url: '/v1/tokens/admin', status: 409 }, SETTING_TOKEN);
		await commitTo(scene.store, [tokenChange('other', 'other')]);
		await tryRow(scene, { ...revoke, name: 'revokes', url: '/v1/tokens/admin', status: 204 }, SETTING_TOKEN);
	});

	it('are all there when many are made at once', async (t) => {
		const scene = await openScene(t);
		const rows = Array.from({ length: 20 }, (_, i) => ({ name: `ci-${i}`, role: 'viewer' }));
		await Promise.all(
			rows.map((body) => tryRow(scene, { ...post, name: 'makes one', body, status: 201 }, SETTING_TOKEN)),
		);
		const names = [...scene.store.configuration.items.values()].map(({ name }) => name);
		for (const { name } of rows) assert(names.includes(name), name);
	});
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commitTo } from '../contract/store-parts.ts';
import { bearer, openScene, SETTING_TOKEN, tokenChange } from './operating-parts.ts';
import { type OperationRow, tryRow } from './operation-rows.ts';

const post = { operation: 'createToken', method: 'POST', url: '/v1/tokens' } as const;
const get = { operation: 'getToken', method: 'GET' } as const;
const revoke = { operation: 'revokeToken', method: 'DELETE' } as const;

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
		...post,
		name: 'makes one',
		body: { name: 'ci', role: 'editor' },
		status: 201,
		says: { name: 'ci', role: 'editor' },
	},
	{
		...post,
		name: 'makes one for zones, whose names it tells in full',
		body: { name: 'ci', role: 'editor', zones: ['A.Example', 'b.example.'] },
		status: 201,
		says: { zones: ['a.example.', 'b.example.'] },
	},
	{
		...post,
		name: 'makes no second one of a name',
		body: { name: 'admin', role: 'viewer' },
		status: 409,
		says: { code: 'conflict' },
	},
	{
		...post,
		name: 'tells all mistakes at once',
		body: { name: 'a b', role: 'root', zones: [], owner: 1 },
		status: 400,
		says: { errors: [{ pointer: '/owner' }, { pointer: '/name' }, { pointer: '/role' }, { pointer: '/zones' }] },
	},
	{ ...post, name: 'wants a role', body: { name: 'ci' }, status: 400, says: { code: 'malformed' } },
	{
		...post,
		name: 'takes common for no zone',
		body: { name: 'ci', role: 'editor', zones: ['a.example', 'common'] },
		status: 400,
		says: { errors: [{ pointer: '/zones/1' }] },
	},
	{ ...post, name: 'wants a duration', body: { name: 'ci', role: 'viewer', expiresIn: 'soon' }, status: 400 },
	{
		...get,
		name: 'tells one',
		url: '/v1/tokens/viewer-a',
		status: 200,
		says: { role: 'viewer', zones: ['a.example.'] },
	},
	{ ...get, name: 'knows no other', url: '/v1/tokens/nobody', status: 404, says: { code: 'not-found' } },
	{ ...get, name: 'knows no token of Object', url: '/v1/tokens/__proto__', status: 404 },
	{ ...revoke, name: 'revokes one', url: '/v1/tokens/viewer', status: 204 },
	{ ...revoke, name: 'revokes none that is not there', url: '/v1/tokens/nobody', status: 404 },
];

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

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { NumberedRecord } from '../../src/admin/audit-log.ts';
import { until } from '../roles/meridian-process.ts';
import { bearer, openScene, type Scene, SETTING_TOKEN, tokenOfRole } from './operating-parts.ts';
import { AUDIT_ROWS } from './operating-rows.ts';
import { tryRow } from './operation-rows.ts';

async function recordsOf({ surface }: Scene, query = '?after=0'): Promise<readonly NumberedRecord[]> {
	const { body } = await surface.inject({ method: 'GET', url: `/v1/audit${query}`, headers: bearer(SETTING_TOKEN) });
	return JSON.parse(body).records;
}

const making = (name: string, token = SETTING_TOKEN, headers: Readonly<Record<string, string>> = {}) => ({
	method: 'POST' as const,
	url: '/v1/tokens?secret=1',
	headers: { ...(token === '' ? {} : bearer(token)), 'content-type': 'application/json', ...headers },
	body: JSON.stringify({ name, role: 'viewer' }),
});

describe('the audit log over the API', () => {
	for (const row of AUDIT_ROWS) {
		it(`${row.operation} ${row.name}: ${row.status}`, async (t) => {
			await tryRow(await openScene(t), row, SETTING_TOKEN);
		});
	}

	it('has each write twice: before it is begun, and when it has ended', async (t) => {
		const scene = await openScene(t);
		const reason = Buffer.from('für CI').toString('latin1');
		const headers = { 'meridian-reason': reason, 'x-request-id': 'abc' };
		const { body } = await scene.surface.inject(making('ci', SETTING_TOKEN, headers));
		await until('both', 2000, async () => (await recordsOf(scene)).length === 2);
		const [started, finished] = await recordsOf(scene);
		const both = {
			...{ requestId: 'abc', author: 'admin.token', role: 'admin', address: '127.0.0.1' },
			...{ operation: 'createToken', method: 'POST', path: '/v1/tokens', reason: 'für CI' },
		};
		assert.partialDeepStrictEqual(started, { number: 1, phase: 'started', ...both });
		assert.partialDeepStrictEqual(finished, { number: 2, phase: 'finished', status: 201, generation: 2, ...both });
		assert.doesNotMatch(
			JSON.stringify(await recordsOf(scene)),
			new RegExp(`${JSON.parse(body).token}|${SETTING_TOKEN}`),
		);
	});

	it('has what was refused, and no reading', async (t) => {
		const scene = await openScene(t);
		const { surface } = scene;
		await surface.inject({ method: 'GET', url: '/v1/health', headers: bearer(tokenOfRole('viewer')) });
		await surface.inject(making('ci', tokenOfRole('editor')));
		await surface.inject({ method: 'GET', url: '/v1/tokens', headers: bearer(tokenOfRole('viewer')) });
		await surface.inject({ method: 'GET', url: '/v1/health', headers: bearer('wrong') });
		await surface.inject({ method: 'GET', url: '/v1/health/nothing', headers: bearer(tokenOfRole('viewer')) });
		await until('three', 2000, async () => (await recordsOf(scene)).length === 3);
		assert.deepEqual(
			(await recordsOf(scene)).map(({ author, operation, status, code }) => [author, operation, status, code]),
			[
				['editor', 'createToken', 403, 'forbidden'],
				['viewer', 'listTokens', 403, 'forbidden'],
				['anonymous', 'listTargets', 401, 'unauthenticated'],
			],
		);
	});

	it('is not filled by strangers: most of them are counted', async (t) => {
		const scene = await openScene(t);
		const wrong = () => scene.surface.inject({ method: 'GET', url: '/v1/health', headers: bearer('wrong') });
		for (let i = 0; i < 50; i++) await wrong();
		scene.nowMs += 60_000;
		await wrong();
		await until('eleven', 2000, async () => (await recordsOf(scene)).length === 11);
		const [last] = await recordsOf(scene, '?limit=1');
		assert.equal(last?.unrecorded, 40);
	});

	it('refuses every write while it cannot be written, and lets everybody read', async (t) => {
		const scene = await openScene(t);
		const before = scene.store.configuration;
		writeFileSync(scene.auditDirectory, 'in the way');
		const refused = await scene.surface.inject(making('ci'));
		assert.deepEqual([refused.status, JSON.parse(refused.body).code], [507, 'audit-failed']);
		assert.equal(scene.store.configuration, before);
		const read = await scene.surface.inject({ method: 'GET', url: '/v1/tokens', headers: bearer(SETTING_TOKEN) });
		assert.equal(read.status, 200);
		rmSync(scene.auditDirectory);
		assert.equal((await scene.surface.inject(making('ci'))).status, 201);
	});
});

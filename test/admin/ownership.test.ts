import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Api, openApi } from './api-ground.ts';

const ZONE = '$TTL 300\n@ SOA ns1 hostmaster 5 2h 30m 14d 5m ; of files\n@ NS ns1\nns1 A 192.0.2.53\n';
const STEERING =
	'# by hand\npools: { p: { endpoints: [{ name: a, addresses: [192.0.2.1] }] } }\nnames: { www: { policy: p } }\n';
const GROUND = { directory: { 'files.example.': { zone: ZONE, steering: STEERING } } };
const FILES = '/v1/zones/files.example';

const ownerOf = async (api: Api) => (await api.ask(`GET ${FILES}`)).body.owner;
const addRecord = (api: Api, name: string) =>
	api.ask(`PUT ${FILES}/records/${name}/A`, { isNew: true, body: { records: ['192.0.2.9'] } });

describe('a zone of the zones directory', () => {
	it('is taken over by the first write, whole, which the reply says', async (t) => {
		const api = await openApi(t, GROUND);
		assert.equal(await ownerOf(api), 'directory');
		const pool = await api.ask(`GET ${FILES}/pools/p`);
		const first = await addRecord(api, 'x');
		assert.match(first.body.takenOver[0].message, /now belongs to the store.*comments of its master file are not kept/);
		assert.equal(await ownerOf(api), 'store');
		// What was not touched is what it was, comments and all.
		assert.equal((await api.ask(`GET ${FILES}/pools/p`)).etag, pool.etag);
		assert.equal((await api.ask(`GET ${FILES}/unit`)).body.steeringText, STEERING);
		const second = await api.ask(`PATCH ${FILES}/pools/p`, { match: pool.etag, body: { answers: 2 } });
		assert.deepEqual(second.body.takenOver, []);
		const { body } = await api.ask('GET /v1/generations/1');
		assert.deepEqual(body.diff[0].records.added, [
			'@ 300 IN SOA ns1.files.example. hostmaster.files.example. 6 7200 1800 1209600 300',
			'x 3600 IN A 192.0.2.9',
		]);
	});

	it('is not taken over by a write that changes nothing, or is tried', async (t) => {
		const api = await openApi(t, GROUND);
		const { etag, text } = await api.ask(`GET ${FILES}/zonefile`);
		assert.equal(text, ZONE);
		const same = await api.ask(`PUT ${FILES}/zonefile`, { match: etag, body: ZONE, type: 'text/dns' });
		assert.deepEqual([same.status, same.body.changed, same.body.takenOver], [200, [], []]);
		const tried = await api.ask(`PUT ${FILES}/records/x/A?dryRun=true`, {
			isNew: true,
			body: { records: ['192.0.2.9'] },
		});
		assert.deepEqual([tried.status, tried.body.dryRun, tried.body.takenOver.length], [200, true, 1]);
		assert.equal(await ownerOf(api), 'directory');
		assert.equal(api.store.configuration.head, undefined);
	});

	it('goes back to its files by a release, and by a rollback behind the take-over', async (t) => {
		const api = await openApi(t, GROUND);
		await api.ask('PUT /v1/common/regions/r', { isNew: true, body: { latitude: 1, longitude: 1 } });
		await addRecord(api, 'x');
		const released = await api.ask(`POST ${FILES}/release`, { match: '*' });
		assert.equal(released.status, 200, released.text);
		assert.equal(await ownerOf(api), 'directory');
		assert.equal((await api.ask(`GET ${FILES}/zonefile`)).text, ZONE);
		await addRecord(api, 'y');
		const back = await api.ask(`POST ${FILES}/rollback`, { match: '*', reason: 'r', body: { generation: 1 } });
		assert.equal(back.status, 200, back.text);
		assert.equal(await ownerOf(api), 'directory');
		assert.equal(back.body.generation, 5);
	});

	it('cannot be removed while its files are there', async (t) => {
		const api = await openApi(t, GROUND);
		for (const _ of ['of the directory', 'taken over']) {
			const reply = await api.ask(`DELETE ${FILES}?force=true`, { match: '*', reason: 'r' });
			assert.deepEqual([reply.status, reply.body.code], [409, 'conflict']);
			await addRecord(api, 'x');
		}
	});
});

describe('a rollback', () => {
	const zone = { nameServers: ['ns1'], recordSets: [{ name: 'ns1', type: 'A', records: ['192.0.2.53'] }] };
	const path = '/v1/zones/own.example';
	const serialOf = async (api: Api) => (await api.ask(`GET ${path}/soa`)).body.serial;

	it('gives records of then under a serial of now', async (t) => {
		const api = await openApi(t);
		await api.ask(`PUT ${path}`, { isNew: true, body: zone });
		for (const name of ['a', 'b'])
			await api.ask(`PUT ${path}/records/${name}/A`, { isNew: true, body: { records: ['192.0.2.1'] } });
		assert.equal(await serialOf(api), 3);
		const back = await api.ask(`POST ${path}/rollback`, { match: '*', reason: 'too much', body: { generation: 2 } });
		assert.equal(back.status, 200, back.text);
		assert.equal(await serialOf(api), 4);
		const names = (await api.ask(`GET ${path}/records?type=A`)).body.items.map(({ name }: { name: string }) => name);
		assert.deepEqual(names, ['a', 'ns1']);
	});

	it('brings back a zone that was removed, and removes one that was not there', async (t) => {
		const api = await openApi(t);
		await api.ask('PUT /v1/common/regions/r', { isNew: true, body: { latitude: 1, longitude: 1 } });
		await api.ask(`PUT ${path}`, { isNew: true, body: zone });
		await api.ask(`DELETE ${path}?force=true`, { match: '*', reason: 'r' });
		const ask = (generation: number, options: object, query = '') =>
			api.ask(`POST ${path}/rollback${query}`, { reason: 'r', body: { generation }, ...options });
		assert.equal((await ask(2, { match: '*' })).status, 404);
		assert.equal((await ask(2, { isNew: true })).status, 200);
		assert.equal(await serialOf(api), 1);
		assert.equal((await ask(1, { match: '*' })).status, 409);
		assert.equal((await ask(1, { match: '*' }, '?force=true')).status, 200);
		assert.equal((await api.ask(`GET ${path}`)).status, 404);
	});
});

describe('the history', () => {
	it('tells a token for some zones what has changed in those alone', async (t) => {
		const api = await openApi(t, GROUND);
		const body = { nameServers: ['ns1.example.net.'] };
		const etags = await Promise.all([FILES, '/v1/common'].map(async (url) => (await api.ask(`GET ${url}`)).etag));
		const [files, common] = etags;
		const changes = [
			{ op: 'put', resource: '/zones/files.example/records/x/A', value: { records: ['192.0.2.9'] } },
			{ op: 'put', resource: '/zones/other.example', value: body },
			{ op: 'put', resource: '/common/regions/r', value: { latitude: 1, longitude: 1 } },
		];
		const units = { 'files.example.': files, 'other.example.': null, common };
		const made = await api.ask('POST /v1/changes', { body: { units, changes } });
		assert.equal(made.status, 200, made.text);
		const token = await api.ask('POST /v1/tokens', { body: { name: 't', role: 'viewer', zones: ['files.example'] } });
		const unitsTold = async (options: object) =>
			(await api.ask('GET /v1/generations/1', options)).body.diff
				.map(({ unit }: { readonly unit: string }) => unit)
				.sort();
		assert.deepEqual(await unitsTold({}), ['common', 'files.example.', 'other.example.']);
		assert.deepEqual(await unitsTold({ token: token.body.token }), ['common', 'files.example.']);
	});
});

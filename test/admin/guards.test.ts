import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type Api, openApi } from './api-ground.ts';

const ZONE =
	'$TTL 300\n@ SOA ns1 hostmaster 1 2h 30m 14d 5m\n@ NS ns1\nns1 A 192.0.2.53\nmany A 192.0.2.1\nmany A 192.0.2.2\nmany A 192.0.2.3\n';

const pool = (region: string | undefined, ...weights: readonly number[]) => ({
	...(region === undefined ? {} : { region }),
	endpoints: weights.map((weight, i) => ({ name: `e${i}`, addresses: [`192.0.2.${10 + i}`], weight })),
});

const GROUND = {
	units: {
		common: {
			steering: {
				regions: { far: { latitude: 1, longitude: 1 }, near: { latitude: 2, longitude: 2 } },
				pools: { shared: pool('far', 6, 4) },
			},
		},
		'example.org.': {
			zone: ZONE,
			steering: {
				pools: { one: pool('near', 10), two: pool('near', 10), other: pool('far', 11), unused: pool('far', 1000) },
				policies: { both: { kind: 'failover', members: ['one', 'two'] } },
				names: { www: { policy: 'both' }, far: { policy: 'other' }, only: { policy: 'shared' } },
			},
		},
	},
};

const Z = '/zones/example.org';
const at = (op: string, resource: string, value?: unknown) => ({
	op,
	resource,
	...(value === undefined ? {} : { value }),
});
const patch = (resource: string, value: unknown) => at('patch', resource, value);
const put = (resource: string, value: unknown) => at('put', resource, value);
const remove = (resource: string) => at('delete', resource);

describe('guards', () => {
	const closers: (() => unknown)[] = [];
	let shared: Promise<Api> | undefined;
	after(async () => {
		for (const close of closers.reverse()) await close();
	});
	const ground = () => {
		shared ??= openApi({ after: (close) => closers.push(close as () => unknown) }, GROUND);
		return shared;
	};

	for (const { name, changes, guards } of [
		{ name: 'let half of a capacity go', changes: [patch(`${Z}/pools/one`, { state: 'drain' })], guards: [] },
		{
			name: 'keep more than half of it',
			changes: [patch(`${Z}/pools/one`, { state: 'drain' }), patch(`${Z}/pools/two/endpoints/e0`, { weight: 9 })],
			guards: ['capacity'],
		},
		{
			name: 'count what is moved within a region as there',
			changes: [put(`${Z}/pools/new`, pool('near', 20)), put(`${Z}/policies/both`, { kind: 'all', members: ['new'] })],
			guards: [],
		},
		{
			name: 'count each region by itself',
			changes: [patch(`${Z}/pools/other`, { region: 'near' })],
			guards: ['capacity'],
		},
		{ name: 'pass over what nobody uses', changes: [remove(`${Z}/pools/unused`)], guards: [] },
		{
			name: 'keep what all zones share',
			changes: [patch('/common/pools/shared/endpoints/e0', { state: 'down' })],
			guards: ['capacity'],
		},
		{
			name: 'keep the last pool of a name, and what it gives',
			changes: [patch('/common/pools/shared', { state: 'down' })],
			guards: ['capacity', 'last-pool'],
		},
		{
			name: 'keep a name that is answered',
			changes: [remove(`${Z}/names/www`)],
			guards: ['capacity', 'without-answer'],
		},
		{
			name: 'let a name be answered by records instead',
			changes: [remove(`${Z}/names/only`), put(`${Z}/records/only/A`, { records: ['192.0.2.1'] })],
			guards: [],
		},
		{
			name: 'let a name be answered by another pool',
			changes: [put(`${Z}/names/far`, { policy: 'unused' })],
			guards: [],
		},
		{
			name: 'keep clients that a policy answers',
			changes: [put(`${Z}/policies/both`, { kind: 'geo', rules: [{ match: { asns: [64500] }, use: 'one' }] })],
			guards: ['without-answer'],
		},
		{ name: 'let half of the records go', changes: [remove(`${Z}/records/many/A`)], guards: [] },
		{
			name: 'keep more than half of them',
			changes: [
				put(`${Z}/records/x/A`, { records: ['192.0.2.7'] }),
				put(
					`${Z}/zonefile`,
					ZONE.replace(/many.*\n/g, '')
						.replace('ns1 A 192.0.2.53\n', '')
						.replaceAll('ns1', 'ns1.example.net.'),
				),
			],
			guards: ['records'],
		},
		{
			name: 'let records be given other values',
			changes: [put(`${Z}/zonefile`, ZONE.replaceAll('192.0.2', '198.51.100'))],
			guards: [],
		},
	]) {
		it(name, async () => {
			const api = await ground();
			const etags = await Promise.all(
				['/v1/common', `/v1${Z}`].map(async (path) => (await api.ask(`GET ${path}`)).etag),
			);
			const body = { units: { common: etags[0], 'example.org.': etags[1] }, changes };
			const tried = await api.ask('POST /v1/changes?dryRun=true', { body });
			assert.equal(tried.status, 200, tried.text);
			const found = tried.body.guards.map(({ guard }: { readonly guard: string }) => guard);
			assert.deepEqual([...new Set(found)].sort(), guards, JSON.stringify(tried.body.guards));
			if (guards.length === 0) return;
			const refused = await api.ask('POST /v1/changes', { body });
			assert.deepEqual([refused.status, refused.body.code], [409, 'guarded']);
			assert.equal(refused.body.errors.length, tried.body.guards.length);
			assert.equal(api.store.configuration.head?.generation, 1);
		});
	}

	it('stand aside for force with a reason, which the history keeps', async (t) => {
		const api = await openApi(t, GROUND);
		const resource = `/v1${Z}/names/www?force=true`;
		assert.equal((await api.ask(`DELETE ${resource}`, { match: '*' })).body.code, 'reason-required');
		const done = await api.ask(`DELETE ${resource}`, { match: '*', reason: 'Umzug über Nacht' });
		assert.equal(done.status, 200, done.text);
		assert(done.body.guards.length > 0);
		const [latest] = (await api.ask('GET /v1/generations')).body.items;
		assert.deepEqual([latest.generation, latest.author], [2, 'admin.token']);
		assert.equal(latest.reason, 'Umzug über Nacht');
	});
});

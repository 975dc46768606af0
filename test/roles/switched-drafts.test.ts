/**
 * What operators have switched, in explanations and guards: clients are told of as they are served now, and what a change
 * does is told as it stands when all overrides have ended.
 */

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { BEARER, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const STEERING = `
pools:
  eu: { endpoints: [{ name: e1, addresses: [192.0.2.1], weight: 9 }] }
  us: { endpoints: [{ name: u1, addresses: [192.0.2.2] }] }
policies:
  first: { kind: failover, members: [eu, us] }
names:
  steered: { policy: first }
`;
const LIMIT_MS = 5000;

async function scene(t: TestContext, command: 'start' | 'admin') {
	const more = command === 'admin' ? ['--redis-url', (await startRedis(t)).url] : [];
	const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': STEERING });
	const { admin } = await startInstance(t, { command, zonesDir, stateDir: scratch(t), more });
	const ask = async (operation: string, body?: unknown, headers: object = {}) => {
		const [method = '', path = ''] = operation.split(' ');
		const response = await fetch(`${admin}${path}`, {
			method,
			headers: { ...BEARER, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		const text = await response.text();
		// biome-ignore lint/suspicious/noExplicitAny: what a reply holds is for the test to say
		return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as any };
	};
	if (command === 'admin') {
		const unit = { zone: GOOD_ZONE, steeringText: STEERING };
		assert.equal((await ask('PUT /v1/zones/a.example/unit', unit, { 'if-none-match': '*' })).status, 201);
	}
	return ask;
}

for (const command of ['start', 'admin'] as const) {
	it(`an override shows in what meridian ${command} explains, and is no part of what its guards count`, {
		skip: command === 'admin' ? WITHOUT_REDIS : false,
	}, async (t) => {
		const ask = await scene(t, command);
		const question = { name: 'steered.a.example', type: 'A', client: '192.0.2.99' };
		const explained = async (...changes: readonly object[]) => {
			const { status, body } = await ask('POST /v1/explain', { ...question, changes });
			assert.equal(status, 200, JSON.stringify(body));
			return [body.live, body.draft].map((one) => one.decisions[0].gives);
		};
		const orderOf = (...members: readonly string[]) => ({
			op: 'patch',
			resource: '/zones/a.example/policies/first',
			value: { members },
		});
		await until('the zone', LIMIT_MS, async () => (await explained(orderOf('us')))[0] === '192.0.2.1');
		assert.deepEqual(await explained(orderOf('us', 'eu')), ['192.0.2.1', '192.0.2.2']);

		const drain = { target: { kind: 'pool', unit: 'a.example', pool: 'eu' }, state: 'drain', for: '1h' };
		assert.equal((await ask('POST /v1/overrides', drain, { 'meridian-reason': 'night' })).status, 201);
		await until('the override', LIMIT_MS, async () => (await explained(orderOf('eu', 'us')))[0] === '192.0.2.2');
		assert.deepEqual(await explained(orderOf('eu', 'us')), ['192.0.2.2', '192.0.2.2']);
		assert.deepEqual(await explained(orderOf('eu')), ['192.0.2.2', 'NODATA']);

		const guardsOf = async (change: object) => {
			const { etag } = (await ask('GET /v1/zones/a.example')).body;
			const body = { units: { 'a.example.': etag }, changes: [change] };
			const tried = await ask('POST /v1/changes?dryRun=true', body);
			assert.equal(tried.status, 200, JSON.stringify(tried.body));
			const found: readonly { guard: string; message: string }[] = tried.body.guards;
			return found.map(({ guard, message }) => `${guard}: ${message}`);
		};
		// Nine tenths of the capacity, whether they are drained or not.
		assert.deepEqual(await guardsOf(orderOf('us')), [
			'capacity: It takes the capacity of pools without a region from 10 to 1',
		]);
		// A tenth of it, which is all that answers now.
		assert.deepEqual(await guardsOf(orderOf('eu')), [
			'without-answer: It leaves all clients without an answer to "steered" A, as things are switched now',
		]);
	});
}

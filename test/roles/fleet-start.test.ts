/** `meridian start` with Redis: an instance and a prober in one process. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { commitTo, FLEET_KEY, openRedis, unit } from '../contract/store-parts.ts';
import { startBackend } from '../probe/backend.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { askUdp, fetchJson, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const LIMIT_MS = 15_000;

it('a start with Redis probes for the fleet, and goes by the votes of all', { skip: WITHOUT_REDIS }, async (t) => {
	const redis = await startRedis(t);
	const store = await openRedis(redis.url);
	t.after(() => store.close());
	const backend = await startBackend((socket) => socket.end());
	t.after(() => backend.close());
	const text = `
monitors: { web: { kind: tcp, port: ${backend.port}, interval: 200ms, timeout: 150ms, fall: 2, consensus: { mode: all-up } } }
pools: { www: { monitor: web, endpoints: [{ name: a, addresses: [127.0.0.1] }, { name: b, addresses: [127.0.0.2] }] } }
names: { www: { policy: www } }
`;
	const content = unit(GOOD_ZONE.replace(/^www.*$/m, ''), { steering: { kind: 'text', text } });
	await commitTo(store, [{ kind: 'unit', name: 'example.org.', content }]);
	const instance = await startInstance(t, {
		zonesDir: '/nowhere',
		stateDir: scratch(t),
		more: ['--redis-url', redis.url, '--region', 'eu', '--instance', 'all-1', '--probe-allow', '127.0.0.0/8'],
		env: { MERIDIAN_FLEET_KEY: FLEET_KEY },
	});
	// The backend listens on one address.
	await until('its votes', LIMIT_MS, () => store.probers()[0]?.report.votes.size === 2);
	assert.deepEqual([store.probers()[0]?.instance, store.probers()[0]?.report.region], ['all-1', 'eu']);
	const answer = async () => (await askUdp(instance.port, { name: 'www.example.org' })).answer[0]?.rdataText;
	await until('the verdicts', LIMIT_MS, async () => {
		const all = await Promise.all(Array.from({ length: 10 }, answer));
		return all.every((address) => address === '127.0.0.1');
	});

	const key = [...(store.probers()[0]?.report.votes.keys() ?? [])].find((one) => one.startsWith('["127.0.0.1"')) ?? '';
	const session = await store.join({ instance: 'us-1', region: 'us' });
	const nowMs = performance.now();
	const down = { vote: 'down', sinceMs: nowMs, checkedMs: nowMs } as const;
	await session.publish({ votes: new Map([[key, down]]), roundTripMs: new Map() });
	interface Target {
		readonly address: string;
		readonly verdict: string;
		readonly vote: string;
		readonly votes: readonly { readonly prober: string; readonly vote: string }[];
	}
	const targetOf = async () => {
		const { targets } = (await fetchJson(`${instance.admin}/v1/health`)).body as { targets: readonly Target[] };
		return targets.find(({ address }) => address === '127.0.0.1');
	};
	await until('the verdict', LIMIT_MS, async () => (await targetOf())?.verdict === 'down');
	const target = await targetOf();
	assert.equal(target?.vote, 'up');
	assert.deepEqual(
		target?.votes.map(({ prober, vote }) => `${prober} ${vote}`),
		['all-1 up', 'us-1 down'],
	);
	const { body } = await fetchJson(`${instance.admin}/v1/fleet`);
	const { instances, probers } = body as Readonly<Record<string, readonly { readonly instance: string }[]>>;
	assert.deepEqual(
		instances?.map((one) => one.instance),
		['all-1'],
	);
	assert.deepEqual(
		probers?.map((one) => one.instance),
		['all-1', 'us-1'],
	);
});

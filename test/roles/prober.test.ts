/** `meridian probe` as a process. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Store } from '../../src/store/ports.ts';
import { commitTo, FLEET_KEY, openRedis, unit } from '../contract/store-parts.ts';
import { startBackend } from '../probe/backend.ts';
import { freePort } from '../setup/free-port.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { fetchJson, runMeridian, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const LIMIT_MS = 15_000;

function zoneWith(store: Store, ports: readonly number[], more = ''): Promise<void> {
	const monitors = ports.map(
		(port) => `m${port}: { kind: tcp, port: ${port}, interval: 200ms, timeout: 150ms, fall: 2 ${more} }`,
	);
	const pools = ports.map(
		(port) => `p${port}: { monitor: m${port}, endpoints: [{ name: a, addresses: [127.0.0.1] }] }`,
	);
	const names = ports.map((port) => `n${port}: { policy: p${port} }`);
	const text = `monitors: { ${monitors.join(', ')} }\npools: { ${pools.join(', ')} }\nnames: { ${names.join(', ')} }\n`;
	return commitTo(store, [
		{ kind: 'unit', name: 'example.org.', content: unit(GOOD_ZONE, { steering: { kind: 'text', text } }) },
	]);
}

async function setUp(t: TestContext) {
	const redis = await startRedis(t);
	const store = await openRedis(redis.url);
	t.after(() => store.close());
	return { redis, store };
}

function startProber(t: TestContext, url: string, stateDir = join(scratch(t), 'state'), name = 'eu-1') {
	const args = ['probe', '--region', 'eu', '--instance', name, '--redis-url', url, '--state-dir', stateDir];
	const env = { MERIDIAN_FLEET_KEY: FLEET_KEY };
	const prober = runMeridian(t, [...args, '--admin-listen', '127.0.0.1:0', '--probe-allow', '127.0.0.1'], { env });
	const adminOf = () => /(http:\/\/\S+)\/readyz/.exec(prober.stdout)?.[1] ?? assert.fail('it has not started');
	return { prober, stateDir, get: (path: string) => fetchJson(`${adminOf()}${path}`), adminOf };
}

/** What the store has of the targets at these ports, by this prober. */
function votesOn(store: Store, ...ports: readonly number[]): readonly (string | undefined)[] {
	const votes = [...(store.probers()[0]?.report.votes ?? [])];
	return ports.map((port) => votes.find(([key]) => key.startsWith(`["127.0.0.1",${port},`))?.[1].vote);
}

describe('meridian probe', { skip: WITHOUT_REDIS, concurrency: 3 }, () => {
	it('warns of nothing for which it lacks the data', async (t) => {
		const { redis, store } = await setUp(t);
		const backend = await startBackend((socket) => socket.end());
		t.after(() => backend.close());
		const text = [
			`monitors: { m: { kind: tcp, port: ${backend.port}, interval: 200ms, timeout: 150ms } }`,
			'pools: { p: { monitor: m, endpoints: [{ name: a, addresses: [127.0.0.1] }] } }',
			'names: { n: { policy: { kind: geo, rules: [{ match: { continents: [EU] }, use: p }], default: p } } }',
		].join('\n');
		await commitTo(store, [
			{ kind: 'unit', name: 'example.org.', content: unit(GOOD_ZONE, { steering: { kind: 'text', text } }) },
		]);
		const { prober, get } = startProber(t, redis.url);
		await until('the vote', LIMIT_MS, () => votesOn(store, backend.port)[0] === 'up');
		assert.doesNotMatch(prober.stderr, /database/);
		assert.doesNotMatch(JSON.stringify((await get('/readyz')).body), /database/);
	});

	it('probes the targets of the store, follows its commits within a second, and leaves when it is told to', async (t) => {
		const { redis, store } = await setUp(t);
		const backend = await startBackend((socket) => socket.end());
		t.after(() => backend.close());
		const closed = await freePort();
		await zoneWith(store, [backend.port]);
		const { prober, get, adminOf } = startProber(t, redis.url);
		await until('the vote', LIMIT_MS, () => votesOn(store, backend.port)[0] === 'up');
		await zoneWith(store, [backend.port, closed]);
		const committedMs = performance.now();
		await until('the new target', LIMIT_MS, async () => {
			const { targets } = (await get('/v1/health')).body as { targets: readonly { port: number }[] };
			return targets.some(({ port }) => port === closed);
		});
		const tookMs = performance.now() - committedMs;
		assert(tookMs < 1000, `${tookMs} ms`);
		await until('its vote', LIMIT_MS, () => votesOn(store, backend.port, closed).join() === 'up,down');
		const { status, body } = await get('/readyz');
		assert.equal(status, 200);
		const { degraded, instance, region, generation, targets } = body as Readonly<Record<string, unknown>>;
		assert.deepEqual([degraded, instance, region, generation, targets], [[], 'eu-1', 'eu', 2, 2]);
		const metrics = await (await fetch(`${adminOf()}/metrics`)).text();
		for (const line of [
			/^meridian_prober_targets\{vote="down"\} 1$/m,
			/^meridian_store_condition\{condition="ready"\} 1$/m,
			/^meridian_prober_published_total\{result="failed"\} 0$/m,
			/^meridian_prober_lag_seconds [0-9.e-]+$/m,
			/^meridian_health_check_lag_seconds_count\{kind="tcp"\} \d+$/m,
		])
			assert.match(metrics, line);
		prober.signal('SIGTERM');
		assert.equal((await prober.exit).code, 0);
		await until('the end of its lease', LIMIT_MS, () => store.probers()[0]?.report.isAlive === false);
		assert.deepEqual(votesOn(store, backend.port, closed), ['up', 'down']);
	});

	it('leaves alone what other regions are to look at', async (t) => {
		const { redis, store } = await setUp(t);
		await zoneWith(store, [1], ', from: [us]');
		startProber(t, redis.url);
		await until('the record', LIMIT_MS, () => store.probers().length === 1);
		assert.deepEqual(votesOn(store, 1), [undefined]);
	});

	it('probes what it knows while Redis is away, and tells when it is back', async (t) => {
		const { redis, store } = await setUp(t);
		const port = await freePort();
		await zoneWith(store, [port]);
		const first = startProber(t, redis.url);
		await until('the vote', LIMIT_MS, () => votesOn(store, port)[0] === 'down');
		await until('it to be kept', LIMIT_MS, async () => ((await first.get('/readyz')).body as { ready: boolean }).ready);
		first.prober.signal('SIGTERM');
		await first.prober.exit;
		redis.signal('SIGSTOP');
		t.after(() => redis.signal('SIGCONT'));
		const { get, prober } = startProber(t, redis.url, first.stateDir);
		await until('the start', LIMIT_MS, () => prober.stdout.includes('probes 1 target from eu as eu-1'));
		const { status, body } = await get('/readyz');
		assert.equal(status, 503);
		assert.match((body as { degraded: string[] }).degraded.join(), /the store is unreachable/);
		const { targets } = (await get('/v1/health')).body as { targets: readonly { vote: string }[] };
		assert.deepEqual(
			targets.map(({ vote }) => vote),
			['down'],
		);
		const before = store.probers()[0]?.incarnation ?? 0;
		redis.signal('SIGCONT');
		await until('it to join', LIMIT_MS, () => (store.probers()[0]?.incarnation ?? 0) > before);
		assert.deepEqual(votesOn(store, port), ['down']);
	});

	it('publishes all of it again when Redis was emptied', async (t) => {
		const { redis, store } = await setUp(t);
		const port = await freePort();
		await zoneWith(store, [port]);
		startProber(t, redis.url);
		await until('the vote', LIMIT_MS, () => votesOn(store, port)[0] === 'down');
		await redis.ask('FLUSHALL');
		await until('the record', LIMIT_MS, async () => (await redis.ask('EXISTS', 'meridian:prober:eu-1')) === 1);
		await until('the loss', LIMIT_MS, () => store.condition.kind === 'lost');
		assert.deepEqual(votesOn(store, port), ['down']);
	});

	it('ends when a live prober goes by its name', async (t) => {
		const { redis, store } = await setUp(t);
		await store.join({ instance: 'eu-1', region: 'eu' });
		const { prober } = startProber(t, redis.url);
		assert.equal((await prober.exit).code, 1);
		assert.match(
			prober.stderr,
			/^Cannot join as "eu-1": a live prober goes by this name; give this one another with --instance$/m,
		);
	});
});

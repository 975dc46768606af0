/** Health of whole processes: what they tell of it, and what they remember of it. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { answer, refusingPort, startBackend } from '../probe/backend.ts';
import { askUdp, fetchJson, type Instance, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const LIMIT_MS = 10_000;
const ALLOW = ['--probe-allow=127.0.0.1/32'];
const A = '192.0.2.1';
const B = '192.0.2.2';

/** A pool of two: A answers well, and nobody is at home at B. */
async function setUp(t: TestContext) {
	const backend = await startBackend(answer('200 OK', 'ok'));
	t.after(() => backend.close());
	const closed = await refusingPort();
	const endpoint = (name: string, address: string, port: number) =>
		`{ name: ${name}, addresses: [${address}], check: { address: 127.0.0.1, port: ${port} } }`;
	const yaml = [
		'monitors: { web: { kind: http, interval: 500ms, timeout: 400ms, fall: 2, rise: 100 } }',
		`pools: { eu: { monitor: web, endpoints: [${endpoint('a', A, backend.port)}, ${endpoint('b', B, closed)}] } }`,
		'names: { x: { policy: eu } }',
	].join('\n');
	const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml });
	return { zonesDir, stateDir: scratch(t), closed };
}

interface TargetReport {
	readonly port: number;
	readonly vote: string;
	readonly verdict: string;
	readonly frozen: boolean;
	readonly sinceSec: number;
	readonly history: readonly { readonly vote: string; readonly reason: string }[];
}

async function targetsOf({ admin }: Instance): Promise<readonly TargetReport[]> {
	const { body } = await fetchJson(`${admin}/v1/health`);
	return (body as { targets: readonly TargetReport[] }).targets;
}

/** Until B is known to be down, here and on the disk. */
async function untilDown(instance: Instance, stateDir: string): Promise<void> {
	await until('the vote', LIMIT_MS, async () => (await targetsOf(instance)).some(({ verdict }) => verdict === 'down'));
	const path = join(stateDir, 'votes.json');
	await until('the file', LIMIT_MS, () => existsSync(path) && /"vote":"down"/.test(readFileSync(path, 'utf8')));
}

/** Addresses in so many answers. */
async function addressesOf({ port }: Instance, queries = 40): Promise<readonly string[]> {
	const seen = new Set<string>();
	for (let i = 0; i < queries; i++) seen.add((await askUdp(port, { name: 'x.a.example' })).answer[0]?.rdataText ?? '');
	return [...seen].sort();
}

describe('the health of an instance', { concurrency: 3 }, () => {
	it('is told in full', async (t) => {
		const { zonesDir, stateDir, closed } = await setUp(t);
		const instance = await startInstance(t, { zonesDir, stateDir, more: ALLOW });
		await untilDown(instance, stateDir);
		const targets = await targetsOf(instance);
		const down = targets.find(({ port }) => port === closed);
		assert.partialDeepStrictEqual(down, {
			...{ pools: ['a.example. eu'], kind: 'http', vote: 'down', verdict: 'down', reason: 'connection refused' },
			...{ flapping: { held: false }, frozen: false, stale: false, freshVotes: 1, votesNeeded: 1 },
			history: [{ vote: 'down', reason: 'connection refused' }],
		});
		const up = targets.find(({ port }) => port !== closed) as unknown as { rttMs: number; firstByteMs: number };
		assert.ok(up.rttMs > 0 && up.firstByteMs > 0);
		const { body: latency } = await fetchJson(`${instance.admin}/v1/latency`);
		assert.partialDeepStrictEqual(latency, {
			regions: ['local'],
			addresses: [{ address: '127.0.0.1', pools: ['a.example. eu'], roundTrips: [{ region: 'local' }] }],
		});
		const metrics = await (await fetch(`${instance.admin}/metrics`)).text();
		const labels = `address="127.0.0.1",port="${closed}",kind="http",check="[0-9a-f]{8}"`;
		for (const line of [
			`meridian_health_target_up{${labels}} 0`,
			`meridian_health_target_held{${labels}} 0`,
			`meridian_health_target_turns_total{${labels}} 1`,
			'meridian_targets{vote="down"} 1',
			'meridian_health_targets_held 0',
			'meridian_health_targets_frozen 0',
			'meridian_health_targets_stale 0',
			'meridian_health_checks_total{kind="http",result="down"} [1-9]\\d*',
			'meridian_health_check_duration_seconds_count{kind="http"} [1-9]\\d*',
		])
			assert.match(metrics, new RegExp(`^${line}$`, 'm'));
		const lines = instance.stderr.split('\n').filter((line) => line.includes('"msg":"target is '));
		assert.equal(lines.length, 2, 'one line for each turn');
		assert.match(lines.find((line) => line.includes('is down')) ?? '', /"reason":"connection refused","was":"unknown"/);
	});

	it('is remembered over a crash, from the first answer on', async (t) => {
		const { zonesDir, stateDir, closed } = await setUp(t);
		const first = await startInstance(t, { zonesDir, stateDir, more: ALLOW });
		await untilDown(first, stateDir);
		assert.deepEqual(await addressesOf(first), [A]);
		first.signal('SIGKILL');
		await first.exit;
		// A loopback that may not be probed: nothing new is learnt.
		const second = await startInstance(t, { zonesDir, stateDir });
		assert.deepEqual(await addressesOf(second), [A]);
		const down = (await targetsOf(second)).find(({ port }) => port === closed);
		assert.partialDeepStrictEqual(down, { vote: 'down', verdict: 'down' });
		assert.deepEqual(
			down?.history.map(({ vote }) => vote),
			['down'],
		);
		await until('the votes to be no longer fresh', LIMIT_MS, async () =>
			(await targetsOf(second)).every(({ frozen }) => frozen),
		);
		assert.deepEqual(await addressesOf(second), [A]);
		second.signal('SIGTERM');
		assert.deepEqual(await second.exit, { code: 0, signal: null });
	});

	it('starts anew when what was kept is damaged, and says so once', async (t) => {
		const { zonesDir, stateDir } = await setUp(t);
		writeFileSync(join(stateDir, 'votes.json'), '{"votes":');
		const instance = await startInstance(t, { zonesDir, stateDir, more: ALLOW });
		assert.equal(instance.stderr.match(/votes of the last run cannot be read/g)?.length, 1);
		await untilDown(instance, stateDir);
		assert(existsSync(join(stateDir, 'votes.json.damaged')));
	});
});

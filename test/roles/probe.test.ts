/** `meridian probe --once` as people run it, against backends on loopback. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { answer, type Backend, refusingPort, startBackend } from '../probe/backend.ts';
import { runToEnd } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const ALLOW = '--probe-allow=127.0.0.1/32';

describe('meridian probe --once', { concurrency: 3 }, () => {
	let good: Backend;
	let bad: Backend;
	let closed: number;

	before(async () => {
		good = await startBackend(answer('200 OK', 'ok'));
		bad = await startBackend(answer('503 Service Unavailable'));
		closed = await refusingPort();
	});
	after(async () => {
		await good.close();
		await bad.close();
	});

	/** Pools by name, each with the ports of its endpoints. */
	function zones(pools: Readonly<Record<string, readonly number[]>>): Readonly<Record<string, string>> {
		const lines = Object.entries(pools).map(([name, ports]) => {
			const endpoints = ports.map(
				(port, i) =>
					`{ name: ${name}-${i}, addresses: [127.0.0.1, "2001:db8::1"], check: { address: 127.0.0.1, port: ${port} } }`,
			);
			return `  ${name}: { monitor: web, endpoints: [${endpoints.join(', ')}] }`;
		});
		const yaml = ['monitors: { web: { kind: http, interval: 5s, timeout: 2s } }', 'pools:', ...lines].join('\n');
		return {
			'a.example.zone': GOOD_ZONE,
			'a.example.yaml': `${yaml}\n  bare: { endpoints: [{ name: x, addresses: [192.0.2.1] }] }\n`,
		};
	}

	const run = (t: Parameters<typeof runToEnd>[0], files: Readonly<Record<string, string>>, args: readonly string[]) =>
		runToEnd(t, ['probe', '--once', ...args, '--zones-dir', scratch(t, files)]);

	it('prints every check once, with times and reasons, and fails when something is down', async (t) => {
		const { code, stdout, stderr } = await run(t, zones({ eu: [good.port, bad.port], us: [closed] }), [ALLOW]);
		assert.equal(code, 1);
		assert.equal(stderr, '');
		const lines = stdout
			.trimEnd()
			.split('\n')
			.map((line) => line.split(/ {2,}/));
		assert.deepEqual(lines[0], [
			'POOL',
			'ENDPOINT',
			'TARGET',
			'KIND',
			'RESULT',
			'CONNECT',
			'TLS',
			'FIRST BYTE',
			'REASON',
		]);
		assert.deepEqual(lines[1]?.slice(0, 5), ['a.example/eu', 'eu-0', `127.0.0.1:${good.port}`, 'http', 'up']);
		assert.match(lines[1]?.[5] ?? '', /^\d+\.\d ms$/);
		assert.equal(lines[2]?.[8], 'status 503, expected 200-399');
		assert.deepEqual(lines[3]?.slice(3), ['http', 'down', '-', '-', '-', 'connection refused']);
		assert.deepEqual(lines.slice(4), [[''], ['3 checks: 1 up, 2 down']]);
	});

	for (const { name, pool, says } of [
		{ name: 'of one pool', pool: 'eu', says: /^1 check: 1 up, 0 down$/m },
		{ name: 'of one pool of one zone', pool: 'a.example/eu', says: /^1 check: 1 up, 0 down$/m },
		{ name: 'of a pool without a monitor', pool: 'bare', says: /^Nothing to check: / },
	]) {
		it(`succeeds when all is up ${name}`, async (t) => {
			const { code, stdout } = await run(t, zones({ eu: [good.port], us: [closed] }), [pool, ALLOW]);
			assert.match(stdout, says);
			assert.equal(code, 0);
		});
	}

	it('prints JSON', async (t) => {
		const { code, stdout } = await run(t, zones({ eu: [good.port], us: [closed] }), ['--json', ALLOW]);
		assert.equal(code, 1);
		const round = JSON.parse(stdout);
		assert.partialDeepStrictEqual(round, {
			...{ up: 1, down: 1, unchecked: 0 },
			checks: [
				{ pool: 'a.example/eu', endpoint: 'eu-0', address: '127.0.0.1', port: good.port, kind: 'http', result: 'up' },
				{ pool: 'a.example/us', result: 'down', reason: 'connection refused' },
			],
		});
		assert.ok(round.checks[0].rttMs > 0);
	});

	it('does not call up what it may not probe', async (t) => {
		const { code, stdout } = await run(t, zones({ eu: [good.port] }), []);
		assert.match(stdout, /unchecked .* denied: 127\.0\.0\.1 lies in 127\.0\.0\.0\/8 \(loopback\)\n/);
		assert.match(stdout, /^1 check: 0 up, 0 down, 1 unchecked$/m);
		assert.equal(code, 1);
	});

	it('tells of mistakes, checks what is good, and fails', async (t) => {
		const files = { ...zones({ eu: [good.port] }), 'b.example.zone': 'x IN A 192.0.2.1\n' };
		const { code, stdout, stderr } = await run(t, files, [ALLOW]);
		assert.match(stderr, /b\.example\.zone:\d+:\d+: /);
		assert.match(stdout, /^1 check: 1 up, 0 down$/m);
		assert.equal(code, 1);
	});

	it('fails without a zones directory', async (t) => {
		const { code, stderr } = await runToEnd(t, ['probe', '--once', '--zones-dir', '/nowhere/zones']);
		assert.deepEqual([code, stderr.slice(0, 52)], [1, 'Cannot take the zones directory /nowhere/zones: ENOE']);
	});

	for (const { name, args, err } of [
		{
			name: 'a pool that is not there',
			args: ['probe', '--once', 'eo'],
			err: /^Cannot find the pool "eo": did you mean "eu"\?\n$/,
		},
		{
			name: 'a pool that is nowhere near',
			args: ['probe', '--once', 'elsewhere'],
			err: /^Cannot find the pool "elsewhere": there are a\.example\/eu, a\.example\/bare\n$/,
		},
		{
			name: 'a prober without a fleet',
			args: ['probe'],
			err: /^Cannot run a prober without redis\.url \(--redis-url, MERIDIAN_REDIS_URL\)/,
		},
		{
			name: 'a pool for a prober that runs on',
			args: ['probe', 'eu'],
			err: /^Cannot use "eu" with a prober that runs on: it goes with --once\n$/,
		},
		{ name: 'two pools', args: ['probe', '--once', 'eu', 'us'], err: /^Cannot use "us": probe takes \[POOL\]\n$/ },
		{
			name: '--once elsewhere',
			args: ['check', '--once'],
			err: /^Cannot use --once with check: it goes with probe\n$/,
		},
		{
			name: '--json elsewhere',
			args: ['start', '--json'],
			err: /^Cannot use --json with start: it goes with probe, explain, geo, plan, drain, override, token, release, restore, status\n$/,
		},
	]) {
		it(`does not understand ${name}`, async (t) => {
			const { code, stdout, stderr } = await runToEnd(t, [
				...args,
				'--zones-dir',
				scratch(t, zones({ eu: [good.port] })),
			]);
			assert.match(stderr, err);
			assert.deepEqual([code, stdout], [2, '']);
		});
	}
});

/**
 * A fleet of probers at work, as processes: 2 of 200 endpoints for 20 s, or as FLEET_LOAD_PROBERS, FLEET_LOAD_TARGETS and
 * FLEET_LOAD_SEC say. What probers, Redis and the health of an instance cost is stated; votes arrive in time; memory and
 * descriptors stay where they were.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { applyToFleet } from '../roles/apply-to-fleet.ts';
import { fetchJson, runMeridian, startInstance, until } from '../roles/meridian-process.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';
import { ended } from '../setup/ended.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';

const PROBERS = Number(process.env['FLEET_LOAD_PROBERS'] ?? 2);
const TARGETS = Number(process.env['FLEET_LOAD_TARGETS'] ?? 200);
const SECONDS = Number(process.env['FLEET_LOAD_SEC'] ?? 20);
const POOL_SIZE = 250;
const PERIOD_SEC = 10;
const START_MS_MAX = 60_000;
const TICKS_A_SEC = 100;
/** Of one core, for 2,000 targets; what is less costs less, above what a process costs that does nothing. */
const PROBER_CORES_MAX = 0.5;
const INSTANCE_CORES_MAX = 0.5;
const REDIS_CORES_MAX = 0.25;
/** From the second fifth of the run to the last, of the least in each: what V8 takes before it first tidies up shows in a short run. */
const GROWTH_OCTETS_MAX = (SECONDS >= 600 ? 32 : 160) * 1024 * 1024;
const GROWTH_FILES_MAX = 20;
const KEY = 'a-key-of-sixteen-and-more';

/** Takes connections on every address of 127/8. */
const BACKEND = `
	const server = require('node:net').createServer((socket) => socket.on('error', () => {}).end());
	server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () => console.log(server.address().port));
	process.stdin.on('end', () => process.exit()).resume();`;

interface Use {
	readonly cpuSec: number;
	readonly residentOctets: number;
	readonly files: number;
}

it(`${PROBERS} probers of ${TARGETS} endpoints cost what they may for ${SECONDS} s`, {
	skip: WITHOUT_REDIS,
}, async (t) => {
	const redis = await startRedis(t);
	const url = redis.url;
	const env = { MERIDIAN_FLEET_KEY: KEY };
	const zones = scratch(t, { 'example.org.zone': GOOD_ZONE, 'example.org.yaml': steering(await startBackends(t)) });
	await applyToFleet(t, zones, { url, env });
	const regions = ['eu', 'us', 'ap'];
	const probers = Array.from({ length: PROBERS }, (_, i) => {
		const name = ['--region', regions[i % regions.length] ?? '', '--instance', `p-${i}`];
		const state = ['--state-dir', join(scratch(t), 'state'), '--admin-listen', '127.0.0.1:0', '--redis-url', url];
		return runMeridian(t, ['probe', ...name, ...state, '--probe-allow', '127.0.0.0/8'], { env });
	});
	const more = ['--redis-url', url, '--instance', 'dns-1'];
	const instance = await startInstance(t, { zonesDir: '/nowhere', stateDir: scratch(t), command: 'serve', more, env });
	const upOf = async () => {
		const text = await (await fetch(`${instance.admin}/metrics`)).text();
		return Number(/^meridian_targets\{vote="up"\} (\d+)$/m.exec(text)?.[1]);
	};
	await until('all targets to be up', START_MS_MAX, async () => (await upOf()) === TARGETS);

	// What happens once has happened by then: code is compiled, every target has been met.
	await pause(Math.min(SECONDS / 5, 120) * 1000);
	const pids = { redis: redis.pid, instance: instance.pid };
	const before = useOfAll(pids, probers);
	const startMs = performance.now();
	let laggedSecMost = 0;
	const samples = [before];
	while (performance.now() - startMs < SECONDS * 1000) {
		await pause(1000);
		samples.push(useOfAll(pids, probers));
		const { body } = await fetchJson(`${instance.admin}/v1/fleet`);
		for (const { lagSec } of (body as { probers: readonly { lagSec: number }[] }).probers)
			laggedSecMost = Math.max(laggedSecMost, lagSec);
	}
	const after = useOfAll(pids, probers);
	const tookSec = (performance.now() - startMs) / 1000;
	const coresOf = (name: keyof typeof after) => (after[name].cpuSec - before[name].cpuSec) / tookSec;
	const leastOf = (name: keyof typeof after, fifth: number) => {
		const [from, to] = [fifth, fifth + 1].map((edge) => Math.floor((samples.length * edge) / 5));
		return Math.min(...samples.slice(from, to).map((sample) => sample[name].residentOctets));
	};
	const grownOf = (name: keyof typeof after) => leastOf(name, 4) - leastOf(name, 1);
	const filesOf = (name: keyof typeof after) => after[name].files - before[name].files;
	const figures = (['prober', 'redis', 'instance'] as const)
		.map((name) => {
			const megabytes = (grownOf(name) / 2 ** 20).toFixed(1);
			return `${name} ${coresOf(name).toFixed(3)} cores, ${megabytes} MB and ${filesOf(name)} descriptors more`;
		})
		.join('; ');
	t.diagnostic(`fleet: ${figures} (the busiest prober); votes at most ${laggedSecMost} s old`);
	assert.equal(await upOf(), TARGETS);
	assert(coresOf('prober') < PROBER_CORES_MAX, figures);
	assert(coresOf('redis') < REDIS_CORES_MAX, figures);
	assert(coresOf('instance') < INSTANCE_CORES_MAX, figures);
	assert(laggedSecMost < 2 * PERIOD_SEC, `${laggedSecMost} s`);
	for (const name of ['prober', 'redis', 'instance'] as const) {
		assert(grownOf(name) < GROWTH_OCTETS_MAX, figures);
		assert(filesOf(name) < GROWTH_FILES_MAX + TARGETS / 50, figures);
	}
});

function steering(port: number): string {
	const pools = Array.from({ length: Math.ceil(TARGETS / POOL_SIZE) }, (_, i) => {
		const size = Math.min(POOL_SIZE, TARGETS - i * POOL_SIZE);
		const endpoints = Array.from({ length: size }, (_, k) => `{ name: e${k}, addresses: [127.70.${i}.${k + 1}] }`);
		return `  p${i}: { monitor: web, endpoints: [${endpoints.join(', ')}] }\n`;
	});
	const names = pools.map((_, i) => `  n${i}: { policy: p${i} }\n`);
	return [
		`monitors: { web: { kind: tcp, port: ${port}, interval: ${PERIOD_SEC}s } }\n`,
		`pools:\n${pools.join('')}names:\n${names.join('')}`,
	].join('');
}

async function startBackends(t: TestContext): Promise<number> {
	const backend = spawn(process.execPath, ['-e', BACKEND], { stdio: ['pipe', 'pipe', 'inherit'] });
	t.after(() => ended(backend));
	const [line] = (await once(backend.stdout, 'data')) as [Buffer];
	return Number(line.toString());
}

/** Of probers the greatest of each. */
function useOfAll(
	pids: { readonly redis: number; readonly instance: number },
	probers: readonly { readonly pid: number }[],
): Readonly<Record<'redis' | 'instance' | 'prober', Use>> {
	const uses = probers.map(({ pid }) => useOf(pid));
	const most = (read: (use: Use) => number) => Math.max(...uses.map(read));
	return {
		redis: useOf(pids.redis),
		instance: useOf(pids.instance),
		prober: {
			cpuSec: most(({ cpuSec }) => cpuSec),
			residentOctets: most(({ residentOctets }) => residentOctets),
			files: most(({ files }) => files),
		},
	};
}

/** Fields 14, 15 and 24 of /proc/PID/stat; the second field may hold spaces. */
function useOf(pid: number): Use {
	const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return {
		cpuSec: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SEC,
		residentOctets: Number(fields[21]) * 4096,
		files: readdirSync(`/proc/${pid}/fd`).length,
	};
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

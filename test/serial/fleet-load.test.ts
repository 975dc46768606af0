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
import {
	fetchJson,
	type Instance,
	isRunning,
	type Meridian,
	runMeridian,
	startInstance,
	until,
} from '../roles/meridian-process.ts';
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
/** Of what lives when garbage has been collected, and of what the process holds then. */
const LIVE_GROWTH_OCTETS_MAX = 16 * 1024 * 1024;
const GROWTH_OCTETS_MAX = 64 * 1024 * 1024;
/** From the second fifth of the run to the last, of the least in each: at one moment many checks may be under way. */
const GROWTH_FILES_MAX = 20;
const KEY = 'a-key-of-sixteen-and-more';

/** Takes connections on every address of 127/8. */
const BACKEND = `
	const server = require('node:net').createServer((socket) => socket.on('error', () => {}).end());
	server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () => console.log(server.address().port));
	process.stdin.on('end', () => process.exit()).resume();`;

interface Use {
	readonly cpuSec: number;
	readonly files: number;
}

/** In octets, after garbage was collected. */
interface Memory {
	readonly live: number;
	readonly resident: number;
}

it(`${PROBERS} probers of ${TARGETS} endpoints cost what they may for ${SECONDS} s`, {
	skip: WITHOUT_REDIS,
}, async (t) => {
	const redis = await startRedis(t);
	const url = redis.url;
	// Memory is asked for through the inspector, which collects garbage before.
	const env = { MERIDIAN_FLEET_KEY: KEY, NODE_OPTIONS: '--inspect=127.0.0.1:0' };
	const zones = scratch(t, { 'example.org.zone': GOOD_ZONE, 'example.org.yaml': steering(await startBackends(t)) });
	await applyToFleet(t, zones, { url, env });
	const more = ['--redis-url', url, '--instance', 'dns-1'];
	const instance = await startInstance(t, { zonesDir: '/nowhere', stateDir: scratch(t), command: 'serve', more, env });
	const regions = ['eu', 'us', 'ap'];
	const probers = Array.from({ length: PROBERS }, (_, i) => {
		const name = ['--region', regions[i % regions.length] ?? '', '--instance', `p-${i}`];
		const state = ['--state-dir', join(scratch(t), 'state'), '--admin-listen', '127.0.0.1:0', '--redis-url', url];
		return runMeridian(t, ['probe', ...name, ...state, '--probe-allow', '127.0.0.0/8'], { env });
	});
	const upOf = async () => {
		const text = await (await fetch(`${instance.admin}/metrics`)).text();
		return Number(/^meridian_targets\{vote="up"\} (\d+)$/m.exec(text)?.[1]);
	};
	await until('all targets to be up', START_MS_MAX, async () => (await upOf()) === TARGETS);

	// What happens once has happened by then: code is compiled, every target has been met.
	await pause(Math.min(SECONDS / 5, 120) * 1000);
	const pids = { redis: redis.pid, instance: instance.pid };
	const watched = [instance, ...probers];
	const memoryBefore = await memoryOf(redis.pid, watched);
	const before = useOfAll(pids, probers);
	const startMs = performance.now();
	let laggedSecMost = 0;
	const samples = [before];
	while (performance.now() - startMs < SECONDS * 1000) {
		await pause(1000);
		samples.push(useOfAll(pids, probers));
		for (const { lagSec } of await probersOf(instance)) laggedSecMost = Math.max(laggedSecMost, lagSec);
	}
	const after = useOfAll(pids, probers);
	const tookSec = (performance.now() - startMs) / 1000;
	const memoryAfter = await memoryOf(redis.pid, watched);
	const coresOf = (name: keyof typeof after) => (after[name].cpuSec - before[name].cpuSec) / tookSec;
	const filesOf = (name: keyof typeof after) => leastFiles(samples, name, 4) - leastFiles(samples, name, 1);
	const cores = (['prober', 'redis', 'instance'] as const)
		.map((name) => `${name} ${coresOf(name).toFixed(3)} cores, ${filesOf(name)} descriptors more`)
		.join('; ');
	const grown = memoryAfter.map(({ live, resident }, i) => {
		const then = memoryBefore[i] ?? { live: 0, resident: 0 };
		return { live: live - then.live, resident: resident - then.resident };
	});
	const megabytes = grown.map(({ live, resident }) => `${inMegabytes(live)}/${inMegabytes(resident)}`).join(' ');
	const figures = `${cores}; live/resident MB more of redis, instance and each prober: ${megabytes}`;
	t.diagnostic(`fleet: ${figures} (cores of the busiest prober); votes at most ${laggedSecMost} s old`);
	assert.equal(await upOf(), TARGETS);
	assert(coresOf('prober') < PROBER_CORES_MAX, figures);
	assert(coresOf('redis') < REDIS_CORES_MAX, figures);
	assert(coresOf('instance') < INSTANCE_CORES_MAX, figures);
	assert(laggedSecMost < 2 * PERIOD_SEC, `${laggedSecMost} s`);
	for (const { live, resident } of grown) {
		assert(live < LIVE_GROWTH_OCTETS_MAX, figures);
		assert(resident < GROWTH_OCTETS_MAX, figures);
	}
	for (const name of ['prober', 'redis', 'instance'] as const) assert(filesOf(name) < GROWTH_FILES_MAX, figures);
});

async function probersOf({ admin, pid, stderr }: Instance): Promise<readonly { readonly lagSec: number }[]> {
	try {
		const { body } = await fetchJson(`${admin}/v1/fleet`);
		return (body as { readonly probers: readonly { readonly lagSec: number }[] }).probers;
	} catch {
		// A machine that stood still has let the connection grow old, and it is closed under the question.
		assert(isRunning(pid), `the instance has ended:\n${stderr.slice(-2000)}`);
		return [];
	}
}

function inMegabytes(octets: number): string {
	return (octets / 2 ** 20).toFixed(1);
}

function leastFiles(
	samples: readonly ReturnType<typeof useOfAll>[],
	name: 'redis' | 'instance' | 'prober',
	fifth: number,
) {
	const [from, to] = [fifth, fifth + 1].map((edge) => Math.floor((samples.length * edge) / 5));
	return Math.min(...samples.slice(from, to).map((sample) => sample[name].files));
}

/** Of Redis, then of each process; where nothing collects garbage all lives. */
async function memoryOf(redisPid: number, processes: readonly Meridian[]): Promise<readonly Memory[]> {
	const memories: Memory[] = [{ live: 0, resident: residentOf(redisPid) }];
	for (const { pid, stderr } of processes) {
		const live = await liveOf(/^Debugger listening on (ws:\S+)$/m.exec(stderr)?.[1] ?? '');
		memories.push({ live, resident: residentOf(pid) });
	}
	return memories;
}

/** Octets in use on the heap, and beside it, when garbage has been collected. */
async function liveOf(inspectorUrl: string): Promise<number> {
	const socket = new WebSocket(inspectorUrl);
	await once(socket, 'open');
	const ask = async (id: number, method: string, params: Readonly<Record<string, unknown>> = {}) => {
		const answer = once(socket, 'message');
		socket.send(JSON.stringify({ id, method, params }));
		return JSON.parse(((await answer)[0] as MessageEvent).data).result;
	};
	await ask(1, 'HeapProfiler.collectGarbage');
	const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';
	const { result } = await ask(2, 'Runtime.evaluate', { expression });
	socket.close();
	return Number(result.value);
}

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
			files: most(({ files }) => files),
		},
	};
}

function useOf(pid: number): Use {
	const fields = statOf(pid);
	const cpuSec = (Number(fields[11]) + Number(fields[12])) / TICKS_A_SEC;
	return { cpuSec, files: readdirSync(`/proc/${pid}/fd`).length };
}

function residentOf(pid: number): number {
	return Number(statOf(pid)[21]) * 4096;
}

/** From the third field of /proc/PID/stat on; the second may hold spaces. */
function statOf(pid: number): readonly string[] {
	const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
	return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

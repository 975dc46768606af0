/**
 * 2,000 http and tcp targets at 10 s, for a minute (PROBE_LOAD_SEC): below half a core, no check late by more than a
 * second, sockets and memory flat; votes and verdicts are counted along. Backends run in a process of their own, so that the core is the prober's.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createHealthWords, VerdictTable } from '../../src/health/verdict-table.ts';
import { parsePrefix } from '../../src/lib/prefix.ts';
import { createCheck } from '../../src/probe/check.ts';
import { createGuard } from '../../src/probe/guard.ts';
import { nextSlotMs, rhythmOf } from '../../src/probe/schedule.ts';
import { LocalHealth } from '../../src/roles/local-health.ts';
import { monitorFrom, targetAt } from '../probe/monitor-from.ts';
import { scratch } from '../roles/scratch.ts';
import { ended } from '../setup/ended.ts';

const SECONDS = Number(process.env['PROBE_LOAD_SEC'] ?? 60);
const TARGETS_EACH = 1000;
const PERIOD_MS = 10_000;
const CORE_SHARE_MAX = 0.5;
const LATE_MS_MAX = 1000;
const GROWTH_OCTETS_MAX = 16 * 1024 * 1024;
const TIMER_EARLY_MS = 5;
const FAILED_SHARE_MAX = 1 / 2000;
/** Checks take milliseconds: of 200 a second, few are open at once. */
const SOCKETS_MAX = 100;

/** Answers on every address of 127/8. */
const BACKEND = `
	const server = require('node:http').createServer((_, response) => response.end('ok'));
	server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () => console.log(server.address().port));
	process.stdin.on('end', () => process.exit()).resume();`;

it(`2,000 targets for ${SECONDS} s cost less than half a core and are checked in time`, async (t) => {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	const backend = spawn(process.execPath, ['-e', BACKEND], { stdio: ['pipe', 'pipe', 'inherit'] });
	const [line] = (await once(backend.stdout, 'data')) as [Buffer];
	const port = Number(line.toString());

	const loopback = parsePrefix('127.0.0.0/8');
	assert(typeof loopback !== 'string');
	const guard = createGuard({ deny: [], allow: [loopback] });
	const clock = { nowMs: () => performance.now() };
	const check = createCheck({ clock, guard, userAgent: 'meridian/0', lookup: async () => [], echo: undefined });
	const seen = new Set<string>();
	let checks = 0;
	const failures: string[] = [];
	let latestMs = 0;
	const verdicts = new VerdictTable(createHealthWords());
	const health = new LocalHealth({
		clock,
		wallMs: () => Date.now(),
		log: { info() {}, warn() {}, error() {} },
		region: 'local',
		stateDir: scratch(t),
		anchors: [],
		verdicts,
		guard,
		check: async (target, stop) => {
			const nowMs = clock.nowMs();
			// In the phase of this host. The slot before the next one is this one, also when its timer is a little early.
			const slotMs = nextSlotMs(rhythmOf(hostname() + target.key, PERIOD_MS), nowMs + TIMER_EARLY_MS) - PERIOD_MS;
			if (seen.has(target.key)) latestMs = Math.max(latestMs, nowMs - slotMs);
			seen.add(target.key);
			const result = await check(target, stop);
			checks++;
			if (!result.isUp) failures.push(`${target.key}: ${result.reason}`);
			return result;
		},
	});
	const kinds = [monitorFrom({ kind: 'http', expect: { body: 'ok' } }), monitorFrom({ kind: 'tcp' })];
	const targets = kinds.flatMap((monitor) =>
		Array.from({ length: TARGETS_EACH }, (_, i) => targetAt(port, monitor, `127.1.${i >> 8}.${i & 255}`)),
	);
	verdicts.assign(targets.map(({ key }) => key));
	health.setTargets(targets);
	health.probe();

	// The first two rounds warm up: code is compiled, every target has been met.
	await pause(2 * PERIOD_MS);
	collect();
	const heapBefore = process.memoryUsage().heapUsed;
	const checksBefore = checks;
	const cpuBefore = process.cpuUsage();
	const startMs = performance.now();
	let socketsMost = 0;
	while (performance.now() - startMs < SECONDS * 1000) {
		await pause(250);
		socketsMost = Math.max(socketsMost, openSockets());
	}
	const { user, system } = process.cpuUsage(cpuBefore);
	const tookMs = performance.now() - startMs;
	const share = (user + system) / 1000 / tookMs;
	collect();
	const grown = process.memoryUsage().heapUsed - heapBefore;
	const made = checks - checksBefore;
	await health.close();
	backend.stdin.end();
	await ended(backend);

	const figures = `${made} checks, ${share.toFixed(3)} cores, at most ${latestMs.toFixed(0)} ms late, at most ${socketsMost} sockets, ${grown} octets more`;
	// A busy machine may hold up the backend once; a fault of ours would show at one target again, or at many.
	t.diagnostic(`${figures}; ${failures.length} failed${failures.map((failure) => `\n${failure}`).join('')}`);
	assert(failures.length <= checks * FAILED_SHARE_MAX, failures.join('\n'));
	assert.equal(new Set(failures).size, failures.length, failures.join('\n'));
	assert.equal(seen.size, 2 * TARGETS_EACH, figures);
	assert(
		health.list().every(({ judgement }) => judgement.verdict === 'up'),
		figures,
	);
	assert(Math.abs(made - (2 * TARGETS_EACH * tookMs) / PERIOD_MS) < 2 * TARGETS_EACH, figures);
	assert(share < CORE_SHARE_MAX, figures);
	assert(latestMs <= LATE_MS_MAX, figures);
	assert(socketsMost <= SOCKETS_MAX, figures);
	assert(grown < GROWTH_OCTETS_MAX, figures);
});

function openSockets(): number {
	return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

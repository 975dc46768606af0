/**
 * `npm run soak [-- MINUTES [PART ...]]`: the long runs, one after another, with a verdict. Three hours by default;
 * other lengths are shared out in the same proportions, among the parts that are named.
 *
 * | part    | minutes | what it shows                                                                        |
 * |---------|--------:|--------------------------------------------------------------------------------------|
 * | peers   |      15 | fresh zones and questions to Meridian, NSD, Knot and BIND: no difference unexplained |
 * | fuzz    |      60 | damaged messages at UDP and TCP sockets: answered as before, memory flat             |
 * | sources |       5 | a flood of forged addresses at the rate limiter: memory flat, a steady client served |
 * | probes  |      30 | 2,000 targets at 10 s: below half a core, checked in time, sockets and memory flat   |
 * | answers |       5 | 10 million answers and more: heaps of the workers flat, none collected as a whole     |
 * | flood   |      10 | floods at the sockets of a server: other clients' p99 below twice, memory flat       |
 * | fleet   |      30 | 10 probers of 2,000 endpoints at 10 s: processor time stated, memory and descriptors flat |
 * | kills   |      20 | 200 kills in the midst of writes with each store, whatever the length: old or new, never half |
 * | api     |      10 | 500 writes a second, or 10,000 idle connections: no query lost, their p99 below twice |
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Address, parseAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import { createRateLimitTable, LIMIT, RateLimiter } from '../../src/serve/rate-limit.ts';
import { soakAnswers } from './answers.ts';
import { soakApi } from './api.ts';
import { soakFlood } from './flood.ts';
import { soakKills } from './kills.ts';

const MINUTE_MS = 60_000;
const PEER_ZONES = 100;
const GROWTH_OCTETS_MAX = 16 * 1024 * 1024;

/** Where this run's seeds start; printed, so that a failure can be had again. */
const firstSeed = Math.floor(Date.now() / 1000) % 1_000_000;

const PARTS = {
	peers: { minutes: 15, run: soakPeers },
	fuzz: { minutes: 60, run: soakFuzz },
	sources: { minutes: 5, run: soakSources },
	probes: { minutes: 30, run: soakProbes },
	answers: { minutes: 5, run: soakAnswers },
	flood: { minutes: 10, run: soakFlood },
	fleet: { minutes: 30, run: soakFleet },
	kills: { minutes: 20, run: soakKills },
	api: { minutes: 10, run: soakApi },
} as const;

const [minutesText, ...named] = process.argv.slice(2);
const parts = Object.entries(PARTS).filter(([name]) => named.length === 0 || named.includes(name));
const ownMinutes = parts.reduce((sum, [, part]) => sum + part.minutes, 0);
const minutes = Number(minutesText ?? ownMinutes);
const unknown = named.filter((name) => !Object.hasOwn(PARTS, name));
if (!(minutes > 0) || unknown.length > 0) {
	const expected = `expected a number of minutes, then parts of ${Object.keys(PARTS).join(', ')}`;
	process.stderr.write(`Cannot soak ${[minutesText, ...unknown].join(' ')}: ${expected}\n`);
	process.exit(2);
}

print(`soak: ${minutes} minutes, seeds from ${firstSeed}`);
let hasFailed = false;
for (const [name, part] of parts) {
	const startMs = performance.now();
	try {
		const verdict = await part.run((minutes / ownMinutes) * part.minutes * MINUTE_MS);
		print(`soak: ${name} ok: ${verdict} (${Math.round((performance.now() - startMs) / 1000)} s)`);
	} catch (error) {
		hasFailed = true;
		print(`soak: ${name} FAILED: ${(error as Error).message}`);
	}
}
print(hasFailed ? 'soak: FAILED' : 'soak: all ok');
process.exitCode = hasFailed ? 1 : 0;

async function soakPeers(lengthMs: number): Promise<string> {
	const endMs = performance.now() + lengthMs;
	let runs = 0;
	do {
		const seed = firstSeed + runs;
		await runTests('../peers/peers.test.ts', { PEER_ZONES: String(PEER_ZONES), PEER_SEED: String(seed) });
		runs++;
		if (runs % 10 === 0) print(`soak: peers ${runs} runs`);
	} while (performance.now() < endMs);
	return `${runs} runs of ${PEER_ZONES} zones with 200 questions each`;
}

async function soakFuzz(lengthMs: number): Promise<string> {
	const seconds = Math.max(2, Math.round(lengthMs / 1000));
	await runTests('../fuzz/sockets.test.ts', { FUZZ_SEC: String(seconds), FUZZ_SEED: String(firstSeed) });
	return `${seconds} s of damaged messages`;
}

async function soakProbes(lengthMs: number): Promise<string> {
	const seconds = Math.max(10, Math.round(lengthMs / 1000));
	await runTests('../serial/probe-load.test.ts', { PROBE_LOAD_SEC: String(seconds) });
	return `${seconds} s of 2,000 targets`;
}

async function soakFleet(lengthMs: number): Promise<string> {
	const seconds = Math.max(10, Math.round(lengthMs / 1000));
	const size = { FLEET_LOAD_PROBERS: '10', FLEET_LOAD_TARGETS: '2000', FLEET_LOAD_SEC: String(seconds) };
	const output = await runTests('../serial/fleet-load.test.ts', size);
	return `${seconds} s, ${/fleet: (.*)/.exec(output)?.[1]}`;
}

/** Run a test file; its output is shown only when it fails. */
function runTests(file: string, environment: Readonly<Record<string, string>>): Promise<string> {
	const path = fileURLToPath(new URL(file, import.meta.url));
	const child = spawn(process.execPath, ['--test', path], { env: { ...process.env, ...environment } });
	let output = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code) => {
			if (code === 0) resolve(output);
			else reject(new Error(`${file} with ${JSON.stringify(environment)}\n${output.slice(-4000)}`));
		});
	});
}

async function soakSources(lengthMs: number): Promise<string> {
	const limiter = new RateLimiter({ rate: 50, slip: 1, exempt: [] }, createRateLimitTable(), firstSeed);
	const chance = createChance(firstSeed);
	const forged: Address = { family: 4, words: new Uint32Array(4) };
	const steady = parseAddress('192.0.2.1');
	if (steady === undefined) throw new Error('Cannot read an address');
	const startMs = performance.now();
	const endMs = startMs + lengthMs;
	const heapOctets = process.memoryUsage().heapUsed;
	let sources = 0;
	let asked = 0;
	let passed = 0;
	for (let nowMs = startMs; nowMs < endMs; nowMs = performance.now()) {
		for (let i = 0; i < 100_000; i++) {
			forged.words[0] = 2 * chance.below(0x7fffffff);
			limiter.take(forged, Math.floor(nowMs));
		}
		sources += 100_000;
		asked++;
		if (limiter.take(steady, Math.floor(nowMs)) === LIMIT.pass) passed++;
		await new Promise((resolve) => setImmediate(resolve));
	}
	const grown = process.memoryUsage().heapUsed - heapOctets;
	if (grown > GROWTH_OCTETS_MAX) throw new Error(`memory has grown by ${grown} octets over ${sources} sources`);
	if (passed < asked * 0.99) throw new Error(`a client within its rate got ${passed} of ${asked} answers`);
	return `${sources} forged sources, a steady client got ${passed} of ${asked} answers`;
}

function print(line: string): void {
	process.stdout.write(`${line}\n`);
}

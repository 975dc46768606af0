/**
 * `npm run soak [-- MINUTES]`: the long runs, one after another, with a verdict. An hour by default.
 *
 * | part    | share | what it shows                                                                        |
 * |---------|-------|--------------------------------------------------------------------------------------|
 * | peers   | 20 %  | fresh zones and questions to Meridian, NSD, Knot and BIND: no difference unexplained |
 * | fuzz    | 55 %  | damaged messages at UDP and TCP sockets: answered as before, memory flat             |
 * | sources | 10 %  | a flood of forged addresses at the rate limiter: memory flat, a steady client served |
 * | flood   | 15 %  | floods at the sockets of a server: other clients' p99 below twice, memory flat       |
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Address, parseAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import { createRateLimitTable, LIMIT, RateLimiter } from '../../src/serve/rate-limit.ts';
import { soakFlood } from './flood.ts';

const MINUTE_MS = 60_000;
const PEER_ZONES = 100;
const GROWTH_OCTETS_MAX = 16 * 1024 * 1024;

const minutes = Number(process.argv[2] ?? 60);
if (!(minutes > 0)) {
	process.stderr.write('Cannot soak: expected a number of minutes\n');
	process.exit(2);
}

/** Where this run's seeds start; printed, so that a failure can be had again. */
const firstSeed = Math.floor(Date.now() / 1000) % 1_000_000;

const parts: readonly {
	readonly name: string;
	readonly share: number;
	readonly run: (lengthMs: number) => Promise<string>;
}[] = [
	{ name: 'peers', share: 0.2, run: soakPeers },
	{ name: 'fuzz', share: 0.55, run: soakFuzz },
	{ name: 'sources', share: 0.1, run: soakSources },
	{ name: 'flood', share: 0.15, run: soakFlood },
];

print(`soak: ${minutes} minutes, seeds from ${firstSeed}`);
let hasFailed = false;
for (const { name, share, run } of parts) {
	const startMs = performance.now();
	try {
		const verdict = await run(minutes * share * MINUTE_MS);
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

/** Run a test file; its output is shown only when it fails. */
function runTests(file: string, environment: Readonly<Record<string, string>>): Promise<void> {
	const path = fileURLToPath(new URL(file, import.meta.url));
	const child = spawn(process.execPath, ['--test', path], { env: { ...process.env, ...environment } });
	let output = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code) => {
			if (code === 0) resolve();
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

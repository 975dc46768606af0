/**
 * A server under load whose zones and geo databases change all the time. The TTL of every record is the number of
 * its generation, so that an answer of two generations shows.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { writeMmdb } from '../mmdb-writer.ts';
import { fetchJson, type Instance, startInstance, until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import type { LoadResult } from './load.ts';
import { runLoad } from './run-load.ts';

export interface SwapPlan {
	/** In the zone. */
	readonly records: number;
	/** Queries a second. */
	readonly rate: number;
	readonly zoneSwaps: number;
	readonly geoSwaps: number;
}

/** In octets. */
interface Memory {
	readonly rss: number;
	/** Of all generations, used or free. */
	readonly snapshots: number;
}

export interface SwapResult {
	/** Without a swap. */
	readonly calm: LoadResult;
	readonly swapping: LoadResult;
	readonly swapsPerSec: number;
	/** After the first swaps, and at the end. */
	readonly before: Memory;
	readonly after: Memory;
}

const LIMIT_MS = 20_000;
const RUN_SEC = 4;
/** By then all memory that is taken in turn has been taken, and the heap that builds has grown to what it needs. */
const FIRST_SWAPS = 60;
const QUESTIONS = [
	'www.a.example A',
	'alias.a.example A',
	'h77.a.example A',
	'a.example MX',
	'none.a.example A NXDOMAIN',
];

export async function measureSwaps(t: Pick<TestContext, 'after'>, plan: SwapPlan): Promise<SwapResult> {
	const directory = scratch(t);
	const geodb = join(directory, 'geo.mmdb');
	let generation = 1;
	let geo = 0;
	const writeZones = () => {
		write(join(directory, 'a.example.zone'), zoneText(plan.records, generation));
		write(join(directory, 'a.example.yaml'), steeringText(generation));
	};
	const writeGeo = () => write(geodb, geoFile(geo));
	writeGeo();
	writeZones();
	const server = await startInstance(t, {
		zonesDir: directory,
		stateDir: scratch(t),
		command: 'serve',
		more: ['--geodb', geodb, '--log-level', 'error'],
	});
	const generationNow = async () =>
		((await fetchJson(`${server.admin}/readyz`)).body as { readonly generation: number }).generation;
	const swap = async (isGeo: boolean) => {
		const before = await generationNow();
		generation++;
		if (isGeo) {
			geo++;
			writeGeo();
		}
		writeZones();
		server.signal('SIGHUP');
		await until('the swap', LIMIT_MS, async () => (await generationNow()) > before);
	};
	const names = QUESTIONS.flatMap((question) => ['--name', question]);
	const load = (seconds: number) =>
		runLoad(server.port, ...names, '--rate', String(plan.rate), '--seconds', String(seconds), '--one-ttl');
	for (let i = 0; i < FIRST_SWAPS; i++) await swap(i % 2 === 0);
	const calm = await load(RUN_SEC);
	const before = await memoryOf(server);
	const geoEvery = Math.max(1, Math.round(plan.zoneSwaps / Math.max(1, plan.geoSwaps)));
	const results: Promise<LoadResult>[] = [];
	const startMs = performance.now();
	let isOver = false;
	// Load without a gap, in runs that are short enough for the end to come soon.
	const loading = (async () => {
		while (!isOver) {
			const run = load(RUN_SEC);
			results.push(run);
			await run;
		}
	})();
	for (let i = 0; i < plan.zoneSwaps; i++) await swap(i % geoEvery === 0);
	const tookMs = performance.now() - startMs;
	isOver = true;
	await loading;
	return {
		calm,
		swapping: total(await Promise.all(results)),
		swapsPerSec: (1000 * plan.zoneSwaps) / tookMs,
		before,
		after: await memoryOf(server),
	};
}

function total(results: readonly LoadResult[]): LoadResult {
	const sum = (pick: (result: LoadResult) => number) => results.reduce((so, one) => so + pick(one), 0);
	const most = (pick: (result: LoadResult) => number) => Math.max(...results.map(pick));
	return {
		sent: sum(({ sent }) => sent),
		answered: sum(({ answered }) => answered),
		lost: sum(({ lost }) => lost),
		wrong: sum(({ wrong }) => wrong),
		mixed: sum(({ mixed }) => mixed),
		ttls: sum(({ ttls }) => ttls),
		withRecords: sum(({ withRecords }) => withRecords),
		answersPerSec: Math.round(sum(({ answersPerSec }) => answersPerSec) / results.length),
		p50Us: most(({ p50Us }) => p50Us),
		p99Us: most(({ p99Us }) => p99Us),
		p999Us: most(({ p999Us }) => p999Us),
	};
}

/** Written aside, so that no half file is ever read. */
function write(path: string, content: string | Uint8Array): void {
	writeFileSync(`${path}.new`, content);
	renameSync(`${path}.new`, path);
}

function zoneText(records: number, generation: number): string {
	const lines = [
		`$TTL ${generation}`,
		`@ SOA ns1 host ${generation} 7200 900 1209600 ${generation}`,
		'@ NS ns1',
		'ns1 A 192.0.2.1',
		'@ MX 10 mail',
		'mail A 192.0.2.2',
		// A chain from static data to a policy.
		'alias CNAME middle',
		'middle CNAME www',
	];
	for (let i = 0; i < records; i++) lines.push(`h${i} A 10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}`);
	return `${lines.join('\n')}\n`;
}

function steeringText(generation: number): string {
	return [
		'pools:',
		'  us: { endpoints: [{ name: a, addresses: [192.0.2.10] }] }',
		'  eu: { endpoints: [{ name: b, addresses: [192.0.2.20] }] }',
		'policies: { p: { kind: geo, rules: [{ match: { countries: [US] }, use: us }], default: eu } }',
		`names: { www: { policy: p, ttl: ${generation}s } }`,
		'',
	].join('\n');
}

/** Some thousand networks, with countries that change from one version to the next. */
function geoFile(version: number): Uint8Array {
	const networks: Record<string, unknown> = {};
	for (let i = 0; i < 4000; i++)
		networks[`${1 + (i % 223)}.${i >>> 4}.0.0/16`] = { country_code: (i + version) % 2 === 0 ? 'US' : 'DE' };
	return writeMmdb({ networks });
}

async function memoryOf({ pid, admin }: Instance): Promise<Memory> {
	const metrics = await (await fetch(`${admin}/metrics`)).text();
	return {
		rss: 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
		snapshots: Number(/^meridian_snapshot_bytes (\d+)/m.exec(metrics)?.[1]),
	};
}

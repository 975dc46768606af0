/**
 * A pool of workers without an instance around it, whose threads take faults on demand.
 */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
import { combineGeoData } from '../../src/geo/combine.ts';
import { readMmdbFile } from '../../src/geo/mmdb-file.ts';
import type { Target } from '../../src/health/target.ts';
import { createHealthWords, VerdictTable } from '../../src/health/verdict-table.ts';
import type { ListenAddress } from '../../src/lib/listen-address.ts';
import { parsePrefix } from '../../src/lib/prefix.ts';
import { emptyColumns, labelsOf } from '../../src/roles/answer-columns.ts';
import { defaultGeodbPath } from '../../src/roles/geodb.ts';
import type { Recruits } from '../../src/roles/recruits.ts';
import type { UdpTransport } from '../../src/roles/udp-transport.ts';
import { DirectorySource } from '../../src/roles/unit-source.ts';
import { UnitKeeper } from '../../src/roles/units.ts';
import type { Generation } from '../../src/roles/worker-messages.ts';
import { WorkerPool } from '../../src/roles/worker-pool.ts';
import { createRateLimitTable } from '../../src/serve/rate-limit.ts';
import { type SharedSnapshot, SnapshotMemory } from '../../src/snapshot/share.ts';
import { freePort } from '../setup/free-port.ts';
import { GOOD_ZONE, scratch, write } from './scratch.ts';

const ENTRY = new URL('./faulty-worker.ts', import.meta.url);
const geo = combineGeoData([readMmdbFile(defaultGeodbPath())]);

export interface PoolOptions {
	readonly udp: UdpTransport;
	/** A free one by default. */
	readonly port?: number;
	/** 127.0.0.1 by default. */
	readonly listenOn?: (port: number) => Promise<readonly ListenAddress[]>;
	readonly udpWorkers?: number;
	/** What its threads run; by default one that takes faults. */
	readonly entry?: URL;
	/** Lines behind those of GOOD_ZONE. */
	readonly moreRecords?: string;
	/** The steering file; its targets get slots of `verdicts`. */
	readonly steering?: string;
	readonly verdicts?: VerdictTable;
	/** Where every query is logged. */
	readonly queryLogFile?: string;
	readonly recruits?: Recruits;
}

/** Serves a.example, whose `www` has the address of the generation; it is stopped when the test ends. */
export async function poolOf(t: Pick<TestContext, 'after'>, options: PoolOptions) {
	const { udp, port: wantedPort = 0, udpWorkers = 2, moreRecords = '', steering, queryLogFile, recruits } = options;
	const { verdicts = new VerdictTable(createHealthWords(16)) } = options;
	const listenOn = options.listenOn ?? (async (port) => [{ address: '127.0.0.1', family: 4, port }]);
	const directory = scratch(t);
	const memory = new SnapshotMemory();
	const handed = new Map<number, SharedSnapshot>();
	let number = 0;
	let pool: WorkerPool | undefined;
	let targets: readonly Target[] = [];
	const generationWith = (address: string, text = steering): Generation => {
		write(directory, { 'a.example.zone': GOOD_ZONE.replace('192.0.2.80', address) + moreRecords });
		if (text !== undefined) write(directory, { 'a.example.yaml': text });
		const { snapshot } = new UnitKeeper(new DirectorySource(directory), undefined, []).load(geo, false).settled;
		const slots = verdicts.assign(snapshot.targets.map(({ key }) => key)) ?? new Int32Array(0);
		const inUse = (pool?.generationsInUse ?? []).flatMap((one) => handed.get(one) ?? []);
		const shared = memory.share(snapshot, { targetSlots: slots, columns: emptyColumns(snapshot.steering) }, inUse);
		handed.set(++number, shared);
		targets = snapshot.targets;
		const { wire, buffers } = shared;
		return { number, wire, buffers, kept: new Set(memory.buffers), labels: labelsOf(snapshot.steering) };
	};
	const port = wantedPort === 0 ? await freePort() : wantedPort;
	const log: string[] = [];
	const take = ({ error }: Readonly<Record<string, unknown>>, message: string) =>
		log.push(error === undefined ? message : `${message}: ${String(error).split('\n')[0]}`);
	const trusted = parsePrefix('0.0.0.0/0');
	assert(typeof trusted !== 'string');
	const first = generationWith('192.0.2.80');
	const started = new WorkerPool(
		{
			udpWorkers,
			udp,
			listen: await listenOn(port),
			health: verdicts.words,
			answering: {
				ecsTrust: [trusted],
				cookieSecrets: [],
				identity: '',
				rateLimit: { rate: 0, slip: 1, exempt: [] },
				rateLimitTable: createRateLimitTable(),
				rateLimitKey: 1,
			},
			log: { info: take, warn: take, error: take },
			entry: options.entry ?? ENTRY,
			heapMb: 64,
			...(recruits === undefined ? {} : { recruits }),
			...(queryLogFile === undefined
				? {}
				: { queryLog: { share: 1, file: queryLogFile, isAddressTold: false, onChange: () => {} } }),
		},
		first,
	);
	pool = started;
	t.after(() => started.stop());
	return { pool: started, port, log, generationWith, targets };
}

/**
 * @param worker  its name, such as `udp-0`
 * @returns when the fault begins
 */
export function bringFault(t: TestContext, worker: string, fault: 'throw' | 'hang' | 'hoard'): Promise<void> {
	const channel = new BroadcastChannel('meridian-test-faults');
	t.after(() => channel.close());
	return new Promise((resolve) => {
		channel.onmessage = (event) => {
			const { data } = event as { data: { worker: string; begins?: string } };
			if (data.worker === worker && data.begins === fault) resolve();
		};
		channel.postMessage({ worker, fault });
	});
}

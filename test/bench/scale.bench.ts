/**
 * What much data costs, ours beside NSD and Knot: `node scale.bench.ts [--records N] [--zones N] [--server NAME] [--rounds N]`.
 * Servers take turns, and of the rounds the median is told.
 *
 * | case    | data                            | changed for the reload               |
 * |---------|---------------------------------|--------------------------------------|
 * | records | one zone of so many A records   | one record and the serial            |
 * | zones   | so many zones of seven records  | one record and the serial of one zone |
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readMessage } from '../../src/dns/message-text.ts';
import { makeQuery } from '../dns/make-query.ts';
import { askOnce, type Peer, startMeridian, startPeer } from '../peers/servers.ts';
import { ended } from '../setup/ended.ts';
import { freePort } from '../setup/free-port.ts';
import { closeOnSignal } from './close-on-signal.ts';
import { estimate } from './median.ts';
import { memoryOf, mostMemoryOf, processorUs, processTree } from './process-use.ts';

export interface ScaleCost {
	readonly data: string;
	readonly server: string;
	/** Absent: it is not on this machine. */
	readonly figures?: {
		/** From the start of the process to the first answer from the last zone. */
		readonly loadMs: number;
		/** What it took of processors until then. */
		readonly loadProcessorMs: number;
		/** In octets: after loading, and the most that was ever taken while loading and reloading. */
		readonly memory: number;
		readonly memoryMost: number;
		/** From the signal to an answer from the changed zone. */
		readonly reloadMs: number;
	};
}

interface ZoneFile {
	readonly apex: string;
	readonly path: string;
}

const SERVERS = ['meridian', 'nsd', 'knot'];
const WAIT_MS_MAX = 600_000;
const ASK_MS = 2;
const HOSTS_OF_A_SMALL_ZONE = 3;

class Data {
	readonly name: string;
	readonly directory = mkdtempSync(join(tmpdir(), 'meridian-scale-'));
	readonly zones: readonly ZoneFile[];
	readonly #hosts: number;
	#serial = 1;

	constructor(name: string, zones: number, hosts: number) {
		this.name = name;
		this.#hosts = hosts;
		mkdirSync(join(this.directory, 'zones'));
		this.zones = Array.from({ length: zones }, (_, i) => {
			const apex = `z${i}.example.`;
			return { apex, path: join(this.directory, 'zones', `${apex.slice(0, -1)}.zone`) };
		});
		for (const { apex, path } of this.zones) writeFileSync(path, this.#textOf(apex));
	}

	/** Change the last zone. @returns its serial */
	change(): number {
		const last = this.zones.at(-1);
		this.#serial++;
		if (last !== undefined) writeFileSync(last.path, this.#textOf(last.apex));
		return this.#serial;
	}

	#textOf(apex: string): string {
		const lines = [
			`$ORIGIN ${apex}`,
			'$TTL 3600',
			`@ SOA ns1 host ${this.#serial} 7200 900 1209600 300`,
			'@ NS ns1',
			'@ MX 10 host0',
			`ns1 A 192.0.2.${this.#serial & 255}`,
		];
		for (let i = 0; i < this.#hosts; i++) lines.push(`host${i} A 10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}`);
		return `${lines.join('\n')}\n`;
	}
}

type Figures = NonNullable<ScaleCost['figures']>;

/** @returns undefined when the server is not on this machine */
async function measure(server: string, data: Data): Promise<Figures | undefined> {
	const startMs = performance.now();
	const peer = await start(server, data);
	if (peer === undefined) return undefined;
	const liftSignals = closeOnSignal(() => peer.stop());
	try {
		const loadMs = performance.now() - startMs;
		const loadProcessorMs = processorUs(processTree(peer.pid)) / 1000;
		const memory = memoryOf(processTree(peer.pid));
		const apex = data.zones.at(-1)?.apex ?? '.';
		// Servers that go by whole seconds of a file's time must see that it changed.
		await new Promise((resolve) => setTimeout(resolve, 1100));
		const serial = data.change();
		const changedMs = performance.now();
		process.kill(peer.pid, 'SIGHUP');
		await untilSerial(peer.port, apex, serial);
		const reloadMs = performance.now() - changedMs;
		const memoryMost = mostMemoryOf(processTree(peer.pid));
		return { loadMs, loadProcessorMs, memory, memoryMost, reloadMs };
	} finally {
		liftSignals();
		await peer.stop();
		// What a server has kept would make its next start another one.
		for (const own of [server, 'state']) rmSync(join(data.directory, own), { recursive: true, force: true });
	}
}

async function measureAll(data: Data, servers: readonly string[], rounds: number): Promise<readonly ScaleCost[]> {
	const found = new Map<string, Figures[]>(servers.map((server) => [server, []]));
	for (let round = 1; round <= rounds; round++) {
		for (const [server, all] of found) {
			process.stderr.write(`  ${server}, ${data.name}, round ${round} of ${rounds}\n`);
			const figures = await measure(server, data);
			if (figures !== undefined) all.push(figures);
		}
	}
	return [...found].map(([server, all]) => {
		if (all.length === 0) return { data: data.name, server };
		const median = (key: keyof Figures) => estimate(all.map((figures) => figures[key])).median;
		const figures = {
			loadMs: median('loadMs'),
			loadProcessorMs: median('loadProcessorMs'),
			memory: median('memory'),
			memoryMost: median('memoryMost'),
			reloadMs: median('reloadMs'),
		};
		return { data: data.name, server, figures };
	});
}

async function start(server: string, { directory, zones }: Data): Promise<Peer | undefined> {
	if (server !== 'meridian') return startPeer(server, directory, zones, { startMsMax: WAIT_MS_MAX });
	const port = await freePort();
	const child = await startMeridian(directory, port);
	await untilSerial(port, zones.at(-1)?.apex ?? '.', 0);
	return { name: server, port, pid: child.pid ?? 0, stop: () => ended(child) };
}

async function untilSerial(port: number, apex: string, serial: number): Promise<void> {
	const query = makeQuery({ name: apex, type: 'SOA' });
	const endMs = performance.now() + WAIT_MS_MAX;
	while (performance.now() < endMs) {
		const reply = await askOnce(port, query, 100);
		const message = reply === undefined ? '' : readMessage(reply);
		const soa = typeof message === 'string' ? undefined : message.answer[0]?.rdataText;
		if (Number(soa?.split(' ')[2]) >= serial) return;
		await new Promise((resolve) => setTimeout(resolve, ASK_MS));
	}
	throw new Error(`Cannot measure: ${apex} does not come`);
}

const { values } = parseArgs({
	options: {
		records: { type: 'string', default: '1000000' },
		zones: { type: 'string', default: '100000' },
		server: { type: 'string', multiple: true, default: SERVERS },
		rounds: { type: 'string', default: '3' },
	},
});
const [records, zones] = [Number(values.records), Number(values.zones)];
const cases = [
	{ name: `${records} records in a zone`, zones: 1, hosts: records },
	{ name: `${zones} zones`, zones, hosts: HOSTS_OF_A_SMALL_ZONE },
].filter((one) => one.zones > 0 && one.hosts > 0);
const costs: ScaleCost[] = [];
for (const one of cases) {
	const data = new Data(one.name, one.zones, one.hosts);
	try {
		costs.push(...(await measureAll(data, values.server, Number(values.rounds))));
	} finally {
		rmSync(data.directory, { recursive: true, force: true });
	}
}
process.stdout.write(`${JSON.stringify(costs)}\n`);

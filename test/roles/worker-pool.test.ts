import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads';
import { combineGeoData } from '../../src/geo/combine.ts';
import { readMmdbFile } from '../../src/geo/mmdb-file.ts';
import { createHealthWords } from '../../src/health/verdict-table.ts';
import { parsePrefix } from '../../src/lib/prefix.ts';
import { defaultGeodbPath } from '../../src/roles/geodb.ts';
import { reservePort } from '../../src/roles/port-holder.ts';
import { UnitKeeper } from '../../src/roles/units.ts';
import type { Generation } from '../../src/roles/worker-messages.ts';
import { WorkerPool } from '../../src/roles/worker-pool.ts';
import { createRateLimitTable } from '../../src/serve/rate-limit.ts';
import { freePort } from '../setup/free-port.ts';
import { askTcp, askUdp, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch, write } from './scratch.ts';

const ENTRY = new URL('./faulty-worker.ts', import.meta.url);
const LIMIT_MS = 10_000;
const www = { name: 'www.a.example' };
const geo = combineGeoData([readMmdbFile(defaultGeodbPath())]);

describe('WorkerPool', () => {
	for (const { transport, worker, ask } of [
		{ transport: 'UDP', worker: 'udp-1', ask: askUdp },
		{ transport: 'TCP', worker: 'tcp-2', ask: askTcp },
	]) {
		it(`replaces a ${transport} worker that throws, and answers on`, async (t) => {
			const { pool, port, log, generationWith } = await poolOf(t);
			await pool.start();
			assert.equal(pool.running, 3);
			bringFault(t, worker, 'throw');
			await until('its end', LIMIT_MS, () => log.some((line) => line === 'a worker is replaced'));
			// A generation that comes meanwhile reaches the one that starts, too.
			pool.swap(generationWith('192.0.2.99'));
			const other = transport === 'UDP' ? askTcp : askUdp;
			assert.equal((await other(port, www)).answer[0]?.rdataText, '192.0.2.99');
			await until('its successor', LIMIT_MS, () => pool.running === 3);
			assert.equal(pool.restarts, 1);
			assert(
				log.some((line) => line === 'a worker died: Error: a fault on demand'),
				log.join('\n'),
			);
			// Over many sockets, so that each worker is met.
			for (let i = 0; i < 20; i++) assert.equal((await ask(port, www)).answer[0]?.rdataText, '192.0.2.99');
		});
	}

	for (const { name, trouble, says } of [
		{ name: 'throws', trouble: 'throw', says: /trouble at the start/ },
		{ name: 'ends without a word', trouble: 'exit', says: /Cannot start a worker: it ended with exit code 7/ },
	]) {
		it(`does not start when a worker ${name}, and leaves nothing running`, async (t) => {
			const { pool, port, log } = await poolOf(t);
			setEnvironmentData('meridian-test-trouble', { 'udp-0': trouble });
			t.after(() => setEnvironmentData('meridian-test-trouble', undefined));
			await assert.rejects(pool.start(), says);
			assert.equal(pool.running, 0);
			await reservePort({ address: '127.0.0.1', family: 4, port });
			assert(!log.includes('a worker is replaced'), log.join('\n'));
		});

		it(`tries again and again when a successor ${name}`, async (t) => {
			const { pool, port } = await poolOf(t);
			await pool.start();
			setEnvironmentData('meridian-test-trouble', { 'udp-0': trouble });
			t.after(() => setEnvironmentData('meridian-test-trouble', undefined));
			bringFault(t, 'udp-0', 'throw');
			await until('the third try', LIMIT_MS, () => pool.restarts >= 3);
			assert.equal(pool.running, 2);
			assert.equal((await askTcp(port, www)).rcode, 'NOERROR');
			setEnvironmentData('meridian-test-trouble', undefined);
			await until('its successor', LIMIT_MS, () => pool.running === 3);
		});
	}

	it('does not start on an address that is taken, and leaves nothing running', async (t) => {
		const first = await poolOf(t);
		await first.pool.start();
		const second = await poolOf(t, first.port);
		await assert.rejects(second.pool.start(), /EADDRINUSE/);
		assert.equal(second.pool.running, 0);
		assert.equal((await askUdp(first.port, www)).rcode, 'NOERROR');
	});

	it('stops although a worker hangs', async (t) => {
		const { pool, port } = await poolOf(t);
		await pool.start();
		bringFault(t, 'udp-0', 'hang');
		bringFault(t, 'udp-1', 'hang');
		await until('silence', LIMIT_MS, () =>
			askUdp(port, www).then(
				() => false,
				() => true,
			),
		);
		await pool.stop();
		await reservePort({ address: '127.0.0.1', family: 4, port });
	});

	it('stops while a successor is waited for', async (t) => {
		const { pool, log } = await poolOf(t);
		await pool.start();
		bringFault(t, 'udp-0', 'throw');
		await until('its end', LIMIT_MS, () => log.includes('a worker is replaced'));
		await pool.stop();
		assert.equal(pool.restarts, 0);
	});
});

async function poolOf(t: TestContext, wantedPort = 0) {
	const directory = scratch(t);
	let number = 0;
	const generationWith = (address: string): Generation => {
		write(directory, { 'a.example.zone': GOOD_ZONE.replace('192.0.2.80', address) });
		const { snapshot } = new UnitKeeper(directory, undefined, []).load(geo, false).settled;
		return { number: ++number, snapshot, slots: new Int32Array(0) };
	};
	const at = { address: '127.0.0.1', family: 4, port: wantedPort } as const;
	const port = wantedPort === 0 ? await freePort() : wantedPort;
	const log: string[] = [];
	const take = ({ error }: Readonly<Record<string, unknown>>, message: string) =>
		log.push(error === undefined ? message : `${message}: ${String(error).split('\n')[0]}`);
	const trusted = parsePrefix('0.0.0.0/0');
	assert(typeof trusted !== 'string');
	const pool = new WorkerPool(
		{
			udpWorkers: 2,
			listen: [{ ...at, port }],
			health: createHealthWords(16),
			answering: {
				ecsTrust: [trusted],
				cookieSecrets: [],
				identity: '',
				rateLimit: { rate: 0, slip: 1, exempt: [] },
				rateLimitTable: createRateLimitTable(),
				rateLimitKey: 1,
			},
			log: { info: take, warn: take, error: take },
			entry: ENTRY,
		},
		generationWith('192.0.2.80'),
	);
	t.after(() => pool.stop());
	return { pool, port, log, generationWith };
}

function bringFault(t: TestContext, worker: string, fault: 'throw' | 'hang'): void {
	const channel = new BroadcastChannel('meridian-test-faults');
	t.after(() => channel.close());
	channel.postMessage({ worker, fault });
}

/**
 * What becomes of the process of an instance: told to end under load, stopped and continued.
 */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { runLoad } from '../bench/run-load.ts';
import { UdpClients } from '../contract/udp-clients.ts';
import { makeQuery } from '../dns/make-query.ts';
import { applyToFleet } from '../roles/apply-to-fleet.ts';
import { askUdp, fetchJson, type Instance, startInstance, until, wantedTransport } from '../roles/meridian-process.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { FLEET_KEY, pause } from './fleet.ts';

const NAME = 'www.example.org';
const RATE = 5000;
const END_MS_MAX = 10_000;
const FROZEN_MS = 2000;
const ZONES = 10_000;
const BOOT_MS_MAX = 5000;
const SETTLE_MS_MAX = 60_000;
/** Until what is served stands in the state directory. */
const KEPT_MS = 3000;
/** A machine that takes so many times less for an instance of no zones is too busy for the bound. */
const BUSY = 3;
/** Few enough for the receive buffers of a machine that grants no more than it does by default. */
const QUEUED = 200;
const ONLY_BATCH = wantedTransport() === 'dgram' ? 'a socket of dgram hears others until it is closed' : false;

function startLone(t: TestContext, listen = '127.0.0.1'): Promise<Instance> {
	const zonesDir = scratch(t, { 'example.org.zone': GOOD_ZONE });
	return startInstance(t, { zonesDir, stateDir: scratch(t), listen: [listen] });
}

/** Queries that wait in the queues of an instance which was stopped. */
async function queueAt(t: TestContext, { port }: Instance): Promise<UdpClients> {
	const clients = await UdpClients.to({ address: '127.0.0.1', family: 4, port }, 8, t);
	clients.send(Array.from({ length: QUEUED }, () => makeQuery({ name: NAME })));
	return clients;
}

function load({ port }: Instance, seconds: number) {
	return runLoad(port, '--name', `${NAME} A`, '--rate', String(RATE), '--seconds', String(seconds), '--no-subnet');
}

/** @returns what it took to end, with exit code 0 */
async function untilEnded(instance: Instance): Promise<number> {
	const startMs = performance.now();
	assert.deepEqual(await instance.exit, { code: 0, signal: null });
	const tookMs = performance.now() - startMs;
	assert(tookMs < END_MS_MAX, `it ended after ${tookMs} ms`);
	return tookMs;
}

/** Another process of this port, as far as the kernel can tell: it takes its share of the clients, and all at last. */
async function startSibling(t: TestContext, port: number): Promise<{ readonly answered: number }> {
	const socket = createSocket({ type: 'udp4', reusePort: true, recvBufferSize: 4 * 1024 * 1024 });
	const sibling = { answered: 0 };
	socket.on('message', (query, peer) => {
		const answer = Buffer.from(query);
		answer.writeUInt16BE(0x8400, 2);
		socket.send(answer, peer.port, peer.address);
		sibling.answered++;
	});
	socket.bind(port, '127.0.0.1');
	await once(socket, 'listening');
	t.after(() => socket.close());
	return sibling;
}

async function metricOf({ admin }: Instance, name: string): Promise<number> {
	const text = await (await fetch(`${admin}/metrics`)).text();
	return Number(new RegExp(`^meridian_${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
}

describe('an instance', { concurrency: 1 }, () => {
	for (const listen of ['127.0.0.1', '0.0.0.0'])
		it(`on ${listen} that is told to end at ${RATE} queries a second answers what it was sent before`, async (t) => {
			const instance = await startLone(t, listen);
			const running = load(instance, 3);
			await pause(1500);
			// It surely has a queue when the signal comes.
			instance.signal('SIGSTOP');
			const clients = await queueAt(t, instance);
			instance.signal('SIGTERM');
			instance.signal('SIGCONT');
			t.diagnostic(`ended after ${Math.round(await untilEnded(instance))} ms`);
			assert(await clients.receive(QUEUED), `${clients.replies.length} of ${QUEUED} answered`);
			const { answered, wrong } = await running;
			assert.equal(wrong, 0);
			assert(answered > RATE, `${answered} answered`);
		});

	it('that is told to end loses nothing where another one shares its port', { skip: ONLY_BATCH }, async (t) => {
		const instance = await startLone(t);
		const sibling = await startSibling(t, instance.port);
		const running = load(instance, 4);
		await pause(2000);
		const answeredBefore = sibling.answered;
		instance.signal('SIGTERM');
		t.diagnostic(`ended after ${Math.round(await untilEnded(instance))} ms`);
		const { sent, answered, lost, wrong } = await running;
		t.diagnostic(
			`${sent} sent, ${answered} answered, ${lost} lost, ${answeredBefore} and ${sibling.answered} by the other`,
		);
		assert.deepEqual({ lost, wrong }, { lost: 0, wrong: 0 });
		// Both had a share, then one had all.
		assert(answeredBefore > 0 && sibling.answered < answered && sibling.answered - answeredBefore > RATE);
	});

	it(`that stands still for ${FROZEN_MS} ms answers what has come meanwhile, with the workers that it had`, async (t) => {
		const instance = await startLone(t);
		// A delay is told once, and measured between two turns of the loop.
		await metricOf(instance, 'event_loop_delay_seconds');
		await pause(200);
		instance.signal('SIGSTOP');
		const clients = await queueAt(t, instance);
		await pause(FROZEN_MS);
		assert.equal(clients.replies.length, 0);
		instance.signal('SIGCONT');
		assert(await clients.receive(QUEUED), `${clients.replies.length} of ${QUEUED} answered`);
		const delays: number[] = [];
		await until('the delay to be told', END_MS_MAX, async () => {
			delays.push(await metricOf(instance, 'event_loop_delay_seconds'));
			return delays.some((delaySec) => delaySec > (0.9 * FROZEN_MS) / 1000);
		}).catch(() => assert.fail(`delays of ${delays.join()} s`));
		// Whoever takes the pause for a worker that hangs has ended it by then.
		await pause(FROZEN_MS);
		assert.equal(await metricOf(instance, 'worker_restarts_total'), 0);
		assert.doesNotMatch(instance.stderr, /a worker (?:hangs|died|is replaced)/);
	});

	it(`that is killed answers for ${ZONES} zones soon after its start, without Redis`, {
		skip: WITHOUT_REDIS,
	}, async (t) => {
		const redis = await startRedis(t);
		const env = { MERIDIAN_FLEET_KEY: FLEET_KEY };
		const start = async (stateDir: string) => {
			const startMs = performance.now();
			const instance = await startInstance(t, {
				...{ zonesDir: '/nowhere', stateDir, command: 'serve', env },
				more: ['--redis-url', redis.url, '--instance', 'dns-1'],
			});
			return { instance, startMs, tookMs: performance.now() - startMs };
		};
		const empty = await start(scratch(t));
		empty.instance.signal('SIGKILL');
		await empty.instance.exit;
		const files = Array.from({ length: ZONES }, (_, i) => [`z${i}.example.zone`, GOOD_ZONE] as const);
		await applyToFleet(t, scratch(t, Object.fromEntries(files)), { url: redis.url, env });
		const stateDir = scratch(t);
		const { instance } = await start(stateDir);
		await until('its zones', SETTLE_MS_MAX, async () => (await zonesOf(instance)) === ZONES);
		await pause(KEPT_MS);
		await redis.kill();
		instance.signal('SIGKILL');
		await instance.exit;
		const next = await start(stateDir);
		for (const i of [0, ZONES / 2, ZONES - 1]) {
			const { answer } = await askUdp(next.instance.port, { name: `www.z${i}.example` });
			assert.equal(answer[0]?.rdataText, '192.0.2.80');
		}
		const tookMs = performance.now() - next.startMs;
		t.diagnostic(`answered ${Math.round(tookMs)} ms after it was started; empty ${Math.round(empty.tookMs)} ms`);
		assert(tookMs < Math.max(BOOT_MS_MAX, BUSY * empty.tookMs), `it answered after ${tookMs} ms`);
		assert.equal(await zonesOf(next.instance), ZONES);
	});
});

async function zonesOf({ admin }: Instance): Promise<number> {
	return ((await fetchJson(`${admin}/readyz`)).body as { zones: number }).zones;
}

/**
 * Workers that go bad under load: each is replaced in time, and the others do not notice.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseUdpTransport } from '../../src/roles/udp-transport.ts';
import { COUNT } from '../../src/serve/counters.ts';
import { runLoad } from '../bench/run-load.ts';
import { until, wantedTransport } from '../roles/meridian-process.ts';
import { bringFault, poolOf } from '../roles/pool-of.ts';

const REPLACED_MS_MAX = 1000;
const LIMIT_MS = 10_000;
const RATE = 2000;
const { transport: udp } = await chooseUdpTransport(wantedTransport());

describe('a bad worker', () => {
	for (const { fault, says } of [
		{ fault: 'throw', says: /a worker died: Error: a fault on demand/ },
		{ fault: 'hang', says: /a worker hangs, and is ended/ },
		{ fault: 'hoard', says: /a worker died: .*memory limit/ },
	] as const) {
		it(`that begins to ${fault} is replaced within ${REPLACED_MS_MAX} ms, the others untouched`, async (t) => {
			const { pool, port, log } = await poolOf(t, { udp, udpWorkers: 3 });
			await pool.start();
			const load = runLoad(port, '--name', 'www.a.example A', '--rate', String(RATE), '--seconds', '4');
			await until('queries', LIMIT_MS, () =>
				pool.counters.some((counters) => (counters[COUNT.queriesUdpIpv4] ?? 0) > 0),
			);
			await bringFault(t, 'udp-1', fault);
			const beganMs = performance.now();
			// Filling a heap takes its time; then the worker has ended by itself.
			if (fault === 'hoard') await until('its end', LIMIT_MS, () => pool.running === 3);
			const endedMs = fault === 'hoard' ? performance.now() : beganMs;
			await until('its successor', LIMIT_MS, () => pool.running === 4 && pool.restarts === 1);
			const tookMs = performance.now() - endedMs;
			const { lost, wrong, answered } = await load;
			assert(
				log.some((line) => says.test(line)),
				log.join('\n'),
			);
			assert(tookMs < REPLACED_MS_MAX, `${tookMs} ms`);
			assert.equal(wrong, 0);
			assert(answered > 0);
			// Under batch the queue of the bad worker waits for the next one; under dgram it is lost with the socket.
			if (udp.kind === 'batch') assert.equal(lost, 0);
			else assert(lost < 0.6 * (answered + lost), `${lost} of ${answered + lost} lost`);
			assert.equal(log.filter((line) => line === 'a worker is replaced').length, 1);
		});
	}
});

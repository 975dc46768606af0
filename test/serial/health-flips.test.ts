/**
 * Verdicts that flip a thousand times a second under load: each is one store, which the next batch sees.
 */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { readMessage } from '../../src/dns/message-text.ts';
import { createHealthWords, VerdictTable } from '../../src/health/verdict-table.ts';
import { chooseUdpTransport } from '../../src/roles/udp-transport.ts';
import { runLoad } from '../bench/run-load.ts';
import { makeQuery } from '../dns/make-query.ts';
import { wantedTransport } from '../roles/meridian-process.ts';
import { poolOf } from '../roles/pool-of.ts';

const FLIPS_A_SEC = 1000;
const SECONDS = 4;
const STEERING = `
monitors: { web: { kind: tcp, port: 80 } }
pools:
  first: { monitor: web, endpoints: [{ name: a, addresses: [192.0.2.10] }] }
  second: { endpoints: [{ name: b, addresses: [192.0.2.20] }] }
names: { flip: { policy: { kind: failover, members: [first, second] } } }
`;

test(`${FLIPS_A_SEC} flips a second: none lost, each seen by the next query`, async (t) => {
	const { transport: udp } = await chooseUdpTransport(wantedTransport());
	const verdicts = new VerdictTable(createHealthWords(16));
	const { pool, port, targets } = await poolOf(t, { udp, verdicts, steering: STEERING });
	await pool.start();
	const key = targets[0]?.key ?? assert.fail('no target');
	const socket = createSocket('udp4');
	t.after(() => socket.close());
	socket.connect(port, '127.0.0.1');
	await once(socket, 'connect');
	let id = 0;
	const ask = async () => {
		socket.send(makeQuery({ name: 'flip.a.example', id: ++id & 0xffff }));
		const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(2000) })) as [Uint8Array];
		const message = readMessage(reply);
		assert(typeof message !== 'string');
		assert.equal(message.id, id & 0xffff);
		return message.answer[0]?.rdataText;
	};
	const name = ['--name', 'flip.a.example A', '--rate', '5000', '--seconds', String(SECONDS)];
	const load = runLoad(port, ...name);
	let flips = 0;
	let asked = 0;
	const startMs = performance.now();
	for (let ms = 0; ms < 1000 * SECONDS; ms = performance.now() - startMs) {
		for (; flips < (ms * FLIPS_A_SEC) / 1000; flips++) verdicts.set(key, flips % 2 === 0 ? 'down' : 'up');
		const isUp = flips % 2 === 0;
		assert.equal(await ask(), isUp ? '192.0.2.10' : '192.0.2.20', `after flip ${flips}`);
		asked++;
	}
	const { lost, wrong, answered } = await load;
	t.diagnostic(`${flips} flips, ${asked} looks, ${answered} answered`);
	assert(flips >= 0.99 * FLIPS_A_SEC * SECONDS && asked > 100);
	assert.deepEqual({ lost, wrong }, { lost: 0, wrong: 0 });
});

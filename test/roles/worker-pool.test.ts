import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setEnvironmentData } from 'node:worker_threads';
import { reservePort } from '../../src/roles/port-holder.ts';
import { chooseUdpTransport } from '../../src/roles/udp-transport.ts';
import { askTcp, askUdp, until, wantedTransport } from './meridian-process.ts';
import { bringFault, poolOf as poolWith } from './pool-of.ts';

const LIMIT_MS = 10_000;
const www = { name: 'www.a.example' };
const { transport: udp } = await chooseUdpTransport(wantedTransport());

describe('WorkerPool', () => {
	for (const { transport, worker, ask } of [
		{ transport: 'UDP', worker: 'udp-1', ask: askUdp },
		{ transport: 'TCP', worker: 'tcp-2', ask: askTcp },
	]) {
		it(`replaces a ${transport} worker that throws, and answers on`, async (t) => {
			const { pool, port, log, generationWith } = await poolOf(t);
			await pool.start();
			assert.equal(pool.running, 3);
			await bringFault(t, worker, 'throw');
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
			const { pool, port, log } = await poolOf(t);
			await pool.start();
			setEnvironmentData('meridian-test-trouble', { 'udp-0': trouble });
			t.after(() => setEnvironmentData('meridian-test-trouble', undefined));
			await bringFault(t, 'udp-0', 'throw');
			await until('the third try', LIMIT_MS, () => pool.restarts >= 3);
			assert.equal(pool.crashLooping, 1);
			assert(log.includes('a worker dies again and again'), log.join('\n'));
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
		await Promise.all([bringFault(t, 'udp-0', 'hang'), bringFault(t, 'udp-1', 'hang')]);
		await pool.stop();
		await reservePort({ address: '127.0.0.1', family: 4, port });
	});

	it('stops while a successor is waited for', async (t) => {
		const { pool, log } = await poolOf(t);
		await pool.start();
		await bringFault(t, 'udp-0', 'throw');
		await until('its end', LIMIT_MS, () => log.includes('a worker is replaced'));
		await pool.stop();
		assert.equal(pool.restarts, 0);
	});
});

function poolOf(t: TestContext, port = 0) {
	return poolWith(t, { udp, port });
}

/**
 * An address that comes after the start, goes and comes back: it is served while it is there, and others never notice.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { chooseUdpTransport } from '../../src/roles/udp-transport.ts';
import { askTcp, askUdp, fetchJson, type Instance, startInstance, until } from '../roles/meridian-process.ts';
import { bringFault, poolOf } from '../roles/pool-of.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';

/** Of TEST-NET-1, and of the documentation prefix: nobody's. */
const LATE = ['192.0.2.77', '2001:db8::77'] as const;
const COME_MS_MAX = 5000;
const www = { name: 'www.example.org' };

/** @returns whether it could be done */
function ip(verb: 'add' | 'del', address: string): boolean {
	const isIpv6 = address.includes(':');
	// Without it a new address of IPv6 is not usable before others had time to object.
	const more = isIpv6 && verb === 'add' ? ['nodad'] : [];
	return spawnSync('ip', ['addr', verb, `${address}/${isIpv6 ? 128 : 32}`, 'dev', 'lo', ...more]).status === 0;
}

async function alarmsOf({ admin }: Instance) {
	const { body } = await fetchJson(`${admin}/readyz`);
	const metrics = await (await fetch(`${admin}/metrics`)).text();
	const unserved = /^meridian_dns_addresses_unserved(?:\{.*\})? (\d+)$/m.exec(metrics)?.[1];
	return { degraded: (body as { degraded: readonly string[] }).degraded, unserved };
}

async function assertServed({ port }: Instance, address: string): Promise<void> {
	// Over many sockets, so that each worker is met.
	for (let i = 0; i < 10; i++) assert.equal((await askUdp(port, www, address)).rcode, 'NOERROR');
	assert.equal((await askTcp(port, www, address)).rcode, 'NOERROR');
}

function lateInstance(t: TestContext, transport: string, listen: readonly string[]): Promise<Instance> {
	return startInstance(t, {
		...{ listen, stateDir: scratch(t), env: { MERIDIAN_DNS_TRANSPORT: transport } },
		zonesDir: scratch(t, { 'example.org.zone': GOOD_ZONE }),
	});
}

describe('an address of dns.listen', { concurrency: 1 }, () => {
	for (const transport of ['batch', 'dgram'])
		for (const address of LATE)
			it(`${address} that comes late is served when it is there, over ${transport}`, async (t) => {
				t.after(() => ip('del', address));
				if (!ip('add', address)) return t.skip('nobody may add an address here');
				ip('del', address);
				const named = address.includes(':') ? `[${address}]` : address;
				const instance = await lateInstance(t, transport, ['127.0.0.1', named]);
				const missing = `Cannot listen on ${named}:${instance.port}: this machine does not have the address`;
				assert.deepEqual(await alarmsOf(instance), { degraded: [missing], unserved: '1' });
				await assertServed(instance, '127.0.0.1');
				ip('add', address);
				await until('the address to be served', COME_MS_MAX, async () => (await alarmsOf(instance)).unserved === '0');
				assert.deepEqual((await alarmsOf(instance)).degraded, []);
				await until(
					'an answer',
					COME_MS_MAX,
					async () => (await askTcp(instance.port, www, address)).rcode === 'NOERROR',
				);
				await assertServed(instance, address);
				ip('del', address);
				await assertServed(instance, '127.0.0.1');
				ip('add', address);
				await assertServed(instance, address);
				instance.signal('SIGTERM');
				assert.equal((await instance.exit).code, 0);
			});

	for (const [transport, worker] of [
		['batch', 'tcp-2'],
		['dgram', 'udp-0'],
		['dgram', 'tcp-2'],
	] as const)
		it(`that has gone keeps no successor of a worker (${worker}, ${transport}) from the others`, async (t) => {
			const [address] = LATE;
			const { transport: udp } = await chooseUdpTransport(transport);
			t.after(() => ip('del', address));
			if (!ip('add', address)) return t.skip('nobody may add an address here');
			const listenOn = async (port: number) =>
				[address, '127.0.0.1'].map((one) => ({ address: one, family: 4 as const, port }));
			const { pool, port } = await poolOf(t, { udp, listenOn });
			await pool.start();
			ip('del', address);
			await bringFault(t, worker, 'throw');
			await until('its successor', COME_MS_MAX, () => pool.restarts === 1 && pool.running === 3);
			const inZone = { name: 'www.a.example' };
			for (let i = 0; i < 10; i++) assert.equal((await askUdp(port, inZone)).rcode, 'NOERROR');
			assert.equal((await askTcp(port, inZone)).rcode, 'NOERROR');
			ip('add', address);
			const ask = worker.startsWith('tcp') ? askTcp : askUdp;
			await until('an answer', COME_MS_MAX, async () => (await ask(port, inZone, address)).rcode === 'NOERROR');
			assert.equal(pool.restarts, 1);
		});

	it('refuses the start where none of them is there', async (t) => {
		await assert.rejects(
			lateInstance(t, 'auto', [LATE[0]]),
			/Cannot listen on 192\.0\.2\.77:\d+: this machine does not have/,
		);
	});
});

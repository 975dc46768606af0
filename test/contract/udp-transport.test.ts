/**
 * What every UDP transport owes its clients, shown on each of them through threads that answer.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { performance } from 'node:perf_hooks';
import { describe, it, type TestContext } from 'node:test';
import { readMessage } from '../../src/dns/message-text.ts';
import { printListenAddress } from '../../src/lib/listen-address.ts';
import { reserveListen } from '../../src/roles/reserve-listen.ts';
import { chooseUdpTransport } from '../../src/roles/udp-transport.ts';
import type { WorkerPool } from '../../src/roles/worker-pool.ts';
import { COUNT } from '../../src/serve/counters.ts';
import { makeQuery } from '../dns/make-query.ts';
import { askUdp, until } from '../roles/meridian-process.ts';
import { bringFault, type PoolOptions, poolOf } from '../roles/pool-of.ts';
import { UdpClients } from './udp-clients.ts';

const LIMIT_MS = 10_000;
const BURST = 1000;
const name = 'www.a.example';
/** Larger than any answer without EDNS. */
const BIG = Array.from({ length: 8 }, (_, i) => `big IN TXT "${String(i).repeat(200)}"\n`).join('');
const log = { info: () => {}, warn: () => {}, error: () => {} };

const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
/** Without link-local ones, which need an interface named. */
const ownOf = (family: 4 | 6) => own.filter((one) => one.family === `IPv${family}` && (one.scopeid ?? 0) === 0);
const FAMILIES = [
	{ family: 4, loopback: '127.0.0.1', wildcard: '0.0.0.0' },
	{ family: 6, loopback: '::1', wildcard: '::' },
] as const;

for (const kind of ['batch', 'dgram'] as const) {
	const chosen = await chooseUdpTransport(kind).catch((error: Error) => error.message);
	const skip = typeof chosen === 'string' ? chosen : false;

	describe(`${kind} transport`, { skip }, () => {
		const serve = async (t: TestContext, options: Omit<PoolOptions, 'udp'> = {}) => {
			assert(typeof chosen !== 'string');
			const served = await poolOf(t, { udp: chosen.transport, moreRecords: BIG, ...options });
			await served.pool.start();
			return served;
		};
		const serveOn = (t: TestContext, address: string, family: 4 | 6, udpWorkers = 2) =>
			serve(t, { udpWorkers, listenOn: async (port) => [{ address, family, port }] });

		for (const { family, loopback, wildcard } of FAMILIES) {
			const missing = ownOf(family).some(({ address }) => address === loopback) ? false : `no ${loopback} here`;

			describe(`over IPv${family}`, { skip: missing, concurrency: 2 }, () => {
				it('answers', async (t) => {
					const { port } = await serveOn(t, loopback, family);
					const { answer } = await askUdp(port, { name }, loopback);
					assert.equal(answer[0]?.rdataText, '192.0.2.80');
				});

				it('answers on a wildcard from the address that was asked', async (t) => {
					const { port } = await serve(t, {
						listenOn: async (port) => {
							const at = printListenAddress({ address: wildcard, family, port });
							return (await reserveListen([at], kind === 'batch', log)).reserved;
						},
					});
					for (const { address } of ownOf(family))
						assert.equal((await askUdp(port, { name }, address)).rcode, 'NOERROR', address);
				});

				it('truncates what does not fit', async (t) => {
					const { port } = await serveOn(t, loopback, family);
					const clients = await UdpClients.to({ address: loopback, family, port }, 1, t);
					clients.send([makeQuery({ name: 'big.a.example', type: 'TXT' })]);
					assert(await clients.receive(1));
					const [reply = Buffer.alloc(0)] = clients.replies;
					assert(reply.length <= 512, `${reply.length}`);
					assert(messageOf(reply).flags.includes('tc'), messageOf(reply).flags.join());
				});

				it('is not moved by empty, short and huge datagrams', async (t) => {
					const { pool, port } = await serveOn(t, loopback, family, 1);
					const clients = await UdpClients.to({ address: loopback, family, port }, 1, t);
					const query = makeQuery({ name, id: 1 });
					const bad = [new Uint8Array(0), query.subarray(0, 11), Uint8Array.of(0, 1, 0x80, 0, ...new Uint8Array(8))];
					clients.send([...bad, padded(query, 5000), padded(query, 60_000), makeQuery({ name, id: 2 })]);
					assert(await clients.receive(3));
					// What stands behind the message that the header tells of is nobody's.
					assert.deepEqual(clients.replies.map(rcodeAndId), ['NOERROR 1', 'NOERROR 1', 'NOERROR 2']);
					assert.equal(pool.total(COUNT.ignored), 3);
				});

				it(`answers a burst of ${BURST}, each with its own id`, async (t) => {
					const { pool, port } = await serveOn(t, loopback, family);
					// Each has room for its share of the answers, however late it comes to fetch them.
					const clients = await UdpClients.to({ address: loopback, family, port }, 20, t);
					clients.send(Array.from({ length: BURST }, (_, id) => makeQuery({ name, id })));
					assert(await clients.receive(BURST), `${clients.replies.length}`);
					const ids = clients.replies.map((reply) => messageOf(reply).id).sort((a, b) => a - b);
					assert.deepEqual(
						ids,
						Array.from({ length: BURST }, (_, id) => id),
					);
					assert.equal(datagrams(pool), BURST);
					assert.equal(pool.total(COUNT.sendFailures), 0);
				});

				it('stays up when peers are gone before their answers', async (t) => {
					const { port } = await serveOn(t, loopback, family, 1);
					for (let i = 0; i < 20; i++) {
						const gone = await UdpClients.to({ address: loopback, family, port }, 1, t);
						gone.send([makeQuery({ name })]);
						gone.close();
					}
					assert.equal((await askUdp(port, { name }, loopback)).rcode, 'NOERROR');
				});
			});
		}

		it('passes over a peer at port 0, which nobody can answer', async (t) => {
			const { pool, port } = await serve(t, { udpWorkers: 1 });
			const hex = Buffer.from(makeQuery({ name })).toString('hex');
			const sent = spawnSync('/usr/bin/python3', ['-c', FROM_PORT_0, String(port), hex]);
			if (sent.status !== 0) t.skip('raw sockets need a privilege that this user has not');
			assert.equal((await askUdp(port, { name })).rcode, 'NOERROR');
			assert.equal(pool.total(COUNT.sendFailures), 0);
			assert.equal(datagrams(pool), 1);
		});

		it('serves several addresses in one thread', async (t) => {
			const all = FAMILIES.filter(({ family }) => ownOf(family).length > 0);
			const { port } = await serve(t, {
				udpWorkers: 1,
				listenOn: async (port) => all.map(({ family, loopback: address }) => ({ address, family, port })),
			});
			for (const { family, loopback: address } of [...all, ...all]) {
				const clients = await UdpClients.to({ address, family, port }, 4, t);
				clients.send(Array.from({ length: 100 }, (_, id) => makeQuery({ name, id })));
				assert(await clients.receive(100), `${address}: ${clients.replies.length}`);
			}
		});

		it('loses no query when generations change under load', async (t) => {
			const { pool, port, generationWith } = await serve(t);
			const clients = await UdpClients.to({ address: '127.0.0.1', family: 4, port }, 8, t);
			const batch = Array.from({ length: 50 }, (_, id) => makeQuery({ name, id }));
			let sent = 0;
			for (let generation = 1; generation <= 20; generation++) {
				const next = generationWith(`192.0.2.${generation}`);
				clients.send(batch);
				pool.swap(next);
				clients.send(batch);
				sent += 2 * batch.length;
				assert(await clients.receive(sent), `${clients.replies.length} of ${sent}`);
			}
			await until('the last one', LIMIT_MS, async () => (await addressNow(port)) === '192.0.2.20');
			const addresses = new Set(clients.replies.map((reply) => messageOf(reply).answer[0]?.rdataText));
			for (const address of addresses) assert.match(String(address), /^192\.0\.2\.(?:80|1?\d|20)$/);
			assert(addresses.size > 2, [...addresses].join());
		});

		it('goes on when one of its threads dies', async (t) => {
			const { pool, port, log: said } = await serve(t);
			await bringFault(t, 'udp-0', 'throw');
			await until('its end', LIMIT_MS, () => said.includes('a worker is replaced'));
			await until('its successor', LIMIT_MS, () => pool.running === 3);
			assert.equal(pool.restarts, 1);
			const clients = await UdpClients.to({ address: '127.0.0.1', family: 4, port }, 16, t);
			clients.send(Array.from({ length: 160 }, (_, id) => makeQuery({ name, id })));
			assert(await clients.receive(160), `${clients.replies.length}`);
		});

		it('stops within 150 ms, and answers before what has arrived', async (t) => {
			const took: number[] = [];
			// The best of three: the machine has other things to do.
			for (let tries = 0; tries < 3; tries++) {
				const { pool, port } = await serve(t);
				const clients = await UdpClients.to({ address: '127.0.0.1', family: 4, port }, 4, t);
				clients.send(Array.from({ length: 40 }, (_, id) => makeQuery({ name, id })));
				await until('all of it', LIMIT_MS, () => datagrams(pool) === 40);
				const startMs = performance.now();
				await pool.stop();
				took.push(performance.now() - startMs);
				assert(await clients.receive(40), `${clients.replies.length}`);
				await assert.rejects(askUdp(port, { name }));
			}
			assert(Math.min(...took) < 150, took.join());
		});
	});
}

describe('batch transport alone', async () => {
	const chosen = await chooseUdpTransport('batch').catch((error: Error) => error.message);
	const skip = typeof chosen === 'string' ? chosen : false;

	it('keeps what is sent to a thread that has died for its successor', { skip }, async (t) => {
		assert(typeof chosen !== 'string');
		const { pool, port, log: said } = await poolOf(t, { udp: chosen.transport, udpWorkers: 1 });
		await pool.start();
		await bringFault(t, 'udp-0', 'throw');
		await until('its end', LIMIT_MS, () => said.includes('a worker is replaced'));
		assert.equal(pool.running, 1);
		const clients = await UdpClients.to({ address: '127.0.0.1', family: 4, port }, 4, t);
		clients.send(Array.from({ length: 100 }, (_, id) => makeQuery({ name, id })));
		assert(await clients.receive(100, LIMIT_MS), `${clients.replies.length}`);
	});

	it('answers the first query after a change from what is new', { skip }, async (t) => {
		assert(typeof chosen !== 'string');
		const { pool, port, generationWith } = await poolOf(t, { udp: chosen.transport, udpWorkers: 1 });
		await pool.start();
		for (let generation = 1; generation <= 20; generation++) {
			const address = `192.0.2.${generation}`;
			pool.swap(generationWith(address));
			assert.equal(await addressNow(port), address);
		}
	});

	it('answers on a wildcard for an address that no interface names', { skip }, async (t) => {
		assert(typeof chosen !== 'string');
		const listenOn = async (port: number) => [{ address: '0.0.0.0', family: 4 as const, port }];
		const { pool, port } = await poolOf(t, { udp: chosen.transport, listenOn });
		await pool.start();
		assert.equal((await askUdp(port, { name }, '127.0.0.7')).rcode, 'NOERROR');
	});
});

async function addressNow(port: number): Promise<string | undefined> {
	return (await askUdp(port, { name })).answer[0]?.rdataText;
}

function messageOf(octets: Uint8Array) {
	const message = readMessage(octets);
	return typeof message === 'string' ? assert.fail(message) : message;
}

function rcodeAndId(octets: Uint8Array): string {
	const { rcode, id } = messageOf(octets);
	return `${rcode} ${id}`;
}

function padded(message: Uint8Array, octets: number): Uint8Array {
	const out = new Uint8Array(octets).fill(255);
	out.set(message);
	return out;
}

function datagrams(pool: WorkerPool): number {
	return pool.total(COUNT.queriesUdpIpv4) + pool.total(COUNT.queriesUdpIpv6);
}

const FROM_PORT_0 = `
import socket, struct, sys
data = bytes.fromhex(sys.argv[2])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.sendto(struct.pack('>HHHH', 0, int(sys.argv[1]), 8 + len(data), 0) + data, ('127.0.0.1', 0))
`;

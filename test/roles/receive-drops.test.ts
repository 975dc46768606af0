import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { ListenAddress } from '../../src/lib/listen-address.ts';
import { loadLibc } from '../../src/native/libc.ts';
import { closeUdpSocket, openUdpSocket } from '../../src/native/udp-socket.ts';
import { ReceiveDrops } from '../../src/roles/receive-drops.ts';
import { freePort } from '../setup/free-port.ts';
import { until } from './meridian-process.ts';

const libc = await loadLibc();
const skip = libc.ok && existsSync('/proc/net/udp6') ? false : 'the kernel does not tell, or not of a socket of ours';
/** More than the smallest receive buffer holds. */
const DATAGRAMS = 500;
const LIMIT_MS = 5000;

describe('ReceiveDrops', { skip }, () => {
	for (const address of ['127.0.0.1', '::1'] as const) {
		it(`counts what the full queue of a socket at ${address} loses, also after its end`, async (t) => {
			assert(libc.ok);
			const at: ListenAddress = { address, family: address === '::1' ? 6 : 4, port: await freePort() };
			const socket = openUdpSocket(libc.value, at, { isShared: false, receiveBufferOctets: 1, receiveTimeoutMs: 1 });
			const drops = new ReceiveDrops([at]);
			assert.equal(drops.total(), 0);
			const sender = createSocket(at.family === 6 ? 'udp6' : 'udp4');
			t.after(() => sender.close());
			const send = () =>
				new Promise<void>((resolve) => {
					sender.send(new Uint8Array(200), at.port, at.address, () => resolve());
				});
			for (let i = 0; i < DATAGRAMS; i++) await send();
			await until('drops', LIMIT_MS, () => (drops.total() ?? 0) > 0);
			const lost = drops.total() ?? 0;
			assert(lost < DATAGRAMS, `${lost}`);
			closeUdpSocket(libc.value, socket);
			assert.equal(drops.total(), lost);
			assert.equal(new ReceiveDrops([{ ...at, port: 1 }]).total(), 0);
		});
	}
});

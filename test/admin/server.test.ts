import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createAdminSurface } from '../../src/admin/app.ts';
import { selfSigned } from '../probe/certificates.ts';
import { until } from '../roles/meridian-process.ts';
import { openScene, SETTING_TOKEN, SHOWN } from './operating-parts.ts';

async function listen(t: TestContext): Promise<{ readonly url: string; readonly port: number }> {
	const { surface } = await openScene(t);
	const url = await surface.listen({ host: '127.0.0.1', port: 0 });
	return { url, port: Number(new URL(url).port) };
}

function open(t: TestContext, port: number): Socket {
	const socket = connect(port, '127.0.0.1');
	socket.on('error', () => {});
	t.after(() => socket.destroy());
	return socket;
}

describe('the sockets of the admin surface', () => {
	it('are few, and new ones take the place of idle ones', async (t) => {
		const { url, port } = await listen(t);
		const sockets: Socket[] = [];
		for (let i = 0; i < 200; i++) {
			const socket = open(t, port);
			await once(socket, 'connect');
			sockets.push(socket);
		}
		await until('the first ones to be closed', 5000, () => sockets.filter(({ closed }) => closed).length === 200 - 64);
		assert(
			sockets.slice(0, 200 - 64).every(({ closed }) => closed),
			'those that were idle longest',
		);
		const reply = await fetch(`${url}/livez`);
		assert.equal(reply.status, 200);
		await reply.body?.cancel();
	});

	it('are closed when a request does not come to its end, or says too much', async (t) => {
		const { port } = await listen(t);
		const slow = open(t, port);
		slow.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n');
		const large = open(t, port);
		large.write(`GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
		const [told] = await once(large, 'data');
		assert.match(String(told), /^HTTP\/1\.1 431 /);
		const startMs = performance.now();
		let said = '';
		slow.on('data', (octets) => {
			said += octets;
		});
		await once(slow, 'close');
		assert.match(said, /^HTTP\/1\.1 408 /);
		assert(performance.now() - startMs < 15_000);
	});

	it('speak TLS where there is a certificate', async (t) => {
		const { cert, key } = selfSigned({ names: ['localhost'] });
		const { parts } = await openScene(t);
		const tls = { cert: Buffer.from(cert), key: Buffer.from(key) };
		const surface = createAdminSurface({ ...SHOWN, ...parts, tls, onFault: () => {} });
		t.after(() => surface.close());
		const url = await surface.listen({ host: '127.0.0.1', port: 0 });
		assert.match(url, /^https:/);
		const headers = { authorization: `Bearer ${SETTING_TOKEN}` };
		const asked = request(`${url}/v1/health`, { headers, ca: cert, servername: 'localhost' }).end();
		const [response] = await once(asked, 'response');
		assert.equal(response.statusCode, 200);
		response.resume();
	});
});

describe('bodies', () => {
	for (const { what, body, status, says } of [
		{ what: 'that is no JSON', body: '{', status: 400, says: /Cannot read the body as JSON/ },
		{ what: 'that is empty', body: '', status: 400, says: /Cannot/ },
		{
			what: 'that nests deep',
			body: `${'['.repeat(65)}${']'.repeat(65)}`,
			status: 400,
			says: /Cannot nest deeper than 64/,
		},
		{ what: 'that nests deeper than it is closed', body: '['.repeat(500_000), status: 400, says: /Cannot/ },
		{ what: 'with __proto__', body: '{"name":{"__proto__":{}}}', status: 400, says: /"pointer":"\/name\/__proto__"/ },
		{ what: 'with an escaped __proto__', body: '{"\\u005f_proto__":{}}', status: 400, says: /"pointer":"\/__proto__"/ },
		{ what: 'with brackets in texts', body: `{"name":"${'['.repeat(100)}"}`, status: 400, says: /"pointer":"\/name"/ },
		{ what: 'that is huge', body: ' '.repeat(1024 * 1024 + 1), status: 413, says: /too-large/ },
	]) {
		it(`${what} get ${status}`, async (t) => {
			const { surface, store } = await openScene(t);
			const before = store.configuration;
			const headers = { authorization: `Bearer ${SETTING_TOKEN}`, 'content-type': 'application/json' };
			const reply = await surface.inject({ method: 'POST', url: '/v1/tokens', headers, body });
			assert.equal(reply.status, status, reply.body);
			assert.match(reply.body, says);
			assert.equal(store.configuration, before);
		});
	}
});

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { CannotRun } from '../../src/probe/check-result.ts';
import { createLookup } from '../../src/probe/pin-host.ts';
import { answer, refusingPort, startBackend } from './backend.ts';
import { checkLoopback } from './check-loopback.ts';
import { monitorFrom, targetAt } from './monitor-from.ts';

const never = new AbortController().signal;

describe('a check of a host name', () => {
	const HTTP = monitorFrom({ kind: 'http' });

	it('goes to the address that was vetted, and says which', async () => {
		const backend = await startBackend(answer('200 OK'));
		const check = checkLoopback({ 'd1.cdn.example': ['127.0.0.1', '::1'] });
		const result = await check(targetAt(backend.port, HTTP, 'd1.cdn.example'), never);
		await backend.close();
		assert.equal(result.reason, 'status 200');
		assert.equal(result.resolvedAddress, '127.0.0.1');
		assert.match(backend.requests[0] ?? '', new RegExp(`\\r\\nhost: d1\\.cdn\\.example:${backend.port}\\r\\n`, 'i'));
	});

	for (const { name, addresses, allow, finds } of [
		{ name: 'without an address', addresses: [], allow: ['127.0.0.1'], finds: 'd1.cdn.example has no address' },
		{
			name: 'with one address that is denied',
			addresses: ['127.0.0.1', '127.0.0.2'],
			allow: ['127.0.0.1'],
			finds: 'denied: 127.0.0.2 lies in 127.0.0.0/8 (loopback), an address of d1.cdn.example',
		},
		{
			name: 'with an address that stands for one that is denied',
			addresses: ['2002:7f00:1::1'],
			allow: [],
			finds:
				'denied: 2002:7f00:1::1 stands for 127.0.0.1, which lies in 127.0.0.0/8 (loopback), an address of d1.cdn.example',
		},
	]) {
		it(`${name} is down, and nothing is connected to`, async () => {
			const backend = await startBackend(answer('200 OK'));
			const check = checkLoopback({ 'd1.cdn.example': addresses }, allow);
			const result = await check(targetAt(backend.port, HTTP, 'd1.cdn.example'), never);
			await backend.close();
			assert.equal(result.isUp, false);
			assert.equal(result.reason, finds);
			assert.equal(result.rttMs, undefined);
			assert.deepEqual(backend.requests, []);
		});
	}

	it('is down, too, for an address that is denied', async () => {
		const result = await checkLoopback({}, [])(targetAt(80, HTTP), never);
		assert.equal(result.reason, 'denied: 127.0.0.1 lies in 127.0.0.0/8 (loopback)');
	});
});

const RCODES: Readonly<Record<string, number>> = { nxdomain: 3, servfail: 2 };

/** A name server that gives a.example one A record, no AAAA, and other names an RCODE or silence. */
async function startNameServer(t: TestContext) {
	const socket = createSocket('udp4');
	socket.on('message', (query, from) => {
		// The case of letters is random in queries.
		const label = query
			.subarray(13, 13 + (query[12] ?? 0))
			.toString()
			.toLowerCase();
		if (label === 'silent') return;
		const question = query.subarray(12, 12 + label.length + 1 + 9 + 4);
		const type = question.readUInt16BE(question.length - 4);
		const rcode = RCODES[label] ?? 0;
		const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
		const hasRecord = label === 'a' && type === 1;
		const header = Buffer.from([0, 0, 0x84, rcode, 0, 1, 0, hasRecord ? 1 : 0, 0, 0, 0, 0]);
		query.copy(header, 0, 0, 2);
		socket.send(Buffer.concat([header, question, ...(hasRecord ? [record] : [])]), from.port, from.address);
	});
	socket.bind(0, '127.0.0.1');
	await once(socket, 'listening');
	t.after(() => socket.close());
	return `127.0.0.1:${socket.address().port}`;
}

describe('createLookup()', () => {
	it('gives the addresses of both families', async (t) => {
		const server = await startNameServer(t);
		assert.deepEqual(await createLookup([server])('a.example', never), ['192.0.2.7']);
	});

	for (const { name, says } of [
		{ name: 'nxdomain.example', says: /does not exist/ },
		{ name: 'none.example', says: /has no address/ },
		{ name: 'servfail.example', says: /cannot be resolved \(ESERVFAIL\)/ },
	]) {
		it(`says of ${name}: ${says.source}`, async (t) => {
			const server = await startNameServer(t);
			await assert.rejects(createLookup([server])(name, never), says);
		});
	}

	it('ends with the signal', async (t) => {
		const server = await startNameServer(t);
		const stop = new AbortController();
		const looking = createLookup([server])('silent.example', stop.signal);
		stop.abort();
		await assert.rejects(looking);
	});

	it('says that a check cannot run when no name server is there', async () => {
		const lookup = createLookup([`127.0.0.1:${await refusingPort()}`]);
		await assert.rejects(lookup('a.example', never), CannotRun);
	});
});

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { type Target, targetKey } from '../../src/health/target.ts';
import type { HttpMonitor, Monitor } from '../../src/model/monitor.ts';
import { createCheck } from '../../src/probe/check.ts';
import { answer, refusingPort, startBackend, startFullBackend } from './backend.ts';

const TIMING = { intervalMs: 10_000, timeoutMs: 2000, fall: 3, rise: 2, from: undefined };
const TCP: Monitor = { kind: 'tcp', ...TIMING };
const HTTP: HttpMonitor = {
	kind: 'http',
	...TIMING,
	path: '/healthz',
	host: undefined,
	statuses: [
		{ first: 200, last: 299 },
		{ first: 304, last: 304 },
	],
	body: undefined,
};

const clock = { nowMs: () => performance.now() };
const check = createCheck({ clock, version: '1.2.3' });
const never = new AbortController().signal;

function targetAt(port: number, monitor: Monitor, address = '127.0.0.1'): Target {
	return { key: targetKey(address, port, monitor), address, port, monitor };
}

/** Answers 200 and sends `text` for ever. */
function endless(text: string) {
	return (socket: Socket) => {
		socket.write('HTTP/1.1 200 OK\r\n\r\n');
		const more = () => {
			while (!socket.destroyed && socket.write(text.repeat(1000)));
		};
		socket.on('drain', more);
		more();
	};
}

function headersWithoutEnd(socket: Socket): void {
	socket.write(`HTTP/1.1 200 OK\r\n${'X-Padding: 0123456789\r\n'.repeat(4000)}`);
}

const HTTP_CASES = [
	{ name: 'is up on an expected status', says: answer('200 OK'), expects: {}, finds: 'up: status 200' },
	{ name: 'is up on a single status', says: answer('304 Not Modified'), expects: {}, finds: 'up: status 304' },
	{
		name: 'is down on another status',
		says: answer('503 Service Unavailable'),
		expects: {},
		finds: 'down: status 503, expected 200-299, 304',
	},
	{
		name: 'does not follow a redirect',
		says: answer('302 Found', '', ['Location: /']),
		expects: {},
		finds: 'down: status 302, expected 200-299, 304',
	},
	{
		name: 'waits for the final status after 103',
		says: (socket: Socket) => {
			socket.end('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
		},
		expects: {},
		finds: 'up: status 200',
	},
	{
		name: 'finds the text in the body',
		says: answer('200 OK', 'all ok'),
		expects: { body: 'ok' },
		finds: 'up: status 200',
	},
	{
		name: 'finds text of more than one octet a letter',
		says: answer('200 OK', 'état: prêt'),
		expects: { body: 'prêt' },
		finds: 'up: status 200',
	},
	{
		name: 'finds text that lies across two chunks',
		says: (socket: Socket) => {
			socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nrea');
			setImmediate(() => socket.end('dy\r\n4\r\n now\r\n0\r\n\r\n'));
		},
		expects: { body: 'ready now' },
		finds: 'up: status 200',
	},
	{
		name: 'is down without the text',
		says: answer('200 OK', 'no'),
		expects: { body: 'ok' },
		finds: 'down: body lacks "ok"',
	},
	{
		name: 'is down on an empty body',
		says: answer('200 OK'),
		expects: { body: 'ok' },
		finds: 'down: body lacks "ok"',
	},
	{
		name: 'does not look for the text in an error page',
		says: answer('500 Oops', 'ok'),
		expects: { body: 'ok' },
		finds: 'down: status 500, expected 200-299, 304',
	},
	{
		name: 'leaves an endless body once the text is found',
		says: endless('ok'),
		expects: { body: 'ok' },
		finds: 'up: status 200',
	},
	{ name: 'leaves an endless body that it need not read', says: endless('x'), expects: {}, finds: 'up: status 200' },
	{
		name: 'leaves an endless body after 64 KiB',
		says: endless('x'),
		expects: { body: 'ok' },
		finds: 'down: body lacks "ok" in its first 65536 octets',
	},
	{
		name: 'does not see text past 64 KiB',
		says: answer('200 OK', `${'x'.repeat(65_535)}ok`),
		expects: { body: 'ok' },
		finds: 'down: body lacks "ok" in its first 65536 octets',
	},
	{ name: 'bounds the headers', says: headersWithoutEnd, expects: {}, finds: 'down: headers exceed 16384 octets' },
	{
		name: 'is down when the server hangs after accepting',
		says: () => {},
		expects: { timeoutMs: 150 },
		finds: 'down: no answer within 150 ms',
	},
	{
		name: 'is down when the body hangs',
		says: (socket: Socket) => {
			socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx');
		},
		expects: { timeoutMs: 150, body: 'ok' },
		finds: 'down: no answer within 150 ms',
	},
	{
		name: 'is down on a reset',
		says: (socket: Socket) => {
			socket.resetAndDestroy();
		},
		expects: {},
		finds: 'down: connection reset',
	},
	{
		name: 'is down when the server closes without an answer',
		says: (socket: Socket) => {
			socket.end();
		},
		expects: {},
		finds: 'down: connection closed before an answer',
	},
	{
		name: 'is down when the body is cut short',
		says: (socket: Socket) => {
			socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx');
		},
		expects: { body: 'ok' },
		finds: 'down: connection closed before an answer',
	},
	{
		name: 'is down on a chunk size that is none',
		says: (socket: Socket) => {
			socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
		},
		expects: { body: 'ok' },
		finds: 'down: answer is not HTTP',
	},
	{
		name: 'is down on what is not HTTP',
		says: (socket: Socket) => {
			socket.end('220 mail.example.org ESMTP\r\n');
		},
		expects: {},
		finds: 'down: answer is not HTTP',
	},
];

describe('an http check', () => {
	for (const { name, says, expects, finds } of HTTP_CASES) {
		it(name, async () => {
			const backend = await startBackend(says);
			const startMs = clock.nowMs();
			const result = await check(targetAt(backend.port, { ...HTTP, ...expects }), never);
			const tookMs = clock.nowMs() - startMs;
			await backend.close();
			assert.equal(`${result.isUp ? 'up' : 'down'}: ${result.reason}`, finds);
			assert(result.rttMs !== undefined && result.rttMs >= 0 && result.rttMs < tookMs, 'connect time is known');
			assert(tookMs < 1500, `took ${tookMs} ms`);
		});
	}
});

describe('the request of an http check', () => {
	it('is made once, even when the server closes before it was asked', async () => {
		let count = 0;
		const closing = (socket: Socket) => {
			count++;
			socket.end();
		};
		const backend = await startBackend(closing, { greets: true });
		const result = await check(targetAt(backend.port, HTTP), never);
		await backend.close();
		assert.deepEqual({ isUp: result.isUp, count }, { isUp: false, count: 1 });
	});

	it('goes over a fresh connection each time', async () => {
		const says = (socket: Socket) => {
			socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
		};
		const backend = await startBackend(says);
		const target = targetAt(backend.port, HTTP);
		for (let i = 0; i < 2; i++) assert.equal((await check(target, never)).isUp, true);
		await backend.close();
		assert.equal(backend.requests.length, 2);
	});

	for (const { name, host, sends } of [
		{ name: 'names the host of the monitor', host: 'www.example.org', sends: /\r\nhost: www\.example\.org\r\n/i },
		{ name: 'names address and port without one', host: undefined, sends: /\r\nhost: 127\.0\.0\.1:\d+\r\n/i },
		{ name: 'asks for the path', host: undefined, sends: /^GET \/healthz HTTP\/1\.1\r\n/ },
		{ name: 'says who asks', host: undefined, sends: /\r\nuser-agent: meridian-probe\/1\.2\.3\r\n/i },
		{ name: 'asks to close', host: undefined, sends: /\r\nconnection: close\r\n/i },
	]) {
		it(name, async () => {
			const backend = await startBackend(answer('200 OK'));
			await check(targetAt(backend.port, { ...HTTP, host }), never);
			await backend.close();
			assert.equal(backend.requests.length, 1);
			assert.match(backend.requests[0] ?? '', sends);
			assert.equal(backend.requests[0]?.match(/\r\nhost:/gi)?.length, 1);
		});
	}

	it('connects over IPv6', async () => {
		const backend = await startBackend(answer('200 OK'), { host: '::1' });
		const result = await check(targetAt(backend.port, HTTP, '::1'), never);
		await backend.close();
		assert.equal(result.reason, 'status 200');
		assert.match(backend.requests[0] ?? '', /\r\nhost: \[::1\]:\d+\r\n/i);
	});
});

describe('a tcp check', () => {
	it('is up when the connection is accepted', async () => {
		const backend = await startBackend(() => {});
		const result = await check(targetAt(backend.port, TCP), never);
		await backend.close();
		assert.deepEqual({ ...result, rttMs: typeof result.rttMs }, { isUp: true, reason: 'connected', rttMs: 'number' });
	});

	it('connects over IPv6', async () => {
		const backend = await startBackend(() => {}, { host: '::1' });
		const result = await check(targetAt(backend.port, TCP, '::1'), never);
		await backend.close();
		assert.equal(result.isUp, true);
	});
});

describe('any check', () => {
	for (const monitor of [HTTP, TCP]) {
		it(`of kind ${monitor.kind} is down when the connection is refused`, async () => {
			const result = await check(targetAt(await refusingPort(), monitor), never);
			assert.deepEqual(result, { isUp: false, reason: 'connection refused', rttMs: undefined });
		});

		it(`of kind ${monitor.kind} ends at its deadline when nobody answers the connection`, async () => {
			const full = await startFullBackend();
			const startMs = clock.nowMs();
			const result = await check(targetAt(full.port, { ...monitor, timeoutMs: 150 }), never);
			const tookMs = clock.nowMs() - startMs;
			await full.close();
			assert.deepEqual(result, { isUp: false, reason: 'no answer within 150 ms', rttMs: undefined });
			assert(tookMs < 1000, `took ${tookMs} ms`);
		});

		it(`of kind ${monitor.kind} ends when it is stopped before it starts`, async () => {
			const result = await check(targetAt(await refusingPort(), monitor), AbortSignal.abort());
			assert.deepEqual(result, { isUp: false, reason: 'stopped', rttMs: undefined });
		});
	}

	it('ends when it is stopped half-way', async () => {
		const stop = new AbortController();
		const backend = await startBackend(() => stop.abort());
		const result = await check(targetAt(backend.port, HTTP), stop.signal);
		await backend.close();
		assert.equal(result.reason, 'stopped');
	});
});

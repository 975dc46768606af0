import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { Monitor } from '../../src/model/monitor.ts';
import { answer, refusingPort, startBackend, startFullBackend } from './backend.ts';
import { checkLoopback } from './check-loopback.ts';
import { monitorFrom, targetAt } from './monitor-from.ts';

const TIMING = { interval: '10s', timeout: '2s', fall: 3, rise: 2 };
const TCP = monitorFrom({ kind: 'tcp', ...TIMING });
const HTTP = monitorFrom({ kind: 'http', ...TIMING, path: '/healthz', expect: { status: ['200-299', 304] } });

const clock = { nowMs: () => performance.now() };
const check = checkLoopback();
const never = new AbortController().signal;

/** Answers 200 and sends `text` for ever. */
function endless(text: string) {
	return (socket: Socket) => {
		socket.write('HTTP/1.1 200 OK\r\n\r\n');
		repeat(socket, text);
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
			const result = await check(targetAt(backend.port, { ...HTTP, ...expects } as Monitor), never);
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
		{
			name: 'says who asks',
			host: undefined,
			sends: /\r\nuser-agent: meridian\/1\.2\.3 \(\+https:\/\/example\.org\/\)\r\n/i,
		},
		{ name: 'asks to close', host: undefined, sends: /\r\nconnection: close\r\n/i },
	]) {
		it(name, async () => {
			const backend = await startBackend(answer('200 OK'));
			await check(targetAt(backend.port, { ...HTTP, host } as Monitor), never);
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

const TCP_CASES = [
	{
		name: 'finds what it expects in the answer to what it sent',
		keys: { send: 'PING\\r\\n', expect: '+PONG' },
		says: (socket: Socket) => void socket.end('+PONG\r\n'),
		finds: 'up: answer has the expected text',
		sends: 'PING\r\n',
	},
	{
		name: 'finds what it expects in a greeting',
		keys: { expect: '220 ' },
		greets: true,
		says: (socket: Socket) => void socket.write('220 mail.example.org ESMTP\r\n'),
		finds: 'up: answer has the expected text',
	},
	{
		name: 'sends and finds octets that are no text',
		keys: { send: '\\x00\\xff', expect: '\\xfe\\x00' },
		says: (socket: Socket) => void socket.end(Buffer.of(1, 0xfe, 0, 1)),
		finds: 'up: answer has the expected text',
	},
	{
		name: 'is down when the answer lacks it',
		keys: { send: 'x', expect: 'ok' },
		says: (socket: Socket) => void socket.end('no'),
		finds: 'down: answer lacks "ok"',
	},
	{
		name: 'is down when it is not in the first 64 KiB',
		keys: { send: 'x', expect: 'ok' },
		says: (socket: Socket) => void socket.end(`${'x'.repeat(65_535)}ok`),
		finds: 'down: answer lacks "ok" in its first 65536 octets',
	},
	{
		name: 'is down when the answer does not come',
		keys: { send: 'x', expect: 'ok' },
		says: () => {},
		finds: 'down: no answer within 150 ms',
	},
	{
		name: 'is down when the answer comes octet by octet, too slowly',
		keys: { send: 'x', expect: 'slowly' },
		says: (socket: Socket) => void setInterval(() => socket.write('s'), 20).unref(),
		finds: 'down: no answer within 150 ms',
	},
	{
		name: 'is down on a reset',
		keys: { send: 'x', expect: 'ok' },
		says: (socket: Socket) => void socket.resetAndDestroy(),
		finds: 'down: connection reset',
	},
	{ name: 'is up once it has sent', keys: { send: 'x' }, says: () => {}, finds: 'up: connected and sent' },
];

describe('a tcp check that speaks', () => {
	for (const { name, keys, greets = false, says, finds, sends } of TCP_CASES) {
		it(name, async () => {
			const backend = await startBackend(says, { greets });
			const monitor = monitorFrom({ kind: 'tcp', timeout: '150ms', ...keys });
			const result = await check(targetAt(backend.port, monitor), never);
			const requests = [...backend.requests];
			await backend.close();
			assert.equal(`${result.isUp ? 'up' : 'down'}: ${result.reason}`, finds);
			if (sends !== undefined) assert.deepEqual(requests, [sends]);
			if (finds.includes('has the expected')) assert(result.firstByteMs !== undefined && result.firstByteMs >= 0);
		});
	}
});

describe('an answer that never ends', () => {
	for (const { name, says, keys, finds } of [
		{
			name: 'of interim answers',
			says: (socket: Socket) => repeat(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
			keys: {},
			finds: /^(more than 16 interim answers|answer exceeds 1048576 octets)$/,
		},
		{
			name: 'of chunk extensions',
			says: (socket: Socket) => {
				socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=');
				repeat(socket, 'b');
			},
			keys: { expect: { body: 'ok' } },
			finds: /^(answer exceeds 1048576 octets|answer is not HTTP)$/,
		},
		{
			name: 'of trailers',
			says: (socket: Socket) => {
				socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n');
				repeat(socket, 'X-Trailer: 1\r\n');
			},
			keys: { expect: { body: 'ok' } },
			finds: /^(answer exceeds 1048576 octets|headers exceed 16384 octets)$/,
		},
	]) {
		it(`${name} is cut off long before the deadline`, async () => {
			const backend = await startBackend(says);
			const startMs = clock.nowMs();
			const result = await check(targetAt(backend.port, monitorFrom({ kind: 'http', ...keys })), never);
			const tookMs = clock.nowMs() - startMs;
			await backend.close();
			assert.equal(result.isUp, false);
			assert.match(result.reason, finds);
			assert(tookMs < 2000, `took ${tookMs} ms`);
		});
	}
});

/** Sends `text` for as long as it is taken. */
function repeat(socket: Socket, text: string): void {
	const more = () => {
		while (!socket.destroyed && socket.write(text.repeat(1000)));
	};
	socket.on('drain', more);
	more();
}

describe('any check', () => {
	for (const monitor of [HTTP, TCP]) {
		it(`of kind ${monitor.kind} is down when the connection is refused`, async () => {
			const result = await check(targetAt(await refusingPort(), monitor), never);
			assert.deepEqual(result, { isUp: false, reason: 'connection refused' });
		});

		it(`of kind ${monitor.kind} ends at its deadline when nobody answers the connection`, async () => {
			const full = await startFullBackend();
			const startMs = clock.nowMs();
			const result = await check(targetAt(full.port, { ...monitor, timeoutMs: 150 }), never);
			const tookMs = clock.nowMs() - startMs;
			await full.close();
			assert.deepEqual(result, { isUp: false, reason: 'no answer within 150 ms' });
			assert(tookMs < 1000, `took ${tookMs} ms`);
		});

		it(`of kind ${monitor.kind} ends when it is stopped before it starts`, async () => {
			const result = await check(targetAt(await refusingPort(), monitor), AbortSignal.abort());
			assert.deepEqual(result, { isUp: false, reason: 'stopped' });
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

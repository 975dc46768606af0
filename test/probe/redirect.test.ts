import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { answer, startBackend } from './backend.ts';
import { checkLoopback } from './check-loopback.ts';
import { monitorFrom, targetAt } from './monitor-from.ts';

const never = new AbortController().signal;

/** Names that resolve to this machine, to what is denied, and to both. */
const NAMES = {
	'other.example': ['127.0.0.1'],
	'inside.example': ['169.254.169.254'],
	'both.example': ['127.0.0.1', '127.0.0.9'],
};
const check = checkLoopback(NAMES);

/** What the backend answers to each path; PORT stands for its own port. */
const SITE: Readonly<Record<string, string>> = {
	'/ok': '200 OK',
	'/relative': '302 Found\r\nLocation: /ok?x=1',
	'/ok?x=1': '200 OK',
	'/twice': '301 Moved Permanently\r\nLocation: relative',
	'/loop': '307 Temporary Redirect\r\nLocation: /loop',
	'/absolute': '308 Permanent Redirect\r\nLocation: http://127.0.0.1:PORT/ok',
	'/other': '302 Found\r\nLocation: http://other.example:PORT/ok',
	'/inside': '302 Found\r\nLocation: http://inside.example/latest/meta-data/',
	'/both': '302 Found\r\nLocation: http://both.example:PORT/ok',
	'/nowhere': '302 Found\r\nLocation: http://gone.example/',
	'/metadata': '302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/',
	'/hidden': '302 Found\r\nLocation: http://0x7f.0.0.9:PORT/ok',
	'/mapped': '302 Found\r\nLocation: http://[::ffff:127.0.0.9]:PORT/ok',
	'/file': '302 Found\r\nLocation: file:///etc/passwd',
	'/secret': '302 Found\r\nLocation: http://user:pass@127.0.0.1:PORT/ok',
	'/broken': '302 Found\r\nLocation: http://[',
	'/bare': '302 Found',
	'/dead': '302 Found\r\nLocation: /missing',
	'/missing': '404 Not Found',
};

async function visit(path: string, redirects: number) {
	const backend = await startBackend((socket: Socket) => {
		const path = /^GET (\S+) /.exec(backend.requests.at(-1) ?? '')?.[1] ?? '';
		answer((SITE[path] ?? '500 Oops').replaceAll('PORT', String(backend.port)))(socket);
	});
	const monitor = monitorFrom({ kind: 'http', path, redirects });
	const { isUp, reason } = await check(targetAt(backend.port, monitor), never);
	await backend.close();
	const finds = `${isUp ? 'up' : 'down'}: ${reason}`.replaceAll(String(backend.port), 'PORT');
	return { finds, requests: backend.requests };
}

describe('an http check that follows redirects', () => {
	for (const { path, redirects, finds, asks } of [
		{ path: '/relative', redirects: 0, finds: 'up: status 302', asks: 1 },
		{ path: '/relative', redirects: 1, finds: 'up: status 200 at http://127.0.0.1:PORT/ok?x=1', asks: 2 },
		{ path: '/twice', redirects: 1, finds: 'down: more than 1 redirects', asks: 2 },
		{ path: '/twice', redirects: 2, finds: 'up: status 200 at http://127.0.0.1:PORT/ok?x=1', asks: 3 },
		{ path: '/loop', redirects: 5, finds: 'down: more than 5 redirects', asks: 6 },
		{ path: '/absolute', redirects: 1, finds: 'up: status 200 at http://127.0.0.1:PORT/ok', asks: 2 },
		{ path: '/other', redirects: 1, finds: 'up: status 200 at http://other.example:PORT/ok', asks: 2 },
		{
			path: '/inside',
			redirects: 1,
			finds: 'down: denied: 169.254.169.254 lies in 169.254.0.0/16 (link-local), an address of inside.example',
			asks: 1,
		},
		{
			path: '/both',
			redirects: 1,
			finds: 'down: denied: 127.0.0.9 lies in 127.0.0.0/8 (loopback), an address of both.example',
			asks: 1,
		},
		{ path: '/nowhere', redirects: 1, finds: 'down: gone.example has no address', asks: 1 },
		{
			path: '/metadata',
			redirects: 1,
			finds: 'down: denied: 169.254.169.254 lies in 169.254.0.0/16 (link-local)',
			asks: 1,
		},
		{ path: '/hidden', redirects: 1, finds: 'down: denied: 127.0.0.9 lies in 127.0.0.0/8 (loopback)', asks: 1 },
		{
			path: '/mapped',
			redirects: 1,
			finds: 'down: denied: ::ffff:7f00:9 stands for 127.0.0.9, which lies in 127.0.0.0/8 (loopback)',
			asks: 1,
		},
		{
			path: '/file',
			redirects: 1,
			finds: 'down: redirected to "file:///etc/passwd", which is not HTTP',
			asks: 1,
		},
		{ path: '/secret', redirects: 1, finds: 'down: redirected to a URL with credentials', asks: 1 },
		{ path: '/broken', redirects: 1, finds: 'down: redirected to "http://[", which is no URL', asks: 1 },
		{ path: '/bare', redirects: 1, finds: 'up: status 302', asks: 1 },
		{ path: '/dead', redirects: 1, finds: 'down: status 404, expected 200-399', asks: 2 },
	]) {
		it(`${path}, at most ${redirects}: ${finds}`, async () => {
			const { finds: found, requests } = await visit(path, redirects);
			assert.equal(found, finds);
			assert.equal(requests.length, asks);
		});
	}

	it('never sends credentials', async () => {
		const { requests } = await visit('/relative', 1);
		for (const request of requests) assert.doesNotMatch(request, /\r\n(authorization|cookie|proxy-)/i);
	});
});

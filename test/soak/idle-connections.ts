/**
 * `node idle-connections.ts URL COUNT MILLISECONDS`: holds so many connections to an HTTP server, from many addresses of
 * loopback: a third say nothing, a third send a header line now and then and never the last one, a third ask once and
 * keep the connection. Whatever the server closes is opened again a little later. Prints a line when it has opened all of
 * them once, and ends with a line of JSON, an IdleResult.
 */

import { connect, type Socket } from 'node:net';

export interface IdleResult {
	readonly opened: number;
	/** By the server, or refused by it. */
	readonly closed: number;
	/** Most at a time, as this side sees them. */
	readonly openMost: number;
}

const ADDRESSES = 250;
/** Begun in a turn, so that the queue of those that wait to be accepted does not overflow. */
const OPENED_AT_ONCE = 100;
const TICK_MS = 10;
const AGAIN_MS = 30_000;
const HEADER_EVERY_MS = 1000;
const KINDS = ['silent', 'slow', 'kept'] as const;

const [url = '', countText, lengthText] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const count = Number(countText);
const sockets = new Map<Socket, (typeof KINDS)[number]>();
const due: { readonly number: number; readonly fromMs: number }[] = Array.from({ length: count }, (_, number) => ({
	number,
	fromMs: 0,
}));
let opened = 0;
let closed = 0;
let openMost = 0;

function open(number: number): void {
	const localAddress = `127.0.2.${1 + (number % ADDRESSES)}`;
	const socket = connect({ host: hostname, port: Number(port), localAddress });
	const kind = KINDS[number % KINDS.length] ?? 'silent';
	socket.on('error', () => {});
	socket.once('connect', () => {
		opened++;
		sockets.set(socket, kind);
		openMost = Math.max(openMost, sockets.size);
		if (kind === 'slow') socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n');
		else if (kind === 'kept') socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
	});
	socket.resume();
	socket.once('close', () => {
		closed++;
		sockets.delete(socket);
		due.push({ number, fromMs: performance.now() + AGAIN_MS });
	});
}

function openDue(): void {
	const nowMs = performance.now();
	for (let i = 0; i < OPENED_AT_ONCE && (due[0]?.fromMs ?? Number.POSITIVE_INFINITY) <= nowMs; i++) {
		const { number } = due.shift() as (typeof due)[number];
		open(number);
	}
}

const opening = setInterval(openDue, TICK_MS);
while (opened < count) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
process.stdout.write('open\n');
const headers = setInterval(() => {
	for (const [socket, kind] of sockets) if (kind === 'slow') socket.write('x-slow: 1\r\n');
}, HEADER_EVERY_MS);
await new Promise((resolve) => setTimeout(resolve, Number(lengthText)));
clearInterval(opening);
clearInterval(headers);
process.stdout.write(`${JSON.stringify({ opened, closed, openMost } satisfies IdleResult)}\n`);
process.exit();

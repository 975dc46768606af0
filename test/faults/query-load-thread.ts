/**
 * The thread of query-load.ts.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { makeQuery } from '../dns/make-query.ts';
import type { LoadRequest, Tally } from './query-load.ts';

const { ports, name, rate } = workerData as { ports: readonly number[]; name: string; rate: number };

/** Far above what a machine that is busy with other things makes of a query. */
const LOST_MS = 5000;
const TICK_MS = 10;
const TYPE_A = 1;
const RR_OCTETS = 16;

interface Asked {
	readonly port: number;
	readonly socket: Socket;
	isPaused: boolean;
	/** By message id. */
	readonly pending: Map<number, number>;
	nextId: number;
}

const template = Buffer.from(makeQuery({ name }));
const questionEnd = template.length;
let tally = emptyTally();

function emptyTally() {
	return {
		sent: 0,
		answered: 0,
		lost: 0,
		lostAt: new Set<number>(),
		empty: 0,
		seen: new Map<string, number>(),
		slowestMs: 0,
		stallMs: 0,
	};
}

const asked: Asked[] = await Promise.all(
	ports.map(async (port) => {
		const socket = createSocket('udp4');
		socket.connect(port, '127.0.0.1');
		await once(socket, 'connect');
		const one: Asked = { port, socket, isPaused: false, pending: new Map(), nextId: 0 };
		// An instance that was killed: what was asked of it counts as lost, unless it was paused before.
		socket.on('error', () => {});
		socket.on('message', (octets) => take(one, octets));
		return one;
	}),
);

function take(one: Asked, octets: Buffer): void {
	const id = octets.readUInt16BE(0);
	const sentMs = one.pending.get(id);
	if (sentMs === undefined) return;
	one.pending.delete(id);
	tally.answered++;
	tally.slowestMs = Math.max(tally.slowestMs, performance.now() - sentMs);
	const addresses = addressesOf(octets);
	if (addresses.length === 0) tally.empty++;
	for (const address of addresses) {
		const key = `${one.port} ${address}`;
		tally.seen.set(key, (tally.seen.get(key) ?? 0) + 1);
	}
}

/** Of an answer whose records all have the name that was asked for; none when it is no such answer. */
function addressesOf(octets: Buffer): readonly string[] {
	const rcode = (octets[3] ?? 0) & 15;
	const count = octets.readUInt16BE(6);
	if (rcode !== 0) return [];
	const addresses: string[] = [];
	for (let i = 0; i < count; i++) {
		const at = questionEnd + RR_OCTETS * i;
		if (octets.length < at + RR_OCTETS || octets[at] !== 0xc0 || octets.readUInt16BE(at + 2) !== TYPE_A) return [];
		addresses.push([...octets.subarray(at + 12, at + 16)].join('.'));
	}
	return addresses;
}

function send(one: Asked): void {
	const message = Buffer.from(template);
	one.nextId = (one.nextId + 1) & 0xffff;
	message.writeUInt16BE(one.nextId, 0);
	one.pending.set(one.nextId, performance.now());
	tally.sent++;
	one.socket.send(message);
}

function sweep(): void {
	const nowMs = performance.now();
	for (const { port, pending } of asked) {
		for (const [id, sentMs] of pending) {
			if (nowMs - sentMs < LOST_MS) break;
			pending.delete(id);
			tally.lost++;
			tally.lostAt.add(port);
		}
	}
}

let lastMs = performance.now();
let owed = 0;
setInterval(() => {
	const nowMs = performance.now();
	tally.stallMs = Math.max(tally.stallMs, nowMs - lastMs - TICK_MS);
	const going = asked.filter(({ isPaused }) => !isPaused);
	// After a stall what was not sent is not made up for: the rate is a rate, not a flood.
	owed = Math.min(owed + (rate * (nowMs - lastMs)) / 1000, rate / 10);
	lastMs = nowMs;
	for (; owed >= 1 && going.length > 0; owed--) send(going[tally.sent % going.length] as Asked);
	sweep();
}, TICK_MS);

parentPort?.on('message', async (request: LoadRequest) => {
	if (request.kind === 'tally') {
		const told: Tally = tally;
		tally = emptyTally();
		parentPort?.postMessage(told);
		return;
	}
	const one = asked.find(({ port }) => port === request.port);
	if (one !== undefined) {
		one.isPaused = request.kind === 'pause';
		while (one.isPaused && one.pending.size > 0) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
	}
	parentPort?.postMessage(undefined);
});

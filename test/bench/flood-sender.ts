/**
 * `node flood-sender.ts PORT prefix|random RATE MILLISECONDS FIRST`: queries to 127.0.0.1:PORT at a steady rate, each
 * from a source address of its own choosing, as a flood with forged addresses has them. Prints a line when it begins,
 * and ends with a line of JSON.
 *
 * Linux lets a socket send from any address of loopback, named datagram by datagram (IP_PKTINFO); Node's own sockets
 * cannot, so this one is libc's. 127.0.0.0/16 is left to clients that are not part of the flood.
 *
 * | sources  | datagram n comes from                                          |
 * |----------|----------------------------------------------------------------|
 * | `prefix` | the addresses of 127.64.64.0/24, in turn                       |
 * | `random` | 127.0.0.0/8 in a fixed disorder, hardly one twice in 16.7 M    |
 */

import { endianness } from 'node:os';
import koffi from 'koffi';
import { makeQuery } from '../dns/make-query.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;

/** What goes out in one call: few, so that the flood is a stream rather than a row of bursts. */
const BATCH = 4;
/** Replies are thrown away by the kernel, once this buffer is full of them. */
const RECEIVE_BUFFER_OCTETS = 2048;

/** Sizes and offsets of struct mmsghdr, iovec, cmsghdr and in_pktinfo on 64-bit Linux. */
const MMSGHDR = 64;
const MSGHDR = { name: 0, nameLength: 8, iov: 16, iovCount: 24, control: 32, controlLength: 40 } as const;
const IOVEC = 16;
const CONTROL = 32;
const CONTROL_LENGTH = 28;
const CONTROL_SOURCE = 20;

const DISORDER = 0x9e3779b1;

interface Flood {
	readonly port: number;
	readonly isRandom: boolean;
	readonly rate: number;
	readonly lengthMs: number;
	/** Of the first datagram: a flood goes on where the one before ended. */
	readonly first: number;
}

function readArguments(words: readonly string[]): Flood {
	const [port, sources, rate, lengthMs, first] = words;
	if (endianness() !== 'LE' || process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))
		throw new Error('Cannot send from forged addresses: expected 64-bit Linux');
	const isRandom = sources === 'random';
	const flood = { port: Number(port), isRandom, rate: Number(rate), lengthMs: Number(lengthMs), first: Number(first) };
	if (
		!(flood.port > 0 && flood.rate > 0 && flood.lengthMs > 0 && flood.first >= 0) ||
		!(isRandom || sources === 'prefix')
	)
		throw new Error('Cannot flood: expected PORT prefix|random RATE MILLISECONDS FIRST');
	return flood;
}

/** @returns source address of datagram n, as the last three octets behind 127 */
function sourceOf({ isRandom }: Flood, n: number): number {
	if (!isRandom) return 0x404000 + (n & 255);
	// Products with an odd number and a shifted exclusive-or reach each of the 24-bit numbers once.
	const mixed = Math.imul(n, DISORDER) & 0xffffff;
	const source = Math.imul(mixed ^ (mixed >>> 11), DISORDER) & 0xffffff;
	return source >>> 16 === 0 ? source | 0x800000 : source;
}

/** The memory of one call of sendmmsg(). */
class Batch {
	readonly headers = Buffer.allocUnsafeSlow(BATCH * MMSGHDR).fill(0);
	readonly #control = Buffer.allocUnsafeSlow(BATCH * CONTROL).fill(0);
	readonly #iov = Buffer.allocUnsafeSlow(IOVEC);
	readonly #to = Buffer.allocUnsafeSlow(16).fill(0);
	readonly #query = Buffer.from(makeQuery({ name: 'www.example.org', edns: {} }));

	constructor(port: number) {
		this.#to.writeUInt16LE(AF_INET, 0);
		this.#to.writeUInt16BE(port, 2);
		this.#to.set([127, 0, 0, 1], 4);
		this.#iov.writeBigUInt64LE(koffi.address(this.#query), 0);
		this.#iov.writeBigUInt64LE(BigInt(this.#query.length), 8);
		for (let i = 0; i < BATCH; i++) {
			const header = this.headers.subarray(i * MMSGHDR);
			header.writeBigUInt64LE(koffi.address(this.#to), MSGHDR.name);
			header.writeUInt32LE(16, MSGHDR.nameLength);
			header.writeBigUInt64LE(koffi.address(this.#iov), MSGHDR.iov);
			header.writeBigUInt64LE(1n, MSGHDR.iovCount);
			header.writeBigUInt64LE(koffi.address(this.#control) + BigInt(i * CONTROL), MSGHDR.control);
			header.writeBigUInt64LE(BigInt(CONTROL), MSGHDR.controlLength);
			const control = this.#control.subarray(i * CONTROL);
			control.writeBigUInt64LE(BigInt(CONTROL_LENGTH), 0);
			control.writeUInt32LE(IPPROTO_IP, 8);
			control.writeUInt32LE(IP_PKTINFO, 12);
		}
	}

	setSource(i: number, source: number): void {
		this.#control.writeUInt32BE(0x7f000000 + source, i * CONTROL + CONTROL_SOURCE);
	}
}

function send(flood: Flood): { readonly sent: number; readonly failed: number; readonly ms: number } {
	const libc = koffi.load(null);
	const socket = libc.func('int socket(int, int, int)');
	const setsockopt = libc.func('int setsockopt(int, int, int, void *, uint)');
	const sendmmsg = libc.func('int sendmmsg(int, void *, uint, int)');
	const usleep = libc.func('int usleep(uint)');
	const fd: number = socket(AF_INET, SOCK_DGRAM, 0);
	const size = Buffer.alloc(4);
	size.writeUInt32LE(RECEIVE_BUFFER_OCTETS);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size, 4) !== 0)
		throw new Error(`Cannot open a socket: errno ${koffi.errno()}`);
	const batch = new Batch(flood.port);
	process.stdout.write('flooding\n');
	const startMs = performance.now();
	let sent = 0;
	let failed = 0;
	for (let ms = 0; ms < flood.lengthMs; ms = performance.now() - startMs) {
		const aheadMs = ((sent + failed) / flood.rate) * 1000 - ms;
		if (aheadMs > 0) usleep(Math.ceil(aheadMs * 1000));
		for (let i = 0; i < BATCH; i++) batch.setSource(i, sourceOf(flood, flood.first + sent + failed + i));
		const taken: number = sendmmsg(fd, batch.headers, BATCH, 0);
		if (taken > 0) sent += taken;
		else failed++;
	}
	return { sent, failed, ms: performance.now() - startMs };
}

process.stdout.write(`${JSON.stringify(send(readArguments(process.argv.slice(2))))}\n`);

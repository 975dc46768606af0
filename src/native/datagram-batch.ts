/**
 * Room for many datagrams that move in one system call, in memory that the kernel knows by address.
 *
 *     receive()  -> slots 0 .. n-1: request(i), requestLength(i), sender(i), senderPort(i)
 *     response() -> where the next message to send is written; reply(i, octets) or stage(octets) takes it
 *     send()     -> all that was taken, in order
 *
 * Requests and responses have memory of their own: a response is as long as it is, whatever the request was, and
 * message k to send always lies in buffer k, so only addresses differ from one batch to the next.
 */

import type { Address } from '../lib/address.ts';
import { type Libc, lastError } from './libc.ts';
import {
	AF,
	CMSG,
	ERRNO,
	IOVEC,
	IP,
	IPPROTO_IP,
	IPPROTO_IPV6,
	IPV6,
	MMSGHDR,
	MSG,
	PKTINFO4,
	PKTINFO6,
	POLL,
	SOCKADDR,
} from './linux-abi.ts';
import { PollSet } from './poll-set.ts';

/** Any datagram fits whole. Not a multiple of a page, else all slots would share a few lines of the caches. */
const REQUEST_STRIDE = 65536 + 192;
const NAME_STRIDE = 32;
const CONTROL_STRIDE = 64;
const NO_TIMEOUT = 0n;
/** How long a full send queue is waited for; longer, and the datagrams are better lost. */
const SEND_WAIT_MS = 5;
const LINK_LOCAL = 0xfe80;
/** Will be the same next time; all else is over by then. */
const HOPELESS: readonly number[] = [ERRNO.ebadf, ERRNO.efault, ERRNO.einval, ERRNO.enosys, ERRNO.enotsock];

export class DatagramBatch {
	/** Most datagrams in one call. */
	readonly size: number;
	/** By slot; each is longer than its datagram. */
	readonly requests: readonly Uint8Array[];
	/** By place in the order of sending. */
	readonly responses: readonly Uint8Array[];
	/** Messages taken for `send()`. */
	staged = 0;
	/** Receives that failed, and not for want of datagrams. */
	receiveFailures = 0;
	readonly #libc: Libc;
	readonly #memory: ArrayBuffer;
	readonly #view: DataView;
	readonly #words: Uint32Array;
	readonly #layout: Layout;
	/** Addresses of the headers to receive into, and to send from each of which on. */
	readonly #receiveAt: bigint;
	readonly #sendAt: readonly bigint[];
	readonly #room: PollSet;
	/** Slots whose headers the kernel has changed. */
	#used: number;
	readonly #sender4: Address = { family: 4, words: new Uint32Array(4) };
	readonly #sender6: Address = { family: 6, words: new Uint32Array(4) };

	/** @param responseOctetsMax  room for each message to send */
	constructor(libc: Libc, size: number, responseOctetsMax: number) {
		const layout = layOut(size, responseOctetsMax);
		const memory = new ArrayBuffer(layout.octets);
		const base = libc.addressOf(memory);
		this.size = size;
		this.#libc = libc;
		this.#memory = memory;
		this.#view = new DataView(memory);
		this.#words = new Uint32Array(memory, 0, layout.requests >>> 2);
		this.#layout = layout;
		this.#used = size;
		const slots = Array.from({ length: size }, (_, i) => i);
		this.requests = slots.map((i) => new Uint8Array(memory, layout.requests + i * REQUEST_STRIDE, REQUEST_STRIDE));
		this.responses = slots.map(
			(i) => new Uint8Array(memory, layout.responses + i * layout.responseStride, responseOctetsMax),
		);
		this.#receiveAt = base + BigInt(layout.receive);
		this.#sendAt = slots.map((i) => base + BigInt(layout.send + i * MMSGHDR.octets));
		this.#room = new PollSet(libc, 1);
		this.#link(base);
	}

	/** Write the addresses that never change. */
	#link(base: bigint): void {
		const view = this.#view;
		const { receive, send, receiveIov, sendIov, names, controls, requests, responses, responseStride } = this.#layout;
		const point = (at: number, target: number) => view.setBigUint64(at, base + BigInt(target), true);
		for (let i = 0; i < this.size; i++) {
			const into = receive + i * MMSGHDR.octets;
			const from = send + i * MMSGHDR.octets;
			const intoIov = receiveIov + i * IOVEC.octets;
			const fromIov = sendIov + i * IOVEC.octets;
			point(into + MMSGHDR.name, names + i * NAME_STRIDE);
			point(into + MMSGHDR.iov, intoIov);
			view.setUint32(into + MMSGHDR.iovLength, 1, true);
			point(into + MMSGHDR.control, controls + i * CONTROL_STRIDE);
			point(intoIov + IOVEC.base, requests + i * REQUEST_STRIDE);
			view.setUint32(intoIov + IOVEC.length, REQUEST_STRIDE, true);
			point(from + MMSGHDR.iov, fromIov);
			view.setUint32(from + MMSGHDR.iovLength, 1, true);
			point(fromIov + IOVEC.base, responses + i * responseStride);
		}
	}

	/**
	 * Take what waits in a socket's queue.
	 * @param isWaiting  wait for the first one, as long as the socket's receive timeout says
	 * @returns datagrams received; 0 when there was none
	 * @throws Error when the socket is of no use any more
	 */
	receive(descriptor: number, isWaiting: boolean): number {
		this.#reset();
		const flags = isWaiting ? MSG.waitForOne : MSG.dontWait;
		const count = this.#libc.recvmmsg(descriptor, this.#receiveAt, this.size, flags, NO_TIMEOUT);
		if (count > 0) {
			this.#used = count;
			return count;
		}
		if (count < 0) this.#noteFailure(descriptor);
		return 0;
	}

	#noteFailure(descriptor: number): void {
		const errno = this.#libc.errno();
		if (HOPELESS.includes(errno)) throw lastError(this.#libc, 'recvmmsg', `on descriptor ${descriptor}`);
		if (errno !== ERRNO.eagain && errno !== ERRNO.eintr) this.receiveFailures++;
	}

	/** The kernel shortens these to what it wrote. */
	#reset(): void {
		const words = this.#words;
		let at = this.#layout.receive >>> 2;
		for (let i = 0; i < this.#used; i++, at += MMSGHDR.octets >>> 2) {
			words[at + (MMSGHDR.nameLength >>> 2)] = SOCKADDR.octets6;
			words[at + (MMSGHDR.controlLength >>> 2)] = CONTROL_STRIDE;
		}
		this.#used = 0;
	}

	/** Octets of the datagram in a slot. */
	requestLength(slot: number): number {
		return this.#words[(this.#layout.receive + slot * MMSGHDR.octets + MMSGHDR.length) >>> 2] ?? 0;
	}

	/** The port that a datagram came from. */
	senderPort(slot: number): number {
		return this.#view.getUint16(this.#layout.names + slot * NAME_STRIDE + SOCKADDR.port);
	}

	/** Where a datagram came from: an object that the next call fills anew. */
	sender(slot: number): Address {
		const view = this.#view;
		const at = this.#layout.names + slot * NAME_STRIDE;
		if (view.getUint16(at + SOCKADDR.family, true) === AF.inet) {
			this.#sender4.words[0] = view.getUint32(at + SOCKADDR.address4);
			return this.#sender4;
		}
		const { words } = this.#sender6;
		for (let i = 0; i < 4; i++) words[i] = view.getUint32(at + SOCKADDR.address6 + 4 * i);
		return this.#sender6;
	}

	/** Take the next message, `octets` long, as the answer to the datagram in a slot: to its sender, from the address it was sent to. */
	reply(slot: number, octets: number): void {
		const words = this.#words;
		const { receive, send, sendIov } = this.#layout;
		const from = (receive + slot * MMSGHDR.octets) >>> 2;
		const to = (send + this.staged * MMSGHDR.octets) >>> 2;
		words[to] = words[from] ?? 0;
		words[to + 1] = words[from + 1] ?? 0;
		words[to + (MMSGHDR.nameLength >>> 2)] = words[from + (MMSGHDR.nameLength >>> 2)] ?? 0;
		const control = words[from + (MMSGHDR.controlLength >>> 2)] ?? 0;
		words[to + (MMSGHDR.controlLength >>> 2)] = control;
		if (control > 0) {
			words[to + (MMSGHDR.control >>> 2)] = words[from + (MMSGHDR.control >>> 2)] ?? 0;
			words[to + (MMSGHDR.control >>> 2) + 1] = words[from + (MMSGHDR.control >>> 2) + 1] ?? 0;
			this.#freeInterface(slot);
		}
		words[(sendIov + this.staged * IOVEC.octets + IOVEC.length) >>> 2] = octets;
		this.staged++;
	}

	/** Take the next message, `octets` long, for whom the socket is connected to. */
	stage(octets: number): void {
		const words = this.#words;
		const { send, sendIov } = this.#layout;
		const to = (send + this.staged * MMSGHDR.octets) >>> 2;
		words[to] = 0;
		words[to + 1] = 0;
		words[to + (MMSGHDR.nameLength >>> 2)] = 0;
		words[to + (MMSGHDR.controlLength >>> 2)] = 0;
		words[(sendIov + this.staged * IOVEC.octets + IOVEC.length) >>> 2] = octets;
		this.staged++;
	}

	/**
	 * A control block that goes back as it came makes the address asked the source of the answer. The interface is not
	 * to be settled with it: the way back is the routing table's to choose. Only link-local addresses need theirs.
	 */
	#freeInterface(slot: number): void {
		const view = this.#view;
		const at = this.#layout.controls + slot * CONTROL_STRIDE;
		const level = view.getInt32(at + CMSG.level, true);
		const type = view.getInt32(at + CMSG.type, true);
		if (level === IPPROTO_IP && type === IP.packetInfo) {
			view.setInt32(at + CMSG.data + PKTINFO4.interface, 0, true);
		} else if (level === IPPROTO_IPV6 && type === IPV6.packetInfo) {
			const isLinkLocal = (view.getUint16(at + CMSG.data + PKTINFO6.address) & 0xffc0) === LINK_LOCAL;
			if (!isLinkLocal) view.setInt32(at + CMSG.data + PKTINFO6.interface, 0, true);
		}
	}

	/** The address that the datagram in a slot was sent to, where the socket is a wildcard's; undefined elsewhere. */
	askedAddress(slot: number): Uint8Array | undefined {
		const view = this.#view;
		const at = this.#layout.controls + slot * CONTROL_STRIDE;
		const control = this.#words[(this.#layout.receive + slot * MMSGHDR.octets + MMSGHDR.controlLength) >>> 2] ?? 0;
		if (control === 0) return undefined;
		const isIpv4 = view.getInt32(at + CMSG.level, true) === IPPROTO_IP;
		const offset = at + CMSG.data + (isIpv4 ? PKTINFO4.source : PKTINFO6.address);
		return new Uint8Array(this.#memory, offset, isIpv4 ? 4 : 16);
	}

	/**
	 * Send all messages taken, and forget them. One that cannot be sent is passed over: `sendmmsg` stops at it.
	 * @returns how many could not be sent
	 */
	send(descriptor: number): number {
		const libc = this.#libc;
		const { staged } = this;
		this.staged = 0;
		let failures = 0;
		let hasWaited = false;
		for (let next = 0; next < staged; ) {
			const sent = libc.sendmmsg(descriptor, this.#sendAt[next] ?? 0n, staged - next, MSG.dontWait);
			if (sent > 0) {
				next += sent;
				continue;
			}
			const errno = libc.errno();
			if (errno === ERRNO.eintr) continue;
			if (errno === ERRNO.eagain || errno === ERRNO.enobufs) {
				if (!hasWaited) {
					hasWaited = true;
					this.#room.watch(0, descriptor, POLL.out);
					this.#room.wait(SEND_WAIT_MS);
					continue;
				}
				// The queue stays full: whoever is left will ask again.
				return failures + staged - next;
			}
			failures++;
			next++;
		}
		return failures;
	}
}

interface Layout {
	readonly receive: number;
	readonly send: number;
	readonly receiveIov: number;
	readonly sendIov: number;
	readonly names: number;
	readonly controls: number;
	readonly requests: number;
	readonly responses: number;
	readonly responseStride: number;
	readonly octets: number;
}

/** Offsets of the parts; all but the datagrams themselves stand together in front. */
function layOut(size: number, responseOctetsMax: number): Layout {
	const responseStride = roundUp(responseOctetsMax, 64);
	const receive = 0;
	const send = receive + size * MMSGHDR.octets;
	const receiveIov = send + size * MMSGHDR.octets;
	const sendIov = receiveIov + size * IOVEC.octets;
	const names = sendIov + size * IOVEC.octets;
	const controls = names + size * NAME_STRIDE;
	const responses = roundUp(controls + size * CONTROL_STRIDE, 64);
	const requests = responses + size * responseStride;
	const octets = requests + size * REQUEST_STRIDE;
	return { receive, send, receiveIov, sendIov, names, controls, requests, responses, responseStride, octets };
}

function roundUp(octets: number, unit: number): number {
	return Math.ceil(octets / unit) * unit;
}

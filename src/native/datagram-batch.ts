/**
 * Room for many datagrams that move in one system call, in memory that the kernel knows by address.
 *
 *     receive()  -> slots 0 .. n-1: messages[i], receivedLength(i), sender(i), senderPort(i)
 *     reply(i)   -> slot i goes back to its sender, with what stands in it by then
 *     send()     -> all that was taken, in order
 *
 * A message is answered where it lies: the header that the kernel filled in is the one that it sends by, and only the
 * length changes. Where slots stay without a reply the headers behind move up, since the kernel sends them in a row.
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
const MESSAGE_STRIDE = 65536 + 192;
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
	/** By slot; each is longer than any datagram. */
	readonly messages: readonly Uint8Array[];
	/** Messages taken for `send()`. */
	staged = 0;
	/** Receives that failed, and not for want of datagrams. */
	receiveFailures = 0;
	readonly #libc: Libc;
	readonly #memory: ArrayBuffer;
	readonly #view: DataView;
	readonly #words: Uint32Array;
	readonly #layout: Layout;
	/** The headers as they were linked, for when they have moved. */
	readonly #linked: Uint32Array;
	/** Addresses of the headers. */
	readonly #headersAt: readonly bigint[];
	readonly #room: PollSet;
	/** Headers in front that are not as a receive wants them; some of them may have moved up. */
	#used: number;
	#haveMoved = false;
	readonly #sender4: Address = { family: 4, words: new Uint32Array(4) };
	readonly #sender6: Address = { family: 6, words: new Uint32Array(4) };

	constructor(libc: Libc, size: number) {
		const layout = layOut(size);
		const memory = new ArrayBuffer(layout.octets);
		const base = libc.addressOf(memory);
		this.size = size;
		this.#libc = libc;
		this.#memory = memory;
		this.#view = new DataView(memory);
		this.#words = new Uint32Array(memory, 0, layout.messages >>> 2);
		this.#layout = layout;
		this.#used = size;
		const slots = Array.from({ length: size }, (_, i) => i);
		this.messages = slots.map((i) => new Uint8Array(memory, layout.messages + i * MESSAGE_STRIDE, MESSAGE_STRIDE));
		this.#headersAt = slots.map((i) => base + BigInt(layout.headers + i * MMSGHDR.octets));
		this.#room = new PollSet(libc, 1);
		this.#link(base);
		this.#linked = this.#words.slice(layout.headers >>> 2, layout.iovs >>> 2);
	}

	/** Write the addresses. */
	#link(base: bigint): void {
		const view = this.#view;
		const { headers, iovs, names, controls, messages } = this.#layout;
		const point = (at: number, target: number) => view.setBigUint64(at, base + BigInt(target), true);
		for (let i = 0; i < this.size; i++) {
			const header = headers + i * MMSGHDR.octets;
			const iov = iovs + i * IOVEC.octets;
			point(header + MMSGHDR.name, names + i * NAME_STRIDE);
			point(header + MMSGHDR.iov, iov);
			view.setUint32(header + MMSGHDR.iovLength, 1, true);
			point(header + MMSGHDR.control, controls + i * CONTROL_STRIDE);
			point(iov + IOVEC.base, messages + i * MESSAGE_STRIDE);
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
		const count = this.#libc.recvmmsg(descriptor, this.#headersAt[0] ?? 0n, this.size, flags, NO_TIMEOUT);
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

	/** Make headers what a receive wants: the kernel shortens lengths to what it wrote, and replies set theirs. */
	#reset(): void {
		const words = this.#words;
		const { headers, iovs } = this.#layout;
		const used = this.#used;
		// Only to where others stood has one moved up.
		if (this.#haveMoved) {
			for (let i = 0; i < used * (MMSGHDR.octets >>> 2); i++) words[(headers >>> 2) + i] = this.#linked[i] ?? 0;
		}
		this.#haveMoved = false;
		let header = headers >>> 2;
		let iov = (iovs + IOVEC.length) >>> 2;
		for (let i = 0; i < used; i++) {
			words[header + (MMSGHDR.nameLength >>> 2)] = SOCKADDR.octets6;
			words[header + (MMSGHDR.controlLength >>> 2)] = CONTROL_STRIDE;
			words[iov] = MESSAGE_STRIDE;
			header += MMSGHDR.octets >>> 2;
			iov += IOVEC.octets >>> 2;
		}
		this.#used = 0;
	}

	/** Octets of the datagram that came into a slot. */
	receivedLength(slot: number): number {
		return this.#words[(this.#layout.headers + slot * MMSGHDR.octets + MMSGHDR.length) >>> 2] ?? 0;
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

	/**
	 * Send a slot's message, now `octets` long, to whom it came from, from the address that it came to. Slots in
	 * ascending order; one that is left out stays without a reply.
	 */
	reply(slot: number, octets: number): void {
		const words = this.#words;
		const { headers, iovs } = this.#layout;
		words[(iovs + slot * IOVEC.octets + IOVEC.length) >>> 2] = octets;
		const header = (headers + slot * MMSGHDR.octets) >>> 2;
		if ((words[header + (MMSGHDR.controlLength >>> 2)] ?? 0) > 0) this.#freeInterface(slot);
		if (slot !== this.staged) {
			const to = (headers + this.staged * MMSGHDR.octets) >>> 2;
			for (let i = 0; i < MMSGHDR.octets >>> 2; i++) words[to + i] = words[header + i] ?? 0;
			this.#haveMoved = true;
		}
		this.staged++;
	}

	/** Send the next slot's message, `octets` long, to whom the socket is connected to. */
	stage(octets: number): void {
		const words = this.#words;
		const { headers, iovs } = this.#layout;
		// Headers that moved up with replies point to other slots.
		if (this.#haveMoved && this.staged === 0) this.#reset();
		const header = (headers + this.staged * MMSGHDR.octets) >>> 2;
		words[header + (MMSGHDR.nameLength >>> 2)] = 0;
		words[header + (MMSGHDR.controlLength >>> 2)] = 0;
		words[(iovs + this.staged * IOVEC.octets + IOVEC.length) >>> 2] = octets;
		this.staged++;
		if (this.#used < this.staged) this.#used = this.staged;
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
		const control = this.#words[(this.#layout.headers + slot * MMSGHDR.octets + MMSGHDR.controlLength) >>> 2] ?? 0;
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
			const sent = libc.sendmmsg(descriptor, this.#headersAt[next] ?? 0n, staged - next, MSG.dontWait);
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
	readonly headers: number;
	readonly iovs: number;
	readonly names: number;
	readonly controls: number;
	readonly messages: number;
	readonly octets: number;
}

/** Offsets of the parts; all but the datagrams themselves stand together in front. */
function layOut(size: number): Layout {
	const headers = 0;
	const iovs = headers + size * MMSGHDR.octets;
	const names = iovs + size * IOVEC.octets;
	const controls = names + size * NAME_STRIDE;
	const messages = roundUp(controls + size * CONTROL_STRIDE, 64);
	return { headers, iovs, names, controls, messages, octets: messages + size * MESSAGE_STRIDE };
}

function roundUp(octets: number, unit: number): number {
	return Math.ceil(octets / unit) * unit;
}

/**
 * UDP sockets as descriptors: they belong to no thread, so a queue outlives the worker that reads it.
 */

import { addressFromOctets, addressOctets, parseAddress, printAddress } from '../lib/address.ts';
import { isWildcard, type ListenAddress, printListenAddress } from '../lib/listen-address.ts';
import { type Libc, lastError } from './libc.ts';
import {
	AF,
	IP,
	IPPROTO_IP,
	IPPROTO_IPV6,
	IPV6,
	PMTUDISC_OMIT,
	SO,
	SOCK_CLOEXEC,
	SOCK_DGRAM,
	SOCKADDR,
	SOL_SOCKET,
} from './linux-abi.ts';

export interface UdpSocket {
	readonly descriptor: number;
	/** Where it is bound: port 0 has become one that was free. */
	readonly at: ListenAddress;
	/** What the kernel granted for SO_RCVBUF; it counts its own bookkeeping too. */
	readonly receiveBufferOctets: number;
}

export interface UdpSocketOptions {
	/** Others of this user may bind the address too, and the kernel spreads peers over all of them (SO_REUSEPORT). */
	readonly isShared: boolean;
	/** Asked for; the kernel caps it (net.core.rmem_max) unless the process may exceed that. */
	readonly receiveBufferOctets: number;
	/** How long a receive waits. */
	readonly receiveTimeoutMs: number;
}

/**
 * Open a socket and bind it; on a wildcard it tells, and keeps, the address that was asked.
 * @throws Error with `code`, such as EADDRINUSE
 */
export function openUdpSocket(libc: Libc, at: ListenAddress, options: UdpSocketOptions): UdpSocket {
	const isIpv4 = at.family === 4;
	const descriptor = libc.socket(isIpv4 ? AF.inet : AF.inet6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0) throw lastError(libc, 'socket', printListenAddress(at));
	try {
		const set = (level: number, name: number, ...words: readonly number[]) => {
			if (setOption(libc, descriptor, level, name, words) < 0)
				throw lastError(libc, 'setsockopt', printListenAddress(at));
		};
		if (options.isShared) set(SOL_SOCKET, SO.reusePort, 1);
		// A struct timeval: two words of 64 bits.
		const { receiveTimeoutMs } = options;
		set(SOL_SOCKET, SO.receiveTimeout, Math.floor(receiveTimeoutMs / 1000), 0, (receiveTimeoutMs % 1000) * 1000, 0);
		if (setOption(libc, descriptor, SOL_SOCKET, SO.receiveBufferForce, [options.receiveBufferOctets]) < 0)
			set(SOL_SOCKET, SO.receiveBuffer, options.receiveBufferOctets);
		if (isIpv4) {
			set(IPPROTO_IP, IP.mtuDiscover, PMTUDISC_OMIT);
			if (isWildcard(at)) set(IPPROTO_IP, IP.packetInfo, 1);
		} else {
			set(IPPROTO_IPV6, IPV6.v6Only, 1);
			set(IPPROTO_IPV6, IPV6.mtuDiscover, PMTUDISC_OMIT);
			if (isWildcard(at)) set(IPPROTO_IPV6, IPV6.receivePacketInfo, 1);
		}
		const name = socketAddress(at);
		if (libc.bind(descriptor, name, name.length) < 0) throw lastError(libc, 'bind', printListenAddress(at));
		return { descriptor, at: boundAddress(libc, descriptor, at), receiveBufferOctets: grantedBuffer(libc, descriptor) };
	} catch (error) {
		libc.close(descriptor);
		throw error;
	}
}

/** Whoever calls sees to it that no thread uses it any more: the number may be another file's a moment later. */
export function closeUdpSocket(libc: Libc, { descriptor }: UdpSocket): void {
	libc.close(descriptor);
}

/**
 * Settle whom a socket sends to and hears.
 * @throws Error with `code`
 */
export function connectUdpSocket(libc: Libc, { descriptor }: UdpSocket, to: ListenAddress): void {
	const name = socketAddress(to);
	if (libc.connect(descriptor, name, name.length) < 0) throw lastError(libc, 'connect', printListenAddress(to));
}

/**
 * Let nothing new into the queue of a socket, which can still be read and sent on: one that is connected hears its peer
 * alone, here itself, and the kernel gives what comes for others to those that share the address.
 * @throws Error with `code`
 */
export function seclude(libc: Libc, socket: UdpSocket): void {
	const { at } = socket;
	connectUdpSocket(libc, socket, isWildcard(at) ? { ...at, address: at.family === 4 ? '127.0.0.1' : '::1' } : at);
}

/** A sockaddr_in or sockaddr_in6. */
function socketAddress({ address, family, port }: ListenAddress): Uint8Array {
	const parsed = parseAddress(address);
	if (parsed === undefined) throw new Error(`Cannot bind "${address}": expected an address`);
	const octets = new Uint8Array(family === 4 ? SOCKADDR.octets4 : SOCKADDR.octets6);
	const view = new DataView(octets.buffer);
	view.setUint16(SOCKADDR.family, family === 4 ? AF.inet : AF.inet6, true);
	view.setUint16(SOCKADDR.port, port);
	octets.set(addressOctets(parsed), family === 4 ? SOCKADDR.address4 : SOCKADDR.address6);
	return octets;
}

function boundAddress(libc: Libc, descriptor: number, { family }: ListenAddress): ListenAddress {
	const octets = new Uint8Array(SOCKADDR.octets6);
	if (libc.getsockname(descriptor, octets, Int32Array.of(octets.length)) < 0)
		throw lastError(libc, 'getsockname', `of a UDP socket`);
	const offset = family === 4 ? SOCKADDR.address4 : SOCKADDR.address6;
	const port = new DataView(octets.buffer).getUint16(SOCKADDR.port);
	return { address: printAddress(addressFromOctets(octets, offset, family)), family, port };
}

function grantedBuffer(libc: Libc, descriptor: number): number {
	const value = new Int32Array(1);
	const octets = new Uint8Array(value.buffer);
	if (libc.getsockopt(descriptor, SOL_SOCKET, SO.receiveBuffer, octets, Int32Array.of(octets.length)) < 0) return 0;
	return value[0] ?? 0;
}

function setOption(libc: Libc, descriptor: number, level: number, name: number, words: readonly number[]): number {
	const value = new Uint8Array(Int32Array.from(words).buffer);
	return libc.setsockopt(descriptor, level, name, value, value.length);
}

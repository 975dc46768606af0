/**
 * ICMP sockets as Linux gives them to processes without privileges: echo requests go out, and only the replies to
 * them come in; the kernel sets the identifier and checks it (net.ipv4.ping_group_range says who may have one).
 *
 * Node's event loop cannot wait for a descriptor that is not its own, so while somebody listens the one socket of a
 * family is looked at every other millisecond, and not at all while nobody does.
 */

import { addressOctets, type Family, parseAddress } from '../lib/address.ts';
import { type Libc, lastError } from './libc.ts';
import { AF, ERRNO, MSG, SOCK_CLOEXEC, SOCK_DGRAM, SOCKADDR } from './linux-abi.ts';

/** One who asks: several share a socket. */
interface Listener {
	send(message: Uint8Array, address: string): void;
	close(): void;
}

const PROTOCOL = { 4: 1, 6: 58 } as const;
const LOOK_MS = 2;
/** Room for any message that Ethernet carries; a longer one is cut, and is no reply to a request of ours. */
const MESSAGE_OCTETS = 2048;
/** Messages taken at one look; what is left waits for the next. */
const MESSAGES_MAX = 512;

export class EchoSockets {
	readonly #libc: Libc;
	readonly #shared = new Map<Family, SharedSocket>();

	constructor(libc: Libc) {
		this.#libc = libc;
	}

	/**
	 * @param onMessage  called with each ICMP message that arrives, header first
	 * @returns a socket, or why there can be none on this machine
	 */
	open(family: Family, onMessage: (message: Uint8Array) => void): Listener | { readonly cannot: string } {
		let shared = this.#shared.get(family);
		if (shared === undefined) {
			const descriptor = this.#libc.socket(
				family === 4 ? AF.inet : AF.inet6,
				SOCK_DGRAM | SOCK_CLOEXEC,
				PROTOCOL[family],
			);
			if (descriptor < 0) return { cannot: this.#whyNot(family) };
			shared = new SharedSocket(this.#libc, family, descriptor, () => this.#shared.delete(family));
			this.#shared.set(family, shared);
		}
		return shared.listen(onMessage);
	}

	#whyNot(family: Family): string {
		const { code } = lastError(this.#libc, 'socket', '') as NodeJS.ErrnoException;
		if (code === 'EACCES' || code === 'EPERM')
			return 'this process may have no ICMP socket: net.ipv4.ping_group_range does not hold its group';
		return `this machine has no ICMP socket of IPv${family} (${code})`;
	}
}

class SharedSocket {
	readonly #libc: Libc;
	readonly #family: Family;
	readonly #descriptor: number;
	readonly #onIdle: () => void;
	readonly #listeners = new Set<(message: Uint8Array) => void>();
	readonly #message = new Uint8Array(MESSAGE_OCTETS);
	readonly #timer: NodeJS.Timeout;

	constructor(libc: Libc, family: Family, descriptor: number, onIdle: () => void) {
		this.#libc = libc;
		this.#family = family;
		this.#descriptor = descriptor;
		this.#onIdle = onIdle;
		this.#timer = setInterval(() => this.#look(), LOOK_MS);
	}

	listen(onMessage: (message: Uint8Array) => void): Listener {
		this.#listeners.add(onMessage);
		let isOpen = true;
		return {
			send: (message, address) => this.#send(message, address),
			close: () => {
				if (!isOpen) return;
				isOpen = false;
				this.#listeners.delete(onMessage);
				if (this.#listeners.size === 0) this.#close();
			},
		};
	}

	#send(message: Uint8Array, address: string): void {
		const to = socketAddress(address, this.#family);
		if (this.#libc.sendto(this.#descriptor, message, message.length, MSG.dontWait, to, to.length) < 0)
			throw lastError(this.#libc, 'sendto', address);
	}

	#look(): void {
		const message = this.#message;
		for (let i = 0; i < MESSAGES_MAX && this.#listeners.size > 0; i++) {
			const octets = this.#libc.recv(this.#descriptor, message, message.length, MSG.dontWait);
			if (octets >= 0) {
				const copy = message.slice(0, octets);
				for (const onMessage of [...this.#listeners]) onMessage(copy);
			} else if (this.#libc.errno() === ERRNO.eagain) {
				return;
			}
			// Another failure is of one message, such as an unreachable host: the next one may be ours.
		}
	}

	#close(): void {
		clearInterval(this.#timer);
		this.#libc.close(this.#descriptor);
		this.#onIdle();
	}
}

/** A sockaddr_in or sockaddr_in6 without a port. */
function socketAddress(text: string, family: Family): Uint8Array {
	const address = parseAddress(text);
	if (address?.family !== family) throw new Error(`Cannot send to "${text}": expected an IPv${family} address`);
	const octets = new Uint8Array(family === 4 ? SOCKADDR.octets4 : SOCKADDR.octets6);
	new DataView(octets.buffer).setUint16(SOCKADDR.family, family === 4 ? AF.inet : AF.inet6, true);
	octets.set(addressOctets(address), family === 4 ? SOCKADDR.address4 : SOCKADDR.address6);
	return octets;
}

/**
 * Whether an address is free to listen on, and who has it when it is not.
 *
 * With SO_REUSEPORT a second instance would bind without a word and take half the queries, so the address is
 * first bound without it, which fails while anybody else has it.
 */

import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { endianness } from 'node:os';
import { parseAddress } from '../lib/address.ts';
import { type ListenAddress, printListenAddress } from '../lib/listen-address.ts';

/** Tries to find one port that is free for both protocols, when any will do. */
const PORT_TRIES = 20;
export const ADDRESS_MISSING = 'this machine does not have the address';

/**
 * Bind UDP and TCP for a moment.
 * @returns the address, its port 0 replaced by a free one
 * @throws Error that names the address and, where it can be seen, the process that has it
 */
export async function reservePort(at: ListenAddress): Promise<ListenAddress> {
	for (let tries = 1; ; tries++) {
		let port = at.port;
		try {
			port = await bindUdp(at);
			await bindTcp({ ...at, port });
			return { ...at, port };
		} catch (cause) {
			if (at.port === 0 && tries < PORT_TRIES) continue;
			const where = { ...at, port };
			throw new Error(`Cannot listen on ${printListenAddress(where)}: ${whyNotBound(cause, where)}`, { cause });
		}
	}
}

/** What is in the way of an address, in words. */
export function whyNotBound(error: unknown, { address, port }: ListenAddress): string {
	const { code, message } = error as NodeJS.ErrnoException;
	switch (code) {
		case 'EADDRINUSE':
			return `it is in use${holderOf(address, port)}`;
		case 'EADDRNOTAVAIL':
			return ADDRESS_MISSING;
		case 'EACCES':
			return 'a port this low is for root, and for who has CAP_NET_BIND_SERVICE (deploy/meridian.service gives it)';
		default:
			return message;
	}
}

function bindUdp(at: ListenAddress): Promise<number> {
	return new Promise((resolve, reject) => {
		const socket = createSocket({ type: at.family === 4 ? 'udp4' : 'udp6', ipv6Only: at.family === 6 });
		socket.once('error', (error) => {
			socket.close();
			reject(error);
		});
		socket.bind({ port: at.port, address: at.address, exclusive: true }, () => {
			const { port } = socket.address();
			socket.close(() => resolve(port));
		});
	});
}

function bindTcp(at: ListenAddress): Promise<void> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen({ port: at.port, host: at.address, ipv6Only: at.family === 6, exclusive: true }, () => {
			server.close(() => resolve());
		});
	});
}

/** ` by process 123 (node src/main.ts start)`, or nothing where /proc does not tell. */
export function holderOf(address: string, port: number): string {
	try {
		const isThere = kernelPlaces(address, port);
		const inodes = new Set(['udp', 'udp6', 'tcp', 'tcp6'].flatMap((table) => socketInodes(table, isThere)));
		const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && holdsSocket(entry, inodes));
		if (pid === undefined) return '';
		const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
		return ` by process ${pid} (${command.slice(0, 120)})`;
	} catch {
		return '';
	}
}

/**
 * Whether a place is in the way, as the kernel's tables print it: words in the machine's byte order, in hex. In the way
 * of an address are itself and the wildcards; in the way of a wildcard is everybody on its port.
 */
function kernelPlaces(address: string, port: number): (place: string) => boolean {
	const { family, words } = parseAddress(address) ?? { family: 4, words: [0] };
	const end = `:${hex(port, 4)}`;
	if (words.every((word) => word === 0)) return (place) => place.endsWith(end);
	const isSwapped = endianness() === 'LE';
	const own = [...words.slice(0, family === 4 ? 1 : 4)].map((word) => hex(isSwapped ? swapped(word) : word, 8));
	const places = new Set([own.join(''), hex(0, 8), hex(0, 32)].map((place) => `${place}${end}`));
	return (place) => places.has(place);
}

function swapped(word: number): number {
	return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

function hex(value: number, digits: number): string {
	return value.toString(16).toUpperCase().padStart(digits, '0');
}

/** Inodes of the sockets at local places, from the kernel's table; a listening TCP socket has state 0A. */
function socketInodes(table: string, isThere: (place: string) => boolean): string[] {
	return readTable(table)
		.split('\n')
		.slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter((columns) => isThere(columns[1] ?? '') && (table.startsWith('udp') || columns[3] === '0A'))
		.map((columns) => columns[9] ?? '');
}

/** A machine without IPv6 lacks its tables. */
function readTable(table: string): string {
	try {
		return readFileSync(`/proc/net/${table}`, 'utf8');
	} catch {
		return '';
	}
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
	try {
		return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
			const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
			return inode !== undefined && inodes.has(inode);
		});
	} catch {
		// Processes of others do not show their descriptors.
		return false;
	}
}

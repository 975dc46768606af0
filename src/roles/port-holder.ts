/**
 * Whether an address is free to listen on, and who has it when it is not.
 *
 * With SO_REUSEPORT a second instance would bind without a word and take half the queries, so the address is
 * first bound without it, which fails while anybody else has it.
 */

import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { type ListenAddress, printListenAddress } from '../serve/listen.ts';

/** Tries to find one port that is free for both protocols, when any will do. */
const PORT_TRIES = 20;

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
			const { code, message } = cause as NodeJS.ErrnoException;
			const where = printListenAddress({ ...at, port });
			const why = code === 'EADDRINUSE' ? `it is in use${holderText(port)}` : message;
			throw new Error(`Cannot listen on ${where}: ${why}`, { cause });
		}
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
function holderText(port: number): string {
	try {
		const inodes = new Set(['udp', 'udp6', 'tcp', 'tcp6'].flatMap((table) => socketInodes(table, port)));
		const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && holdsSocket(entry, inodes));
		if (pid === undefined) return '';
		const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
		return ` by process ${pid} (${command.slice(0, 120)})`;
	} catch {
		return '';
	}
}

/** Inodes of the sockets on a local port, from the kernel's table; a listening TCP socket has state 0A. */
function socketInodes(table: string, port: number): string[] {
	const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
	return readFileSync(`/proc/net/${table}`, 'utf8')
		.split('\n')
		.slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter((columns) => columns[1]?.endsWith(`:${hexPort}`) && (table.startsWith('udp') || columns[3] === '0A'))
		.map((columns) => columns[9] ?? '');
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

/**
 * Datagrams that the kernel threw away because the receive queue of a socket of ours was full: it counts them for each
 * socket, and tells them in /proc alone.
 */

import { readFileSync } from 'node:fs';
import { addressOctets, parseAddress } from '../lib/address.ts';
import type { ListenAddress } from '../lib/listen-address.ts';

const FILES = { 4: '/proc/net/udp', 6: '/proc/net/udp6' } as const;
/** Columns of a line; the last one is the number of drops. */
const COLUMN = { local: 1, inode: 9 } as const;

export class ReceiveDrops {
	readonly #locals: Readonly<Record<4 | 6, ReadonlySet<string>>>;
	/** By inode: a socket that was closed keeps its count. */
	readonly #bySocket = new Map<string, number>();

	/** @param listen  addresses that no other process listens on */
	constructor(listen: readonly ListenAddress[]) {
		const localsOf = (family: 4 | 6) => new Set(listen.filter((at) => at.family === family).map(printLocal));
		this.#locals = { 4: localsOf(4), 6: localsOf(6) };
	}

	/** undefined where the kernel does not tell. */
	total(): number | undefined {
		let isTold = false;
		for (const family of [4, 6] as const) {
			if (this.#locals[family].size === 0) continue;
			const text = readText(FILES[family]);
			if (text === undefined) continue;
			isTold = true;
			this.#take(text, this.#locals[family]);
		}
		return isTold ? [...this.#bySocket.values()].reduce((sum, drops) => sum + drops, 0) : undefined;
	}

	#take(text: string, locals: ReadonlySet<string>): void {
		for (const line of text.split('\n')) {
			const columns = line.trim().split(/\s+/);
			const inode = columns[COLUMN.inode];
			if (inode === undefined || !locals.has(columns[COLUMN.local] ?? '')) continue;
			this.#bySocket.set(inode, Number(columns.at(-1)));
		}
	}
}

/** As it stands in /proc: words of the address in the order of the machine, which is little-endian, then the port. */
function printLocal({ address, port }: ListenAddress): string {
	const parsed = parseAddress(address);
	const octets = parsed === undefined ? new Uint8Array(0) : addressOctets(parsed);
	const ordered = Array.from(octets, (_, i) => octets[(i & ~3) + 3 - (i & 3)] ?? 0);
	return `${Buffer.from(ordered).toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return undefined;
	}
}

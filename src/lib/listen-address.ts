/**
 * Where to listen: one address and port, as text and as a socket wants it.
 */

import { type Address, parseAddress, printAddress } from './address.ts';

export interface ListenAddress {
	readonly address: string;
	readonly family: 4 | 6;
	readonly port: number;
}

/** Read `127.0.0.1:5300` or `[::1]:5300`; undefined when it is neither. */
export function parseListenAddress(text: string): ListenAddress | undefined {
	const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
	const address = parseAddress(match?.[1] ?? match?.[2] ?? '');
	const port = Number(match?.[3]);
	if (match === null || address === undefined || port > 65535) return undefined;
	// Brackets belong to IPv6 and to nothing else.
	if ((address.family === 6) !== (match[1] !== undefined)) return undefined;
	return { address: printAddress(address), family: address.family, port };
}

export function printListenAddress({ address, family, port }: ListenAddress): string {
	return family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** Whether an address stands for all of its family. */
export function isWildcard({ address }: ListenAddress): boolean {
	return parseAddress(address)?.words.every((word) => word === 0) === true;
}

/** A peer's address as the runtime gives it, which may carry a zone (`fe80::1%eth0`). */
export function peerAddress(text: string | undefined): Address | undefined {
	if (text === undefined) return undefined;
	const zone = text.indexOf('%');
	return parseAddress(zone < 0 ? text : text.slice(0, zone));
}

/**
 * From `dns.listen` to addresses that are free to listen on.
 */

import { networkInterfaces } from 'node:os';
import { isWildcard, type ListenAddress, parseListenAddress, printListenAddress } from '../lib/listen-address.ts';
import type { Log } from '../lib/ports.ts';
import { reservePort } from './port-holder.ts';

/**
 * Reserve every address.
 *
 * @param canWildcard  sockets on a wildcard answer from the address that was asked; where they cannot, a wildcard
 *                     stands for each address that the machine has now
 * @throws Error that names the address
 */
export async function reserveListen(
	texts: readonly string[],
	canWildcard: boolean,
	log: Log,
): Promise<readonly ListenAddress[]> {
	const named = texts.map((text) => {
		const at = parseListenAddress(text);
		if (at === undefined) throw new Error(`Cannot listen on "${text}": expected address:port or [address]:port`);
		return at;
	});
	const wanted = distinct(canWildcard ? withoutCovered(named) : named.flatMap(expandWildcard));
	const reserved: ListenAddress[] = [];
	for (const at of wanted) {
		try {
			reserved.push(await reservePort(at));
		} catch (error) {
			const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
			const isMissing = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
			if (!isMissing || wanted.length === 1) throw error;
			// One family or address may be missing on a machine that has the others.
			log.warn({ address: printListenAddress(at) }, 'this machine does not have the address; the others are served');
		}
	}
	if (reserved.length === 0) throw new Error('Cannot listen: this machine has none of the addresses');
	return reserved;
}

/** An address may be named twice, or stand behind a wildcard too. */
function distinct(addresses: readonly ListenAddress[]): readonly ListenAddress[] {
	return [...new Map(addresses.map((at, i) => [at.port === 0 ? i : printListenAddress(at), at])).values()];
}

/** The addresses of a family that a wildcard on the same port does not answer for already. */
function withoutCovered(addresses: readonly ListenAddress[]): readonly ListenAddress[] {
	const wildcards = addresses.filter(isWildcard);
	return addresses.filter(
		(at) =>
			isWildcard(at) ||
			at.port === 0 ||
			!wildcards.some(({ family, port }) => family === at.family && port === at.port),
	);
}

function expandWildcard(at: ListenAddress): readonly ListenAddress[] {
	if (!isWildcard(at)) return [at];
	return Object.values(networkInterfaces())
		.flatMap((addresses) => addresses ?? [])
		.filter(({ family, scopeid }) => (family === 'IPv4' ? 4 : 6) === at.family && (scopeid ?? 0) === 0)
		.map(({ address: own }) => ({ ...at, address: own }));
}

/**
 * From `dns.listen` to addresses that are free to listen on.
 */

import { networkInterfaces } from 'node:os';
import { isWildcard, type ListenAddress, parseListenAddress, printListenAddress } from '../lib/listen-address.ts';
import type { Log } from '../lib/ports.ts';
import { ADDRESS_MISSING, reservePort } from './port-holder.ts';

export interface ReservedListen {
	readonly reserved: readonly ListenAddress[];
	/** Those that this machine does not have now, each with a sentence that says so. */
	readonly missing: ReadonlyMap<ListenAddress, string>;
}

/**
 * Reserve every address that is there.
 *
 * @param canWildcard  sockets on a wildcard answer from the address that was asked; where they cannot, a wildcard
 *                     stands for each address that the machine has now
 * @throws Error that names the address; when none is there, too
 */
export async function reserveListen(texts: readonly string[], canWildcard: boolean, log: Log): Promise<ReservedListen> {
	const named = texts.map((text) => {
		const at = parseListenAddress(text);
		if (at === undefined) throw new Error(`Cannot listen on "${text}": expected address:port or [address]:port`);
		return at;
	});
	const wanted = distinct(canWildcard ? withoutCovered(named) : named.flatMap(expandWildcard));
	const reserved: ListenAddress[] = [];
	const missing = new Map<ListenAddress, string>();
	for (const at of wanted) {
		try {
			reserved.push(...(await reserve(at, canWildcard, log)));
		} catch (error) {
			const isMissing = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error));
			if (!isMissing || wanted.length === 1) throw error;
			// One family or address may be missing on a machine that has the others.
			const address = printListenAddress(at);
			// Whole, as it is searched for.
			log.warn({ address }, 'this machine does not have the address; the others are served');
			// Not in the words of the error: of a missing family those are the runtime's.
			missing.set(at, `Cannot listen on ${address}: ${ADDRESS_MISSING}`);
		}
	}
	if (reserved.length === 0) throw new Error('Cannot listen: this machine has none of the addresses');
	return { reserved, missing };
}

/** A resolver of the machine itself, say on 127.0.0.53, is in the way of a wildcard, but of no other address. */
async function reserve(at: ListenAddress, canWildcard: boolean, log: Log): Promise<readonly ListenAddress[]> {
	try {
		return [await reservePort(at)];
	} catch (error) {
		if (!canWildcard || !isWildcard(at) || codeOf(error) !== 'EADDRINUSE') throw error;
		const each: ListenAddress[] = [];
		for (const own of expandWildcard(at)) each.push(await reservePort(own));
		const fields = { address: printListenAddress(at), reason: (error as Error).message };
		log.warn(fields, 'the wildcard is in use in part; each address that the machine has now is served by itself');
		return each;
	}
}

/** Of a failed reservation. */
function codeOf(error: unknown): string {
	return (((error as Error).cause ?? {}) as NodeJS.ErrnoException).code ?? '';
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

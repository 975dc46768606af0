/**
 * From the host of a target to the one address that a check connects to. A host name is resolved anew for each check
 * and no part of a check resolves it again, so that what was vetted is what is connected to, whatever the name says
 * a moment later.
 */

import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { CannotRun, CheckFailure, errorCode } from './check-result.ts';
import type { Guard } from './guard.ts';

/** All addresses of a host name, IPv4 first. @throws CheckFailure, CannotRun */
export type Lookup = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

interface PinParts {
	readonly guard: Guard;
	readonly lookup: Lookup;
	readonly signal: AbortSignal;
}

/**
 * @param host  an address or a host name
 * @throws CheckFailure when the name has no address, or any that must not be probed
 */
export async function pinHost(host: string, { guard, lookup, signal }: PinParts): Promise<string> {
	const isName = isIP(host) === 0;
	const addresses = isName ? await lookup(host, signal) : [host];
	for (const address of addresses) {
		const denial = guard(address);
		if (denial !== undefined) throw new CheckFailure(`denied: ${denial}${isName ? `, an address of ${host}` : ''}`);
	}
	const [first] = addresses;
	if (first === undefined) throw new CheckFailure(`${host} has no address`);
	return first;
}

/** @param servers  address:port of each name server to ask; undefined for those of this machine */
export function createLookup(servers: readonly string[] | undefined): Lookup {
	return async (name, signal) => {
		const resolver = new Resolver();
		if (servers !== undefined) resolver.setServers(servers);
		const cancel = () => resolver.cancel();
		signal.addEventListener('abort', cancel);
		try {
			const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
			const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
			if (addresses.length > 0) return addresses;
			throw lookupFailure(
				name,
				answers.map((answer) => (answer.status === 'rejected' ? errorCode(answer.reason) : '')),
			);
		} finally {
			signal.removeEventListener('abort', cancel);
		}
	};
}

function lookupFailure(name: string, codes: readonly string[]): Error {
	if (codes.includes('ECONNREFUSED')) return new CannotRun('the name server of this machine refuses connections');
	if (codes.includes('ENOTFOUND')) return new CheckFailure(`${name} does not exist`);
	const code = codes.find((one) => one !== 'ENODATA' && one !== '');
	return new CheckFailure(code === undefined ? `${name} has no address` : `${name} cannot be resolved (${code})`);
}

/**
 * Whether this machine can speak an address family at all. A machine without IPv6 finds every IPv6 target unreachable,
 * which says nothing about the targets. (A router on the way may say the same of a network that is down; then this
 * machine has an address of the family.)
 */

import { isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** @returns a sentence when no interface has an address that reaches beyond its link */
export function missingFamily(target: string, interfaces: Interfaces): string | undefined {
	const family = isIPv6(target) ? 'IPv6' : 'IPv4';
	const isThere = Object.values(interfaces).some((addresses = []) =>
		addresses.some((one) => one.family === family && !one.internal && !/^(?:fe80:|169\.254\.)/.test(one.address)),
	);
	return isThere ? undefined : `this machine has no ${family} address`;
}

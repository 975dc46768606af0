import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingFamily } from '../../src/probe/missing-family.ts';

const at = (family: 'IPv4' | 'IPv6', address: string, internal = false) =>
	({
		address,
		family,
		internal,
		netmask: '',
		mac: '',
		cidr: null,
		...(family === 'IPv6' ? { scopeid: 0 } : {}),
	}) as never;

describe('missingFamily()', () => {
	const lo = [at('IPv4', '127.0.0.1', true), at('IPv6', '::1', true)];
	for (const { name, target, eth0, says } of [
		{
			name: 'is silent on a family that is there',
			target: '2001:db8::1',
			eth0: [at('IPv6', '2001:db8::2')],
			says: undefined,
		},
		{ name: 'is silent on IPv4 that is there', target: '192.0.2.1', eth0: [at('IPv4', '10.0.0.1')], says: undefined },
		{
			name: 'tells of IPv6 on loopback and link alone',
			target: '2001:db8::1',
			eth0: [at('IPv4', '10.0.0.1'), at('IPv6', 'fe80::1')],
			says: 'this machine has no IPv6 address',
		},
		{
			name: 'tells of IPv4 on the link alone',
			target: '192.0.2.1',
			eth0: [at('IPv4', '169.254.7.7'), at('IPv6', '2001:db8::2')],
			says: 'this machine has no IPv4 address',
		},
	]) {
		it(name, () => assert.equal(missingFamily(target, { lo, eth0 }), says));
	}
});

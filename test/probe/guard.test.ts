import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Prefix, parsePrefix } from '../../src/lib/prefix.ts';
import { createGuard } from '../../src/probe/guard.ts';

function prefix(text: string): Prefix {
	const parsed = parsePrefix(text);
	assert(typeof parsed !== 'string');
	return parsed;
}

describe('createGuard()', () => {
	const guard = createGuard({ deny: [], allow: [] });
	for (const { address, denies } of [
		{ address: '203.0.113.10', denies: undefined },
		{ address: '10.0.0.11', denies: undefined },
		{ address: '2001:db8:2::10', denies: undefined },
		{ address: 'fd00:ec2::253', denies: undefined },
		{ address: '::ffff:203.0.113.10', denies: undefined },
		{ address: '1.0.0.0', denies: undefined },
		{ address: '128.0.0.0', denies: undefined },
		{ address: '169.253.255.255', denies: undefined },
		{ address: '0.0.0.0', denies: /in 0\.0\.0\.0\/8 \(unspecified\)/ },
		{ address: '0.1.2.3', denies: /unspecified/ },
		{ address: '127.0.0.1', denies: /^127\.0\.0\.1 lies in 127\.0\.0\.0\/8 \(loopback\)$/ },
		{ address: '127.255.255.255', denies: /loopback/ },
		{ address: '169.254.169.254', denies: /link-local/ },
		{ address: '224.0.0.1', denies: /multicast/ },
		{ address: '239.255.255.255', denies: /multicast/ },
		{ address: '255.255.255.255', denies: /broadcast/ },
		{ address: '::', denies: /unspecified/ },
		{ address: '::1', denies: /loopback/ },
		{ address: 'fe80::1', denies: /link-local/ },
		{ address: 'febf::1', denies: /link-local/ },
		{ address: 'ff02::1', denies: /multicast/ },
		{ address: 'fd00:ec2::254', denies: /cloud metadata/ },
		{ address: '::ffff:127.0.0.1', denies: /stands for 127\.0\.0\.1, which lies in 127\.0\.0\.0\/8/ },
		{ address: '::ffff:a9fe:a9fe', denies: /stands for 169\.254\.169\.254/ },
		{ address: '64:ff9b::169.254.169.254', denies: /stands for 169\.254\.169\.254/ },
		{ address: '64:ff9b::8.8.8.8', denies: undefined },
		{ address: '64:ff9b:1::203.0.113.1', denies: undefined },
		{ address: '64:ff9b:1::127.0.0.1', denies: /stands for 127\.0\.0\.1/ },
		{ address: '64:ff9b:1:7f00:0:100::', denies: /stands for 127\.0\.0\.1/ },
		{ address: '64:ff9b:1:7f:0:1::', denies: /stands for 127\.0\.0\.1/ },
		{ address: '64:ff9b:1:0:7f:0:100:0', denies: /stands for 127\.0\.0\.1/ },
		{ address: '2002:cb00:7101::1', denies: undefined },
		{ address: '2002:7f00:1::1', denies: /^2002:7f00:1::1 stands for 127\.0\.0\.1, which lies in 127\.0\.0\.0\/8/ },
		{ address: '2002:a9fe:a9fe::', denies: /stands for 169\.254\.169\.254/ },
		{ address: '2001:0:cb00:7101::3fff:fdd2', denies: undefined },
		{ address: '2001:0:cb00:7101::80ff:fffe', denies: /stands for 127\.0\.0\.1/ },
		{ address: '2001:0:7f00:1::3fff:fdd2', denies: /stands for 127\.0\.0\.1/ },
		{ address: '::127.0.0.1', denies: /stands for 127\.0\.0\.1/ },
		{ address: '::ffff:0:127.0.0.1', denies: /stands for 127\.0\.0\.1/ },
		{ address: '100.100.100.200', denies: /cloud metadata/ },
		{ address: '168.63.129.16', denies: /cloud metadata/ },
		{ address: '192.0.0.192', denies: /cloud metadata/ },
		{ address: 'fd20:ce::254', denies: /cloud metadata/ },
		{ address: '0x7f.1', denies: /expected an IPv4 or IPv6 address/ },
		{ address: 'localhost', denies: /expected an IPv4 or IPv6 address/ },
	]) {
		it(`${denies === undefined ? 'lets through' : 'denies'} ${address}`, () => {
			const reason = guard(address);
			if (denies === undefined) assert.equal(reason, undefined);
			else assert.match(reason ?? '', denies);
		});
	}

	for (const { name, deny, allow, address, denies } of [
		{ name: 'denies what the user denies', deny: '10.0.0.0/8', allow: [], address: '10.1.2.3', denies: true },
		{ name: 'denies it in mapped form', deny: '10.0.0.0/8', allow: [], address: '::ffff:10.1.2.3', denies: true },
		{ name: 'leaves the rest alone', deny: '10.0.0.0/8', allow: [], address: '11.1.2.3', denies: false },
		{ name: 'lets allow beat deny', deny: '10.0.0.0/8', allow: ['10.1.0.0/16'], address: '10.1.2.3', denies: false },
		{ name: 'keeps deny beside allow', deny: '10.0.0.0/8', allow: ['10.1.0.0/16'], address: '10.2.2.3', denies: true },
		{
			name: 'lets allow beat the defaults',
			deny: '10.0.0.0/8',
			allow: ['127.0.0.1/32'],
			address: '127.0.0.1',
			denies: false,
		},
		{
			name: 'lets allow beat the defaults in each form',
			deny: '10.0.0.0/8',
			allow: ['127.0.0.1/32'],
			address: '2002:7f00:1::',
			denies: false,
		},
		{
			name: 'lets allow speak for an address as it is written',
			deny: '10.0.0.0/8',
			allow: ['2002::/16'],
			address: '2002:7f00:1::',
			denies: false,
		},
		{
			name: 'denies an address that may be read as one that is not allowed',
			deny: '10.0.0.0/8',
			allow: ['127.0.0.1/32'],
			address: '2001:0:7f00:1::5601:5601',
			denies: true,
		},
		{
			name: 'allows no more than is allowed',
			deny: '10.0.0.0/8',
			allow: ['127.0.0.1/32'],
			address: '127.0.0.2',
			denies: true,
		},
	]) {
		it(name, () => {
			const judged = createGuard({ deny: [prefix(deny)], allow: allow.map(prefix) })(address);
			assert.equal(judged !== undefined, denies);
		});
	}
});

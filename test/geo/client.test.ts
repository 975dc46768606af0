import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client, setClient } from '../../src/geo/client.ts';
import { printAddress } from '../../src/lib/address.ts';
import { addressOf } from '../mmdb-writer.ts';

describe('setClient()', () => {
	for (const { name, address, places, offset } of [
		{ name: 'takes IPv4 as it is', address: '192.0.2.1', places: '192.0.2.1', offset: 0 },
		{ name: 'takes IPv6 as it is', address: '2001:db8:1:2:3:4:5:6', places: '2001:db8:1:2:3:4:5:6', offset: 0 },
		{ name: 'takes a mapped address as IPv4', address: '::ffff:203.0.113.9', places: '203.0.113.9', offset: 96 },
		{ name: 'takes one of NAT64 as IPv4', address: '64:ff9b::203.0.113.9', places: '203.0.113.9', offset: 96 },
		{ name: 'takes 6to4 as IPv4', address: '2002:cb00:7109:1::1', places: '203.0.113.9', offset: 16 },
		// RFC 4380 §4: the client's address is obfuscated by inverting each bit.
		{
			name: 'takes Teredo as the inverted IPv4',
			address: '2001:0:4136:e378:8000:63bf:3fff:fdd2',
			places: '192.0.2.45',
			offset: 96,
		},
		{
			name: 'takes the last address of 6to4',
			address: '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
			places: '255.255.255.255',
			offset: 16,
		},
		{ name: 'takes what lies behind 6to4 as IPv6', address: '2003::', places: '2003::', offset: 0 },
		{ name: 'takes what lies before 6to4 as IPv6', address: '2001:ffff::', places: '2001:ffff::', offset: 0 },
		{ name: 'takes what lies behind Teredo as IPv6', address: '2001:1::', places: '2001:1::', offset: 0 },
		{ name: 'takes local translation prefixes as IPv6', address: '64:ff9b:1::1', places: '64:ff9b:1::1', offset: 0 },
		{ name: 'takes what lies behind mapped addresses as IPv6', address: '::1:0:0:1', places: '::1:0:0:1', offset: 0 },
		{
			name: 'takes addresses that were once compatible as IPv6',
			address: '::192.0.2.1',
			places: '::c000:201',
			offset: 0,
		},
	]) {
		it(name, () => {
			const client = new Client();
			// What was there before must not shine through.
			client.words.fill(0xffffffff);
			client.scopeOffset = 7;
			const { family, words } = addressOf(address);
			setClient(client, family, words);
			assert.equal(printAddress(client), places);
			assert.equal(client.scopeOffset, offset);
			if (client.family === 4) assert.deepEqual([...client.words.subarray(1)], [0, 0, 0]);
		});
	}
});

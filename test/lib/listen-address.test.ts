import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printAddress } from '../../src/lib/address.ts';
import { parseListenAddress, peerAddress, printListenAddress } from '../../src/lib/listen-address.ts';

describe('parseListenAddress()', () => {
	for (const [text, printed] of [
		['127.0.0.1:5300', '127.0.0.1:5300'],
		['0.0.0.0:0', '0.0.0.0:0'],
		['[::1]:53', '[::1]:53'],
		['[2001:DB8:0:0::1]:65535', '[2001:db8::1]:65535'],
	] as const) {
		it(`reads ${text}`, () => {
			const at = parseListenAddress(text);
			assert.equal(at && printListenAddress(at), printed);
		});
	}
	for (const text of [
		'',
		'127.0.0.1',
		'::1:53',
		'[127.0.0.1]:53',
		'127.0.0.1:65536',
		'127.0.0.1:-1',
		'localhost:53',
		'[::1]',
		'[::1]:x',
		'127.0.0.1:53 ',
		'[fe80::1%lo]:53',
	]) {
		it(`refuses "${text}"`, () => assert.equal(parseListenAddress(text), undefined));
	}
});

describe('peerAddress()', () => {
	for (const [text, printed] of [
		['192.0.2.1', '192.0.2.1'],
		['fe80::1%eth0', 'fe80::1'],
		['::ffff:192.0.2.1', '::ffff:c000:201'],
		['nonsense', undefined],
		[undefined, undefined],
	] as const) {
		it(`reads ${text}`, () => {
			const address = peerAddress(text);
			assert.equal(address && printAddress(address), printed);
		});
	}
});

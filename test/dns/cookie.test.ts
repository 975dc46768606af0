import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COOKIE, CookieJar, SipHash } from '../../src/dns/cookie.ts';
import { parseAddress } from '../../src/lib/address.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const address = (text: string) => {
	const parsed = parseAddress(text);
	assert(parsed !== undefined);
	return parsed;
};

describe('SipHash', () => {
	// The vectors of the reference implementation: key 00..0f, input 00, 01, ... of each length.
	for (const { length, hash } of [
		{ length: 0, hash: '310e0edd47db6f72' },
		{ length: 1, hash: 'fd67dc93c539f874' },
		{ length: 8, hash: '6224939a79f5f593' },
		{ length: 15, hash: 'e545be4961ca29a1' },
	]) {
		it(`hashes ${length} octets`, () => {
			const sipHash = new SipHash();
			const count = (n: number) => Uint8Array.from({ length: n }, (_, i) => i);
			sipHash.run(count(length), length, count(16));
			const out = new Uint8Array(8);
			sipHash.write(out, 0);
			assert.equal(Buffer.from(out).toString('hex'), hash);
			assert(sipHash.equals(out, 0));
			out[7] = (out[7] ?? 0) ^ 1;
			assert(!sipHash.equals(out, 0));
		});
	}
});

describe('CookieJar', () => {
	const secret = hex('e5e973e5a6b2a43f48e7dc849e37bfcf');
	const older = hex('445536bcd2513298075a5d379663c962');

	it('makes the cookie of RFC 9018 appendix A.1', () => {
		const cookie = new Uint8Array(24);
		cookie.set(hex('2464c4abcf10c957'));
		new CookieJar([secret]).write(cookie, 0, address('198.51.100.100'), 1559731985, cookie, 8);
		assert.equal(Buffer.from(cookie).toString('hex'), '2464c4abcf10c957010000005cf79f111f8130c3eee29480');
	});

	for (const { name, cookie, client, secrets = [secret], nowSec, state } of [
		{
			name: 'takes the cookie of appendix A.1 when it is fresh',
			cookie: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
			client: '198.51.100.100',
			nowSec: 1559731985,
			state: COOKIE.good,
		},
		{
			name: 'renews it after half an hour (A.2)',
			cookie: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
			client: '198.51.100.100',
			nowSec: 1559734385,
			state: COOKIE.renew,
		},
		{
			name: 'takes no cookie older than an hour',
			cookie: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
			client: '198.51.100.100',
			nowSec: 1559731985 + 3601,
			state: COOKIE.none,
		},
		{
			name: 'takes a cookie of a clock five minutes ahead',
			cookie: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
			client: '198.51.100.100',
			nowSec: 1559731985 - 300,
			state: COOKIE.good,
		},
		{
			name: 'takes none of a clock further ahead',
			cookie: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
			client: '198.51.100.100',
			nowSec: 1559731985 - 301,
			state: COOKIE.none,
		},
		{
			name: 'takes the cookie of another address from nobody',
			cookie: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
			client: '198.51.100.101',
			nowSec: 1559731985,
			state: COOKIE.none,
		},
		{
			name: 'keeps reserved octets in the hash (A.3)',
			cookie: 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5',
			client: '203.0.113.203',
			nowSec: 1559727985,
			state: COOKIE.good,
		},
		{
			name: 'takes a cookie of the secret before, and asks for a new one (A.4)',
			cookie: '22681ab97d52c298010000005cf7c57926556bd0934c72f8',
			client: '2001:db8:220:1:59de:d0f4:8769:82b8',
			secrets: [older, hex('dd3bdf9344b678b185a6f5cb60fca715')],
			nowSec: 1559741961,
			state: COOKIE.renew,
		},
	]) {
		it(name, () => {
			const jar = new CookieJar(secrets);
			assert.equal(jar.check(hex(cookie), 0, 16, address(client), nowSec), state);
		});
	}

	it('takes no cookie of another length or version', () => {
		const jar = new CookieJar([secret]);
		const cookie = hex('2464c4abcf10c957010000005cf79f111f8130c3eee29480');
		assert.equal(jar.check(cookie, 0, 8, address('198.51.100.100'), 1559731985), COOKIE.none);
		cookie[8] = 2;
		assert.equal(jar.check(cookie, 0, 16, address('198.51.100.100'), 1559731985), COOKIE.none);
	});

	it('takes cookies of the new secrets after a roll-over', () => {
		const jar = new CookieJar([secret]);
		const cookie = new Uint8Array(24);
		jar.write(cookie, 0, address('2001:db8::1'), 1000, cookie, 8);
		jar.setSecrets([older, secret]);
		assert.equal(jar.check(cookie, 0, 16, address('2001:db8::1'), 1000), COOKIE.renew);
		jar.setSecrets([older]);
		assert.equal(jar.check(cookie, 0, 16, address('2001:db8::1'), 1000), COOKIE.none);
	});
});

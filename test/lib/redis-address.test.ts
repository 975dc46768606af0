import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRedisAddress, printRedisAddress, type RedisAddress } from '../../src/lib/redis-address.ts';

const BASE: RedisAddress = {
	hosts: [{ host: 'h', port: 6379 }],
	master: undefined,
	isTls: false,
	user: undefined,
	password: undefined,
	database: 0,
};
const sentinels = {
	hosts: [
		{ host: 'h1', port: 26_379 },
		{ host: 'h2', port: 1 },
	],
	master: 'mymaster',
};

describe('parseRedisAddress()', () => {
	for (const { url, address, printed = url } of [
		{ url: 'redis://h', address: {}, printed: 'redis://h:6379' },
		{ url: 'redis://h/', address: {}, printed: 'redis://h:6379' },
		{ url: 'rediss://h:7000/3', address: { hosts: [{ host: 'h', port: 7000 }], isTls: true, database: 3 } },
		{ url: 'redis://[::1]:7000', address: { hosts: [{ host: '::1', port: 7000 }] } },
		{ url: 'redis://:p%40%2Fs@h', address: { password: 'p@/s' }, printed: 'redis://h:6379' },
		{ url: 'redis://u:p:q@h', address: { user: 'u', password: 'p:q' }, printed: 'redis://h:6379' },
		{
			url: 'redis+sentinel://h1,h2:1/mymaster',
			address: sentinels,
			printed: 'redis+sentinel://h1:26379,h2:1/mymaster',
		},
		{
			url: 'rediss+sentinel://u:p@h1:26379,h2:1/mymaster/2',
			address: { ...sentinels, user: 'u', password: 'p', isTls: true, database: 2 },
			printed: 'rediss+sentinel://h1:26379,h2:1/mymaster/2',
		},
	] as { url: string; address: Partial<RedisAddress>; printed?: string }[]) {
		it(`reads ${url}, and prints it without the password`, () => {
			const read = parseRedisAddress(url);
			assert.deepEqual(read, { ...BASE, ...address });
			assert.equal(read && printRedisAddress(read), printed);
		});
	}

	for (const url of [
		'',
		'h:6379',
		'http://h',
		'redis://',
		'redis://h:0',
		'redis://h:65536',
		'redis://h1,h2',
		'redis://h/x',
		'redis://h/1/2',
		'redis://p@h',
		'redis://:%zz@h',
		'redis://h?x=1',
		'redis+sentinel://h1,h2',
		'redis+sentinel://h1,/m',
		'redis+sentinel://h1/m/x',
	]) {
		it(`refuses ${JSON.stringify(url)}`, () => assert.equal(parseRedisAddress(url), undefined));
	}
});

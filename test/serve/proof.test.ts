/**
 * What an address is given before and after it has proven that it receives what is sent to it: cookies, rate limits,
 * and the bound on a bare no.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeQuery } from '../dns/make-query.ts';
import { replyText } from './reply-text.ts';
import { responderOf, type TestResponder } from './responder-of.ts';

const SECRET = Uint8Array.from({ length: 16 }, (_, i) => i);
const OTHER_SECRET = Uint8Array.from({ length: 16 }, (_, i) => 255 - i);
const CLIENT = [1, 2, 3, 4, 5, 6, 7, 8];
const COOKIE = 10;

const zones = [{ apex: 'example.org.', text: 'www A 192.0.2.1' }];
const longZones = [
	{
		apex: 'x.',
		text: `@ SOA ${'a'.repeat(60)}.example.net. ${'b'.repeat(60)}.example.net. 1 2 3 4 60\n@ NS ns.example.net.`,
	},
];

/** The cookie option of a reply: client and server cookie. */
function cookieIn(world: TestResponder, octets: readonly number[], from?: string): number[] {
	const edns = { options: [{ code: COOKIE, octets }] };
	const reply = world.ask({ name: 'www.example.org', edns }, from === undefined ? {} : { from });
	const option = reply.opt?.options.find(({ code }) => code === COOKIE);
	return [...Buffer.from(option?.hex ?? '', 'hex')];
}

describe('cookies', () => {
	it('come back with a server cookie, which is then known', () => {
		const world = responderOf({ zones, cookieSecrets: [SECRET] });
		const cookie = cookieIn(world, CLIENT);
		assert.deepEqual([cookie.length, ...cookie.slice(0, 8)], [24, ...CLIENT]);
		assert.equal(world.count('cookiesGood'), 0);
		cookieIn(world, cookie);
		assert.equal(world.count('cookiesGood'), 1);
	});

	it('go back as they came for half an hour, and are made anew after it (RFC 9018 §4.3)', () => {
		const world = responderOf({ zones, cookieSecrets: [SECRET] });
		const cookie = cookieIn(world, CLIENT);
		world.nowSec += 1800;
		assert.deepEqual(cookieIn(world, cookie), cookie);
		world.nowSec += 1;
		const next = cookieIn(world, cookie);
		assert.notDeepEqual(next, cookie);
		assert.equal(world.count('cookiesGood'), 2);
		assert.deepEqual(cookieIn(world, next), next);
		// What one query brought is not the next one's.
		assert.deepEqual(cookieIn(world, CLIENT), next);
		assert.notDeepEqual(cookieIn(world, next, '192.0.2.54'), next);
	});

	it('of an old secret are made anew at once', () => {
		const cookie = cookieIn(responderOf({ zones, cookieSecrets: [SECRET] }), CLIENT);
		const world = responderOf({ zones, cookieSecrets: [OTHER_SECRET, SECRET] });
		assert.notDeepEqual(cookieIn(world, cookie), cookie);
		assert.equal(world.count('cookiesGood'), 1);
	});

	it('of another address, another secret, or too old, prove nothing and are replaced', () => {
		const world = responderOf({ zones, cookieSecrets: [SECRET] });
		const cookie = cookieIn(world, CLIENT);
		assert.notDeepEqual(cookieIn(world, cookie, '192.0.2.54'), cookie);
		assert.notDeepEqual(cookieIn(responderOf({ zones, cookieSecrets: [OTHER_SECRET] }), cookie), cookie);
		world.nowSec += 3601;
		assert.notDeepEqual(cookieIn(world, cookie), cookie);
		assert.equal(world.count('cookiesGood'), 0);
	});

	it('are equal on two instances with one secret, and good on one that has rolled over', () => {
		const cookie = cookieIn(responderOf({ zones, cookieSecrets: [SECRET] }), CLIENT);
		assert.deepEqual(cookieIn(responderOf({ zones, cookieSecrets: [SECRET] }), CLIENT), cookie);
		const next = responderOf({ zones, cookieSecrets: [OTHER_SECRET, SECRET] });
		cookieIn(next, cookie);
		assert.equal(next.count('cookiesGood'), 1);
	});

	for (const length of [0, 1, 7, 9, 15, 41]) {
		it(`of ${length} octets are a format error (RFC 7873 §5.2.2)`, () => {
			const world = responderOf({ zones, cookieSecrets: [SECRET] });
			const octets = Array.from({ length }, () => 1);
			assert.equal(
				world.ask({ name: 'www.example.org', edns: { options: [{ code: COOKIE, octets }] } }).rcode,
				'FORMERR',
			);
		});
	}

	it('are left out where there is no secret', () => {
		assert.deepEqual(cookieIn(responderOf({ zones }), CLIENT), []);
	});
});

describe('rate limits', () => {
	it('send an address over its limit to TCP, and leave it there', () => {
		const world = responderOf({ zones, rate: 2 });
		const replies = Array.from({ length: 8 }, () => replyText(world.ask({ name: 'www.example.org', flags: 0 })));
		assert.deepEqual(
			replies.map((reply) => reply.split('\n')[0]),
			[...Array.from({ length: 5 }, () => 'NOERROR aa'), ...Array.from({ length: 3 }, () => 'NOERROR tc')],
		);
		assert.equal(world.ask({ name: 'www.example.org' }, { transport: 'tcp' }).answer.length, 1);
		assert.equal(world.ask({ name: 'www.example.org' }, { from: '198.51.100.1' }).answer.length, 1);
		world.nowMs += 1000;
		assert.equal(world.ask({ name: 'www.example.org' }).answer.length, 1);
	});

	it('do not hold for an address with a cookie of ours', () => {
		const world = responderOf({ zones, rate: 1, cookieSecrets: [SECRET] });
		const octets = cookieIn(world, CLIENT);
		const query = makeQuery({ name: 'www.example.org', edns: { options: [{ code: COOKIE, octets }] } });
		for (let i = 0; i < 100; i++) assert.equal(world.ask(query).answer.length, 1);
		assert.equal(world.count('rateSlipped'), 0);
	});
});

describe('a bare no', () => {
	const world = responderOf({ zones: longZones, cookieSecrets: [SECRET] });
	for (const name of ['nothing.x', 'y', 'a.b.c.d.e', `${'l'.repeat(63)}.x`]) {
		for (const edns of [undefined, {}, { subnet: '192.0.2.0/24' }]) {
			it(`to ${name.slice(0, 12)}${edns === undefined ? '' : ' with EDNS'} is at most three times its question`, () => {
				const query = makeQuery(edns === undefined ? { name } : { name, edns });
				const reply = world.respond(query);
				assert(reply.length <= 3 * query.length, `${reply.length} octets for ${query.length}`);
				assert(['NXDOMAIN', 'REFUSED'].includes(world.ask(query).rcode));
			});
		}
	}

	it('is whole over TCP, and over UDP for an address that is proven', () => {
		assert.equal(world.ask({ name: 'nothing.x', flags: 0 }).authority.length, 0);
		assert.equal(world.ask({ name: 'nothing.x' }, { transport: 'tcp' }).authority.length, 1);
		const ask = (octets: readonly number[]) =>
			world.ask({ name: 'nothing.x', edns: { options: [{ code: COOKIE, octets }] } });
		const option = ask(CLIENT).opt?.options.find(({ code }) => code === COOKIE);
		assert.equal(ask([...Buffer.from(option?.hex ?? '', 'hex')]).authority.length, 1);
	});
});

describe('who this is', () => {
	const world = responderOf({ zones, identity: 'node-7' });

	it('is told by NSID only when asked (RFC 5001)', () => {
		const asked = world.ask({ name: 'www.example.org', edns: { options: [{ code: 3, octets: [] }] } });
		assert.deepEqual(asked.opt?.options, [{ code: 3, hex: Buffer.from('node-7').toString('hex') }]);
		assert.deepEqual(world.ask({ name: 'www.example.org', edns: {} }).opt?.options, []);
	});

	for (const name of ['id.server', 'HOSTNAME.bind']) {
		it(`is told by ${name} CH TXT`, () => {
			const reply = world.ask({ name, type: 'TXT', class: 3, flags: 0 });
			assert.equal(replyText(reply), `NOERROR\nanswer\n${name}. 0 CH TXT "node-7"`);
		});
	}

	it('is told by nothing else', () => {
		assert.equal(world.ask({ name: 'version.bind', type: 'TXT', class: 3 }).rcode, 'REFUSED');
		assert.equal(world.ask({ name: 'id.server', type: 'A', class: 3 }).rcode, 'REFUSED');
		assert.equal(responderOf({ zones }).ask({ name: 'id.server', type: 'TXT', class: 3 }).rcode, 'REFUSED');
	});
});

describe('keepalive (RFC 7828)', () => {
	const world = responderOf({ zones });
	const query = { name: 'www.example.org', edns: { options: [{ code: 11, octets: [] }] } };

	it('tells the time over TCP, in tenths of a second', () => {
		assert.deepEqual(world.ask(query, { transport: 'tcp' }).opt?.options, [{ code: 11, hex: '0064' }]);
	});

	it('is passed over in UDP, and where it was not asked for', () => {
		assert.deepEqual(world.ask(query).opt?.options, []);
		assert.deepEqual(world.ask({ ...query, edns: {} }, { transport: 'tcp' }).opt?.options, []);
	});
});

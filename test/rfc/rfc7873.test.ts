/** RFC 7873 §5.4: a query that asks for a cookie and for nothing else. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message } from '../../src/dns/message-text.ts';
import { optRecord } from '../dns/make-query.ts';
import { type AskSpec, responderOf } from '../serve/responder-of.ts';

const CLIENT = [1, 2, 3, 4, 5, 6, 7, 8];
const COOKIE = 10;
const zones = [{ apex: 'example.org.', text: 'www A 192.0.2.1' }];
const secret = Uint8Array.from({ length: 16 }, (_, i) => i);

/** A header that announces an OPT record, and the record. */
function emptyQuery(octets: readonly number[] | undefined, version = 0): Uint8Array {
	const options = octets === undefined ? [] : [{ code: COOKIE, octets }];
	return Uint8Array.from([0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, ...optRecord({ version, options })]);
}

function cookieIn({ opt }: Message): number[] {
	return [...Buffer.from(opt?.options.find(({ code }) => code === COOKIE)?.hex ?? '', 'hex')];
}

describe('RFC 7873 §5.4: without a question', () => {
	const world = responderOf({ zones, cookieSecrets: [secret] });
	const good = cookieIn(world.ask(emptyQuery(CLIENT)));
	const bad = [...good.slice(0, 23), (good[23] ?? 0) ^ 1];

	for (const { name, request, how, rcode, hasCookie } of [
		{ name: 'a client cookie gets a server cookie', request: emptyQuery(CLIENT), rcode: 'NOERROR', hasCookie: true },
		{ name: 'a good server cookie is good', request: emptyQuery(good), rcode: 'NOERROR', hasCookie: true },
		{ name: 'a bad one is BADCOOKIE', request: emptyQuery(bad), rcode: 'BADCOOKIE', hasCookie: true },
		{
			name: 'a bad one over TCP too',
			request: emptyQuery(bad),
			how: { transport: 'tcp' },
			rcode: 'BADCOOKIE',
			hasCookie: true,
		},
		{
			name: 'that of another address too',
			request: emptyQuery(good),
			how: { from: '192.0.2.54' },
			rcode: 'BADCOOKIE',
			hasCookie: true,
		},
		{ name: 'a malformed one is FORMERR', request: emptyQuery([1, 2, 3]), rcode: 'FORMERR', hasCookie: false },
		{ name: 'no cookie is FORMERR', request: emptyQuery(undefined), rcode: 'FORMERR', hasCookie: false },
		{ name: 'another version is BADVERS', request: emptyQuery(CLIENT, 1), rcode: 'BADVERS', hasCookie: false },
	] satisfies { name: string; request: Uint8Array; how?: AskSpec; rcode: string; hasCookie: boolean }[])
		it(name, () => {
			const reply = world.ask(request, how);
			assert.equal(reply.rcode, rcode);
			assert.deepEqual([reply.question, reply.answer, reply.authority], [[], [], []]);
			// RFC 6891 §7: an OPT record in the query, one in the reply.
			assert.equal(reply.opt?.version, 0);
			const cookie = cookieIn(reply);
			assert.deepEqual([cookie.length, cookie.slice(0, 8)], hasCookie ? [24, CLIENT] : [0, []]);
		});

	it('a cookie is FORMERR where there are none', () => {
		assert.equal(responderOf({ zones }).ask(emptyQuery(CLIENT)).rcode, 'FORMERR');
	});
});

/** RFC 6891, EDNS(0), by paragraph. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeQuery, optRecord } from '../dns/make-query.ts';
import { replyText } from '../serve/reply-text.ts';
import { responderOf } from '../serve/responder-of.ts';

describe('RFC 6891', () => {
	const many = Array.from({ length: 120 }, (_, i) => `many A 192.0.2.${i}`).join('\n');
	const world = responderOf(`www A 192.0.2.1\n${many}`);
	const www = { name: 'www.example.org', flags: 0 };
	const answer = 'answer\nwww.example.org. 300 A 192.0.2.1';
	/** `opts` OPT records behind the question, whatever stands in them. */
	const withRecords = (...opts: readonly (readonly number[])[]) => {
		const request = Uint8Array.from([...makeQuery(www), ...opts.flat()]);
		request[11] = opts.length;
		return request;
	};

	it('§6.1.1 an OPT record may stand anywhere in the additional section', () => {
		const record = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 9];
		assert.equal(replyText(world.ask(withRecords(record, optRecord({})))), `NOERROR aa\nopt 1232\n${answer}`);
		assert.equal(replyText(world.ask(withRecords(optRecord({}), record))), `NOERROR aa\nopt 1232\n${answer}`);
	});

	it('§6.1.1 more than one OPT record is FORMERR', () => {
		assert.equal(world.ask(withRecords(optRecord({}), optRecord({}))).rcode, 'FORMERR');
	});

	it('§6.1.2 the owner of OPT is the root', () => {
		assert.equal(world.ask(withRecords([1, 97, ...optRecord({})])).rcode, 'FORMERR');
	});

	it('§6.1.2 an option that is not known is passed over', () => {
		const options = [
			{ code: 65001, octets: [1, 2, 3] },
			{ code: 0, octets: [] },
		];
		assert.equal(replyText(world.ask({ ...www, edns: { options } })), `NOERROR aa\nopt 1232\n${answer}`);
	});

	it('§6.1.3 a version above ours is BADVERS, with the version that we speak', () => {
		for (const version of [1, 2, 255]) {
			const reply = world.ask({ ...www, edns: { version } });
			assert.deepEqual([reply.rcode, reply.opt?.version, reply.answer.length], ['BADVERS', 0, 0]);
		}
	});

	it('§6.2.3 sizes below 512 are 512', () => {
		for (const payloadOctets of [0, 1, 511, 512]) {
			const reply = world.respond(makeQuery({ name: 'many.example.org', edns: { payloadOctets } }));
			assert.ok(reply.length <= 512);
			assert.equal(replyText(world.ask({ ...www, edns: { payloadOctets } })), `NOERROR aa\nopt 1232\n${answer}`);
		}
	});

	it('§6.2.5 the sender’s size is not exceeded, nor ours', () => {
		for (let payloadOctets = 512; payloadOctets <= 4096; payloadOctets += 7) {
			const reply = world.respond(makeQuery({ name: 'many.example.org', edns: { payloadOctets } }));
			assert.ok(reply.length <= Math.min(payloadOctets, 1232), `${payloadOctets}: ${reply.length}`);
		}
	});

	it('§7 no OPT in the query, none in the response, and the other way round, whatever the outcome', () => {
		for (const name of ['www.example.org', 'nothing.example.org', 'example.com', 'many.example.org']) {
			assert.equal(world.ask({ name }).opt, undefined);
			assert.notEqual(world.ask({ name, edns: {} }).opt, undefined);
		}
	});
});

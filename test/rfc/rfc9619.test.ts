/** RFC 9619 §4: a query has one question. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeQuery } from '../dns/make-query.ts';
import { replyText } from '../serve/reply-text.ts';
import { responderOf } from '../serve/responder-of.ts';

describe('RFC 9619', () => {
	const world = responderOf('www A 192.0.2.1');
	const query = makeQuery({ name: 'www.example.org', flags: 0 });
	for (const questions of [2, 3, 255, 256, 65535]) {
		it(`§4 QDCOUNT ${questions} is FORMERR, whether or not there are so many`, () => {
			const claimed = query.slice();
			claimed[4] = questions >>> 8;
			claimed[5] = questions & 255;
			assert.equal(replyText(world.ask(claimed)), 'FORMERR');
			const given = Uint8Array.from([...claimed, ...query.subarray(12)]);
			assert.equal(replyText(world.ask(given)), 'FORMERR');
		});
	}

	it('§4 QDCOUNT 0 leaves nothing to answer', () => {
		const none = query.slice(0, 12);
		none[5] = 0;
		assert.equal(replyText(world.ask(none)), 'FORMERR');
	});
});

/** RFC 3597: types that nobody knows. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replyLines } from '../serve/reply-text.ts';
import { responderOf } from '../serve/responder-of.ts';

describe('RFC 3597', () => {
	const world = responderOf(`odd TYPE65280 \\# 3 ABCDEF
odd TYPE65280 \\# 3 abcdef
odd TYPE65280 \\# 0
name TYPE65281 \\# 13 076578616d706c65036f726700
known TYPE1 \\# 4 c0000201
known A 192.0.2.1
*.wild TYPE65282 \\# 1 00
long TYPE65283 \\# 600 ${'00'.repeat(600)}`);
	const ask = (owner: string, type: string) =>
		replyLines(world.ask({ name: `${owner}.example.org`, type, flags: 0 })).slice(2);

	it('§3 their RDATA is octets, equal octets one record', () => {
		assert.deepEqual(ask('odd', 'TYPE65280'), [
			'odd.example.org. 300 TYPE65280 \\# 3 abcdef',
			'odd.example.org. 300 TYPE65280 \\# 0',
		]);
	});

	it('§4 nothing inside is compressed, though it looks like a name of the message', () => {
		assert.deepEqual(ask('name', 'TYPE65281'), ['name.example.org. 300 TYPE65281 \\# 13 076578616d706c65036f726700']);
	});

	it('§5 a known type in the form of an unknown one is the same record', () => {
		assert.deepEqual(ask('known', 'A'), ['known.example.org. 300 A 192.0.2.1']);
		assert.deepEqual(ask('known', 'TYPE1'), ['known.example.org. 300 A 192.0.2.1']);
	});

	it('§7 wildcards hold them too', () => {
		assert.deepEqual(ask('x.wild', 'TYPE65282'), ['x.wild.example.org. 300 TYPE65282 \\# 1 00']);
	});

	it('a record longer than plain UDP is truncated like others', () => {
		assert.deepEqual(world.ask({ name: 'long.example.org', type: 'TYPE65283' }).flags, ['qr', 'aa', 'tc', 'rd']);
		assert.equal(world.ask({ name: 'long.example.org', type: 'TYPE65283' }, { transport: 'tcp' }).answer.length, 1);
	});
});

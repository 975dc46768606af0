import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SummaryReader } from '../../src/dns/message-summary.ts';
import { printRecord, rcodeText, readMessage } from '../../src/dns/message-text.ts';
import { printAddress } from '../../src/lib/address.ts';
import { responderOf } from '../serve/responder-of.ts';
import { makeQuery } from './make-query.ts';

const reader = new SummaryReader(8);
const world = responderOf({
	zones: [
		{
			apex: 'example.org.',
			text: [
				'@ MX 10 mail',
				'mail A 192.0.2.1',
				'mail AAAA 2001:db8::1:0:1',
				'long A 192.0.2.1',
				...Array.from({ length: 20 }, (_, i) => `many A 192.0.2.${i}`),
				'alias 60 CNAME mail',
				'text TXT "a b" "c"',
				'sub NS ns.sub',
				'ns.sub A 192.0.2.9',
			].join('\n'),
		},
	],
	identity: 'one',
});

describe('SummaryReader', () => {
	for (const [name, type] of [
		['mail', 'A'],
		['mail', 'AAAA'],
		['alias', 'A'],
		['alias', 'AAAA'],
		['text', 'TXT'],
		['many', 'A'],
		['none', 'A'],
		['mail', 'MX'],
		['x.sub', 'A'],
		['example.net.', 'A'],
	] as const) {
		for (const edns of [undefined, { subnet: '84.130.7.0/24' }, { subnet: '2001:db8:1234::/48' }, { version: 1 }]) {
			it(`reads of ${name} ${type} with ${JSON.stringify(edns) ?? 'no EDNS'} what readMessage() does`, () => {
				const full = name.endsWith('.') ? name : `${name}.example.org.`;
				const packet = world.respond(makeQuery({ name: full, type, ...(edns === undefined ? {} : { edns }) }));
				const message = readMessage(packet);
				assert.ok(typeof message !== 'string');
				const summary = reader.read(packet);
				const ttls = (message.answer.length > 0 ? message.answer : message.authority).map(({ ttlSec }) => ttlSec);
				const subnet = message.opt?.subnet;
				assert.deepEqual(
					{
						...summary,
						rcode: rcodeText(summary.rcode),
						subnet:
							summary.subnet === undefined
								? undefined
								: { ...summary.subnet, address: printAddress(summary.subnet.address) },
					},
					{
						opcode: 0,
						rcode: message.rcode,
						isAuthoritative: message.flags.includes('aa'),
						isTruncated: message.flags.includes('tc'),
						question: { name: full, type, class: 1 },
						answers: message.answer.slice(0, 8).map((record) => {
							const text = printRecord(record);
							return text.slice(text.indexOf(' IN ') + 4);
						}),
						answerCount: message.answer.length,
						ttlSec: ttls.length === 0 ? undefined : Math.min(...ttls),
						subnet:
							subnet === undefined
								? undefined
								: { address: subnet.address, source: subnet.source, scope: subnet.scope },
					},
				);
			});
		}
	}

	it('ends on any octets', () => {
		const good = world.respond(makeQuery({ name: 'mail.example.org', edns: { subnet: '84.130.7.0/24' } })).slice();
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(good.length), (octets, at) => {
				reader.read(octets);
				const damaged = good.slice();
				damaged.set(octets.subarray(0, good.length - at), at);
				reader.read(damaged);
			}),
		);
	});
});

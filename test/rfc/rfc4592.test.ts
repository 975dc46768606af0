/** RFC 4592 §2.2.1, the table of queries that the RFC itself gives; the rest of wildcards is in wildcard.dialogue. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { responderOf } from '../serve/responder-of.ts';

const ZONE = `@ 3600 SOA ns.example.com. host.example.com. 1 3600 900 604800 60
@ 3600 NS ns.example.com.
@ 3600 NS ns.example.net.
* 3600 TXT "this is a wildcard"
* 3600 MX 10 host1.example.
sub.* 3600 TXT "this is not a wildcard"
host1 3600 A 192.0.2.1
_ssh._tcp.host1 3600 SRV 0 5 22 host1
_ssh._tcp.host2 3600 SRV 0 5 22 host2
subdel 3600 NS ns.example.com.
subdel 3600 NS ns.example.net.`;

describe('RFC 4592', () => {
	const world = responderOf({ zones: [{ apex: 'example.', text: ZONE }] });
	for (const [name, type, outcome] of [
		['host3.example', 'MX', 'synthesized'],
		['host3.example', 'A', 'no data'],
		['foo.bar.example', 'TXT', 'synthesized'],
		['host1.example', 'MX', 'no data'],
		['sub.*.example', 'MX', 'no data'],
		['_telnet._tcp.host1.example', 'SRV', 'no name'],
		['host.subdel.example', 'A', 'referral'],
		['ghost.*.example', 'MX', 'no name'],
	] as const) {
		it(`§2.2.1 ${name} ${type}: ${outcome}`, () => {
			const { rcode, answer, authority, flags } = world.ask({ name, type });
			const isSoa = authority[0]?.type === 'SOA';
			const found =
				rcode === 'NXDOMAIN' ? 'no name' : answer.length > 0 ? 'synthesized' : isSoa ? 'no data' : 'referral';
			assert.equal(found, outcome);
			assert.equal(flags.includes('aa'), outcome !== 'referral');
			if (outcome === 'synthesized') assert.equal(answer[0]?.name, `${name}.`);
		});
	}

	it('§2.1.1 a label that only begins with an asterisk is no wildcard', () => {
		const odd = responderOf('*x A 192.0.2.1\n\\042y.sub A 192.0.2.2\nx*.t A 192.0.2.3');
		assert.equal(odd.ask({ name: 'y.example.org' }).rcode, 'NXDOMAIN');
		assert.equal(odd.ask({ name: 'z.sub.example.org' }).rcode, 'NXDOMAIN');
		assert.equal(odd.ask({ name: 'xy.t.example.org' }).rcode, 'NXDOMAIN');
	});

	it('§2.1.1 an asterisk written as an escape is the same octet', () => {
		assert.equal(responderOf('\\042 A 192.0.2.1').ask({ name: 'x.example.org' }).answer.length, 1);
	});

	it('§2.1.3 asterisks further up are plain labels', () => {
		const nested = responderOf('*.*.deep A 192.0.2.1');
		assert.equal(nested.ask({ name: 'x.*.deep.example.org' }).answer.length, 1);
		assert.equal(nested.ask({ name: 'x.y.deep.example.org' }).answer.length, 0);
	});

	it('§3.3.1 the closest encloser decides, not the nearest wildcard', () => {
		const two = responderOf('* A 192.0.2.1\na.b A 192.0.2.2');
		assert.equal(two.ask({ name: 'x.b.example.org' }).rcode, 'NXDOMAIN');
		assert.equal(two.ask({ name: 'x.c.example.org' }).answer.length, 1);
	});

	it('§4.5 a wildcard CNAME is followed', () => {
		const alias = responderOf('*.w CNAME t\nt A 192.0.2.1');
		assert.deepEqual(
			alias.ask({ name: 'q.w.example.org' }).answer.map(({ name, type }) => `${name} ${type}`),
			['q.w.example.org. CNAME', 't.example.org. A'],
		);
	});
});

/** RFC 2308, negative answers, by paragraph. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replyText } from '../serve/reply-text.ts';
import { responderOf } from '../serve/responder-of.ts';

const zone = (ttlSec: number, minimumSec: number) =>
	responderOf(
		`@ ${ttlSec} SOA ns host 1 3600 900 604800 ${minimumSec}\n@ 300 NS ns\nns 300 A 192.0.2.53\nan 300 CNAME nothing\nto 300 CNAME ns`,
	);

describe('RFC 2308', () => {
	const soa = (ttlSec: number, minimumSec: number) =>
		`example.org. ${ttlSec} SOA ns.example.org. host.example.org. 1 3600 900 604800 ${minimumSec}`;

	it('§2.1 NXDOMAIN: the SOA in authority, no NS', () => {
		assert.equal(
			replyText(zone(900, 60).ask({ name: 'nothing.example.org', flags: 0 })),
			`NXDOMAIN aa\nauthority\n${soa(60, 60)}`,
		);
	});

	it('§2.1 NXDOMAIN behind a CNAME: the alias in answer', () => {
		assert.equal(
			replyText(zone(900, 60).ask({ name: 'an.example.org', flags: 0 })),
			`NXDOMAIN aa\nanswer\nan.example.org. 300 CNAME nothing.example.org.\nauthority\n${soa(60, 60)}`,
		);
	});

	it('§2.2 NODATA: NOERROR, no answer, the SOA', () => {
		assert.equal(
			replyText(zone(900, 60).ask({ name: 'ns.example.org', type: 'AAAA', flags: 0 })),
			`NOERROR aa\nauthority\n${soa(60, 60)}`,
		);
	});

	it('§2.2.1 NODATA behind a CNAME', () => {
		assert.equal(
			replyText(zone(900, 60).ask({ name: 'to.example.org', type: 'AAAA', flags: 0 })),
			`NOERROR aa\nanswer\nto.example.org. 300 CNAME ns.example.org.\nauthority\n${soa(60, 60)}`,
		);
	});

	for (const [ttlSec, minimumSec, expected] of [
		[900, 60, 60],
		[60, 900, 60],
		[0, 900, 0],
		[900, 0, 0],
		[2147483647, 2147483647, 2147483647],
	] as const) {
		it(`§3, §5 with TTL ${ttlSec} and MINIMUM ${minimumSec} a negative answer lives ${expected} s`, () => {
			const [record] = zone(ttlSec, minimumSec).ask({ name: 'nothing.example.org' }).authority;
			assert.equal(record?.ttlSec, expected);
		});
	}
});

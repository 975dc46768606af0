/** RFC 6604: AA and RCODE of a chain of aliases. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { responderOf } from '../serve/responder-of.ts';

describe('RFC 6604', () => {
	const world = responderOf({
		zones: [
			{
				apex: 'example.org.',
				text: `www A 192.0.2.1
					ok CNAME www
					none CNAME nothing
					nodata CNAME host
					host TXT "text"
					out CNAME example.com.
					referred CNAME x.sub
					sub NS ns.invalid.
					over CNAME www.example.net.
					over-none CNAME nothing.example.net.
					d DNAME example.org.
					deep CNAME none.d`.replaceAll(/^\t+/gm, ''),
			},
			{ apex: 'example.net.', text: 'www A 198.51.100.1' },
		],
	});
	for (const [owner, rcode] of [
		['ok', 'NOERROR'],
		['none', 'NXDOMAIN'],
		['nodata', 'NOERROR'],
		['out', 'NOERROR'],
		['referred', 'NOERROR'],
		['over', 'NOERROR'],
		['over-none', 'NXDOMAIN'],
		['none.d', 'NXDOMAIN'],
		['ok.d', 'NOERROR'],
		['deep', 'NXDOMAIN'],
	] as const) {
		it(`§2.1, §3 ${owner}: AA of the first name, ${rcode} of the last`, () => {
			const reply = world.ask({ name: `${owner}.example.org` });
			assert.deepEqual([reply.rcode, reply.flags.includes('aa'), reply.answer.length > 0], [rcode, true, true]);
		});
	}
});

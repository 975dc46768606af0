import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RRSET, rrsetColumn, ZONE, zoneColumn } from '../../src/zone/table.ts';
import { additionalOf, lookupOf, rdataOf, tableOf, typesOf } from './zone-of.ts';

describe('buildZoneTable()', () => {
	const table = tableOf(
		{
			apex: 'example.org.',
			text: `
www 300 A 192.0.2.1
mail 10 A 192.0.2.4
www 60 A 192.0.2.2
www 900 A 192.0.2.1
www TXT a
WWW TXT A
@ MX 10 Mail
@ MX 10 mail
@ MX 20 www
@ MX 30 nowhere
@ MX 40 mail.example.net.
_x._tcp SRV 1 1 1 www
sub NS ns.sub
sub NS ns
sub NS ns.example.net.
sub NS ns.kid
ns.sub AAAA 2001:db8::1
ns A 192.0.2.3
kid NS ns.kid
ns.kid A 192.0.2.99
tricky MX 1 x\\007example\\003org.
`,
		},
		{ apex: 'example.net.', text: 'mail A 192.0.2.5\nns A 192.0.2.6' },
		{ apex: 'kid.example.org.', text: 'ns A 192.0.2.7' },
	);
	const rrset = (qname: string, qtype: string) => lookupOf(table, qname, qtype).rrset;

	it('keeps each record once, in the order of the file', () => {
		assert.deepEqual(rdataOf(table, rrset('www.example.org.', 'A')), ['192.0.2.1', '192.0.2.2']);
	});

	it('uses the least TTL for the RRset (RFC 2181 §5.2)', () => {
		assert.equal(rrsetColumn(table, rrset('www.example.org.', 'A'), RRSET.ttlSec), 60);
	});

	it('takes strings of another case for other records, and names for the same', () => {
		assert.deepEqual(rdataOf(table, rrset('www.example.org.', 'TXT')), ['"a"', '"A"']);
		assert.equal(
			rdataOf(table, rrset('example.org.', 'MX')).filter((text) => /mail\.example\.org/i.test(text)).length,
			1,
		);
	});

	it('gathers a name’s RRsets from all over the file', () => {
		assert.deepEqual(typesOf(table, lookupOf(table, 'www.example.org.', 'A').node), ['A', 'TXT']);
	});

	for (const { name, of, names } of [
		{
			name: 'lists the targets of MX that have addresses in the zone',
			of: ['example.org.', 'MX'],
			names: ['mail.example.org.', 'www.example.org.'],
		},
		{ name: 'lists the target of SRV', of: ['_x._tcp.example.org.', 'SRV'], names: ['www.example.org.'] },
		{
			name: 'lists glue below the cut, beside it and in zones below',
			of: ['sub.example.org.', 'A'],
			names: ['ns.sub.example.org.', 'ns.example.org.', 'ns.kid.example.org.'],
		},
		{
			name: 'lists nothing for a name whose octets only look like the zone’s',
			of: ['tricky.example.org.', 'MX'],
			names: [],
		},
		{ name: 'lists nothing for a type without targets', of: ['www.example.org.', 'TXT'], names: [] },
	] as const)
		it(name, () => assert.deepEqual(additionalOf(table, rrset(of[0], of[1])), names));

	it('compresses names of the types of RFC 1035 only', () => {
		const columns = (of: [string, string]) =>
			[RRSET.nameSkip, RRSET.nameCount].map((column) => rrsetColumn(table, rrset(...of), column));
		assert.deepEqual(columns(['example.org.', 'SOA']), [0, 2]);
		assert.deepEqual(columns(['example.org.', 'MX']), [2, 1]);
		assert.deepEqual(columns(['_x._tcp.example.org.', 'SRV']), [0, 0]);
		assert.deepEqual(columns(['www.example.org.', 'A']), [0, 0]);
	});

	for (const { name, ttlSec, minimumSec, negative } of [
		{ name: 'takes MINIMUM for negative answers where it is less', ttlSec: 300, minimumSec: 60, negative: 60 },
		{ name: 'takes the SOA’s TTL for negative answers where it is less', ttlSec: 30, minimumSec: 60, negative: 30 },
	])
		it(name, () => {
			const one = tableOf({ apex: 'a.', text: '' });
			assert.equal(zoneColumn(one, 0, ZONE.negativeTtlSec), 60);
			// The added SOA has TTL 300 and MINIMUM 60: an equal record of lesser TTL lowers the RRset's.
			const lowered = tableOf({
				apex: 'a.',
				text: `@ ${ttlSec} SOA ns.invalid. host.invalid. 1 1h 15m 1w ${minimumSec}`,
			});
			assert.equal(zoneColumn(lowered, 0, ZONE.negativeTtlSec), negative);
		});

	it('holds no zones', () => {
		const none = tableOf();
		assert.equal(lookupOf(none, 'example.org.', 'A').node, -1);
		assert.equal(none.zoneCount, 0);
	});
});

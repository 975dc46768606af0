import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkZone } from '../../src/zone/checks.ts';
import { wireName } from '../dns/make-query.ts';
import { recordsOf } from './zone-of.ts';

/** Lines 1 to 3; what a case writes begins in line 4. */
const HEAD = '$TTL 300\n@ SOA ns.example.net. host 1 1h 15m 1w 60\n@ NS ns.example.net.\n';

/** Problems as `line kind message`. */
function check(text: string, steered: readonly string[] = []): string[] {
	const problems = checkZone(wireName('example.org.'), recordsOf('example.org.', text), steered.map(wireName));
	return problems.map(({ line, message, isWarning }) => `${line} ${isWarning ? 'warning' : 'error'} ${message}`);
}

describe('checkZone()', () => {
	for (const { name, text, steered = [] } of [
		{ name: 'passes a zone of SOA and NS', text: '' },
		{ name: 'passes ordinary records', text: 'a A 192.0.2.1\n  TXT x\nb CNAME a\n* MX 1 a\n@ CAA 0 issue ""' },
		{ name: 'passes an equal SOA, as a transfer ends with one', text: '@ SOA NS.example.net. host 1 3600 900 1w 60' },
		{ name: 'passes RRSIG and NSEC beside a CNAME', text: 'a CNAME b\na RRSIG A 8 2 1 0 0 1 . AAAA\na NSEC b A' },
		{ name: 'passes aliases of MX outside the zone', text: 'a MX 1 alias.example.net.' },
		{ name: 'passes a cut with glue', text: 'sub NS ns.sub\nns.sub AAAA 2001:db8::1' },
		{ name: 'passes a cut with its name server beside it', text: 'sub NS ns\nns A 192.0.2.1' },
		{ name: 'passes a cut whose name server has its address from a wildcard', text: 'sub NS ns\n* A 192.0.2.1' },
		{ name: 'passes a cut whose name server is steered', text: 'sub NS ns', steered: ['ns.example.org.'] },
		{ name: 'passes a DNAME beside NS at the apex', text: '@ DNAME example.net.' },
		{ name: 'passes services and mail that are switched off', text: '_a._tcp SRV 0 0 0 .\na MX 0 .' },
		{ name: 'passes MX to a name that is delegated', text: 'sub NS ns.example.net.\na MX 1 m.sub' },
		{ name: 'passes MX to a steered name', text: 'a MX 1 geo', steered: ['geo.example.org.'] },
		{
			name: 'passes wildcards and Active Directory as owners of addresses',
			text: '*.a A 192.0.2.1\ngc._msdcs A 192.0.2.1',
		},
		{ name: 'passes an SPF record that stands as TXT too', text: 'a SPF "v=spf1 -all"\na TXT "v=spf1 -all"' },
		{ name: 'passes an address as the target of PTR names', text: 'a NS 4.3.2.1.in-addr.arpa.' },
		{ name: 'passes a chain of aliases that ends', text: 'a CNAME b\nb CNAME c\nc TXT x\nd CNAME b' },
	])
		it(name, () => assert.deepEqual(check(HEAD + text, steered), []));

	for (const { name, text, problems } of [
		{
			name: 'misses SOA and NS',
			text: '\n\na 1 A 192.0.2.1',
			problems: [
				'1 error Cannot find the SOA of example.org., expected one at the apex',
				'1 error Cannot find an NS record of example.org., expected one at the apex',
			],
		},
		{
			name: 'misses everything in an empty file',
			text: '',
			problems: [
				'1 error Cannot find the SOA of example.org., expected one at the apex',
				'1 error Cannot find an NS record of example.org., expected one at the apex',
			],
		},
		{
			name: 'finds a second SOA',
			text: `${HEAD}@ SOA ns.example.net. host 2 1h 15m 1w 60`,
			problems: ['4 error Cannot hold a second SOA at example.org., expected only the one of line 2'],
		},
		{
			name: 'finds an SOA away from the apex',
			text: `${HEAD}a SOA b c 1 1 1 1 1`,
			problems: ['4 error Cannot hold an SOA at a.example.org., expected it at example.org. only'],
		},
		{
			name: 'finds an owner outside the zone, once',
			text: `${HEAD}a.example.net. A 192.0.2.1\na.example.net. A 192.0.2.2\norg. TXT x\nexample.org.example. TXT x\nxexample.org. TXT x`,
			problems: [
				'4 error Cannot hold a.example.net. in this zone, expected names at or below example.org.',
				'6 error Cannot hold org. in this zone, expected names at or below example.org.',
				'7 error Cannot hold example.org.example. in this zone, expected names at or below example.org.',
				'8 error Cannot hold xexample.org. in this zone, expected names at or below example.org.',
			],
		},
		{
			name: 'finds a CNAME beside other data, in either order',
			text: `${HEAD}a CNAME b\nA TXT x\nc TXT x\nd A 192.0.2.1\nc CNAME b`,
			problems: [
				'4 error Cannot hold a CNAME beside other data at a.example.org., expected it alone',
				'8 error Cannot hold a CNAME beside other data at c.example.org., expected it alone',
			],
		},
		{
			name: 'finds a CNAME at the apex',
			text: `${HEAD}@ CNAME a`,
			problems: ['4 error Cannot hold a CNAME beside other data at example.org., expected it alone'],
		},
		{
			name: 'finds two CNAMEs',
			text: `${HEAD}a CNAME b\na CNAME c`,
			problems: ['5 error Cannot hold a second CNAME at a.example.org., expected only the one of line 4'],
		},
		{
			name: 'finds two DNAMEs',
			text: `${HEAD}a DNAME b\na DNAME c`,
			problems: ['5 error Cannot hold a second DNAME at a.example.org., expected only the one of line 4'],
		},
		{
			name: 'finds a DNAME beside NS',
			text: `${HEAD}a NS ns.example.net.\na DNAME c`,
			problems: ['5 error Cannot hold a DNAME beside NS at a.example.org., expected one of the two (RFC 6672 §2.3)'],
		},
		{
			name: 'warns of a zone that is signed, once',
			text: `${HEAD}@ RRSIG SOA 8 2 1 0 0 1 . AAAA\n@ RRSIG NS 8 2 1 0 0 1 . AAAA`,
			problems: [
				'4 warning Nobody is sent the signatures of this zone: DNSSEC is not spoken here, and while the parent has a DS record of the zone, validating resolvers refuse its answers',
			],
		},
		{
			name: 'warns of records below a DNAME',
			text: `${HEAD}b.c.a TXT x\na DNAME c\na TXT fine`,
			problems: ['4 warning Cannot serve b.c.a.example.org. TXT, expected nothing below the DNAME at a.example.org.'],
		},
		{
			name: 'warns of different TTLs once for an RRset',
			text: `${HEAD}a 1 A 192.0.2.1\na 1 TXT x\na 2 A 192.0.2.2\na 3 A 192.0.2.3`,
			problems: [
				'6 warning Cannot keep TTL 2 of a.example.org. A beside TTL 1 of line 4, expected one TTL for an RRset: the least is used',
			],
		},
		{
			name: 'warns of records that stand there twice, in any case, but not of an SOA',
			text: `${HEAD}a CNAME b\nA CNAME B\nc A 192.0.2.1\nc A 192.0.2.2\nc A 192.0.2.2\nc A 192.0.2.1`,
			problems: [
				'5 warning Cannot hold this CNAME of A.example.org. twice, expected it once: line 4 has it too',
				'8 warning Cannot hold this A of c.example.org. twice, expected it once: line 7 has it too',
				'9 warning Cannot hold this A of c.example.org. twice, expected it once: line 6 has it too',
			],
		},
		{
			name: 'warns of aliases that go in a circle, once for each',
			text: `${HEAD}x CNAME a\na CNAME b\nb CNAME a\nself CNAME SELF`,
			problems: [
				'5 warning Cannot follow the CNAME of a.example.org.: it leads back to itself, expected other data in the end',
				'7 warning Cannot follow the CNAME of self.example.org.: it leads back to itself, expected other data in the end',
			],
		},
		{
			name: 'warns of a DNAME to below itself',
			text: `${HEAD}d DNAME x.D`,
			problems: [
				'4 warning Cannot follow the DNAME of d.example.org. to x.d.example.org., expected a target that is not below the owner',
			],
		},
		{
			name: 'warns of NS, MX and SRV to names without addresses',
			text: `${HEAD}@ NS ns\na MX 1 t\nt TXT x\n_a._tcp SRV 1 1 1 nope\nb MX 1 a.d\nd DNAME e`,
			problems: [
				'4 warning Cannot find an address of ns.example.org., a name server of example.org., expected A or AAAA in this zone',
				'5 warning Cannot find an address of t.example.org., the target of MX, expected A or AAAA in this zone',
				'7 warning Cannot find an address of nope.example.org., the target of SRV, expected A or AAAA in this zone',
				'8 warning Cannot follow MX to a.d.example.org.: it is below the DNAME at d.example.org., expected a name with addresses',
			],
		},
		{
			name: 'warns of targets that read as an address, and of those that are no names of hosts',
			text: `${HEAD}a MX 1 192.0.2.1\na MX 2 192.0.2.1.\n@ NS n_s.example.net.`,
			problems: [
				'4 warning Cannot use 192.0.2.1.example.org. as the target of MX: it reads as an address, expected the name of a host',
				'5 warning Cannot use 192.0.2.1. as the target of MX: it reads as an address, expected the name of a host',
				'6 warning Cannot use n_s.example.net. as the target of NS, expected the name of a host: letters, digits and hyphens',
			],
		},
		{
			name: 'warns of owners that are no names of hosts, once for each',
			text: `${HEAD}a_b A 192.0.2.1\na_b AAAA ::1\n-a MX 1 mx.example.net.\n_c TXT fine`,
			problems: [
				'4 warning Cannot reach A at a_b.example.org. as a host, expected letters, digits and hyphens in its name',
				'6 warning Cannot reach MX at -a.example.org. as a host, expected letters, digits and hyphens in its name',
			],
		},
		{
			name: 'warns of an SOA whose mailbox has an @',
			text: '$TTL 300\n@ SOA ns.example.net. host@example.org. 1 1h 15m 1w 60\n@ NS ns.example.net.',
			problems: [
				'2 warning Cannot use host\\@example.org. as the mailbox of the SOA, expected a dot in place of "@" (RFC 1035 §3.3.13)',
			],
		},
		{
			name: 'warns of what says nothing where it is',
			text: `${HEAD}*.w NS ns.example.net.\n@ DS 1 8 1 ${'00'.repeat(20)}\nb DS 1 8 1 ${'00'.repeat(20)}\na.*.c TXT x\ns SPF "v=spf1 -all"`,
			problems: [
				'4 warning Cannot delegate *.w.example.org.: a wildcard is no cut, expected NS at a name of its own (RFC 4592 §4.2)',
				'5 warning Cannot use the DS at example.org., expected it beside the NS records of a delegation (RFC 4035 §2.4)',
				'6 warning Cannot use the DS at b.example.org., expected it beside the NS records of a delegation (RFC 4035 §2.4)',
				'7 warning Cannot take a.*.c.example.org. for a wildcard, expected "*" as its first label only (RFC 4592 §2.1.1)',
				'8 warning Cannot make a policy of the SPF record at s.example.org., expected it as TXT (RFC 7208 §3.1)',
			],
		},
		{
			name: 'warns of targets that are aliases',
			text: `${HEAD}b CNAME c\na MX 1 B\na SRV 1 1 1 b\nsub NS b`,
			problems: [
				'5 warning Cannot follow MX to b.example.org.: it is an alias, expected a name with addresses (RFC 2181 §10.3)',
				'6 warning Cannot follow SRV to b.example.org.: it is an alias, expected a name with addresses (RFC 2181 §10.3)',
				'7 warning Cannot follow NS to b.example.org.: it is an alias, expected a name with addresses (RFC 2181 §10.3)',
			],
		},
		{
			name: 'warns of missing glue, a wildcard above the cut notwithstanding',
			text: `${HEAD}sub NS ns.sub\nsub NS ns.example.net.\n* A 192.0.2.1`,
			problems: [
				'4 warning Cannot find an address of ns.sub.example.org., a name server of sub.example.org., expected A or AAAA in this zone (glue)',
			],
		},
	])
		it(name, () => assert.deepEqual(check(text), problems));

	it('lists a hundred errors and a hundred warnings, and says that there are more', () => {
		const lines = Array.from({ length: 300 }, (_, i) => `a${i} 1 CNAME b\na${i} 1 CNAME c\na${i} 2 CNAME b`);
		const problems = check(HEAD + lines.join('\n'));
		assert.equal(problems.filter((problem) => problem.includes(' error ')).length, 101);
		assert.equal(problems.filter((problem) => problem.includes(' warning ')).length, 101);
		assert.ok(problems.some((problem) => problem.endsWith('Cannot list more problems of this zone: fix these first')));
	});

	it('ends on any mix of records, with lines of the file', () => {
		const owner = fc.constantFrom('@', 'a', 'A', 'b.a', '*', '*.a', 'c.b.a', 'example.net.');
		const data = fc.constantFrom(
			'A 192.0.2.1',
			'CNAME a',
			'CNAME b.a',
			'DNAME a',
			'NS b.a',
			'NS @',
			'MX 1 c.b.a',
			'SOA a b 1 1 1 1 1',
			'TXT x',
		);
		fc.assert(
			fc.property(fc.array(fc.tuple(owner, fc.constantFrom('1', '2'), data), { maxLength: 20 }), (rows) => {
				const text = rows.map((row) => row.join(' ')).join('\n');
				const problems = checkZone(wireName('example.org.'), recordsOf('example.org.', text));
				for (const { line, message } of problems) {
					assert.ok(line >= 1 && line <= Math.max(1, rows.length));
					assert.match(message, /^Cannot .*expected /);
				}
			}),
			{ numRuns: 500 },
		);
	});
});

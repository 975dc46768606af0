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
		{ name: 'passes a CNAME twice, in any case', text: 'a CNAME b\nA CNAME B' },
		{ name: 'passes RRSIG and NSEC beside a CNAME', text: 'a CNAME b\na RRSIG A 8 2 1 0 0 1 . AAAA\na NSEC b A' },
		{ name: 'passes aliases of MX outside the zone', text: 'a MX 1 alias.example.net.' },
		{ name: 'passes a cut with glue', text: 'sub NS ns.sub\nns.sub AAAA 2001:db8::1' },
		{ name: 'passes a cut with its name server beside it', text: 'sub NS ns\nns A 192.0.2.1' },
		{ name: 'passes a cut whose name server has its address from a wildcard', text: 'sub NS ns\n* A 192.0.2.1' },
		{ name: 'passes a cut whose name server is steered', text: 'sub NS ns', steered: ['ns.example.org.'] },
		{ name: 'passes a DNAME beside NS at the apex', text: '@ DNAME example.net.' },
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

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: $GENERATE writes its formats so

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { scanMasterFile } from '../../src/dns/master-file.ts';
import { printName } from '../../src/dns/name.ts';
import { printRdata } from '../../src/dns/rdata.ts';
import { typeText } from '../../src/dns/rr-type.ts';
import { wireName } from './make-query.ts';

const ORIGIN = wireName('example.org.');

/** Records as `line: owner ttl type rdata`, problems as `line:column message`. */
function scan(text: string): { records: string[]; problems: string[] } {
	const { records, problems } = scanMasterFile(text, ORIGIN);
	const printed: string[] = [];
	for (let i = 0; i < records.count; i++) {
		const type = records.type(i);
		const rdata = printRdata(type, records.rdata(i));
		printed.push(`${records.line(i)}: ${printName(records.owner(i))} ${records.ttlSec(i)} ${typeText(type)} ${rdata}`);
	}
	return { records: printed, problems: problems.map(({ line, column, message }) => `${line}:${column} ${message}`) };
}

describe('scanMasterFile()', () => {
	for (const { name, text, records } of [
		{ name: 'reads nothing from nothing', text: '', records: [] },
		{ name: 'reads nothing from blanks and comments', text: '\n  \n; a\n\t; b ( " \n', records: [] },
		{ name: 'needs no line end at the end', text: 'a 60 A 192.0.2.1', records: ['1: a.example.org. 60 A 192.0.2.1'] },
		{ name: 'reads @ as the origin', text: '@ 60 A 192.0.2.1\n', records: ['1: example.org. 60 A 192.0.2.1'] },
		{
			name: 'reads CRLF',
			text: 'a 60 A 192.0.2.1\r\n\r\nb 60 A 192.0.2.2\r\n',
			records: ['1: a.example.org. 60 A 192.0.2.1', '3: b.example.org. 60 A 192.0.2.2'],
		},
		{ name: 'takes TTL before class', text: 'a 60 IN A 192.0.2.1', records: ['1: a.example.org. 60 A 192.0.2.1'] },
		{ name: 'takes class before TTL', text: 'a in 60 a 192.0.2.1', records: ['1: a.example.org. 60 A 192.0.2.1'] },
		{ name: 'takes CLASS1 for IN', text: 'a CLASS1 60 A 192.0.2.1', records: ['1: a.example.org. 60 A 192.0.2.1'] },
		{ name: 'takes TTL units', text: 'a 1h30m A 192.0.2.1', records: ['1: a.example.org. 5400 A 192.0.2.1'] },
		{
			name: 'takes an owner that looks like a type, a class or a TTL',
			text: 'A 1 A 192.0.2.1\nIN 1 A 192.0.2.1\n60 1 A 192.0.2.1',
			records: [
				'1: A.example.org. 1 A 192.0.2.1',
				'2: IN.example.org. 1 A 192.0.2.1',
				'3: 60.example.org. 1 A 192.0.2.1',
			],
		},
		{
			name: 'repeats a blank owner',
			text: 'a 60 A 192.0.2.1\n 60 A 192.0.2.2\n\t A 192.0.2.3',
			records: [
				'1: a.example.org. 60 A 192.0.2.1',
				'2: a.example.org. 60 A 192.0.2.2',
				'3: a.example.org. 60 A 192.0.2.3',
			],
		},
		{
			name: 'repeats a blank owner past comments and blank lines',
			text: 'a 60 A 192.0.2.1 ; x\n\n; y\n A 192.0.2.2',
			records: ['1: a.example.org. 60 A 192.0.2.1', '4: a.example.org. 60 A 192.0.2.2'],
		},
		{
			name: 'takes the TTL of the record before',
			text: 'a 60 A 192.0.2.1\nb A 192.0.2.2',
			records: ['1: a.example.org. 60 A 192.0.2.1', '2: b.example.org. 60 A 192.0.2.2'],
		},
		{
			name: 'prefers $TTL to the TTL of the record before',
			text: '$TTL 1d\na 60 A 192.0.2.1\nb A 192.0.2.2',
			records: ['2: a.example.org. 60 A 192.0.2.1', '3: b.example.org. 86400 A 192.0.2.2'],
		},
		{
			name: 'changes $TTL half-way',
			text: '$ttl 1\na A 192.0.2.1\n$TTL 2 ; c\nb A 192.0.2.2',
			records: ['2: a.example.org. 1 A 192.0.2.1', '4: b.example.org. 2 A 192.0.2.2'],
		},
		{
			name: 'takes MINIMUM for the TTL of a first SOA',
			text: '@ SOA a b 1 2 3 4 5\n@ NS a',
			records: ['1: example.org. 5 SOA a.example.org. b.example.org. 1 2 3 4 5', '2: example.org. 5 NS a.example.org.'],
		},
		{
			name: 'follows $ORIGIN, relative too',
			text: '$TTL 1\n$ORIGIN sub\na A 192.0.2.1\n$ORIGIN net.\na CNAME @',
			records: ['3: a.sub.example.org. 1 A 192.0.2.1', '5: a.net. 1 CNAME net.'],
		},
		{
			name: 'keeps a blank owner across $ORIGIN',
			text: 'a 1 A 192.0.2.1\n$ORIGIN net.\n 1 A 192.0.2.2\na 1 A 192.0.2.3',
			records: ['1: a.example.org. 1 A 192.0.2.1', '3: a.example.org. 1 A 192.0.2.2', '4: a.net. 1 A 192.0.2.3'],
		},
		{
			name: 'joins lines in parentheses, comments inside',
			text: '@ 1 SOA a b ( 1 ; serial )\n2\n\n 3 4 ; "\n5 ) ; end\na 1 A 192.0.2.1',
			records: ['1: example.org. 1 SOA a.example.org. b.example.org. 1 2 3 4 5', '6: a.example.org. 1 A 192.0.2.1'],
		},
		{
			name: 'takes parentheses without blanks and several pairs',
			text: 'a(1)A(192.0.2.1)',
			records: ['1: a.example.org. 1 A 192.0.2.1'],
		},
		{ name: 'takes an empty pair', text: 'a 1 A 192.0.2.1 ()', records: ['1: a.example.org. 1 A 192.0.2.1'] },
		{
			name: 'keeps what quotes hide',
			text: 'a 1 TXT "a ; b ( c )" "\\"" ;x',
			records: ['1: a.example.org. 1 TXT "a ; b ( c )" "\\""'],
		},
		{ name: 'splits a string at a quote', text: 'a 1 TXT b"c"d', records: ['1: a.example.org. 1 TXT "b" "c" "d"'] },
		{
			name: 'keeps what a backslash hides',
			text: 'a\\;b\\ c\\( 1 TXT \\"\\;',
			records: ['1: a\\;b\\032c\\(.example.org. 1 TXT "\\";"'],
		},
		{
			name: 'reads \\. and \\DDD in owners',
			text: 'a\\.b\\046c 1 A 192.0.2.1',
			records: ['1: a\\.b\\.c.example.org. 1 A 192.0.2.1'],
		},
		{ name: 'takes any octet in a string', text: 'a 1 TXT "\xe9"', records: ['1: a.example.org. 1 TXT "\\233"'] },
		{
			name: 'reads an escaped directive sign as an owner',
			text: '\\$TTL 1 A 192.0.2.1',
			records: ['1: \\$TTL.example.org. 1 A 192.0.2.1'],
		},
		{
			name: 'reads unknown types',
			text: 'a 1 TYPE731 \\# 6 abcdef (\n 01 23 45 )',
			records: ['1: a.example.org. 1 TYPE731 \\# 6 abcdef012345'],
		},
		{
			name: 'reads a comment straight behind a word',
			text: 'a 1 A 192.0.2.1;x',
			records: ['1: a.example.org. 1 A 192.0.2.1'],
		},
		{
			name: 'holds wildcards as they stand',
			text: '* 1 A 192.0.2.1\n*.b 1 A 192.0.2.1',
			records: ['1: *.example.org. 1 A 192.0.2.1', '2: *.b.example.org. 1 A 192.0.2.1'],
		},
	])
		it(name, () => assert.deepEqual(scan(text), { records, problems: [] }));

	for (const { name, text, problems } of [
		{
			name: 'points at RDATA',
			text: 'a 1 A 192.0.2.1\n\nbb 1 A  1.2.3',
			problems: ['3:9 Cannot use "1.2.3": expected an IPv4 address'],
		},
		{
			name: 'points at RDATA in a later line of parentheses',
			text: 'a 1 MX (\n 10\n   .. )',
			problems: ['3:4 Cannot read ".." as a name: it has an empty label'],
		},
		{
			name: 'points at the owner',
			text: '..a 1 A 192.0.2.1',
			problems: ['1:1 Cannot read "..a" as a name: it has an empty label'],
		},
		{
			name: 'points at the type',
			text: 'a 1 BOGUS x',
			problems: ['1:5 Cannot use "BOGUS": expected a type such as A or TXT, or TYPE and its number (RFC 3597)'],
		},
		{
			name: 'points at a second TTL',
			text: 'a 1 2 A 192.0.2.1',
			problems: ['1:5 Cannot use "2": expected a TTL below 2^31, a class or a type'],
		},
		{
			name: 'points at a TTL that is too large',
			text: 'a 2147483648 A 192.0.2.1',
			problems: ['1:3 Cannot use "2147483648": expected a TTL below 2^31, a class or a type'],
		},
		{ name: 'points at another class', text: 'a 1 CH TXT x', problems: ['1:5 Cannot serve class CH: expected IN'] },
		{
			name: 'refuses query types',
			text: 'a 1 ANY x\na 1 TYPE0 \\# 0',
			problems: [
				'1:5 Cannot hold type ANY in a zone: it exists in queries only',
				'2:5 Cannot hold type TYPE0 in a zone: it exists in queries only',
			],
		},
		{
			name: 'begins with a byte order mark',
			text: '\u00ef\u00bb\u00bf$TTL 1h\na A 192.0.2.1',
			problems: ['1:1 Cannot use a byte order mark: save the file without one'],
		},
		{ name: 'misses a type', text: 'a 1 IN', problems: ['1:5 Cannot read the record: it ends where a type is due'] },
		{
			name: 'misses a TTL',
			text: 'a A 192.0.2.1',
			problems: ['1:3 Cannot tell the TTL: expected one in this record, in one before it, or a $TTL line'],
		},
		{
			name: 'misses an owner',
			text: ' 1 A 192.0.2.1',
			problems: ['1:2 Cannot use a blank owner name: no record stands before it'],
		},
		{ name: 'finds a ( without )', text: 'a 1 A (\n192.0.2.1\n', problems: ['1:7 Cannot find the ")" for this "("'] },
		{ name: 'finds a ) without (', text: 'a 1 A 192.0.2.1 )', problems: ['1:17 Cannot find the "(" for this ")"'] },
		{ name: 'finds ( inside (', text: 'a 1 A ( ( 192.0.2.1 )', problems: ['1:9 Cannot nest "(" inside "("'] },
		{
			name: 'finds a quote that nothing ends',
			text: 'a 1 TXT "b\nb 1 A 192.0.2.300',
			problems: [
				'1:9 Cannot find the quote that ends this string',
				'2:7 Cannot use "192.0.2.300": expected an IPv4 address',
			],
		},
		{
			name: 'finds a directive that it does not know',
			text: '$FOO a',
			problems: ['1:1 Cannot use $FOO: expected $ORIGIN, $TTL, $INCLUDE or $GENERATE'],
		},
		{
			name: 'refuses $INCLUDE where nothing reads files',
			text: '$INCLUDE a',
			problems: ['1:10 Cannot include "a": files cannot be included here, expected one file with everything'],
		},
		{
			name: 'refuses quotes around what is no string',
			text: '$TTL "5"\na 1 "A" 192.0.2.1\na 1 A "192.0.2.1"',
			problems: [
				'1:6 Cannot use "5": expected it without quotes',
				'2:5 Cannot use "A": expected a type such as A or TXT, or TYPE and its number (RFC 3597)',
				'3:7 Cannot use "192.0.2.1": expected an IPv4 address without quotes',
			],
		},
		{
			name: 'misses the value of a directive',
			text: '$TTL\n$ORIGIN a b',
			problems: [
				'1:1 Cannot read $TTL: expected one value behind it',
				'2:11 Cannot read $ORIGIN: expected one value behind it',
			],
		},
		{
			name: 'refuses a $TTL that is none',
			text: '$TTL x',
			problems: ['1:6 Cannot use TTL "x": expected seconds or units, below 2^31'],
		},
		{
			name: 'refuses an $ORIGIN that is no name',
			text: '$ORIGIN a..',
			problems: ['1:9 Cannot read "a.." as a name: it has an empty label'],
		},
		{
			name: 'refuses an empty owner',
			text: '"" 1 A 192.0.2.1',
			problems: ['1:1 Cannot read "" as a name: it is empty'],
		},
	])
		it(name, () => assert.deepEqual(scan(text).problems, problems));

	it('goes on behind a problem', () => {
		const { records, problems } = scan('a 1 A x\nb 1 A 192.0.2.1\nc 1 A y\n');
		assert.deepEqual(records, ['2: b.example.org. 1 A 192.0.2.1']);
		assert.equal(problems.length, 2);
	});

	it('stops after a hundred problems and says so', () => {
		const { problems } = scan('a 1 A x\n'.repeat(1000));
		assert.equal(problems.length, 101);
		assert.match(problems.at(-1) ?? '', /Cannot list more problems/);
	});

	it('ends on any text, with positions inside it', () => {
		const pieces = fc.constantFrom(
			'a',
			'@',
			' ',
			'\t',
			'\n',
			'\r\n',
			'(',
			')',
			'"',
			';',
			'\\',
			'.',
			'$TTL',
			'$ORIGIN',
			'$INCLUDE',
			'$GENERATE',
			' 1-3 ',
			'${1,2,n}',
			'$',
			'1',
			' A ',
			' TXT ',
			' MX ',
			'192.0.2.1',
			'\\#',
			'\xff',
			'\0',
		);
		const text = fc.oneof(
			fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
			fc.string({ unit: 'binary' }),
		);
		fc.assert(
			fc.property(text, (zone) => {
				const lines = zone.split('\n');
				const readInclude = (path: string) => (path.length < 3 ? { text: zone } : { problem: path });
				const { records, problems } = scanMasterFile(zone, ORIGIN, { readInclude });
				for (const { line, column } of problems) {
					assert.ok(line >= 1 && line <= lines.length);
					assert.ok(column >= 1 && column <= (lines[line - 1] ?? '').length + 1);
				}
				for (let i = 0; i < records.count; i++) assert.ok(records.owner(i).length <= 255);
			}),
			{ numRuns: 2000 },
		);
	});

	it('reads a plain line as it reads the same line with a comment behind it', () => {
		const word = fc.constantFrom(
			...[
				'',
				'h1',
				'A',
				'a',
				'AAAA',
				'IN',
				'in',
				'CH',
				'300',
				'007',
				'1h',
				'4294967296',
				'@',
				'*',
				'x.y',
				'h.',
				'_s-p',
			],
			...[
				'192.0.2.1',
				'0.0.0.0',
				'255.255.255.255',
				'256.0.2.1',
				'01.2.3.4',
				'1.2.3',
				'1.2.3.4.5',
				'::1',
				'a\\.b',
				'"A"',
				'(',
				')',
			],
			...['x'.repeat(64), '$TTL', ';'],
		);
		const line = fc.tuple(
			fc.array(word, { maxLength: 6 }),
			fc.constantFrom(' ', '\t', '  '),
			fc.constantFrom('', ' ', '\r'),
		);
		const good = fc.tuple(
			fc.constantFrom(
				['h1', 'A', '192.0.2.1'],
				['', '60', 'IN', 'A', '192.0.2.2'],
				['h2', 'IN', '60', 'A', '192.0.2.3'],
			),
			fc.constantFrom(' ', '\t'),
			fc.constantFrom('', '\r'),
		);
		fc.assert(
			fc.property(fc.array(fc.oneof(line, good), { maxLength: 8 }), (lines) => {
				const plain = lines.map(([words, blank, end]) => words.join(blank) + end);
				assert.deepEqual(scan(`${plain.join('\n')}\n`), scan(`${plain.join(' ;\n')} ;\n`));
			}),
			{ numRuns: 3000 },
		);
	});
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: $GENERATE writes its formats so

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type IncludedText, scanMasterFile } from '../../src/dns/master-file.ts';
import { printName } from '../../src/dns/name.ts';
import { printRdata } from '../../src/dns/rdata.ts';
import { typeText } from '../../src/dns/rr-type.ts';
import { wireName } from './make-query.ts';

const ORIGIN = wireName('example.org.');

/** Records as `file:line owner ttl type rdata`, problems as `file:line:column message`. */
function scan(text: string, files: Readonly<Record<string, string>> = {}) {
	const asked: string[] = [];
	const readInclude = (path: string, from: string | undefined): IncludedText => {
		asked.push(`${from ?? ''}>${path}`);
		const included = files[path];
		return included === undefined ? { problem: 'there is no such file' } : { text: included };
	};
	const { records, problems } = scanMasterFile(`$TTL 1\n${text}`, ORIGIN, { readInclude });
	const printed: string[] = [];
	for (let i = 0; i < records.count; i++) {
		const type = records.type(i);
		const rdata = printRdata(type, records.rdata(i));
		const place = `${records.file(i) ?? ''}:${records.line(i)}`;
		printed.push(`${place} ${printName(records.owner(i))} ${records.ttlSec(i)} ${typeText(type)} ${rdata}`);
	}
	const says = problems.map(({ file = '', line, column, message }) => `${file}:${line}:${column} ${message}`);
	return { records: printed, problems: says, asked };
}

describe('$INCLUDE', () => {
	for (const { name, text, files, records } of [
		{
			name: 'reads a file in its place, quotes or not',
			text: '$INCLUDE f ; c\n$include "f"\nb A 192.0.2.2',
			files: { f: 'a A 192.0.2.1' },
			records: [
				'f:1 a.example.org. 1 A 192.0.2.1',
				'f:1 a.example.org. 1 A 192.0.2.1',
				':4 b.example.org. 1 A 192.0.2.2',
			],
		},
		{
			name: 'gives the file its own origin',
			text: '$ORIGIN s\n$INCLUDE f o\nb A 192.0.2.2',
			files: { f: '@ A 192.0.2.1' },
			records: ['f:1 o.s.example.org. 1 A 192.0.2.1', ':4 b.s.example.org. 1 A 192.0.2.2'],
		},
		{
			name: 'restores origin and owner behind the file',
			text: 'a A 192.0.2.1\n$INCLUDE f\n A 192.0.2.3\na A 192.0.2.4',
			files: { f: '$ORIGIN x.\na A 192.0.2.2' },
			records: [
				':2 a.example.org. 1 A 192.0.2.1',
				'f:2 a.x. 1 A 192.0.2.2',
				':4 a.example.org. 1 A 192.0.2.3',
				':5 a.example.org. 1 A 192.0.2.4',
			],
		},
		{
			name: 'lends the file the owner before it, and keeps its $TTL',
			text: 'a A 192.0.2.1\n$INCLUDE f\nb A 192.0.2.3',
			files: { f: ' A 192.0.2.2\n$TTL 9' },
			records: [
				':2 a.example.org. 1 A 192.0.2.1',
				'f:1 a.example.org. 1 A 192.0.2.2',
				':4 b.example.org. 9 A 192.0.2.3',
			],
		},
	])
		it(name, () => {
			const scanned = scan(text, files);
			assert.deepEqual(scanned.problems, []);
			assert.deepEqual(scanned.records, records);
		});

	it('tells the reader who asks', () => {
		const { asked } = scan('$INCLUDE f\n$INCLUDE g', { f: '$INCLUDE g', g: '' });
		assert.deepEqual(asked, ['>f', 'f>g', '>g']);
	});

	it('names the file of a problem, and no file for its own', () => {
		const { problems } = scan('$INCLUDE f\nb A x\n$INCLUDE h\n$INCLUDE', { f: '\n a A (', g: '' });
		assert.deepEqual(problems, [
			'f:2:6 Cannot find the ")" for this "("',
			':3:5 Cannot use "x": expected an IPv4 address',
			':4:10 Cannot include "h": there is no such file',
			':5:1 Cannot read $INCLUDE: expected a file and perhaps an origin behind it',
		]);
	});

	it('goes ten files deep and no further', () => {
		const files = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`f${i}`, `$INCLUDE f${i + 1}`]));
		assert.deepEqual(scan('$INCLUDE f1', { ...files, f10: 'a A 192.0.2.1' }).problems, []);
		assert.deepEqual(scan('$INCLUDE f1', { ...files, f11: '' }).problems, [
			'f10:1:10 Cannot include "f11": expected at most 10 files inside one another',
		]);
	});

	it('ends on a file that includes itself again and again', () => {
		const { problems, asked } = scan('$INCLUDE f', { f: '$INCLUDE f\n'.repeat(50) });
		assert.equal(problems.length, 101);
		assert.ok(asked.length <= 1000);
	});
});

describe('$GENERATE', () => {
	for (const { text, records } of [
		{ text: '1-2 a$ A 192.0.2.$', records: ['a1 1 A 192.0.2.1', 'a2 1 A 192.0.2.2'] },
		{ text: '0-6/3 a$ A 192.0.2.$', records: ['a0 1 A 192.0.2.0', 'a3 1 A 192.0.2.3', 'a6 1 A 192.0.2.6'] },
		{ text: '7-7 a$ 5m IN CNAME b$', records: ['a7 300 CNAME b7.example.org.'] },
		{ text: '7-7 a$ IN 5 CNAME $.b.', records: ['a7 5 CNAME 7.b.'] },
		{ text: '7-7 a$ MX "${3} mx$"', records: ['a7 1 MX 10 mx7.example.org.'] },
		{ text: '7-7 a TXT "\\"x $\\" \\$ $$"', records: ['a 1 TXT "x 7" "$" "$"'] },
		{ text: '7-7 a\\$b$$c-$ A 192.0.2.1', records: ['a\\$b\\$c-7 1 A 192.0.2.1'] },
		{ text: '26-26 ${-1,4} A 192.0.2.1', records: ['0025 1 A 192.0.2.1'] },
		{ text: '0-0 a${-1,3} A 192.0.2.1', records: ['a-01 1 A 192.0.2.1'] },
		{ text: '26-26 ${0,4,x}.${0,0,X}.${0,3,o} A 192.0.2.1', records: ['001a.1A.032 1 A 192.0.2.1'] },
		{ text: '254-254 ${0,0,n}.${0,5,N}.${0,6,n}x A 192.0.2.1', records: ['e.f.E.F.0.e.f.0.x 1 A 192.0.2.1'] },
	])
		it(`reads ${text}`, () => {
			const scanned = scan(`$GENERATE ${text}`);
			assert.deepEqual(scanned.problems, []);
			assert.deepEqual(
				scanned.records,
				records.map((record) => `:2 ${record.replace(' ', '.example.org. ')}`),
			);
		});

	const format = 'expected ${offset,width,base} with a width up to 127 and a base d o x X n or N';
	for (const { text, says } of [
		{
			text: '5-3 a$ A 192.0.2.1',
			says: '11 Cannot use "5-3": expected start-stop or start-stop/step, start up to stop, below 2^31',
		},
		{
			text: '1-2/0 a$ A 192.0.2.1',
			says: '11 Cannot use "1-2/0": expected start-stop or start-stop/step, start up to stop, below 2^31',
		},
		{ text: '1-2 a${x} A 192.0.2.1', says: `15 Cannot use "\${x}": ${format}` },
		{ text: '1-2 a A 192.0.2.${0,128}', says: `19 Cannot use "\${0,128}": ${format}` },
		{ text: '0-2 a${-1,1,x} A 192.0.2.1', says: `15 Cannot use "\${-1,1,x}": ${format}` },
		{ text: '1-2 a$ MX 1 b', says: '23 Cannot read $GENERATE: expected RDATA of several words in quotes' },
		{ text: '1-2 a$ A', says: '18 Cannot read $GENERATE: it ends where RDATA is due' },
		{ text: '1-2 a$', says: '15 Cannot read the record: it ends where a type is due' },
		{ text: '1-2', says: '11 Cannot read $GENERATE: it ends where an owner is due' },
		{ text: '1-2 a$ A "192.0.2.1 ("', says: '20 Cannot find the ")" for this "("' },
		{ text: '255-300 a$ A 192.0.2.$', says: '24 Cannot use "192.0.2.256": expected an IPv4 address' },
		{ text: '1-65537 a$ A 192.0.2.1', says: '11 Cannot generate 65537 records: expected at most 65536 in all files' },
	])
		it(`refuses ${text}`, () => assert.deepEqual(scan(`$GENERATE ${text}`).problems, [`:2:${says}`]));

	it('counts the records of all files', () => {
		const { problems, records } = scan('$INCLUDE f\n$GENERATE 1-2 a$ A 192.0.2.1', {
			f: '$GENERATE 1-65535 a$ A 192.0.2.1',
		});
		assert.equal(records.length, 65535);
		assert.deepEqual(problems, [':3:11 Cannot generate 65537 records: expected at most 65536 in all files']);
	});
});

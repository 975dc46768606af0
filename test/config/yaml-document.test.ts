import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readYaml } from '../../src/config/yaml-document.ts';
import type { Path } from '../../src/lib/result.ts';

const DOCUMENT = `# a comment first
pools:
  eu:
    weight: 5
    endpoints:
      - name: eu-1
        addresses: [192.0.2.1, "2001:db8::1"]
      - { name: eu-2, addresses: [] }
  "a b": 1
names: &all
  www: { policy: eu, ttl: 30s }
copy: *all
7: seven
empty:
`;

describe('positionOf()', () => {
	for (const { name, path, at } of [
		{ name: 'gives the value of a plain key', path: ['pools', 'eu', 'weight'], at: '4:13' },
		{ name: 'gives the key of a table', path: ['pools', 'eu'], at: '3:3' },
		{ name: 'gives the key of a list', path: ['pools', 'eu', 'endpoints'], at: '5:5' },
		{ name: 'gives an item of a list', path: ['pools', 'eu', 'endpoints', 1], at: '8:9' },
		{ name: 'gives a key within an item', path: ['pools', 'eu', 'endpoints', 0, 'addresses'], at: '7:9' },
		{ name: 'gives an item of a list in brackets', path: ['pools', 'eu', 'endpoints', 0, 'addresses', 1], at: '7:32' },
		{ name: 'gives a value in braces', path: ['names', 'www', 'ttl'], at: '11:27' },
		{ name: 'gives the value of a quoted key', path: ['pools', 'a b'], at: '9:10' },
		{ name: 'gives the value of a key that is a number', path: ['7'], at: '13:4' },
		{ name: 'gives the place around a key that is not there', path: ['pools', 'eu', 'region'], at: '3:3' },
		{ name: 'gives the place around an item that is not there', path: ['pools', 'eu', 'endpoints', 9], at: '5:5' },
		{ name: 'gives the key in front of an alias, whatever lies behind it', path: ['copy', 'www', 'ttl'], at: '12:1' },
		{ name: 'gives something for a key without a value', path: ['empty'], at: '14:7' },
		{ name: 'gives the start of the document for no path', path: [], at: '2:1' },
	] satisfies { name: string; path: Path; at: string }[]) {
		it(name, () => {
			const { problems, positionOf } = readYaml(DOCUMENT);
			assert.deepEqual(problems, []);
			const { line, column } = positionOf(path);
			assert.equal(`${line}:${column}`, at);
		});
	}
});

describe('readYaml() finds', () => {
	const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]', ...'bcde'.split('').map(bombLine)].join('\n');
	for (const { name, text, finds } of [
		{ name: 'a list that does not end', text: 'a: 1\nb: [1, 2\nc: 3\n', finds: /^3:1: .*sequence.*end with a \]/ },
		{ name: 'a quote that does not end', text: 'a: "b\n', finds: /^2:1: .*closing/ },
		{ name: 'a tab as indentation', text: 'a:\n\tb: 1\n', finds: /^2:1: .*[Tt]abs/ },
		{ name: 'a key twice, at the second', text: 'a: 1\nb: 2\na: 3\n', finds: /^3:1: .*the key "a" stands here twice/ },
		{ name: 'a key twice in braces', text: 'a: { b: 1, b: 2 }\n', finds: /^1:12: .*"b"/ },
		{ name: 'a key twice, once quoted', text: 'a: 1\n"a": 2\n', finds: /^2:1: .*"a"/ },
		{ name: 'a second document', text: 'a: 1\n---\nb: 2\n', finds: /^2:1: .*a file holds one/ },
		{ name: 'an alias without an anchor', text: 'a: 1\nb: *x\n', finds: /^2:4: .*anchor "x"/ },
		{ name: 'an alias before its anchor', text: 'a: *x\nb: &x 1\n', finds: /^1:4: .*anchor "x"/ },
		{ name: 'aliases that unfold to millions of values', text: bomb, finds: /^1:1: .*alias/ },
		{ name: 'lists too deep to be read', text: '['.repeat(100_000), finds: /^\d+:\d+: Cannot read YAML/ },
	]) {
		it(name, () => {
			const { value, problems } = readYaml(text);
			assert.equal(value, undefined);
			const [first] = problems;
			assert(first !== undefined);
			assert.match(`${first.line}:${first.column}: ${first.message}`, finds);
		});
	}
});

function bombLine(letter: string): string {
	const before = String.fromCharCode(letter.charCodeAt(0) - 1);
	return `${letter}: &${letter} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`;
}

describe('readYaml()', () => {
	it('places a mistake behind another one, after a text over several lines', () => {
		const { problems } = readYaml('- ]1\n s:');
		assert.deepEqual(
			problems.map(({ line, column }) => `${line}:${column}`),
			['1:3', '1:4', '2:3'],
		);
	});

	for (const { name, text, value } of [
		{ name: 'is undefined for nothing', text: '', value: undefined },
		{ name: 'is undefined for a comment', text: '# nothing\n', value: undefined },
		{ name: 'passes over a byte order mark', text: '\uFEFFa: 1\n', value: { a: 1 } },
		{ name: 'keeps addresses as text', text: 'a: [192.0.2.1, ::1]', value: { a: ['192.0.2.1', '::1'] } },
		{
			name: 'keeps keys as they are written, also those that look like numbers',
			text: '1.10: 1.10\n007: 7\n0x10: 1e3\n1e3: x',
			value: { '1.10': 1.1, '007': 7, '0x10': 1000, '1e3': 'x' },
		},
		{ name: 'unfolds a few aliases', text: 'a: &x [1]\nb: *x', value: { a: [1], b: [1] } },
	]) {
		it(name, () => {
			const read = readYaml(text);
			assert.deepEqual({ value: read.value, problems: read.problems }, { value, problems: [] });
		});
	}

	it('takes __proto__ for a key like any other', () => {
		const { value } = readYaml('__proto__: { isAdmin: true }\n');
		assert.deepEqual(Object.keys(value as object), ['__proto__']);
		assert.equal(Object.getPrototypeOf(value), Object.prototype);
	});

	it('reads twenty thousand keys of one table in less than five seconds', () => {
		const text = Array.from({ length: 20_000 }, (_, i) => `h${i}: { policy: world }`).join('\n');
		const startMs = performance.now();
		assert.deepEqual(readYaml(text).problems, []);
		assert(performance.now() - startMs < 5000);
	});

	it('ends for any text, with a value or a problem', () => {
		const piece = fc.constantFrom(
			'a',
			': ',
			'- ',
			'\n',
			'  ',
			'[',
			']',
			'{',
			'}',
			'&x ',
			'*x',
			'!t ',
			'"',
			'|\n',
			'? ',
		);
		void fc.assert(
			fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
				const { value, problems, positionOf } = readYaml(pieces.join(''));
				assert(problems.length === 0 || value === undefined);
				assert(positionOf(['a', 0, 'x']).line >= 1);
			}),
		);
	});
});

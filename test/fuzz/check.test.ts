/**
 * `meridian check` against damaged zones directories: it ends, it throws nothing, and what it says stands inside a file.
 *
 * CHECK_CASES sets how many directories, CHECK_SEED where they start; a failure shows the files.
 */

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: $GENERATE writes its formats so

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { noGeoData } from '../../src/geo/decide.ts';
import { DirectorySource } from '../../src/roles/unit-source.ts';
import { UnitKeeper } from '../../src/roles/units.ts';
import { PROJECT } from '../roles/meridian-process.ts';
import { scratch, write } from '../roles/scratch.ts';
import { Mutator } from './mutate.ts';

const CASES = Number(process.env['CHECK_CASES'] ?? 400);
const SEED = Number(process.env['CHECK_SEED'] ?? 23);
/** For a directory of at most a megabyte, on a machine that does other things too. */
const CHECK_MS_MAX = 10_000;

const ZONE = 'example.org.zone';
const STEERING = 'example.org.yaml';
const INCLUDED = 'more.inc';

const example = (name: string) => readFileSync(join(PROJECT, 'zones', name), 'utf8');
const GOOD: Readonly<Record<string, string>> = {
	[ZONE]: `${example(ZONE)}
$INCLUDE ${INCLUDED} more
$GENERATE 1-20/2 host-\${0,3,d} A 192.0.2.$
txt TXT ( "a;b" ; comment
	"\\"\\065" )
u TYPE65280 \\# 3 010203
alias 5m IN CNAME www
child NS ns.child
ns.child IN 1h AAAA 2001:db8::1
`,
	[STEERING]: example(STEERING),
	[INCLUDED]: '$ORIGIN deep.example.org.\n@ 300 MX 10 mail\nmail A 192.0.2.9\n',
	'common.yaml': 'monitors:\n  far: { kind: tcp, port: 443, interval: 10s }\nnetworks:\n  office: [198.51.100.0/24]\n',
};

const TOKENS: readonly string[] = [
	'(',
	')',
	'"',
	'\\',
	';',
	'@',
	'\0',
	'\ufeff',
	'\ufffd',
	'\r',
	'\r\n',
	'\t',
	'\u2028',
	'\n\n',
	' $ORIGIN',
	'\n$ORIGIN a..b\n',
	'\n$TTL 99999999999\n',
	`\n$INCLUDE ${INCLUDED}\n`,
	`\n$INCLUDE ${ZONE}\n`,
	'\n$INCLUDE /etc/passwd\n',
	'\n$INCLUDE ../x\n',
	'\n$GENERATE 0-2147483646 a$ A 192.0.2.1\n',
	'\n$GENERATE 1-65535 ${0,255,d}.$ A 192.0.2.1\n',
	'\n$GENERATE 1-9 ${ A x\n',
	'\nx TXT \\256 \\',
	'\nx A \\# 4 0102\n',
	'\nx 4294967296 A 192.0.2.1\n',
	'- ',
	': ',
	': {',
	'[',
	']',
	'&a ',
	'*a',
	'<<: *a\n',
	'!!binary ',
	'|\n',
	'\n---\n',
	'\n__proto__: { a: 1 }\n',
	'\n%YAML 9\n',
	'1e999',
	'.nan',
	'0x10',
	'~',
];

function damaged(mutator: Mutator, text: string): string {
	const at = mutator.below(text.length + 1);
	const lines = text.split('\n');
	const line = mutator.below(lines.length);
	switch (mutator.below(11)) {
		case 0:
			return text.slice(0, at) + String.fromCharCode(mutator.below(256)) + text.slice(at + 1);
		case 1:
			return text.slice(0, at);
		case 2:
			return lines.toSpliced(line, 1 + mutator.below(3)).join('\n');
		case 3:
			return lines.toSpliced(line, 0, lines[mutator.below(lines.length)] ?? '').join('\n');
		case 4:
			return lines.toSpliced(line, 2, lines.slice(line, line + 2).join(' ')).join('\n');
		case 5:
			return text.slice(0, at) + text.slice(at + 1 + mutator.below(8));
		case 6:
			return (
				text.slice(0, at) +
				mutator.pick(['x', '(', '[', '"', '\\', '9', '.', ' '] as const).repeat(mutator.pick([64, 300, 70_000])) +
				text.slice(at)
			);
		case 7:
			return text.replaceAll('\n', mutator.pick(['\r\n', '\r', '\n\n', ' ']));
		default:
			return text.slice(0, at) + mutator.pick(TOKENS) + text.slice(at);
	}
}

function check(directory: string, files: Readonly<Record<string, string>>) {
	write(directory, files);
	const startMs = performance.now();
	const { settled, problems } = new UnitKeeper(new DirectorySource(directory), undefined, []).load(noGeoData(), true);
	const ms = performance.now() - startMs;
	assert.ok(ms < CHECK_MS_MAX, `it took ${ms} ms`);
	for (const { file, line, column, message } of problems) {
		const name = file.slice(directory.length + 1);
		const text = files[name];
		assert.ok(text !== undefined, `${file}: ${message}`);
		const there = text.split('\n')[line - 1];
		assert.ok(
			there !== undefined && column >= 1 && column <= there.length + 1,
			`${name}:${line}:${column}: ${message}`,
		);
	}
	const errors = problems.filter(({ isWarning }) => !isWarning);
	assert.ok(errors.length > 0 || settled.snapshot.zones.zoneCount === 1, 'neither a zone nor an error');
	return problems;
}

describe('meridian check', () => {
	it('takes the undamaged files', (t) => {
		assert.deepEqual(
			check(scratch(t), GOOD).filter(({ isWarning }) => !isWarning),
			[],
		);
	});

	it('ends with positions or a zone, whatever the damage', (t) => {
		const directory = scratch(t);
		const mutator = new Mutator(SEED);
		let refused = 0;
		for (let i = 0; i < CASES; i++) {
			const files = { ...GOOD };
			for (let damages = 1 + mutator.below(4); damages > 0; damages--) {
				const name = mutator.pick(Object.keys(GOOD));
				files[name] = damaged(mutator, files[name] ?? '');
			}
			try {
				if (check(directory, files).some(({ isWarning }) => !isWarning)) refused++;
			} catch (error) {
				assert.fail(`case ${i} of seed ${SEED}: ${(error as Error).stack}\n${JSON.stringify(files).slice(0, 20_000)}`);
			}
		}
		assert.ok(refused > CASES / 2 && refused < CASES, `${refused} of ${CASES} refused`);
	});

	const big = 1_000_000;
	for (const { name, files } of [
		{ name: 'one long line', files: { [ZONE]: `a TXT ${'x '.repeat(big / 2)}` } },
		{ name: 'one huge token', files: { [ZONE]: 'x'.repeat(big) } },
		{ name: 'one huge quoted string', files: { [ZONE]: `a TXT "${'\\065'.repeat(big / 4)}"` } },
		{ name: 'open parentheses', files: { [ZONE]: '('.repeat(big) } },
		{ name: 'lines within one parenthesis', files: { [ZONE]: `a TXT (${'"x"\n'.repeat(big / 4)}` } },
		{ name: 'labels', files: { [ZONE]: `${'a.'.repeat(big / 2)} A 192.0.2.1` } },
		{ name: 'directives', files: { [ZONE]: '$ORIGIN a\n'.repeat(big / 10) } },
		{ name: 'lines that are wrong', files: { [ZONE]: '$X\n'.repeat(big / 3) } },
		{ name: 'a record many times', files: { [ZONE]: `${example(ZONE)}${'dup A 192.0.2.1\n'.repeat(big / 16)}` } },
		{ name: 'generated records', files: { [ZONE]: '$GENERATE 1-65535 a$ A 192.0.2.1\n'.repeat(1000) } },
		{ name: 'a file that includes itself', files: { [ZONE]: `$INCLUDE ${ZONE}\n`.repeat(1000) } },
		{
			name: 'a file that is included often',
			files: { [ZONE]: `$INCLUDE ${INCLUDED}\n`.repeat(10_000), [INCLUDED]: 'a A 192.0.2.1\n'.repeat(1000) },
		},
		{ name: 'nested lists', files: { [STEERING]: '['.repeat(big / 10) } },
		{
			name: 'nested keys',
			files: { [STEERING]: Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n') },
		},
		{
			name: 'aliases of aliases',
			files: {
				[STEERING]: Array.from(
					{ length: 30 },
					(_, i) => `a${i}: &a${i} [${`*a${i - 1},`.repeat(i === 0 ? 0 : 9)}1]`,
				).join('\n'),
			},
		},
		{ name: 'many keys', files: { [STEERING]: Array.from({ length: 50_000 }, (_, i) => `key${i}: 1`).join('\n') } },
		{ name: 'one huge scalar', files: { [STEERING]: `a: ${'x'.repeat(big)}` } },
		{
			name: 'bytes that are no text',
			files: { [ZONE]: '\0\ufffd'.repeat(big / 10), [STEERING]: '\0\ufffd'.repeat(big / 10) },
		},
	] as readonly { readonly name: string; readonly files: Readonly<Record<string, string>> }[])
		it(`ends for ${name}`, (t) => {
			check(scratch(t), { ...GOOD, ...files });
		});
});

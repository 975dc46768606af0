/**
 * `npm run faults [-- PART ...]`: every fault that a fleet is to survive, with real processes, one after another, under
 * 2,000 queries a second (FAULTS_RATE), and a verdict. PART is a part of a file's name or of a test's.
 */

import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { provideTools } from '../setup/tools.ts';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
process.env['FAULTS_RATE'] ??= '2000';
const parts = process.argv.slice(2);
const print = (line: string) => void process.stdout.write(`${line}\n`);

if (!(await provideTools(print))) process.exit(1);
const files = globSync(['test/faults/*.test.ts', 'test/faults/*.faults.ts']);
let failed = 0;
let passed = 0;
let skipped = 0;
const tests = run({ files, concurrency: 1, ...(parts.length === 0 ? {} : { testNamePatterns: parts }) });
tests.on('test:fail', ({ details }) => {
	if (details.type !== 'suite') failed++;
});
tests.on('test:pass', ({ details, skip }) => {
	if (details.type === 'suite') return;
	if (skip === undefined) passed++;
	else skipped++;
});
for await (const text of tests.compose(new spec())) process.stdout.write(String(text));
print(
	failed > 0 || passed === 0
		? `faults: FAILED: ${failed} of ${failed + passed}`
		: `faults: all ok: ${passed} survived, ${skipped} skipped`,
);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/**
 * `npm run bench [-- PART ...] [-- --pairs=N ...]`: measures, prints tables, keeps the figures as JSON, asserts nothing.
 * Without a part, all. What the parts measure, and how, stands in README.md beside this file.
 *
 * | option      | default       | means                                                          |
 * |-------------|---------------|----------------------------------------------------------------|
 * | --pairs N   | 15            | interleaved pairs for each comparison                          |
 * | --seconds N | 1.5           | of each run of a pair                                          |
 * | --server N  | all           | compare with this one; may be given again                      |
 * | --out DIR   | bench-results | folder for PART.json                                           |
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PARTS, type Part } from './parts.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Options {
	readonly parts: readonly Part[];
	readonly pairs: number;
	readonly seconds: number;
	readonly servers: readonly string[];
	readonly out: string;
}

function readOptions(args: readonly string[]): Options | string {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: {
			pairs: { type: 'string', default: '15' },
			seconds: { type: 'string', default: '1.5' },
			server: { type: 'string', multiple: true, default: [] },
			out: { type: 'string', default: join(root, 'bench-results') },
		},
	});
	const unknown = positionals.find((name) => !PARTS.some((part) => part.name === name));
	if (unknown !== undefined) return `Cannot measure "${unknown}": expected ${PARTS.map(({ name }) => name).join(', ')}`;
	const parts = PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
	const [pairs, seconds] = [Number(values.pairs), Number(values.seconds)];
	if (!(pairs > 0 && seconds > 0)) return 'Cannot measure: expected positive numbers for --pairs and --seconds';
	return { parts, pairs, seconds, servers: values.server, out: values.out };
}

/** What a part printed; its progress goes by. */
async function measure({ file, flags = [], args = () => [] }: Part, options: Options): Promise<string> {
	const script = fileURLToPath(new URL(file, import.meta.url));
	const child = spawn(process.execPath, [...flags, script, ...args(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
	let stdout = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
	});
	const [code] = await once(child, 'close');
	if (code !== 0) throw new Error(`Cannot measure: ${file} ended with exit code ${code}`);
	return stdout;
}

/** Figures say little without it. */
function machine(): object {
	const [first] = cpus();
	return {
		at: new Date().toISOString(),
		processor: first?.model.trim(),
		cores: cpus().length,
		node: process.version,
		loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
	};
}

function print(...lines: readonly string[]): void {
	process.stdout.write(`${lines.join('\n')}\n`);
}

const options = readOptions(process.argv.slice(2));
if (typeof options === 'string') {
	process.stderr.write(`${options}\n`);
	process.exit(2);
}
const seconds = options.parts.reduce((sum, part) => sum + part.seconds(options), 0);
print(`${options.parts.map(({ name }) => name).join(', ')}: about ${Math.ceil(seconds / 60)} minutes`);
mkdirSync(options.out, { recursive: true });
for (const part of options.parts) {
	print('', `## ${part.name}: ${part.title}`, '');
	if (part.isLinuxOnly && process.platform !== 'linux') {
		print('not measured: it takes Linux');
		continue;
	}
	const before = machine();
	const json = await measure(part, options);
	const result: unknown = JSON.parse(json);
	writeFileSync(
		join(options.out, `${part.name}.json`),
		`${JSON.stringify({ before, after: machine(), result }, undefined, '\t')}\n`,
	);
	print(part.print(json));
}

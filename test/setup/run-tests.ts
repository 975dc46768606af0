/**
 * `npm test`: Node's version, the tools, the checks, then the tests: the many in parallel, then, one
 * file at a time, those that time things or break them (test/faults, test/serial).
 *
 * `npm test -- test/dns` runs the test files whose path holds one of the given texts, without the checks.
 *
 * Both runs go through node:test's run(), so that failures are told together at the end and one summary,
 * node's own with both runs added up, stands last. A line tells the end of each file meanwhile.
 */

import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { delimiter, dirname, relative, resolve as resolvePath, sep } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { provideTools } from './tools.ts';

const NODE_MAJOR_MIN = 24;
const TIME_LIMIT_MS = 20 * 60_000;
/** A file that neither ends nor tells anything for so long hangs: a socket or a timer was left open. */
const SILENCE_LIMIT_MS = 3 * 60_000;
const SERIAL = /^test\/(?:faults|serial)\//;

interface Counts {
	tests: number;
	suites: number;
	passed: number;
	cancelled: number;
	skipped: number;
	todo: number;
}

/** What both runs add to. */
interface Tally {
	readonly counts: Counts;
	readonly failures: TestEvent[];
	/** Of the test that is being told, outermost first. */
	readonly titles: string[];
	/** Output of test files, by path. */
	readonly outputs: Map<string, string>;
	/** Paths of files that failed. */
	readonly failedFiles: Set<string>;
	isOk: boolean;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const startMs = performance.now();

async function main(filters: readonly string[]): Promise<boolean> {
	print(`node ${process.version}`);
	if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
		print(`Cannot run on Node ${process.version}: expected Node ${NODE_MAJOR_MIN} or later`);
		return false;
	}
	process.chdir(root);
	// Tests that start the server by name get the node that runs them.
	process.env['PATH'] = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);

	const files = findFiles(filters);
	if (files === undefined || !(await provideTools(print))) return false;
	const isChecked = filters.length > 0 || (await check());
	const tally = newTally();
	await runFiles('in parallel', files.parallel, true, tally);
	await runFiles('one at a time', files.serial, 1, tally);
	await tellFailures(tally);
	await tellSummary(tally, isChecked);
	return isChecked && tally.isOk;
}

/** A pattern that matches nothing would pass without a test: undefined, with the reason told. */
function findFiles(filters: readonly string[]): { parallel: string[]; serial: string[] } | undefined {
	const option = filters.find((filter) => filter.startsWith('-'));
	if (option !== undefined) {
		print(`Cannot use ${option}: expected parts of test paths, such as test/dns`);
		return undefined;
	}
	const wanted = filters.map((filter) => filter.replaceAll('\\', '/').replace(/^\.\//, ''));
	const found = globSync('test/**/*.test.ts').map((path) => path.split(sep).join('/'));
	const files = found.filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part))).sort();
	const serial = files.filter((path) => SERIAL.test(path));
	const parallel = files.filter((path) => !SERIAL.test(path));
	if (parallel.length > 0 || (wanted.length > 0 && serial.length > 0)) return { parallel, serial };
	print(`Cannot find a test file${wanted.length > 0 ? ` with ${wanted.join(' or ')} in its path` : ' in test/'}`);
	return undefined;
}

function check(): Promise<boolean> {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, ['test/setup/check.ts'], { stdio: 'inherit' });
		child.on('error', () => resolve(false));
		child.on('close', (code) => resolve(code === 0));
	});
}

async function runFiles(
	how: string,
	files: readonly string[],
	concurrency: number | true,
	tally: Tally,
): Promise<void> {
	if (files.length === 0) return;
	print(`tests ${how}: ${files.length} ${files.length === 1 ? 'file' : 'files'}`);
	const limit = new AbortController();
	const stop = (why: string): void => {
		if (limit.signal.aborted) return;
		print(`tests: stopped, ${why}; the files that had not ended are told as cancelled`);
		tally.isOk = false;
		limit.abort();
	};
	const leftMs = Math.max(0, TIME_LIMIT_MS - (performance.now() - startMs));
	const total = setTimeout(stop, leftMs, `the whole took more than ${TIME_LIMIT_MS / 60_000} minutes`);
	const silence = setTimeout(stop, SILENCE_LIMIT_MS, `nothing happened for ${SILENCE_LIMIT_MS / 60_000} minutes`);
	let ended = 0;
	for await (const event of run({ files: [...files], cwd: root, concurrency, signal: limit.signal })) {
		silence.refresh();
		if (isFileEnd(event)) print(`${String(++ended).padStart(4)}/${files.length} ${describeFileEnd(event)}`);
		tallyEvent(tally, event);
	}
	clearTimeout(total);
	clearTimeout(silence);
}

type Completed = Extract<TestEvent, { type: 'test:complete' }>;

/** The runner reports each file as a test that is named by its path, at once; all else waits for its turn. */
function isFileEnd(event: TestEvent): event is Completed {
	return event.type === 'test:complete' && isFile(event.data);
}

function isFile({ name, file }: { readonly name: string; readonly file?: string | undefined }): boolean {
	return resolvePath(name) === file;
}

function describeFileEnd({ data }: Completed): string {
	const seconds = (data.details.duration_ms / 1000).toFixed(1);
	return `${data.details.passed ? 'ok    ' : 'FAILED'} ${relative(root, resolvePath(data.name))} ${seconds} s`;
}

function tallyEvent(tally: Tally, event: TestEvent): void {
	switch (event.type) {
		case 'test:stdout':
		case 'test:stderr':
			addOutput(tally.outputs, resolvePath(event.data.file), event.data.message);
			break;
		case 'test:start':
			tally.titles.length = event.data.nesting;
			tally.titles.push(event.data.name);
			break;
		case 'test:fail':
			if (event.data.file !== undefined) tally.failedFiles.add(resolvePath(event.data.file));
			if (event.data.todo === undefined && !isOfSubtests(event.data.details.error)) {
				// One failure, one entry, under the whole of its title: the reporter would show its suites after it.
				const name = [...tally.titles.slice(0, event.data.nesting), event.data.name].join(' › ');
				tally.failures.push({ ...event, data: { ...event.data, name, nesting: 0 } });
			}
			break;
		case 'test:pass':
			// A file without a test is reported as one test that passed.
			if (!isFile(event.data)) break;
			print(`Cannot find a test in ${event.data.name}: expected at least one`);
			tally.isOk = false;
			break;
		case 'test:summary':
			if (event.data.file !== undefined) break;
			for (const key of keysOf(tally.counts)) tally.counts[key] += event.data.counts[key];
			tally.isOk &&= event.data.success;
			break;
	}
}

function addOutput(outputs: Map<string, string>, file: string, text: string): void {
	outputs.set(file, (outputs.get(file) ?? '') + text);
}

/** A suite, or a file, that fails because something within it did. */
function isOfSubtests(error: Error): boolean {
	return 'failureType' in error && error.failureType === 'subtestsFailed';
}

function newTally(): Tally {
	return {
		counts: { tests: 0, suites: 0, passed: 0, cancelled: 0, skipped: 0, todo: 0 },
		failures: [],
		titles: [],
		outputs: new Map(),
		failedFiles: new Set(),
		isOk: true,
	};
}

/** What failing files printed, then node's own account of each failure. */
async function tellFailures({ failures, outputs, failedFiles }: Tally): Promise<void> {
	for (const file of failedFiles) {
		const output = outputs.get(file);
		if (output !== undefined) print(`\noutput of ${relative(root, file)}:\n${output.trimEnd()}`);
	}
	if (failures.length > 0) await tell(failures);
}

async function tellSummary({ counts, isOk }: Tally, isChecked: boolean): Promise<void> {
	const { tests, suites, passed, cancelled, skipped, todo } = counts;
	const failed = tests - passed - cancelled - skipped - todo;
	const lines = [
		...(isChecked ? [] : ['npm run check FAILED, see above']),
		...(isOk || failed + cancelled > 0 ? [] : ['the test run FAILED, see above']),
		...[`tests ${tests}`, `suites ${suites}`, `pass ${passed}`, `fail ${failed}`, `cancelled ${cancelled}`],
		...[`skipped ${skipped}`, `todo ${todo}`, `duration_ms ${(performance.now() - startMs).toFixed(0)}`],
	];
	await tell(lines.map((message) => ({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } })));
}

/** In the words of node's spec reporter. */
async function tell(events: readonly object[]): Promise<void> {
	for await (const text of Readable.from(events).compose(new spec())) process.stdout.write(String(text));
}

function keysOf<T extends object>(record: T): readonly (keyof T)[] {
	return Object.keys(record) as (keyof T)[];
}

function print(line: string): void {
	process.stdout.write(`${line}\n`);
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;

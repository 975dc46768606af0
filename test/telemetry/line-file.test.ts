import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LineFile } from '../../src/telemetry/line-file.ts';
import { until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import { ended } from '../setup/ended.ts';

const LIMIT_MS = 5000;
const OCTETS_MAX = 1024 * 1024;

function lineFile(t: TestContext, path: string) {
	const changes: (string | undefined)[] = [];
	const file = new LineFile(path, (problem) => changes.push(problem));
	t.after(() => file.close(0));
	return { file, changes };
}

const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

describe('LineFile', () => {
	it('writes lines in their order, behind those that are there', async (t) => {
		const path = join(scratch(t, { log: 'before\n' }), 'log');
		const { file, changes } = lineFile(t, path);
		for (let i = 0; i < 3; i++) file.add(`${i}\n`);
		await file.close(LIMIT_MS);
		assert.equal(textOf(path), 'before\n0\n1\n2\n');
		assert.deepEqual(changes, []);
	});

	it('goes on in a new file when the old one was moved away', async (t) => {
		const path = join(scratch(t), 'log');
		const { file } = lineFile(t, path);
		file.add('a\n');
		await until('the line', LIMIT_MS, () => textOf(path) === 'a\n');
		renameSync(path, `${path}.1`);
		file.add('b\n');
		await until('the line in the old file', LIMIT_MS, () => textOf(`${path}.1`) === 'a\nb\n');
		file.reopen();
		file.add('c\n');
		await until('the new file', LIMIT_MS, () => textOf(path) === 'c\n');
		assert.equal(textOf(`${path}.1`), 'a\nb\n');
	});

	it('tells once that it cannot write, keeps what waits, and tells that it can again', async (t) => {
		const directory = join(scratch(t), 'later');
		const path = join(directory, 'log');
		const { file, changes } = lineFile(t, path);
		file.add('a\n');
		await until('the failure', LIMIT_MS, () => changes.length === 1);
		assert.match(changes[0] ?? '', /ENOENT/);
		assert.equal(file.isFailing, true);
		mkdirSync(directory);
		await until('the line', LIMIT_MS, () => textOf(path) === 'a\n');
		await until('the all-clear', LIMIT_MS, () => changes.length === 2);
		assert.equal(changes[1], undefined);
		assert.equal(file.isFailing, false);
	});

	it('has no room when nobody reads, loses nothing of what it took, and goes on with a reader', async (t) => {
		const path = join(scratch(t), 'fifo');
		execFileSync('mkfifo', [path]);
		const { file, changes } = lineFile(t, path);
		let expected = '';
		for (let i = 0; file.hasRoom; i++) {
			const lines = `${i} ${'x'.repeat(1000)}\n`.repeat(50);
			expected += lines;
			file.add(lines);
		}
		assert.ok(expected.length < OCTETS_MAX + 100_000, `${expected.length}`);
		const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] });
		t.after(() => ended(reader));
		let text = '';
		reader.stdout.setEncoding('utf8').on('data', (part: string) => {
			text += part;
		});
		await until('all of it', LIMIT_MS, () => text.length >= expected.length);
		assert.equal(text, expected);
		assert.deepEqual(changes, []);
		assert.equal(file.hasRoom, true);
	});

	it('ends in time although nobody reads', async (t) => {
		const path = join(scratch(t), 'fifo');
		execFileSync('mkfifo', [path]);
		const { file } = lineFile(t, path);
		file.add('a\n');
		const startMs = performance.now();
		await file.close(50);
		assert.ok(performance.now() - startMs < 1000);
		rmSync(path);
	});

	it('waits for room on a full disk', {
		skip: existsSync('/dev/full') ? false : 'there is no /dev/full',
	}, async (t) => {
		const { file, changes } = lineFile(t, '/dev/full');
		file.add('a\n');
		await until('the failure', LIMIT_MS, () => changes.length === 1);
		assert.match(changes[0] ?? '', /ENOSPC/);
	});
});

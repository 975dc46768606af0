import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { SavedVote } from '../../src/health/vote-book.ts';
import { VotesFile } from '../../src/store/votes-file.ts';
import { until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';

const LIMIT_MS = 5000;

const VOTE: SavedVote = {
	key: '["203.0.113.1",80,{}]',
	place: 'tcp 203.0.113.1 80',
	vote: 'down',
	sinceAgeMs: 500,
	steadyVote: 'down',
	turnAgesMs: [500],
	holds: 0,
	checkedAgeMs: 100,
	reason: 'status 500 "\u2028"',
	history: [{ ageMs: 500, vote: 'down', reason: 'status 500' }],
};

function setUp(t: TestContext, { votes = [VOTE], wallMs = 1_000_000, stateDir = scratch(t) } = {}) {
	const lines: string[] = [];
	const log = (level: string) => (_: unknown, message: string) => void lines.push(`${level}: ${message}`);
	const clock = { wallMs };
	let collected = 0;
	const file = new VotesFile<readonly SavedVote[]>(stateDir, {
		name: 'votes',
		none: [],
		log: { info: log('info'), warn: log('warn'), error: log('error') },
		collect: () => {
			collected++;
			return votes;
		},
		wallMs: () => clock.wallMs,
		delayMs: 20,
	});
	return { file, stateDir, lines, clock, path: join(stateDir, 'votes.json'), collected: () => collected };
}

describe('VotesFile', () => {
	it('gives back what was kept, and how long ago', async (t) => {
		const { file, clock } = setUp(t);
		await file.flush();
		clock.wallMs += 60_000;
		assert.deepEqual(file.load(), { votes: [VOTE], elapsedMs: 60_000 });
	});

	it('does not let a clock that was set back make votes of the future', async (t) => {
		const { file, clock } = setUp(t);
		await file.flush();
		clock.wallMs -= 3_600_000;
		assert.deepEqual(file.load(), { votes: [VOTE], elapsedMs: 0 });
	});

	it('is empty at a first start, and says nothing', (t) => {
		const { file, lines } = setUp(t);
		assert.deepEqual(file.load(), { votes: [], elapsedMs: 0 });
		assert.deepEqual(lines, []);
	});

	it('writes many changes once, and leaves no other file', async (t) => {
		const { file, stateDir, path, collected } = setUp(t);
		for (let i = 0; i < 1000; i++) file.touch();
		assert(!existsSync(path));
		await until('the file', LIMIT_MS, () => existsSync(path));
		await file.flush();
		assert.equal(collected(), 2);
		assert.deepEqual(readdirSync(stateDir), ['votes.json']);
	});

	for (const { name, damage } of [
		{ name: 'cut short', damage: (text: string) => text.slice(0, 100) },
		{ name: 'empty', damage: () => '' },
		{ name: 'of another form', damage: () => '{"votes":[]}' },
		{ name: 'with one letter changed', damage: (text: string) => text.replace('"down"', '"up"') },
		{ name: 'of noise', damage: () => '\u0000\n'.repeat(1000) },
	]) {
		it(`puts a file aside that is ${name}, tells of it once, and goes on`, async (t) => {
			const { file, path, lines } = setUp(t);
			await file.flush();
			writeFileSync(path, damage(readFileSync(path, 'utf8')));
			assert.deepEqual(file.load(), { votes: [], elapsedMs: 0 });
			assert.deepEqual(lines, ['warn: votes of the last run cannot be read, and are put aside']);
			assert(existsSync(`${path}.damaged`) && !existsSync(path));
			assert.deepEqual(file.load().votes, []);
			await file.flush();
			assert.deepEqual(file.load().votes, [VOTE]);
			assert.equal(lines.length, 1);
		});
	}

	it('puts aside what is no file at all', (t) => {
		const { file, path, lines } = setUp(t);
		mkdirSync(path);
		assert.deepEqual(file.load().votes, []);
		assert.equal(lines.length, 1);
		assert(existsSync(`${path}.damaged`));
	});

	it('tells once that it cannot write, and writes again when it can', async (t) => {
		const { file, stateDir, path, lines } = setUp(t);
		rmSync(stateDir, { recursive: true });
		await file.flush();
		await file.flush();
		assert.deepEqual(lines, ['error: votes were not written']);
		assert.match(file.problem ?? '', /^Cannot keep votes for the next start: ENOENT/);
		mkdirSync(stateDir);
		await file.flush();
		assert.equal(file.problem, undefined);
		assert(existsSync(path));
	});
});

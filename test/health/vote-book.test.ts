import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Target, targetKey } from '../../src/health/target.ts';
import { type Finding, reasonOf, VoteBook } from '../../src/health/vote-book.ts';
import type { Monitor } from '../../src/model/monitor.ts';
import { monitorFrom } from '../probe/monitor-from.ts';

const MONITOR = monitorFrom({ kind: 'tcp', interval: '1s', timeout: '400ms', fall: 2, rise: 2 });
const UP: Finding = { isUp: true, reason: 'connected' };
const DOWN: Finding = { isUp: false, reason: 'connection refused' };
const NO_WORD: Finding = { isUp: undefined, reason: 'cannot run: no file descriptors left' };

function targetOf(address: string, monitor: Monitor = MONITOR): Target {
	return { key: targetKey(address, 80, monitor), address, port: 80, monitor };
}

const A = targetOf('203.0.113.1');
const B = targetOf('203.0.113.2');
const EDITED_A = targetOf('203.0.113.1', { ...MONITOR, fall: 1 });

/** A book of these targets from second 0 on, and what they were found to be, a second each. */
function bookOf(targets: readonly Target[], findings: readonly Finding[] = [], key = A.key): VoteBook<Finding> {
	const book = new VoteBook<Finding>();
	book.setTargets(targets, 0);
	for (const [i, finding] of findings.entries()) book.take(key, finding, (i + 1) * 1000);
	return book;
}

/** What matters of a target's vote. */
function told(book: VoteBook<Finding>, { key }: Target) {
	const { state, reason, checkedMs, isNew } = book.get(key) ?? assert.fail();
	return { vote: state.vote, sinceMs: state.sinceMs, checkedMs, reason, isNew };
}

describe('VoteBook.take()', () => {
	it('tells of turns and of nothing else', () => {
		const book = bookOf([A]);
		const changes = [UP, UP, DOWN, DOWN, DOWN, UP, UP, NO_WORD].map((finding, i) => book.take(A.key, finding, i));
		assert.deepEqual(changes, ['turned', 'nothing', 'nothing', 'turned', 'nothing', 'nothing', 'turned', 'nothing']);
	});

	it('remembers why and when', () => {
		const book = bookOf([A], [UP, DOWN, DOWN]);
		assert.deepEqual(told(book, A), {
			...{ vote: 'down', sinceMs: 3000, checkedMs: 3000, reason: 'connection refused', isNew: false },
		});
		assert.deepEqual(book.get(A.key)?.history, [
			{ atMs: 1000, vote: 'up', reason: 'connected' },
			{ atMs: 3000, vote: 'down', reason: 'connection refused' },
		]);
		assert.equal(book.get(A.key)?.turns, 2);
	});

	it('does not take for a word what could not be checked, but says so', () => {
		const book = bookOf([A], [UP, NO_WORD, NO_WORD, NO_WORD]);
		assert.deepEqual(told(book, A), {
			...{ vote: 'up', sinceMs: 1000, checkedMs: 1000, reason: NO_WORD.reason, isNew: false },
		});
	});

	it('tells of a hold, also in the reason and the history', () => {
		const flapping = { ...MONITOR, fall: 1, rise: 1, maxFlips: 3, flapWindowMs: 10_000 };
		const target = targetOf('203.0.113.1', flapping);
		const book = bookOf([target], [UP, DOWN, UP, DOWN], target.key);
		assert.equal(book.take(target.key, UP, 5000), 'held');
		assert.equal(book.get(target.key)?.state.vote, 'down');
		assert.equal(book.get(target.key)?.history.at(-1)?.reason, 'flaps: held down for 10 s');
		const entry = book.get(target.key) ?? assert.fail();
		assert.equal(reasonOf(entry, 6500), 'flaps: held down for 9 s more; last result: connected');
		assert.equal(reasonOf(entry, 15_000), 'connected');
	});

	it('keeps the latest 16 transitions', () => {
		const quick = targetOf('203.0.113.1', { ...MONITOR, fall: 1, rise: 1, maxFlips: 1000 });
		const book = bookOf(
			[quick],
			Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? UP : DOWN)),
			quick.key,
		);
		const { history = [], turns } = book.get(quick.key) ?? {};
		assert.deepEqual([history.length, history.at(-1)?.atMs, turns], [16, 100_000, 100]);
	});

	it('drops what comes for a target that is gone', () => {
		const book = bookOf([A], [UP]);
		book.setTargets([B], 2000);
		assert.equal(book.take(A.key, DOWN, 3000), 'nothing');
		assert.equal(book.get(A.key), undefined);
	});
});

describe('VoteBook.setTargets()', () => {
	it('keeps the vote of a target over a change beside it', () => {
		const book = bookOf([A], [UP, DOWN, DOWN]);
		const before = told(book, A);
		book.setTargets([B, A], 5000);
		book.setTargets([A], 6000);
		assert.deepEqual(told(book, A), before);
	});

	for (const { name, targets, next, isNew } of [
		{ name: 'takes nobody of the first for new', targets: [], next: [A], isNew: false },
		{ name: 'takes for new what comes beside others', targets: [B], next: [A, B], isNew: true },
		{ name: 'takes an edited check for no new one', targets: [A, B], next: [EDITED_A, B], isNew: false },
	]) {
		it(name, () => {
			const book = bookOf(targets, [UP]);
			book.setTargets(next, 2000);
			assert.equal(told(book, next[0] ?? A).isNew, isNew);
		});
	}

	it('lets an edited check go on from the vote of before', () => {
		const book = bookOf([A], [UP, DOWN, DOWN]);
		book.setTargets([EDITED_A], 5000);
		assert.partialDeepStrictEqual(told(book, EDITED_A), { vote: 'down', sinceMs: 3000 });
	});

	it('takes the vote that is down where two checks of one place were replaced', () => {
		const other = targetOf('203.0.113.1', { ...MONITOR, rise: 9 });
		const book = bookOf([A, other], [DOWN, DOWN]);
		book.take(other.key, UP, 3000);
		book.setTargets([EDITED_A], 5000);
		assert.equal(told(book, EDITED_A).vote, 'down');
	});
});

describe('VoteBook.report()', () => {
	it('publishes what has a vote', () => {
		const book = bookOf([A, B], [UP, DOWN, DOWN, DOWN]);
		assert.deepEqual(book.report('p', 'eu'), {
			prober: 'p',
			region: 'eu',
			isAlive: true,
			votes: new Map([[A.key, { vote: 'down', sinceMs: 3000, checkedMs: 4000 }]]),
		});
	});
});

describe('VoteBook.restore()', () => {
	/** Saved at second 10, and back 5 s later by another clock. */
	function restarted(before: VoteBook<Finding>, targets: readonly Target[]): VoteBook<Finding> {
		const text = JSON.stringify(before.save(10_000));
		const book = new VoteBook<Finding>();
		book.restore(JSON.parse(text), 5000, 1000);
		book.setTargets(targets, 1000);
		return book;
	}

	it('brings back votes with their ages, and their history', () => {
		const book = restarted(bookOf([A], [UP, DOWN, DOWN]), [A, B]);
		// What was at second 3 of the first clock is at second -11 of the second.
		assert.deepEqual(told(book, A), {
			...{ vote: 'down', sinceMs: -11_000, checkedMs: -11_000, reason: 'connection refused', isNew: false },
		});
		assert.deepEqual(
			book.get(A.key)?.history.map(({ atMs, vote }) => [atMs, vote]),
			[
				[-13_000, 'up'],
				[-11_000, 'down'],
			],
		);
		assert.partialDeepStrictEqual(told(book, B), { vote: 'unknown', isNew: true });
	});

	it('brings back the vote of a check that was edited in between', () => {
		const book = restarted(bookOf([A], [UP, DOWN, DOWN]), [EDITED_A]);
		assert.partialDeepStrictEqual(told(book, EDITED_A), { vote: 'down', sinceMs: -11_000, isNew: false });
	});

	it('does not believe one success of what was down', () => {
		const book = restarted(bookOf([A], [UP, DOWN, DOWN]), [A]);
		book.take(A.key, UP, 2000);
		assert.equal(told(book, A).vote, 'down');
		book.take(A.key, UP, 3000);
		assert.equal(told(book, A).vote, 'up');
	});

	it('goes on with a hold', () => {
		const flapping = { ...MONITOR, fall: 1, rise: 1, maxFlips: 3, flapWindowMs: 10_000 };
		const target = targetOf('203.0.113.1', flapping);
		const before = bookOf([target], [UP, DOWN, UP, DOWN, UP, UP], target.key);
		const book = restarted(before, [target]);
		// Held until second 15 of the first clock, second 1 of the second.
		book.take(target.key, UP, 999);
		assert.equal(told(book, target).vote, 'down');
		book.take(target.key, UP, 1000);
		assert.equal(told(book, target).vote, 'up');
	});

	it('has no use for what is no target any more', () => {
		const book = restarted(bookOf([A], [UP]), [B]);
		book.setTargets([A, B], 2000);
		assert.equal(told(book, A).vote, 'unknown');
	});
});

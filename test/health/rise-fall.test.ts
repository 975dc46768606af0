import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NEVER_CHECKED, nextRiseFall, type RiseFall } from '../../src/health/rise-fall.ts';

const THRESHOLDS = { fall: 3, rise: 2 };
const UP: RiseFall = { vote: 'up', run: 0 };
const DOWN: RiseFall = { vote: 'down', run: 0 };

/** `+` is a success, `-` a failure. */
function after(from: RiseFall, results: string, thresholds = THRESHOLDS): RiseFall {
	let state = from;
	for (const result of results) state = nextRiseFall(state, result === '+', thresholds);
	return state;
}

describe('nextRiseFall()', () => {
	for (const { name, from, results, vote, run } of [
		{ name: 'is unknown before the first result', from: NEVER_CHECKED, results: '', vote: 'unknown', run: 0 },
		{ name: 'turns up at the first success', from: NEVER_CHECKED, results: '+', vote: 'up', run: 0 },
		{ name: 'stays unknown below `fall` failures', from: NEVER_CHECKED, results: '--', vote: 'unknown', run: 2 },
		{ name: 'turns from unknown to down at `fall`', from: NEVER_CHECKED, results: '---', vote: 'down', run: 0 },
		{ name: 'turns up on a success after failures', from: NEVER_CHECKED, results: '--+', vote: 'up', run: 0 },
		{ name: 'stays up below `fall` failures', from: UP, results: '--', vote: 'up', run: 2 },
		{ name: 'turns down at `fall` failures in a row', from: UP, results: '---', vote: 'down', run: 0 },
		{ name: 'forgets failures with each success', from: UP, results: '--+--', vote: 'up', run: 2 },
		{ name: 'stays down below `rise` successes', from: DOWN, results: '+', vote: 'down', run: 1 },
		{ name: 'turns up at `rise` successes in a row', from: DOWN, results: '++', vote: 'up', run: 0 },
		{ name: 'forgets successes with each failure', from: DOWN, results: '+-+', vote: 'down', run: 1 },
		{ name: 'never turns on results that alternate', from: DOWN, results: '+-+-+-+-', vote: 'down', run: 0 },
	]) {
		it(name, () => assert.deepEqual(after(from, results), { vote, run }));
	}

	it('turns with every result when both thresholds are 1', () => {
		const thresholds = { fall: 1, rise: 1 };
		assert.deepEqual(after(NEVER_CHECKED, '-', thresholds), DOWN);
		assert.deepEqual(after(NEVER_CHECKED, '-+', thresholds), UP);
		assert.deepEqual(after(NEVER_CHECKED, '-+-', thresholds), DOWN);
	});

	it('agrees with its last `fall` or `rise` results, whatever came before', () => {
		fc.assert(
			fc.property(fc.array(fc.constantFrom('+', '-')), (results) => {
				const past = results.join('');
				assert.equal(after(NEVER_CHECKED, `${past}---`).vote, 'down');
				assert.equal(after(NEVER_CHECKED, `${past}++`).vote, 'up');
			}),
		);
	});
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Damping, isHeld, neverVoted, nextVote, type VoteState } from '../../src/health/vote.ts';

const EAGER: Damping = { fall: 1, rise: 1, maxFlips: 3, flapWindowMs: 10_000 };

/** One result a second from second 1 on: `+` is a success, `-` a failure; the votes after each, as their first letters. */
function votesOf(results: string, damping: Partial<Damping> = {}, from: VoteState = neverVoted(0)) {
	let state = from;
	let votes = '';
	for (const [i, result] of [...results].entries()) {
		const nowMs = (i + 1) * 1000;
		state = nextVote(state, result === '+', { ...EAGER, ...damping }, nowMs);
		votes += isHeld(state, nowMs) ? 'h' : state.vote.charAt(0);
	}
	return { votes, state };
}

describe('nextVote()', () => {
	for (const { name, results, votes, damping = {} } of [
		{ name: 'follows a single failure down and up again', results: '+-+', votes: 'udu' },
		{ name: 'follows rise and fall', results: '+--++', votes: 'uuddu', damping: { fall: 2, rise: 2 } },
		{
			name: 'lets one turn down and up again through, however few are allowed',
			results: '+-++',
			votes: 'uduu',
			damping: { maxFlips: 3 },
		},
		{ name: 'holds the turn up that leaves no room for another down', results: '+-+-+', votes: 'ududh' },
		{ name: 'is down at once, whatever the turns so far', results: '+-+-', votes: 'udud' },
		{ name: 'stays down while held, whatever comes', results: '+-+-++-+', votes: 'ududhhhh' },
		{ name: 'holds the first turn up when two turns are all', results: '+-+', votes: 'udh', damping: { maxFlips: 2 } },
		{
			name: 'takes one turn for two, for one alone could never come back',
			results: '+-+',
			votes: 'udh',
			damping: { maxFlips: 1 },
		},
		{ name: 'lets as many through as are allowed', results: '+-+-+-+-+', votes: 'ududududh', damping: { maxFlips: 7 } },
		{
			name: 'forgets turns that have left the window',
			results: '+-+++-+++-+',
			votes: 'uduuuduuudu',
			damping: { flapWindowMs: 4000 },
		},
		{ name: 'does not count the first word as a turn', results: '-+-+', votes: 'dudu', damping: { maxFlips: 4 } },
		{ name: 'is never held when it never turns', results: '------', votes: 'dddddd' },
	]) {
		it(name, () => assert.equal(votesOf(results, damping).votes, votes));
	}

	it('comes back at the first success after its hold', () => {
		const { votes } = votesOf(`+-+-${'+'.repeat(11)}`);
		assert.equal(votes, `udud${'h'.repeat(10)}u`);
	});

	it('counts its coming back as a turn', () => {
		const { votes } = votesOf(`+-+-${'+'.repeat(11)}-+`);
		assert.equal(votes, `udud${'h'.repeat(10)}udh`);
	});

	it('is held on when it still flaps at the end of its hold, twice as long each time, up to eight windows', () => {
		let state = neverVoted(0);
		const holdsMs: number[] = [];
		for (let nowMs = 0; nowMs < 400_000; nowMs += 1000) {
			const before = state.heldUntilMs;
			state = nextVote(state, (nowMs / 1000) % 4 < 2, EAGER, nowMs);
			if (state.heldUntilMs !== before) holdsMs.push((state.heldUntilMs ?? 0) - nowMs);
		}
		assert.deepEqual(holdsMs.slice(0, 5), [10_000, 20_000, 40_000, 80_000, 80_000]);
	});

	it('holds for one window again after as much quiet as the last hold took', () => {
		let { state } = votesOf('+-+-+');
		assert.equal(state.heldUntilMs, 15_000);
		for (let nowMs = 15_000; nowMs <= 26_000; nowMs += 1000) state = nextVote(state, true, EAGER, nowMs);
		for (const [nowMs, isSuccess] of [
			[27_000, false],
			[28_000, true],
			[29_000, false],
			[30_000, true],
		] as const)
			state = nextVote(state, isSuccess, EAGER, nowMs);
		assert.equal(state.heldUntilMs, 40_000);
		assert.equal(state.holds, 1);
	});

	it('tells since when its vote is what it is', () => {
		assert.equal(neverVoted(500).sinceMs, 500);
		assert.equal(votesOf('++').state.sinceMs, 1000);
		assert.equal(votesOf('++---').state.sinceMs, 3000);
	});

	const plan = fc.array(fc.record({ isSuccess: fc.boolean(), afterMs: fc.integer({ min: 100, max: 3000 }) }), {
		maxLength: 300,
	});

	it('turns at most `maxFlips` times within any window, and keeps few turns in mind', () => {
		fc.assert(
			fc.property(plan, fc.integer({ min: 2, max: 9 }), (results, maxFlips) => {
				const damping = { ...EAGER, maxFlips };
				let state = neverVoted(0);
				let nowMs = 0;
				const turnsMs: number[] = [];
				for (const { isSuccess, afterMs } of results) {
					nowMs += afterMs;
					const next = nextVote(state, isSuccess, damping, nowMs);
					if (next.vote !== state.vote && state.vote !== 'unknown') turnsMs.push(nowMs);
					state = next;
					assert(state.turnsMs.length <= maxFlips + 1);
				}
				for (const [i, turnMs] of turnsMs.entries()) {
					const within = turnsMs.slice(0, i + 1).filter((otherMs) => otherMs > turnMs - damping.flapWindowMs);
					assert(within.length <= maxFlips, `${within.length} turns in a window`);
				}
			}),
		);
	});

	it('is never up where rise and fall say down', () => {
		fc.assert(
			fc.property(plan, (results) => {
				let state = neverVoted(0);
				let nowMs = 0;
				for (const { isSuccess, afterMs } of results) {
					nowMs += afterMs;
					state = nextVote(state, isSuccess, { ...EAGER, fall: 2, rise: 2 }, nowMs);
					if (state.steady.vote === 'down') assert.equal(state.vote, 'down');
				}
			}),
		);
	});

	it('is up again after enough quiet, whatever came before', () => {
		fc.assert(
			fc.property(plan, (results) => {
				let state = neverVoted(0);
				let nowMs = 0;
				for (const { isSuccess, afterMs } of results) {
					nowMs += afterMs;
					state = nextVote(state, isSuccess, EAGER, nowMs);
				}
				const endMs = nowMs + 20 * EAGER.flapWindowMs;
				for (; nowMs < endMs; nowMs += 1000) state = nextVote(state, true, EAGER, nowMs);
				assert.equal(state.vote, 'up');
			}),
		);
	});
});

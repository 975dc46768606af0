import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type RegionVote, upSinceMs } from '../../src/health/up-since.ts';
import type { Consensus } from '../../src/model/monitor-voting.ts';

const consensus = (mode: Consensus['mode'] = 'majority', k?: number): Consensus => ({
	mode,
	k,
	minProbers: undefined,
});

/** `eu:u20`: a prober of eu says up since 20. */
function votesOf(text: string): readonly RegionVote[] {
	return text.split(' ').map((word) => {
		const [, region = '', letter, sinceMs] = /^(\w+):([ud])(\d+)$/.exec(word) ?? [];
		return { region, vote: { vote: letter === 'u' ? 'up' : 'down', sinceMs: Number(sinceMs), checkedMs: 1000 } };
	});
}

describe('upSinceMs()', () => {
	for (const { name, votes, by, since } of [
		{ name: 'is when the only vote turned', votes: 'eu:u20', since: 20 },
		{ name: 'is nothing while it is down', votes: 'eu:d20', since: undefined },
		{ name: 'is when the majority was there', votes: 'eu:u10 us:u80 ap:u95', since: 80 },
		{ name: 'counts one that has fallen since as up before', votes: 'eu:u10 us:d80 ap:u30', since: 10 },
		{ name: 'is when the second of two that say down came back', votes: 'eu:u10 us:d20 ap:d5 sa:u50', since: 50 },
		{ name: 'is when the first came back where any is enough', votes: 'eu:u70 us:u80', by: 'any-up', since: 70 },
		{ name: 'is when the last came back where all are needed', votes: 'eu:u70 us:u80', by: 'all-up', since: 80 },
		{ name: 'is when the tie of a region ended', votes: 'eu:u10 eu:u40', since: 10 },
		{ name: 'is of turns at the same moment', votes: 'eu:u40 us:u40 ap:u40', since: 40 },
	] as const) {
		it(name, () => assert.equal(upSinceMs(votesOf(votes), consensus(by)), since));
	}

	it('is of nobody for no votes', () => assert.equal(upSinceMs([], consensus()), undefined));

	it('is a moment at which a vote turned, the same in any order', () => {
		const vote = fc.record({
			region: fc.constantFrom('eu', 'us', 'ap'),
			vote: fc.record({
				vote: fc.constantFrom('up', 'down'),
				sinceMs: fc.integer({ min: 0, max: 20 }),
				checkedMs: fc.constant(1000),
			}),
		});
		const voting = fc.constantFrom(consensus(), consensus('any-up'), consensus('all-up'), consensus('at-least', 2));
		const shuffled = fc
			.array(vote, { maxLength: 8 })
			.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
		fc.assert(
			fc.property(shuffled, voting, ([all, other], how) => {
				const since = upSinceMs(all as readonly RegionVote[], how);
				assert.equal(upSinceMs(other as readonly RegionVote[], how), since);
				if (since !== undefined) assert.ok(all.some((one) => one.vote.sinceMs === since));
			}),
		);
	});
});

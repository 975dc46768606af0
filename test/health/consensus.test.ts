/** Regions and modes, row by row as the design puts them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVotedDown, saysDown, votesNeeded } from '../../src/health/consensus.ts';
import type { Consensus } from '../../src/model/monitor-voting.ts';

/** Votes of regions: `ud` is a region with one vote up and one down. */
function regionsOf(text: string) {
	return text.split(' ').map((votes) => ({
		up: [...votes].filter((vote) => vote === 'u').length,
		down: [...votes].filter((vote) => vote === 'd').length,
	}));
}

function consensus(mode: Consensus['mode'], k?: number, minProbers?: number): Consensus {
	return { mode, k, minProbers };
}

describe('saysDown(): a region says down when more than half of its votes are down', () => {
	for (const { votes, down } of [
		{ votes: 'u', down: false },
		{ votes: 'd', down: true },
		{ votes: 'ud', down: false },
		{ votes: 'udd', down: true },
		{ votes: 'uud', down: false },
		{ votes: 'uudd', down: false },
		{ votes: 'uuddd', down: true },
	]) {
		it(`${votes} ${down ? 'does' : 'does not'}`, () => {
			const [region = assert.fail()] = regionsOf(votes);
			assert.equal(saysDown(region), down);
		});
	}
});

describe('isVotedDown()', () => {
	for (const { mode, k, rows } of [
		{
			mode: 'majority',
			rows: {
				u: 'up',
				d: 'down',
				'u d': 'up',
				'd d': 'down',
				'u u d': 'up',
				'u d d': 'down',
				'u u d d': 'up',
				'u udd d': 'down',
			},
		},
		{ mode: 'any-up', rows: { u: 'up', d: 'down', 'u d': 'up', 'd d': 'down', 'u d d d': 'up', 'd udd': 'down' } },
		{ mode: 'all-up', rows: { u: 'up', d: 'down', 'u d': 'down', 'u u': 'up', 'u u u d': 'down', 'u ud': 'up' } },
		{ mode: 'at-least', k: 1, rows: { u: 'up', d: 'down', 'u d d': 'up', 'd d d': 'down' } },
		{
			mode: 'at-least',
			k: 2,
			rows: { u: 'up', d: 'down', 'u d': 'down', 'u u': 'up', 'u u d d': 'up', 'u d d d': 'down' },
		},
		{ mode: 'at-least', k: 9, rows: { u: 'up', 'u u': 'up', 'u u d': 'down' } },
	] as const) {
		for (const [votes, verdict] of Object.entries(rows)) {
			it(`${mode}${k === undefined ? '' : ` ${k}`} over ${votes} is ${verdict}`, () => {
				assert.equal(isVotedDown(regionsOf(votes), consensus(mode, k)), verdict === 'down');
			});
		}
	}
});

describe('votesNeeded()', () => {
	for (const { name, minProbers, known, allowed, needs } of [
		{ name: 'is 1 for one prober', known: 1, allowed: 1, needs: 1 },
		{ name: 'is 1 for two', known: 2, allowed: 2, needs: 1 },
		{ name: 'is 2 once three are known', known: 3, allowed: 3, needs: 2 },
		{ name: 'is 2 for many', known: 40, allowed: 40, needs: 2 },
		{ name: 'asks for no more than `from` lets vote', known: 3, allowed: 1, needs: 1 },
		{ name: 'is at least 1', known: 3, allowed: 0, needs: 1 },
		{ name: 'is what the monitor says', minProbers: 3, known: 1, allowed: 1, needs: 3 },
		{ name: 'is 1 in a large fleet when the monitor says so', minProbers: 1, known: 9, allowed: 9, needs: 1 },
	]) {
		it(name, () => assert.equal(votesNeeded(consensus('majority', undefined, minProbers), known, allowed), needs));
	}
});

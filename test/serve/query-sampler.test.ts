import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChance } from '../../src/lib/chance.ts';
import { QuerySampler } from '../../src/serve/query-sampler.ts';

const QUERIES = 1_000_000;

function due(share: number, queries = QUERIES): number[] {
	const sampler = new QuerySampler(share, createChance(5));
	return Array.from({ length: queries }, (_, i) => i).filter(() => sampler.isDue());
}

describe('QuerySampler', () => {
	it('takes every query at a share of 1', () => assert.equal(due(1, 1000).length, 1000));

	for (const share of [0.5, 0.01, 0.0001]) {
		it(`takes about its share of ${share}`, () => {
			const taken = due(share).length;
			const deviation = Math.sqrt(QUERIES * share * (1 - share));
			assert.ok(Math.abs(taken - QUERIES * share) < 4 * deviation, `${taken}`);
		});
	}

	it('takes a query whatever became of the one before', () => {
		const taken = due(0.5);
		const pairs = taken.filter((at, i) => taken[i + 1] === at + 1).length;
		assert.ok(Math.abs(pairs / taken.length - 0.5) < 0.01, `${pairs} of ${taken.length}`);
	});

	for (const { name, draw } of [
		{ name: 'least', draw: 0 },
		{ name: 'greatest', draw: 0x7ffffffe },
	]) {
		it(`goes on after the ${name} draw, at the least share`, () => {
			const sampler = new QuerySampler(0.000001, { below: () => draw });
			const taken = Array.from({ length: 10 }, () => sampler.isDue()).filter(Boolean).length;
			assert.equal(taken, draw === 0 ? 0 : 10);
		});
	}
});

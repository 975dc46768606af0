import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutOffSinceMs } from '../../src/health/anchors.ts';

const RESULTS: Readonly<Record<string, boolean | undefined>> = { u: true, d: false, '.': undefined };

describe('cutOffSinceMs()', () => {
	for (const { name, anchors, before, since } of [
		{ name: 'is nothing without anchors', anchors: '', since: undefined },
		{ name: 'is nothing before the first check', anchors: '...', since: undefined },
		{ name: 'is nothing while all are reached', anchors: 'uuu', since: undefined },
		{ name: 'is nothing while half of them are', anchors: 'ud', since: undefined },
		{ name: 'is now when most fail', anchors: 'udd', since: 500 },
		{ name: 'is now when the only one fails', anchors: 'd', since: 500 },
		{ name: 'counts those alone that have been checked', anchors: 'd..', since: 500 },
		{ name: 'stays what it was while they fail', anchors: 'ddd', before: 100, since: 100 },
		{ name: 'is over when half are reached again', anchors: 'ud', before: 100, since: undefined },
	]) {
		it(name, () => {
			const results = [...anchors].map((letter) => RESULTS[letter]);
			assert.equal(cutOffSinceMs(before, results, 500), since);
		});
	}
});

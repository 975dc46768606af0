import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isolatedProbers } from '../../src/health/isolation.ts';
import { fleetOf, INTERVAL_MS, NOW_MS, type Said, SILENT } from './fleet.ts';

const INTERVALS = new Map(Array.from({ length: 12 }, (_, i) => [`t${i}`, INTERVAL_MS]));

describe('isolatedProbers()', () => {
	for (const { name, fleet, isolated = [] } of [
		{ name: 'leaves one alone who has nobody beside it', fleet: { a: 'dddddd' } },
		{ name: 'leaves all alone who agree', fleet: { a: 'uuuuuu', b: 'uuuuuu', c: 'uuuuuu' } },
		{
			name: 'finds one who fails all that the others see up',
			fleet: { a: 'dddddd', b: 'uuuuuu', c: 'uuuuuu' },
			isolated: ['a'],
		},
		{
			name: 'finds one of two: nothing that the one sees up is down to it',
			fleet: { a: 'dddddd', b: 'uuuuuu' },
			isolated: ['a'],
		},
		{ name: 'wants 5 targets', fleet: { a: 'dddd', b: 'uuuu', c: 'uuuu' } },
		{ name: 'is content with 5', fleet: { a: 'ddddd', b: 'uuuuu', c: 'uuuuu' }, isolated: ['a'] },
		{ name: 'wants more than half', fleet: { a: 'uuuddd', b: 'uuuuuu', c: 'uuuuuu' } },
		{ name: 'is content with little more than half', fleet: { a: 'uuddd', b: 'uuuuu', c: 'uuuuu' }, isolated: ['a'] },
		{ name: 'does not count what the others see down as well', fleet: { a: 'ddddddd', b: 'uuuuddd', c: 'uuuuddd' } },
		{
			name: 'does not count where the others are divided',
			fleet: { a: 'dddddd', b: 'uuuuuu', c: 'dddddd' },
			isolated: [],
		},
		{ name: 'does not count where it has no vote', fleet: { a: 'dddd..', b: 'uuuuuu', c: 'uuuuuu' } },
		{
			name: 'does not call one to witness for itself',
			fleet: { a: 'ddddduuuuu', b: 'uuuuuuuuuu', c: 'uuuuuddddd' },
			isolated: ['a', 'c'],
		},
		{
			name: 'finds several',
			fleet: { a: 'ddddd', b: 'ddddd', c: 'uuuuu', d: 'uuuuu', e: 'uuuuu', f: 'uuuuu' },
			isolated: ['a', 'b'],
		},
		{
			name: 'does not believe the silent about what they have not seen',
			fleet: {
				a: { votes: 'dddddd', sinceAgoMs: 5000 },
				b: { votes: 'uuuuuu', ...SILENT },
				c: { votes: 'uuuuuu', ...SILENT },
			},
		},
		{
			name: 'keeps one cut off whom the silent contradicted while they spoke',
			fleet: {
				a: { votes: 'dddddd', sinceAgoMs: 60_000 },
				b: { votes: 'uuuuuu', ...SILENT },
				c: { votes: 'uuuuuu', ...SILENT },
			},
			isolated: ['a'],
		},
		{
			name: 'keeps one cut off who falls silent itself',
			fleet: { a: { votes: 'dddddd', ...SILENT }, b: 'uuuuuu', c: 'uuuuuu' },
			isolated: ['a'],
		},
		{
			name: 'believes one that says it is cut off, however few it fails, or sees',
			fleet: { a: { votes: 'u', cutOffAgoMs: 1000 }, b: 'u', c: 'u' },
			isolated: ['a'],
		},
		{ name: 'believes one that is alone', fleet: { a: { votes: 'uuuuu', cutOffAgoMs: 0 } }, isolated: ['a'] },
		{
			name: 'does not call those who say so to witness',
			fleet: {
				a: 'ddddd',
				b: { votes: 'uuuuu', cutOffAgoMs: 1000 },
				c: { votes: 'uuuuu', cutOffAgoMs: 1000 },
				d: 'ddddd',
			},
			isolated: ['b', 'c'],
		},
		{
			name: 'finds another beside one that says so',
			fleet: { a: 'ddddd', b: { votes: 'ddddd', cutOffAgoMs: 1000 }, c: 'uuuuu' },
			isolated: ['b', 'a'],
		},
	] as { name: string; fleet: Record<string, Said | string>; isolated?: string[] }[]) {
		it(name, () => {
			assert.deepEqual([...isolatedProbers(fleetOf(fleet), INTERVALS, NOW_MS)], isolated);
		});
	}
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { heldTurns, type Turn } from '../../src/health/mass-down.ts';

const NOW_MS = 1_000_000;
const HOLD = { guardHoldMs: 60_000, nowMs: NOW_MS };

function turns(count: number, region: string | undefined, agoMs = 1000, isTurned = false): Turn[] {
	const sinceMs = NOW_MS - agoMs;
	return Array.from({ length: count }, (_, i) => ({
		key: `${region}${i}${isTurned}`,
		region,
		sinceMs,
		isWaiting: !isTurned,
	}));
}

describe('heldTurns()', () => {
	for (const { name, all, upCount, regions = ['eu', 'us'], held } of [
		{ name: 'holds more than half of the up targets', all: turns(4, 'eu'), upCount: 7, held: 4 },
		{ name: 'lets half of them turn', all: turns(4, 'eu'), upCount: 8, held: 0 },
		{ name: 'lets fewer than 4 turn, though they are all', all: turns(3, 'eu'), upCount: 3, held: 0 },
		{ name: 'has no guard in a fleet of one region', all: turns(9, 'eu'), upCount: 9, regions: ['eu'], held: 0 },
		{ name: 'lets turn what a second region agrees to', all: turns(9, undefined), upCount: 9, held: 0 },
		{
			name: 'does not count those for the region',
			all: [...turns(3, 'eu'), ...turns(6, undefined)],
			upCount: 9,
			held: 0,
		},
		{ name: 'counts each region by itself', all: [...turns(4, 'eu'), ...turns(4, 'us')], upCount: 8, held: 0 },
		{ name: 'lets turn what has waited for `guardHold`', all: turns(9, 'eu', 60_000), upCount: 9, held: 0 },
		{ name: 'waits until then', all: turns(9, 'eu', 59_999), upCount: 9, held: 9 },
		{
			name: 'holds what is left of a mass that has begun to turn',
			all: [...turns(3, 'eu', 5000, true), ...turns(2, 'eu')],
			upCount: 9,
			held: 2,
		},
		{
			name: 'lets half of them turn one after the other',
			all: [...turns(3, 'eu', 5000, true), ...turns(1, 'eu')],
			upCount: 8,
			held: 0,
		},
		{
			name: 'does not hold a straggler behind a mass that has turned',
			all: [...turns(8, 'eu', 60_000), ...turns(1, 'eu')],
			upCount: 9,
			held: 0,
		},
		{
			name: 'holds a second mass beside the first',
			all: [...turns(8, 'us', 60_000), ...turns(5, 'eu')],
			upCount: 17,
			held: 5,
		},
	]) {
		it(name, () => assert.equal(heldTurns(all, upCount, new Set(regions), HOLD).size, held));
	}
});

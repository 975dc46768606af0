import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstCheckDelayMs, isAfterPause, nextSlotMs, rhythmOf } from '../../src/probe/schedule.ts';

const RHYTHM = { periodMs: 10_000, hash: 123_456 }; // phase 3456

describe('nextSlotMs()', () => {
	for (const { name, afterMs, slotMs } of [
		{ name: 'is the phase in the first period', afterMs: 0, slotMs: 3456 },
		{ name: 'is later than a slot itself', afterMs: 3456, slotMs: 13_456 },
		{ name: 'is the slot when it is near', afterMs: 13_455.9, slotMs: 13_456 },
		{ name: 'skips the slots that were missed', afterMs: 1_000_000, slotMs: 1_003_456 },
	]) {
		it(name, () => assert.equal(nextSlotMs(RHYTHM, afterMs), slotMs));
	}
});

describe('firstCheckDelayMs()', () => {
	it('is below a second', () => assert.equal(firstCheckDelayMs(RHYTHM), 456));
	it('is below the period', () => assert.equal(firstCheckDelayMs({ periodMs: 100, hash: 123_456 }), 56));
});

describe('isAfterPause()', () => {
	it('bears a slot that is two periods late', () => assert.equal(isAfterPause(RHYTHM, 1000, 21_000), false));
	it('is true past two periods', () => assert.equal(isAfterPause(RHYTHM, 1000, 21_001), true));
});

describe('rhythmOf()', () => {
	it('is the same for the same key', () => assert.deepEqual(rhythmOf('a', 1000), rhythmOf('a', 1000)));
	it('stays within what timers take', () => assert.equal(rhythmOf('a', 2 ** 40).periodMs, 2 ** 31 - 1));

	it('spreads neighbouring targets over the period', () => {
		const counts = new Array<number>(10).fill(0);
		for (let i = 0; i < 1000; i++) {
			const { hash, periodMs } = rhythmOf(`["10.0.${i >> 8}.${i & 255}",80,{"kind":"tcp"}]`, 10_000);
			const tenth = Math.floor((hash % periodMs) / 1000);
			counts[tenth] = (counts[tenth] ?? 0) + 1;
		}
		assert(Math.min(...counts) > 50 && Math.max(...counts) < 150, counts.join(' '));
	});
});

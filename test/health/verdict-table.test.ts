import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createHealthWords, VERDICT_WORD, VerdictTable, WORD } from '../../src/health/verdict-table.ts';

const { unknown, up, down } = VERDICT_WORD;

/** Assign each generation in turn; the slots of the last one, by key. */
function slotsAfter(table: VerdictTable, ...generations: readonly string[]): Readonly<Record<string, number>> {
	let slots: Record<string, number> = {};
	for (const generation of generations) {
		const keys = generation.split(' ').filter((key) => key !== '');
		const assigned = table.assign(keys) ?? assert.fail(`no room for ${generation}`);
		slots = Object.fromEntries(keys.map((key, i) => [key, assigned[i] ?? -1]));
	}
	return slots;
}

/** With one vantage, which is here. */
function tableOf(slots: number): VerdictTable {
	const table = new VerdictTable(createHealthWords(slots, 1));
	table.addVantage('here');
	return table;
}

describe('VerdictTable.assign()', () => {
	for (const { name, generations, slots } of [
		{ name: 'gives slots in order', generations: ['a b c'], slots: { a: 0, b: 1, c: 2 } },
		{ name: 'gives one slot to a key that is there twice', generations: ['a b a'], slots: { a: 0, b: 1 } },
		{ name: 'keeps the slot of a key that stays', generations: ['a b c', 'c b'], slots: { c: 2, b: 1 } },
		{ name: 'leaves alone what the last generation may read', generations: ['a b', 'b c'], slots: { b: 1, c: 2 } },
		{ name: 'gives it out again one generation later', generations: ['a b', 'b', 'b c'], slots: { b: 1, c: 0 } },
		{ name: 'gives a key that comes back what is free', generations: ['a b', 'b', 'b a'], slots: { b: 1, a: 0 } },
	]) {
		it(name, () => assert.deepEqual(slotsAfter(tableOf(8), ...generations), slots));
	}

	for (const { name, generations, next, slots } of [
		{ name: 'refuses more keys than slots', generations: [], next: ['a', 'b', 'c'], slots: undefined },
		{ name: 'fills all slots', generations: [], next: ['a', 'b'], slots: [0, 1] },
		{ name: 'refuses to take a slot that is still read', generations: ['a b'], next: ['b', 'c'], slots: undefined },
		{ name: 'counts those that become free with it', generations: ['a b', 'b'], next: ['b', 'c'], slots: [1, 0] },
		{ name: 'counts a key that is there twice once', generations: [], next: ['a', 'a', 'b'], slots: [0, 0, 1] },
	]) {
		it(`${name}, with room for two`, () => {
			const table = tableOf(2);
			slotsAfter(table, ...generations);
			const assigned = table.assign(next);
			assert.deepEqual(assigned === undefined ? undefined : [...assigned], slots);
		});
	}

	it('changes nothing when it refuses', () => {
		const table = tableOf(2);
		slotsAfter(table, 'a b');
		table.set('a', 'down');
		assert.equal(table.assign(['c', 'd', 'e']), undefined);
		assert.deepEqual(slotsAfter(table, 'a b'), { a: 0, b: 1 });
		assert.deepEqual([...table.words.verdicts], [down, unknown]);
	});

	it('keeps the words of what stays and clears those given out again', () => {
		const table = tableOf(4);
		slotsAfter(table, 'a b');
		for (const key of ['a', 'b']) {
			table.set(key, 'down');
			table.addRtt('here', key, 5);
		}
		slotsAfter(table, 'b', 'b c');
		assert.deepEqual([...table.words.verdicts], [unknown, down, 0, 0]);
		assert.deepEqual([...table.words.rttUs], [0, 5000, 0, 0]);
	});

	it('gives each key a slot that no other key of this generation or the last one has', () => {
		const generation = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 });
		fc.assert(
			fc.property(fc.array(generation, { maxLength: 12 }), (generations) => {
				// Twice as many as one generation needs are enough for ever.
				const table = tableOf(16);
				let last = new Map<string, number>();
				for (const keys of generations) {
					const assigned = table.assign(keys) ?? assert.fail();
					const now = new Map(keys.map((key, i) => [key, assigned[i] ?? -1]));
					assert.equal(new Set(now.values()).size, keys.length);
					for (const [key, slot] of now) {
						for (const [other, taken] of last) assert.equal(taken === slot, other === key, `${key} ${other}`);
					}
					last = now;
				}
			}),
		);
	});
});

describe('VerdictTable.set()', () => {
	it('writes the word of each vote', () => {
		const table = tableOf(3);
		slotsAfter(table, 'a b c');
		table.set('a', 'up');
		table.set('b', 'down');
		table.set('c', 'up');
		table.set('c', 'unknown');
		assert.deepEqual([...table.words.verdicts], [up, down, unknown]);
	});

	it('marks what rests on votes that are too old', () => {
		const table = tableOf(2);
		slotsAfter(table, 'a b');
		table.set('a', 'down', { isStale: true });
		table.set('b', 'up', { isStale: true });
		assert.deepEqual([...table.words.verdicts], [down | WORD.stale, up | WORD.stale]);
		table.set('a', 'down');
		assert.deepEqual([...table.words.verdicts], [down, up | WORD.stale]);
	});

	it('tells for how long a target has been up, in tenths of a second', () => {
		const table = tableOf(4);
		slotsAfter(table, 'a b c d');
		for (const [key, upForMs] of [
			['a', 0],
			['b', 99],
			['c', 12_345],
			['d', 1e15],
		] as const)
			table.set(key, 'up', { upForMs });
		assert.deepEqual(
			[...table.words.verdicts].map((word) => [word & WORD.verdict, word >> WORD.upForShift]),
			[
				[up, 1],
				[up, 1],
				[up, 124],
				[up, 0x7ffffff],
			],
		);
	});

	it('gives vantages the words that their regions have, and says so in the common one', () => {
		const table = new VerdictTable(createHealthWords(2, 3));
		slotsAfter(table, 'a b');
		for (const region of ['eu', 'us']) table.addVantage(region);
		const own = (verdict: 'up' | 'down', isStale = false) => ({ verdict, isStale, upForMs: undefined });
		const words = () => [[...table.words.verdicts], [...table.words.regional]];
		const apart = new Map([
			['us', own('down', true)],
			['eu', own('up')],
			['nowhere', own('down')],
		]);
		table.set('b', 'up', { regional: apart });
		assert.deepEqual(words(), [
			[unknown, up | WORD.regional],
			[0, up, 0, down | WORD.stale, 0, 0],
		]);
		table.set('b', 'down', { regional: new Map([['eu', own('up')]]) });
		assert.deepEqual(words(), [
			[unknown, down | WORD.regional],
			[0, up, 0, 0, 0, 0],
		]);
		table.set('b', 'down', { regional: new Map() });
		assert.deepEqual(words()[0], [unknown, down]);
	});

	it('leaves nothing to the next target of a slot', () => {
		const table = new VerdictTable(createHealthWords(2, 1));
		table.addVantage('eu');
		slotsAfter(table, 'a');
		table.set('a', 'up', { regional: new Map([['eu', { verdict: 'down', isStale: false, upForMs: undefined }]]) });
		slotsAfter(table, '', 'c');
		assert.deepEqual([...table.words.verdicts], [unknown, unknown]);
		table.set('c', 'up', { regional: new Map([['us', { verdict: 'down', isStale: false, upForMs: undefined }]]) });
		assert.deepEqual(
			[[...table.words.verdicts], [...table.words.regional]],
			[
				[up | WORD.regional, 0],
				[0, 0],
			],
		);
	});

	it('drops what comes for a key that is no longer, or never was, there', () => {
		const table = tableOf(2);
		slotsAfter(table, 'a', '');
		table.set('a', 'down');
		table.addRtt('here', 'a', 1);
		table.set('never', 'down');
		assert.deepEqual([...table.words.verdicts, ...table.words.rttUs], [0, 0, 0, 0]);
	});
});

describe('HealthWords.changes', () => {
	const stale = { isStale: true, upForMs: undefined };
	const regional = new Map([['here', { verdict: 'down' as const, isStale: false, upForMs: undefined }]]);
	for (const { name, change, isTold } of [
		{ name: 'a verdict that turns', change: (table: VerdictTable) => table.set('a', 'down'), isTold: true },
		{ name: 'a mark beside it', change: (table: VerdictTable) => table.set('a', 'up', stale), isTold: true },
		{ name: 'a word of a region', change: (table: VerdictTable) => table.set('a', 'up', { regional }), isTold: true },
		{
			name: 'a slot that another target gets',
			change: (table: VerdictTable) => table.assign(['a', 'b']),
			isTold: true,
		},
		{ name: 'the same verdict again', change: (table: VerdictTable) => table.set('a', 'up'), isTold: false },
		{ name: 'a round-trip time', change: (table: VerdictTable) => table.setRtt('here', 'a', 5), isTold: false },
		{ name: 'a target without a slot', change: (table: VerdictTable) => table.set('z', 'down'), isTold: false },
	]) {
		it(`${isTold ? 'tells of' : 'is silent about'} ${name}`, () => {
			const table = tableOf(4);
			slotsAfter(table, 'a');
			table.set('a', 'up');
			const before = table.words.changes[0];
			change(table);
			assert.equal(table.words.changes[0] !== before, isTold);
		});
	}
});

describe('VerdictTable.addRtt()', () => {
	for (const { name, samplesMs, rttUs } of [
		{ name: 'is unknown before the first sample', samplesMs: [], rttUs: 0 },
		{ name: 'takes the first sample as it is', samplesMs: [20], rttUs: 20_000 },
		{ name: 'lets a new one weigh an eighth', samplesMs: [20, 100], rttUs: 30_000 },
		{ name: 'falls as it rises', samplesMs: [20, 4], rttUs: 18_000 },
		{ name: 'is never 0 after a sample', samplesMs: [0], rttUs: 1 },
		{ name: 'takes fractions of a millisecond', samplesMs: [0.25], rttUs: 250 },
		{ name: 'stops at what a word holds', samplesMs: [1e9], rttUs: 0x7fffffff },
	]) {
		it(name, () => {
			const table = tableOf(1);
			slotsAfter(table, 'a');
			for (const sample of samplesMs) table.addRtt('here', 'a', sample);
			assert.equal(table.words.rttUs[0], rttUs);
		});
	}

	it('comes near a time that stays', () => {
		const table = tableOf(1);
		slotsAfter(table, 'a');
		table.addRtt('here', 'a', 500);
		for (let i = 0; i < 100; i++) table.addRtt('here', 'a', 20);
		assert.ok(Math.abs((table.words.rttUs[0] ?? 0) - 20_000) <= 4);
	});
});

describe('VerdictTable.addVantage()', () => {
	it('numbers regions as they come, and knows those it has', () => {
		const table = new VerdictTable(createHealthWords(4, 3));
		assert.deepEqual(
			['eu', 'us', 'eu', 'ap'].map((region) => table.addVantage(region)),
			[true, true, false, true],
		);
		assert.deepEqual(table.vantages, ['eu', 'us', 'ap']);
	});

	it('takes no more than there are rows for', () => {
		const table = new VerdictTable(createHealthWords(4, 1));
		assert.deepEqual([table.addVantage('eu'), table.addVantage('us')], [true, false]);
		assert.deepEqual(table.vantages, ['eu']);
	});
});

describe('VerdictTable.setRtt()', () => {
	/** Slots a and b, vantages eu and us. */
	function twoByTwo(): VerdictTable {
		const table = new VerdictTable(createHealthWords(2, 3));
		slotsAfter(table, 'a b');
		for (const region of ['eu', 'us']) table.addVantage(region);
		return table;
	}

	it('writes the time of a target into the row of the region', () => {
		const table = twoByTwo();
		table.setRtt('eu', 'a', 10);
		table.setRtt('us', 'b', 90.5);
		table.setRtt('us', 'b', 80.5);
		assert.deepEqual([...table.words.rttUs], [10_000, 0, 0, 80_500, 0, 0]);
		assert.equal(table.rttMs('us', 'b'), 80.5);
		assert.equal(table.rttMs('eu', 'b'), undefined);
	});

	it('drops what comes from a region that is no vantage, and for what is no target', () => {
		const table = twoByTwo();
		table.setRtt('ap', 'a', 10);
		table.setRtt('eu', 'c', 10);
		assert.ok(table.words.rttUs.every((rttUs) => rttUs === 0));
	});

	it('forgets the times of all vantages when a slot is given out again', () => {
		const table = twoByTwo();
		for (const region of ['eu', 'us']) table.setRtt(region, 'a', 10);
		slotsAfter(table, 'b', 'b c');
		assert.deepEqual([...table.words.rttUs], [0, 0, 0, 0, 0, 0]);
	});
});

describe('createHealthWords()', () => {
	it('makes words that all threads share', () => {
		const { verdicts, rttUs } = createHealthWords(3, 2);
		assert.ok(verdicts.buffer instanceof SharedArrayBuffer && rttUs.buffer instanceof SharedArrayBuffer);
		assert.deepEqual([verdicts.length, rttUs.length], [3, 6]);
		assert.equal(createHealthWords().verdicts.length, 262_144);
	});

	it('takes memory for what is written alone', () => {
		const before = process.memoryUsage().rss;
		const { rttUs } = createHealthWords();
		assert.equal(rttUs.length, 64 * 262_144);
		assert.ok(process.memoryUsage().rss - before < 16 * 2 ** 20);
	});
});

/** Health of an instance in a fleet, with mocked time and a store that holds what it is given. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { type Target, targetKey } from '../../src/health/target.ts';
import { createHealthWords, VERDICT_WORD, VerdictTable, WORD } from '../../src/health/verdict-table.ts';
import { FleetHealth } from '../../src/roles/fleet-health.ts';
import type { Condition, ProberView, Store, WatchHint } from '../../src/store/ports.ts';
import { ProberBook } from '../../src/store/prober-book.ts';
import type { ProberRecord } from '../../src/store/prober-record.ts';
import { memoryLog } from '../contract/store-parts.ts';
import { monitorFrom } from '../probe/monitor-from.ts';
import { scratch } from './scratch.ts';

const MONITOR = monitorFrom({ kind: 'tcp', interval: '1s', timeout: '400ms', fall: 2, rise: 2 });
const GUARD_HOLD_MS = 5000;
const MAX_STALE_MS = 60_000;
const NAMES = Object.entries(VERDICT_WORD);

function targetOf(address: string, monitor = MONITOR): Target {
	return { key: targetKey(address, 80, monitor), address, port: 80, monitor };
}

const TARGETS = Array.from({ length: 6 }, (_, i) => targetOf(`203.0.113.${i}`));

/** What a store tells of probers, and nothing else. */
class FakeStore implements Pick<Store, 'condition' | 'probers' | 'watch'> {
	readonly condition: Condition = { kind: 'ready' };
	readonly #book = new ProberBook();
	#callback: (hint: WatchHint) => void = () => {};

	probers(): readonly ProberView[] {
		return this.#book.views(Date.now());
	}

	watch(callback: (hint: WatchHint) => void): () => void {
		this.#callback = callback;
		return () => {};
	}

	/** A record arrives, as it is, and with it the word that its prober lives. */
	take(record: ProberRecord, isAlive = true): void {
		this.#book.take(record, Date.now() - record.publishedAtMs, Date.now());
		const { instance, incarnation } = record;
		this.#book.setLease(instance, isAlive ? { incarnation, untilMs: Date.now() + 10_000 } : undefined);
		this.#callback('probers');
	}
}

function start(t: TestContext, targets: readonly Target[] = TARGETS, stateDir = scratch(t)) {
	const store = new FakeStore();
	const verdicts = new VerdictTable(createHealthWords(64));
	const log = memoryLog();
	const health = new FleetHealth({
		clock: { nowMs: () => Date.now() },
		wallMs: () => Date.now(),
		...{ log, stateDir, verdicts, maxStaleMs: MAX_STALE_MS, guardHoldMs: GUARD_HOLD_MS },
		store: store as unknown as Store,
	});
	t.after(() => health.close());
	let slots: Int32Array = new Int32Array();
	const load = (next: readonly Target[]) => {
		slots = verdicts.assign(next.map(({ key }) => key)) ?? assert.fail();
		health.setTargets(next);
	};
	load(targets);
	const words = () =>
		Array.from(slots, (slot) => {
			const word = (verdicts.words.verdicts[slot] ?? -1) & 3;
			return NAMES.find(([, value]) => value === word)?.[0]?.[0];
		}).join('');
	return { store, verdicts, health, log, load, words, stateDir };
}

/** Votes as letters in the order of the targets: `u` up, `d` down, `.` none; just turned, just checked. */
function record(instance: string, region: string, sequence: number, votes: string, incarnation = 1): ProberRecord {
	const cast = [...votes].flatMap((letter, i) => {
		const key = TARGETS[i]?.key ?? '';
		return letter === '.'
			? []
			: [{ key, vote: letter === 'u' ? ('up' as const) : ('down' as const), sinceAgeMs: 0, checkedAgeMs: 0 }];
	});
	return { instance, region, incarnation, sequence, publishedAtMs: Date.now(), votes: cast, roundTrips: [] };
}

const settle = () => mock.timers.tick(50);

describe('FleetHealth', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 }));
	afterEach(() => mock.timers.reset());

	it('goes by the majority of regions, as soon as a record comes', (t) => {
		const { store, words } = start(t);
		assert.equal(words(), 'uuuuuu');
		store.take(record('a', 'eu', 1, 'uuuudd'));
		store.take(record('b', 'us', 1, 'uuuudd'));
		store.take(record('c', 'ap', 1, 'uuuuud'));
		settle();
		assert.equal(words(), 'uuuudd');
	});

	it('keeps verdicts when every prober falls silent, and marks them after maxStale', (t) => {
		const { store, words, health } = start(t);
		store.take(record('a', 'eu', 1, 'uuuuud'));
		settle();
		mock.timers.tick(MAX_STALE_MS - 1000);
		assert.equal(words(), 'uuuuud');
		assert.equal(health.summary().stale, 0);
		mock.timers.tick(3000);
		assert.equal(words(), 'uuuuud');
		assert.equal(health.summary().stale, 6);
		assert.match(
			health.summary().problems.join(),
			/^the prober a has no lease; it published 62 s ago, and its votes stand$/,
		);
	});

	it('has the last votes after a restart without a store, with their ages', async (t) => {
		const first = start(t);
		first.store.take(record('a', 'eu', 7, 'uuuddd'));
		settle();
		await first.health.close();
		mock.timers.tick(10_000);
		const again = start(t, TARGETS, first.stateDir);
		assert.equal(again.words(), 'uuuddd');
		const [vote] = again.health.list()[3]?.votes ?? [];
		assert.deepEqual([vote?.prober, vote?.isFresh, Date.now() - (vote?.vote.checkedMs ?? 0)], ['a', false, 10_050]);
		// What was said before that is not believed any more, and what comes after it is.
		again.store.take(record('a', 'eu', 6, 'uuuuuu'));
		settle();
		assert.equal(again.words(), 'uuuddd');
		again.store.take(record('a', 'eu', 8, 'uuuuud'));
		settle();
		assert.equal(again.words(), 'uuuuud');
	});

	it('writes the times that regions publish into their rows, the median of several probers', (t) => {
		const { store, verdicts, health } = start(t, TARGETS.slice(0, 1));
		const { address = '', key = '' } = TARGETS[0] ?? {};
		for (const [instance, region, ms] of [
			['a', 'eu', 10],
			['b', 'eu', 30],
			['c', 'us', 90],
		] as const)
			store.take({ ...record(instance, region, 1, 'u'), roundTrips: [{ address, ms }] });
		mock.timers.tick(3000);
		assert.deepEqual([...verdicts.vantages].sort(), ['eu', 'us']);
		assert.deepEqual([verdicts.rttMs('eu', key), verdicts.rttMs('us', key)], [20, 90]);
		assert.deepEqual(
			health.roundTrips().map((one) => `${one.region} ${one.address} ${one.ms} ${one.isAlive}`),
			[`eu ${address} 10 true`, `eu ${address} 30 true`, `us ${address} 90 true`],
		);
	});

	it('gives regions their own words of a regional target, and the mark of stale votes', (t) => {
		const own: Target = targetOf('203.0.113.50', { ...MONITOR, regional: true });
		const { store, verdicts } = start(t, [own]);
		const says = (instance: string, region: string, vote: 'up' | 'down') => ({
			...record(instance, region, 1, ''),
			votes: [{ key: own.key, vote, sinceAgeMs: 0, checkedAgeMs: 0 }],
		});
		store.take(says('a', 'eu', 'up'));
		store.take(says('b', 'us', 'down'));
		mock.timers.tick(3000);
		const { verdicts: common, regional } = verdicts.words;
		const wordOf = (region: string) => regional[verdicts.vantages.indexOf(region) * common.length];
		assert.equal(common[0], VERDICT_WORD.up | WORD.regional);
		assert.deepEqual([wordOf('eu'), wordOf('us')], [VERDICT_WORD.up, VERDICT_WORD.down]);
		mock.timers.tick(MAX_STALE_MS + 10_000);
		assert.equal(common[0], VERDICT_WORD.up | WORD.regional | WORD.stale);
		assert.equal(wordOf('us'), VERDICT_WORD.down | WORD.stale);
	});

	it('lets a new target wait beside others, and an edited check go on from its verdict', (t) => {
		const { store, words, load } = start(t, TARGETS.slice(0, 3));
		store.take(record('a', 'eu', 1, 'uud'));
		settle();
		const [a = assert.fail(), b = assert.fail(), c = assert.fail(), d = assert.fail()] = TARGETS;
		load([a, b, targetOf(c.address, { ...MONITOR, fall: 1 }), d]);
		assert.equal(words(), 'uudw');
		mock.timers.tick(2 * MONITOR.intervalMs);
		assert.equal(words(), 'uudu');
	});

	it('takes the vote of a prober that contradicts all others, and says so', (t) => {
		const { store, words, health, log } = start(t);
		store.take(record('a', 'eu', 1, 'uuuuuu'));
		store.take(record('b', 'us', 1, 'uuuuuu'));
		store.take(record('c', 'ap', 1, 'dddddd'));
		settle();
		assert.equal(words(), 'uuuuuu');
		assert.deepEqual([...health.isolated], ['c']);
		const isolations = log.lines.filter(({ fields }) => fields['prober'] === 'c');
		assert.equal(isolations.length, 1);
		store.take(record('c', 'ap', 2, 'uuuuuu'));
		settle();
		assert.deepEqual([...health.isolated], []);
	});

	it('holds a mass of turns on the word of one region for guardHold', (t) => {
		const { store, words } = start(t);
		store.take(record('b', 'us', 1, '......'));
		store.take(record('a', 'eu', 1, 'uuuuuu'));
		settle();
		store.take(record('a', 'eu', 2, 'uudddd'));
		settle();
		assert.equal(words(), 'uuuuuu');
		mock.timers.tick(GUARD_HOLD_MS - 1000);
		const again = record('a', 'eu', 3, 'uudddd');
		const ageMs = GUARD_HOLD_MS - 950;
		store.take({ ...again, votes: again.votes.map((vote) => ({ ...vote, sinceAgeMs: ageMs })) });
		settle();
		assert.equal(words(), 'uuuuuu');
		mock.timers.tick(1100);
		assert.equal(words(), 'uudddd');
	});

	it('holds the same verdicts as another that heard the same records in another order, twice, or not at all', async (t) => {
		const letters = fc.array(fc.constantFrom('u', 'd', '.'), { minLength: 6, maxLength: 6 });
		const step = fc.record({
			prober: fc.nat(3),
			votes: letters.map((all) => all.join('')),
			isNewIncarnation: fc.boolean(),
			waitMs: fc.nat(3000),
		});
		const history = fc.array(step, { minLength: 4, maxLength: 30 });
		const property = fc.asyncProperty(history, fc.infiniteStream(fc.nat(99)), async (steps, chances) => {
			const first = start(t);
			const second = start(t);
			const late: ProberRecord[] = [];
			const probers = speak(steps, (said) => {
				first.store.take(said);
				const chance = chances.next().value ?? 0;
				// At once, twice, later and backwards, or never.
				if (chance < 40) second.store.take(said);
				else if (chance < 70) late.push(said);
				if (chance % 3 === 0) for (const old of late.splice(0).reverse()) second.store.take(old);
				if (chance % 5 === 0) second.store.take(said);
			});
			publishOn([first.store, second.store], probers);
			assert.equal(first.words(), second.words());
			await Promise.all([first.health.close(), second.health.close()]);
		});
		await fc.assert(property, { numRuns: 100 });
	});
});

const REGIONS = ['eu', 'us', 'ap', 'sa'] as const;

interface Step {
	readonly prober: number;
	readonly votes: string;
	readonly isNewIncarnation: boolean;
	readonly waitMs: number;
}

/** Tell what probers publish, step by step. @returns what each goes on to publish */
function speak(steps: readonly Step[], tell: (said: ProberRecord) => void): readonly Publishing[] {
	const speaking = new Map<number, Publishing>();
	for (const { prober, votes, isNewIncarnation, waitMs } of steps) {
		const before = speaking.get(prober);
		const next: Publishing = {
			instance: `p${prober}`,
			region: REGIONS[prober] ?? '',
			incarnation: (before?.incarnation ?? 1) + (isNewIncarnation ? 1 : 0),
			sequence: isNewIncarnation ? 1 : (before?.sequence ?? 0) + 1,
			votes: lastVotes([before?.votes ?? '......', votes]),
		};
		speaking.set(prober, next);
		tell(record(next.instance, next.region, next.sequence, votes, next.incarnation));
		mock.timers.tick(waitMs);
	}
	// By then each has seen every target.
	return [...speaking.values()].map((last) => ({ ...last, votes: last.votes.replaceAll('.', 'u') }));
}

/** A vote is never taken back. */
function lastVotes(said: readonly string[]): string {
	return TARGETS.map((_, i) => said.findLast((votes) => votes[i] !== '.')?.[i] ?? '.').join('');
}

interface Publishing {
	readonly instance: string;
	readonly region: string;
	readonly incarnation: number;
	readonly sequence: number;
	readonly votes: string;
}

/** Everything is read again, and probers go on publishing each second for as long as any turn may be held. */
function publishOn(stores: readonly FakeStore[], probers: readonly Publishing[]): void {
	for (let round = 0; round <= GUARD_HOLD_MS / 1000; round++) {
		for (const { instance, region, incarnation, sequence, votes } of probers) {
			const said = record(instance, region, sequence + round + 1, votes, incarnation);
			const aged = { ...said, votes: said.votes.map((vote) => ({ ...vote, sinceAgeMs: round * 1000 })) };
			for (const store of stores) store.take(aged);
		}
		mock.timers.tick(1000);
	}
}

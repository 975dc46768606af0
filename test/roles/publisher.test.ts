/** A prober's voice, with mocked time and a store that does as it is told. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Publisher } from '../../src/roles/publisher.ts';
import type { ProberSession, Store } from '../../src/store/ports.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { memoryLog } from '../contract/store-parts.ts';

const EVERY_MS = 10_000;

interface Behaviour {
	/** How long a publication takes. */
	tookMs: number;
	failure: StoreError | undefined;
	joinFailure: StoreError | undefined;
}

/** Of the test that runs. */
let running: Publisher | undefined;

function start(given: Partial<Behaviour> = {}) {
	const behaviour: Behaviour = { tookMs: 0, failure: undefined, joinFailure: undefined, ...given };
	/** When each was begun. */
	const begunMs: number[] = [];
	const taken: StoreError[] = [];
	const seen = { underWay: 0, underWayMost: 0, left: 0 };
	const session: ProberSession = {
		incarnation: 7,
		publish: async () => {
			begunMs.push(Date.now());
			seen.underWay++;
			seen.underWayMost = Math.max(seen.underWayMost, seen.underWay);
			const { tookMs, failure } = behaviour;
			if (tookMs > 0) await new Promise((resolve) => setTimeout(resolve, tookMs));
			seen.underWay--;
			if (failure !== undefined) throw failure;
		},
		leave: async () => void seen.left++,
	};
	const join: Store['join'] = async () => {
		if (behaviour.joinFailure !== undefined) throw behaviour.joinFailure;
		return session;
	};
	const log = memoryLog();
	const publisher = new Publisher({
		store: { join } as unknown as Store,
		name: { instance: 'eu-1', region: 'eu' },
		clock: { nowMs: () => Date.now() },
		log,
		collect: () => ({ votes: new Map(), roundTripMs: new Map() }),
		everyMs: () => EVERY_MS,
		onTaken: (error) => taken.push(error),
	});
	running = publisher;
	return { publisher, behaviour, begunMs, taken, seen, log };
}

/** In small steps: what settles in one may set a timer for the next. */
async function advance(ms: number): Promise<void> {
	for (let passedMs = 0; passedMs < ms; passedMs += 10) {
		for (let i = 0; i < 8; i++) await Promise.resolve();
		mock.timers.tick(10);
	}
	for (let i = 0; i < 8; i++) await Promise.resolve();
}

describe('Publisher', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(async () => {
		const closed = running?.close();
		await advance(2000);
		await closed;
		mock.timers.reset();
	});

	it('publishes at once, then each interval', async () => {
		const { begunMs, publisher } = start();
		await advance(3 * EVERY_MS - 500);
		assert.equal(begunMs.length, 3);
		assert(
			begunMs.every((ms, i) => Math.abs(ms - i * EVERY_MS) <= 50 * (i + 1)),
			begunMs.join(),
		);
		assert.equal(publisher.published, 3);
	});

	it('publishes turns at once, those of a moment together', async () => {
		const { begunMs, publisher } = start();
		await advance(1000);
		for (let i = 0; i < 10; i++) publisher.touch();
		await advance(500);
		assert.equal(begunMs.length, 2);
		assert((begunMs[1] ?? 0) <= 1060, begunMs.join());
	});

	it('has one publication under way, and asks less of a store that is slow', async () => {
		const { begunMs, publisher, seen } = start({ tookMs: 500 });
		for (let i = 0; i < 100; i++) {
			publisher.touch();
			await advance(100);
		}
		assert.equal(seen.underWayMost, 1);
		const gapsMs = begunMs.slice(1).map((ms, i) => ms - (begunMs[i] ?? 0));
		assert(
			gapsMs.every((gapMs) => gapMs >= 2500),
			gapsMs.join(),
		);
		assert(begunMs.length >= 3);
	});

	it('tries again after a second, tells once that it cannot, and once that it can', async () => {
		const { behaviour, publisher, begunMs, log } = start();
		await advance(100);
		behaviour.failure = new StoreError('STORE_REFUSED', 'OOM');
		for (let i = 0; i < 50; i++) {
			publisher.touch();
			await advance(100);
		}
		assert(begunMs.length <= 7, begunMs.join());
		assert.equal(publisher.problem, 'OOM');
		behaviour.failure = undefined;
		publisher.touch();
		await advance(2500);
		assert.equal(publisher.problem, undefined);
		assert.deepEqual(
			log.lines.map(({ level, message }) => `${level}: ${message}`),
			[
				'info: joined the fleet',
				'warn: votes cannot be published; what was published stands',
				'info: votes are published again',
			],
		);
	});

	it('joins when the store is there, and tells of a name that is taken', async () => {
		const { behaviour, publisher, begunMs, taken } = start({
			joinFailure: new StoreError('STORE_UNREACHABLE', 'away'),
		});
		await advance(3000);
		assert.deepEqual([begunMs.length, publisher.problem, taken.length], [0, 'away', 0]);
		behaviour.joinFailure = new StoreError('STORE_INSTANCE_TAKEN', 'taken');
		await advance(1500);
		assert.equal(taken[0]?.message, 'taken');
		behaviour.joinFailure = undefined;
		await advance(1500);
		assert.deepEqual([begunMs.length, publisher.problem, publisher.incarnation], [1, undefined, 7]);
	});

	it('leaves when it is closed, and publishes no more', async () => {
		const { publisher, begunMs, seen } = start();
		await advance(100);
		const closed = publisher.close();
		await advance(100);
		await closed;
		publisher.touch();
		await advance(2 * EVERY_MS);
		assert.deepEqual([begunMs.length, seen.left], [1, 1]);
	});
});

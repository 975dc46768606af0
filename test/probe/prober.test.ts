import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { type Target, targetKey } from '../../src/health/target.ts';
import type { CheckResult } from '../../src/probe/check-result.ts';
import { type Observation, Prober } from '../../src/probe/prober.ts';
import { nextSlotMs, rhythmOf } from '../../src/probe/schedule.ts';
import { monitorFrom } from './monitor-from.ts';

const MONITOR = monitorFrom({ kind: 'tcp', interval: '1s', timeout: '400ms', fall: 2, rise: 2 });
const UP: CheckResult = { isUp: true, reason: 'connected', rttMs: 1 };
const DOWN: CheckResult = { isUp: false, reason: 'connection refused' };

function targetOf(address: string, monitor = MONITOR): Target {
	return { key: targetKey(address, 80, monitor), address, port: 80, monitor };
}

const A = targetOf('203.0.113.1');
const B = targetOf('203.0.113.2');

interface Call {
	readonly target: Target;
	readonly atMs: number;
	readonly stop: AbortSignal;
	answer(result: CheckResult): void;
}

/** A prober whose clock and timers are the mocked ones and whose checks the test answers. */
function startProber({ briskMax = 256, slowMax = 256, denied = '' } = {}) {
	const calls: Call[] = [];
	const observations: Observation[] = [];
	const lines: string[] = [];
	/** Answers each check at once; undefined leaves it open. */
	const replies: { next: CheckResult | undefined } = { next: UP };
	const clock = { nowMs: () => Date.now() };
	const log = (level: string) => (_: unknown, message: string) => void lines.push(`${level}: ${message}`);
	const prober = new Prober({
		clock,
		log: { info: log('info'), warn: log('warn'), error: log('error') },
		guard: (address) => (address === denied ? 'it is not ours' : undefined),
		check: (target, stop) =>
			new Promise((resolve) => {
				calls.push({ target, atMs: clock.nowMs(), stop, answer: resolve });
				stop.addEventListener('abort', () => resolve({ isUp: false, reason: 'stopped' }));
				if (replies.next !== undefined) resolve(replies.next);
			}),
		onObservation: (observation) => void observations.push(observation),
		briskMax,
		slowMax,
	});
	return { prober, calls, observations, lines, replies };
}

/** Lets every promise that is ready run. */
function settle(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

async function advance(ms: number): Promise<void> {
	for (let i = 0; i < ms; i += 5) {
		mock.timers.tick(5);
		await settle();
	}
}

describe('Prober', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('checks a new target within a second, then at its phase of every period', async () => {
		const { prober, calls } = startProber();
		prober.setTargets([A]);
		await advance(5000);
		const [first, ...others] = calls.map(({ atMs }) => atMs);
		assert(first !== undefined && first < 1000);
		assert(others.length >= 4);
		const rhythm = rhythmOf(A.key, MONITOR.intervalMs);
		let dueMs = nextSlotMs(rhythm, first);
		for (const atMs of others) {
			assert(atMs - dueMs >= 0 && atMs - dueMs <= 5, `checked at ${atMs}, due at ${dueMs}`);
			dueMs += MONITOR.intervalMs;
		}
		await prober.close();
	});

	it('turns votes by rise and fall, and logs a line per turn only', async () => {
		const { prober, observations, lines, replies } = startProber();
		prober.setTargets([A]);
		await advance(1000);
		for (const next of [DOWN, DOWN, DOWN, UP, UP]) {
			const seen = observations.length;
			replies.next = next;
			while (observations.length === seen) await advance(5);
		}
		const turns = observations.filter(({ changed }) => changed);
		assert.deepEqual(
			turns.map(({ vote, isUp, reason, facts }) => ({ vote, isUp, reason, ...facts })),
			[
				{ vote: 'up', ...UP },
				{ vote: 'down', ...DOWN },
				{ vote: 'up', ...UP },
			],
		);
		for (const { atMs, sinceMs } of turns) assert.equal(sinceMs, atMs);
		assert.deepEqual(lines, ['info: target is up', 'warn: target is down', 'info: target is up']);
		await prober.close();
	});

	it('lists the state of each target', async () => {
		const { prober, observations } = startProber();
		prober.setTargets([A]);
		assert.deepEqual(prober.states(), [
			{
				key: A.key,
				target: A,
				vote: 'unknown',
				run: 0,
				sinceMs: 0,
				lastCheckMs: undefined,
				lastReason: undefined,
				lastRttMs: undefined,
				lastFacts: {},
			},
		]);
		await advance(3000);
		assert.deepEqual(prober.states(), [
			{
				key: A.key,
				target: A,
				vote: 'up',
				run: 0,
				sinceMs: observations[0]?.atMs,
				lastCheckMs: observations.at(-1)?.atMs,
				lastReason: 'connected',
				lastRttMs: 1,
				lastFacts: { rttMs: 1 },
			},
		]);
		await prober.close();
	});
});

describe('Prober.setTargets()', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('keeps vote and schedule of a target over a change beside it', async () => {
		const { prober, calls } = startProber();
		prober.setTargets([A]);
		await advance(2500);
		const [before] = prober.states();
		const countBefore = calls.length;
		for (let i = 0; i < 10; i++) {
			prober.setTargets(i % 2 === 0 ? [B, A] : [A]);
			await advance(100);
		}
		const after = prober.states().find(({ key }) => key === A.key);
		assert.equal(after?.sinceMs, before?.sinceMs);
		assert.equal(calls.slice(countBefore).filter(({ target }) => target === A).length, 1);
		await prober.close();
	});

	it('stops checking what is no longer a target and drops its result', async () => {
		const { prober, calls, observations, replies } = startProber();
		replies.next = undefined;
		prober.setTargets([A]);
		await advance(1000);
		prober.setTargets([]);
		await advance(5000);
		assert.equal(calls.length, 1);
		assert.equal(calls[0]?.stop.aborted, true);
		assert.deepEqual(observations, []);
		assert.deepEqual(prober.states(), []);
		await prober.close();
	});
});

describe('Prober under load', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('never has two checks of one target under way', async () => {
		const { prober, calls, replies } = startProber();
		replies.next = undefined;
		prober.setTargets([A]);
		await advance(5000);
		assert.equal(calls.length, 1);
		calls[0]?.answer(UP);
		await advance(1000);
		assert.equal(calls.length, 2);
		await prober.close();
	});

	it('lets checks past the limit wait, and forgets those whose target went', async () => {
		const { prober, calls, replies } = startProber({ briskMax: 2, slowMax: 0 });
		replies.next = undefined;
		const targets = [1, 2, 3, 4, 5].map((i) => targetOf(`203.0.113.${i}`));
		prober.setTargets(targets);
		await advance(1000);
		assert.equal(calls.length, 2);
		calls[0]?.answer(UP);
		await settle();
		assert.equal(calls.length, 3);
		const asked = new Set(calls.map(({ target }) => target));
		prober.setTargets(targets.filter((target) => asked.has(target)));
		calls[1]?.answer(UP);
		calls[2]?.answer(UP);
		await settle();
		assert(calls.slice(3).every(({ target }) => asked.has(target)));
		await prober.close();
	});
});

describe('Prober at its borders', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('never checks what the guard refuses, and says so once', async () => {
		const { prober, calls, lines } = startProber({ denied: A.address });
		prober.setTargets([A]);
		prober.setTargets([A, B]);
		await advance(3000);
		assert(calls.every(({ target }) => target === B));
		const [state] = prober.states();
		assert.deepEqual(
			{ vote: state?.vote, lastReason: state?.lastReason, lastCheckMs: state?.lastCheckMs },
			{ vote: 'unknown', lastReason: 'denied: it is not ours', lastCheckMs: undefined },
		);
		assert.deepEqual(lines, ['warn: target is never probed', 'info: target is up']);
		await prober.close();
	});

	it('stops checks and timers when it is closed, and stays closed', async () => {
		const { prober, calls, observations, replies } = startProber();
		replies.next = undefined;
		prober.setTargets([A, B]);
		await advance(1000);
		await prober.close();
		prober.setTargets([A]);
		await advance(3000);
		assert.equal(calls.length, 2);
		assert(calls.every(({ stop }) => stop.aborted));
		assert.deepEqual(observations, []);
	});
});

describe('Prober after a pause of the process', () => {
	const EAGER = targetOf('203.0.113.1', { ...MONITOR, fall: 1 });
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	/** Up, then paused in between two checks or in the middle of one. */
	async function pause({ midCheck }: { midCheck: boolean }) {
		const started = startProber();
		const { prober, calls, replies } = started;
		prober.setTargets([EAGER]);
		await advance(1000);
		replies.next = undefined;
		if (midCheck) {
			const count = calls.length;
			while (calls.length === count) await advance(5);
		}
		mock.timers.setTime(60_000);
		return started;
	}

	for (const { name, results, checks, votes } of [
		{ name: 'believes a success', results: [UP], checks: 1, votes: ['up'] },
		{ name: 'checks again at once after a failure', results: [DOWN], checks: 2, votes: [] },
		{ name: 'stays up when the second check succeeds', results: [DOWN, UP], checks: 2, votes: ['up'] },
		{ name: 'believes the second failure', results: [DOWN, DOWN], checks: 2, votes: ['down'] },
	]) {
		for (const midCheck of [false, true]) {
			it(`${name}, paused ${midCheck ? 'in the middle of a check' : 'between two checks'}`, async () => {
				const { prober, calls, observations } = await pause({ midCheck });
				const seen = observations.length;
				const first = midCheck ? calls.length - 1 : calls.length;
				if (!midCheck) mock.timers.tick(0);
				for (const [i, result] of results.entries()) {
					calls[first + i]?.answer(result);
					await settle();
				}
				assert.equal(calls.length - first, checks);
				assert.deepEqual(
					observations.slice(seen).map(({ vote }) => vote),
					votes,
				);
				await prober.close();
			});
		}
	}
});

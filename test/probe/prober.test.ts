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
function startProber({ briskMax = 256, slowMax = 256, denied = '', identity = '' } = {}) {
	const calls: Call[] = [];
	const observations: Observation[] = [];
	const denials: string[] = [];
	/** Answers each check at once; undefined leaves it open. */
	const replies: { next: CheckResult | undefined } = { next: UP };
	const clock = { nowMs: () => Date.now() };
	const prober = new Prober({
		identity,
		clock,
		guard: (address) => (address === denied ? 'it is not ours' : undefined),
		check: (target, stop) =>
			new Promise((resolve) => {
				calls.push({ target, atMs: clock.nowMs(), stop, answer: resolve });
				stop.addEventListener('abort', () => resolve({ isUp: false, reason: 'stopped' }));
				if (replies.next !== undefined) resolve(replies.next);
			}),
		onObservation: (observation) => void observations.push(observation),
		onDenied: (key, reason) => void denials.push(`${key === A.key ? 'A' : key}: ${reason}`),
		briskMax,
		slowMax,
	});
	return { prober, calls, observations, denials, replies };
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

	it('hands over each result with its time and how long it took', async () => {
		const { prober, calls, observations, replies } = startProber();
		replies.next = undefined;
		prober.setTargets([A]);
		while (calls.length === 0) await advance(5);
		const [call = assert.fail()] = calls;
		await advance(50);
		call.answer(DOWN);
		await settle();
		// Time goes in steps of 5 ms here, and the moment of a check lies between them.
		const [{ lagMs, ...observation } = assert.fail()] = observations;
		assert.deepEqual(observation, { key: A.key, result: DOWN, atMs: call.atMs + 50, tookMs: 50 });
		assert(lagMs >= 0 && lagMs < 5, String(lagMs));
		assert.equal(observations.length, 1);
		await prober.close();
	});

	it('has a phase of its own beside other probers', async () => {
		const phases = new Set<number | undefined>();
		for (const identity of ['a', 'b', 'c', 'd']) {
			const { prober, calls } = startProber({ identity });
			prober.setTargets([A]);
			await advance(3000);
			phases.add((calls.at(-1)?.atMs ?? 0) % MONITOR.intervalMs);
			await prober.close();
		}
		assert.equal(phases.size, 4);
	});
});

describe('Prober.setTargets()', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('keeps the schedule of a target over a change beside it', async () => {
		const { prober, calls } = startProber();
		prober.setTargets([A]);
		await advance(2500);
		const countBefore = calls.length;
		for (let i = 0; i < 10; i++) {
			prober.setTargets(i % 2 === 0 ? [B, A] : [A]);
			await advance(100);
		}
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

describe('Prober beside targets that hang', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	/** Targets of which the first `hanging` never answer: their checks end at the deadline. */
	async function lateness({ count, hanging, seconds }: { count: number; hanging: number; seconds: number }) {
		const monitor = { ...MONITOR, intervalMs: 10_000, timeoutMs: 4000 };
		const targets = Array.from({ length: count }, (_, i) => targetOf(`10.0.${i >> 8}.${i & 255}`, monitor));
		const hangs = new Set(targets.slice(0, hanging));
		const counts = new Map<Target, number>();
		const found = new Map<string, boolean | undefined>();
		let latestMs = 0;
		let most = 0;
		let underWay = 0;
		const prober = new Prober({
			clock: { nowMs: () => Date.now() },
			guard: () => undefined,
			onObservation: ({ key, result }) => void found.set(key, result.isUp),
			onDenied: (_, reason) => assert.fail(reason),
			check: async (target) => {
				const seen = counts.get(target) ?? 0;
				counts.set(target, seen + 1);
				const rhythm = rhythmOf(target.key, monitor.intervalMs);
				// The slot before the next one is this one; the first check has none.
				if (seen > 0) latestMs = Math.max(latestMs, Date.now() - (nextSlotMs(rhythm, Date.now()) - 10_000));
				most = Math.max(most, ++underWay);
				await new Promise<void>((resolve) => {
					setTimeout(resolve, hangs.has(target) ? monitor.timeoutMs : 1);
				});
				underWay--;
				return hangs.has(target) ? { isUp: false, reason: 'no answer within 4000 ms' } : UP;
			},
		});
		prober.setTargets(targets);
		await advance(seconds * 1000);
		await advance(4000);
		void prober.close();
		await advance(5000);
		return { latestMs, most, counts, found, hangs };
	}

	for (const { count, hanging } of [
		{ count: 1000, hanging: 200 },
		{ count: 2000, hanging: 1600 },
	]) {
		it(`checks each of ${count} in its slot though ${hanging} never answer`, async () => {
			const { latestMs, most, counts, found, hangs } = await lateness({ count, hanging, seconds: 41 });
			assert(latestMs <= 10, `a check was ${latestMs} ms late`);
			assert(most <= count);
			assert.equal(counts.size, count);
			for (const [target, checks] of counts)
				assert(checks >= 4 && checks <= 6, `${target.address} had ${checks} checks`);
			for (const target of counts.keys()) assert.equal(found.get(target.key), !hangs.has(target));
		});
	}

	it('makes room for others once a check is slow, and for no more than it may', async () => {
		const { prober, calls, replies } = startProber({ briskMax: 1, slowMax: 2 });
		replies.next = undefined;
		prober.setTargets([1, 2, 3, 4, 5].map((i) => targetOf(`203.0.113.${i}`)));
		await advance(1000);
		const [first] = calls;
		await advance(3000);
		assert.equal(calls.length, 3);
		first?.answer(UP);
		await advance(505);
		assert.equal(calls.length, 4);
		await prober.close();
	});
});

describe('Prober with host names', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('asks the guard only about addresses, for a name stands for nothing yet', async () => {
		const { prober, calls } = startProber({ denied: 'd1.cdn.example' });
		const target = targetOf('d1.cdn.example');
		prober.setTargets([target]);
		await advance(1000);
		assert.equal(calls[0]?.target, target);
		await prober.close();
	});
});

describe('Prober at its borders', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('never checks what the guard refuses, and says so once', async () => {
		const { prober, calls, denials } = startProber({ denied: A.address });
		prober.setTargets([A]);
		prober.setTargets([A, B]);
		await advance(3000);
		assert(calls.every(({ target }) => target === B));
		assert.deepEqual(denials, ['A: denied: it is not ours']);
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
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	/** Up, then paused in between two checks or in the middle of one. */
	async function pause({ midCheck }: { midCheck: boolean }) {
		const started = startProber();
		const { prober, calls, replies } = started;
		prober.setTargets([A]);
		await advance(1000);
		replies.next = undefined;
		if (midCheck) {
			const count = calls.length;
			while (calls.length === count) await advance(5);
		}
		mock.timers.setTime(60_000);
		return started;
	}

	it('does not believe a check that ends long after its deadline, once', async () => {
		const started = startProber();
		const { prober, calls, observations, replies } = started;
		const target = targetOf('203.0.113.1', { ...MONITOR, intervalMs: 10_000, timeoutMs: 4000 });
		prober.setTargets([target]);
		await advance(1000);
		replies.next = undefined;
		while (calls.length === 1) await advance(5);
		const seen = observations.length;
		// A pause shorter than the period: the slot after this one is hardly late.
		mock.timers.setTime(Date.now() + 6000);
		calls[1]?.answer({ isUp: false, reason: 'no answer within 4000 ms' });
		await settle();
		assert.equal(calls.length, 3);
		assert.equal(observations.length, seen);
		calls[2]?.answer(DOWN);
		await settle();
		assert.deepEqual(
			observations.slice(seen).map(({ result }) => result),
			[DOWN],
		);
		await prober.close();
	});

	for (const { name, results, checks, counts } of [
		{ name: 'believes a success', results: [UP], checks: 1, counts: [UP] },
		{ name: 'checks again at once after a failure', results: [DOWN], checks: 2, counts: [] },
		{ name: 'stays up when the second check succeeds', results: [DOWN, UP], checks: 2, counts: [UP] },
		{ name: 'believes the second failure', results: [DOWN, DOWN], checks: 2, counts: [DOWN] },
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
					observations.slice(seen).map(({ result }) => result),
					counts,
				);
				await prober.close();
			});
		}
	}
});

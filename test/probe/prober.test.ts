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
	const lines: string[] = [];
	/** Answers each check at once; undefined leaves it open. */
	const replies: { next: CheckResult | undefined } = { next: UP };
	const clock = { nowMs: () => Date.now() };
	const log = (level: string) => (_: unknown, message: string) => void lines.push(`${level}: ${message}`);
	const prober = new Prober({
		identity,
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

	it('has a phase of its own beside other probers', async () => {
		const phases = new Set<number | undefined>();
		for (const identity of ['a', 'b', 'c', 'd']) {
			const { prober, calls } = startProber({ identity });
			prober.setTargets([A]);
			await advance(3000);
			const last = calls.at(-1)?.atMs ?? 0;
			phases.add(last % MONITOR.intervalMs);
			await prober.close();
		}
		assert.equal(phases.size, 4);
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

describe('Prober beside targets that hang', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	/** Targets of which the first `hanging` never answer: their checks end at the deadline. */
	async function lateness({ count, hanging, seconds }: { count: number; hanging: number; seconds: number }) {
		const monitor = { ...MONITOR, intervalMs: 10_000, timeoutMs: 4000 };
		const targets = Array.from({ length: count }, (_, i) => targetOf(`10.0.${i >> 8}.${i & 255}`, monitor));
		const hangs = new Set(targets.slice(0, hanging));
		const counts = new Map<Target, number>();
		let latestMs = 0;
		let most = 0;
		let underWay = 0;
		const prober = new Prober({
			clock: { nowMs: () => Date.now() },
			log: { info() {}, warn() {}, error() {} },
			guard: () => undefined,
			onObservation() {},
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
		const states = prober.states();
		void prober.close();
		await advance(5000);
		return { latestMs, most, counts, states, hangs };
	}

	for (const { count, hanging } of [
		{ count: 1000, hanging: 200 },
		{ count: 2000, hanging: 1600 },
	]) {
		it(`checks each of ${count} in its slot though ${hanging} never answer`, async () => {
			const { latestMs, most, counts, states, hangs } = await lateness({ count, hanging, seconds: 41 });
			assert(latestMs <= 10, `a check was ${latestMs} ms late`);
			assert(most <= count);
			assert.equal(counts.size, count);
			for (const [target, checks] of counts)
				assert(checks >= 4 && checks <= 6, `${target.address} had ${checks} checks`);
			for (const { target, vote } of states) assert.equal(vote, hangs.has(target) ? 'down' : 'up');
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

describe('Prober with checks that cannot be made', () => {
	const CANNOT: CheckResult = { isUp: undefined, reason: 'cannot run: no sockets' };
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('leaves the vote as it is, and says why once', async () => {
		const { prober, observations, lines, replies } = startProber();
		prober.setTargets([A]);
		await advance(1500);
		const seen = observations.length;
		replies.next = CANNOT;
		await advance(5000);
		assert.equal(observations.length, seen);
		const [state] = prober.states();
		assert.deepEqual({ vote: state?.vote, reason: state?.lastReason }, { vote: 'up', reason: CANNOT.reason });
		assert.equal(state?.lastCheckMs, observations.at(-1)?.atMs);
		replies.next = UP;
		await advance(1500);
		replies.next = CANNOT;
		await advance(3000);
		const cannot = 'warn: target cannot be probed from here';
		assert.deepEqual(lines, ['info: target is up', cannot, cannot]);
		await prober.close();
	});

	it('is asked for the guard only of addresses, for a name stands for nothing yet', async () => {
		const { prober, calls } = startProber({ denied: 'd1.cdn.example' });
		const target = targetOf('d1.cdn.example');
		prober.setTargets([target]);
		await advance(1000);
		assert.equal(calls[0]?.target, target);
		await prober.close();
	});
});

describe('Prober ahead of failures', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
	afterEach(() => mock.timers.reset());

	it('tells of a certificate that is about to expire, once, and keeps the facts', async () => {
		const { prober, lines, observations, replies } = startProber();
		const tls = { protocol: 'TLSv1.3', certificateExpiresAt: '2026-12-01T00:00:00.000Z', certificateDaysLeft: 9 };
		replies.next = { ...UP, tls, warning: 'certificate expires in 9 days' };
		prober.setTargets([A]);
		await advance(4000);
		assert.deepEqual(lines, ['info: target is up', 'warn: target will fail soon']);
		assert.equal(prober.states()[0]?.lastFacts.tls, tls);
		assert.equal(observations.at(-1)?.facts.warning, 'certificate expires in 9 days');
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

	it('does not believe a check that ends long after its deadline, once', async () => {
		const started = startProber();
		const { prober, calls, observations, replies } = started;
		const target = targetOf('203.0.113.1', { ...MONITOR, intervalMs: 10_000, timeoutMs: 4000, fall: 1 });
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
			observations.slice(seen).map(({ vote }) => vote),
			['down'],
		);
		await prober.close();
	});

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

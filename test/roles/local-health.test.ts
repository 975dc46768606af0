/** Health of one process, with mocked time and checks that say what they are told to. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock, type TestContext } from 'node:test';
import { type Target, targetKey } from '../../src/health/target.ts';
import { createHealthWords, VERDICT_WORD, VerdictTable } from '../../src/health/verdict-table.ts';
import type { CheckResult } from '../../src/probe/check-result.ts';
import { LocalHealth } from '../../src/roles/local-health.ts';
import { nameOf as nameOfTarget } from '../../src/roles/own-votes.ts';
import { monitorFrom } from '../probe/monitor-from.ts';
import { scratch } from './scratch.ts';

const MONITOR = monitorFrom({ kind: 'tcp', interval: '1s', timeout: '400ms', fall: 2, rise: 2 });

function targetOf(address: string, monitor = MONITOR): Target {
	return { key: targetKey(address, 80, monitor), address, port: 80, monitor };
}

const UP: CheckResult = { isUp: true, reason: 'connected', rttMs: 5 };
const DOWN: CheckResult = { isUp: false, reason: 'connection refused' };

const A = targetOf('203.0.113.1');
const B = targetOf('203.0.113.2');
const C = targetOf('203.0.113.3');

const NAMES = Object.entries(VERDICT_WORD);

interface Options {
	readonly stateDir?: string;
	/** Addresses that fail. */
	readonly failing?: Set<string>;
	/** What is found of addresses that do not. */
	readonly findings?: { next: CheckResult };
	readonly region?: string;
	/** Addresses of anchors, at port 7. */
	readonly anchors?: readonly string[];
}

/** A process with these targets, its zones just loaded. */
function start(t: TestContext, targets: readonly Target[], options: Options = {}) {
	// Before the directory is removed, for hooks run in the order in which they were set.
	t.after(() => health.close());
	const {
		stateDir = scratch(t),
		failing = new Set<string>(),
		findings = { next: UP },
		region = 'local',
		anchors = [],
	} = options;
	const lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> }[] = [];
	const log = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
		void lines.push({ level, message, fields });
	const verdicts = new VerdictTable(createHealthWords(16));
	let slots = verdicts.assign(targets.map(({ key }) => key));
	const health = new LocalHealth({
		clock: { nowMs: () => Date.now() },
		wallMs: () => Date.now(),
		log: { info: log('info'), warn: log('warn'), error: log('error') },
		region,
		stateDir,
		verdicts,
		anchors: anchors.map((address) => ({ address, port: 7, family: 4 as const })),
		guard: (address) => (address === '127.0.0.1' ? 'it is ours' : undefined),
		check: ({ address }) => Promise.resolve(failing.has(address) ? DOWN : findings.next),
	});
	const load = (next: readonly Target[]) => {
		slots = verdicts.assign(next.map(({ key }) => key));
		health.setTargets(next);
	};
	load(targets);
	/** Words of the targets that are set now, in their order. */
	const words = () => [...(slots ?? [])].map((slot) => nameOf(verdicts.words.verdicts[slot])).join(' ');
	const told = () => lines.map(({ level, message }) => `${level}: ${message}`);
	return { health, failing, stateDir, lines, told, words, load, verdicts };
}

function nameOf(word: number | undefined): string | undefined {
	return NAMES.find(([, value]) => value === word)?.[0];
}

async function advance(ms: number): Promise<void> {
	for (let i = 0; i < ms; i += 20) {
		mock.timers.tick(20);
		await new Promise((resolve) => setImmediate(resolve));
	}
}

const timers = { apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 } as const;

describe('LocalHealth', () => {
	beforeEach(() => mock.timers.enable({ ...timers, apis: [...timers.apis] }));
	afterEach(() => mock.timers.reset());

	it('tells sites behind one address apart in the log', () => {
		const { address, port, monitor } = A;
		const site = { kind: 'http', host: 'www.example.org', path: '/healthz' } as const;
		assert.deepEqual(nameOfTarget({ ...A, monitor: { ...monitor, ...site } as Target['monitor'] }), {
			...{ address, port, kind: 'http', host: 'www.example.org', path: '/healthz' },
		});
		assert.deepEqual(nameOfTarget(A), { address, port, kind: 'tcp' });
	});

	it('turns results into words, and logs a line per turn', async (t) => {
		const { health, failing, lines, told, words } = start(t, [A, B]);
		assert.equal(words(), 'unknown unknown');
		health.probe();
		await advance(1100);
		assert.equal(words(), 'up up');
		failing.add(B.address);
		await advance(3000);
		assert.equal(words(), 'up down');
		failing.clear();
		await advance(3000);
		assert.equal(words(), 'up up');
		assert.deepEqual(told(), [
			...['info: target is up', 'info: target is up', 'warn: target is down', 'info: target is up'],
		]);
		assert.partialDeepStrictEqual(lines[2]?.fields, {
			...{ address: B.address, port: 80, kind: 'tcp', reason: 'connection refused', was: 'up' },
		});
	});

	it('tells the round-trip times that it has measured, by address', async (t) => {
		const { health } = start(t, [A, B], { region: 'eu-west' });
		assert.deepEqual(health.roundTrips(), []);
		health.probe();
		await advance(1100);
		assert.deepEqual(
			health.roundTrips().map(({ region, address, ms, isAlive }) => ({ region, address, ms, isAlive })),
			[A, B].map(({ address }) => ({ region: 'eu-west', address, ms: 5, isAlive: true })),
		);
		assert.ok(health.roundTrips().every(({ measuredMs }) => Date.now() - measuredMs <= 1100));
	});

	it('takes a dead endpoint out within `fall` intervals', async (t) => {
		const { health, failing, words } = start(t, [A]);
		health.probe();
		await advance(2000);
		failing.add(A.address);
		await advance(2 * MONITOR.intervalMs + 100);
		assert.equal(words(), 'down');
	});

	it('changes words as often as damping lets it, and logs the hold once', async (t) => {
		const eager = targetOf('203.0.113.1', { ...MONITOR, fall: 1, rise: 1, maxFlips: 3, flapWindowMs: 60_000 });
		const { health, failing, told, words } = start(t, [eager]);
		health.probe();
		await advance(1000);
		let turns = 0;
		for (let last = words(), i = 0; i < 25; i++) {
			if (i % 2 === 0) failing.add(eager.address);
			else failing.clear();
			await advance(2000);
			if (words() !== last) turns++;
			last = words();
		}
		assert.equal(turns, 3);
		assert.equal(words(), 'down');
		assert.equal(told().filter((line) => line === 'warn: target flaps: held down').length, 1);
		assert.equal(health.list()[0]?.own?.isHeld, true);
	});

	it('lets a new target wait beside others, at most `fall` intervals', async (t) => {
		const { health, load, words } = start(t, [A]);
		health.probe();
		await advance(1100);
		load([A, B, C]);
		assert.equal(words(), 'up waiting waiting');
		// Nobody has called probe().
		await advance(1980);
		assert.equal(words(), 'up waiting waiting');
		await advance(20);
		assert.equal(words(), 'up unknown unknown');
		health.probe();
		await advance(1100);
		assert.equal(words(), 'up up up');
	});

	it('has known what it knew before it is probed again, after a restart', async (t) => {
		const { health, failing, stateDir, verdicts } = start(t, [A, B]);
		health.probe();
		failing.add(B.address);
		await advance(4000);
		await health.close();
		assert.equal(verdicts.rttMs('local', A.key), 5);
		await advance(60_000);
		const again = start(t, [A, B, C], { stateDir, failing });
		assert.equal(again.words(), 'up down waiting');
		assert.equal(again.verdicts.rttMs('local', A.key), 5);
		const [, down] = again.health.list();
		assert.equal(down?.own?.vote.reason, 'connection refused');
		assert.equal(down?.judgement.isFrozen, true);
		assert.ok(Date.now() - (down?.own?.vote.checkedMs ?? 0) >= 60_000);
		assert.deepEqual(again.health.summary(), { unsaved: undefined, stale: 0, short: 0, problems: [] });
		again.health.probe();
		await advance(1100);
		assert.equal(again.words(), 'up down up');
		assert.equal(again.health.list()[1]?.judgement.isFrozen, false);
		// What has not turned is not told of.
		assert.deepEqual(again.told(), ['info: target is up']);
		await again.health.close();
	});

	it('keeps a word over a reload, and the vote of a check that was edited', async (t) => {
		const { health, failing, load, words } = start(t, [A, B]);
		health.probe();
		failing.add(B.address);
		await advance(4000);
		load([C, targetOf(B.address, { ...MONITOR, fall: 1 }), A]);
		assert.equal(words(), 'waiting down up');
	});

	it('does not probe, nor judge, what other regions are to look at', async (t) => {
		const far = targetOf('203.0.113.9', { ...MONITOR, from: ['eu-west'] });
		const { health, words } = start(t, [A, far], { region: 'us-east' });
		health.probe();
		await advance(2000);
		assert.equal(words(), 'up unknown');
		assert.deepEqual(
			health.list().map(({ target }) => target.address),
			[A.address],
		);
	});

	it('says once what it may not probe', async (t) => {
		const own = targetOf('127.0.0.1');
		const { health, told, words } = start(t, [own]);
		health.probe();
		health.probe();
		await advance(2000);
		assert.deepEqual(told(), ['warn: target is never probed']);
		assert.equal(health.list()[0]?.own?.vote.reason, 'denied: it is ours');
		assert.equal(words(), 'unknown');
	});

	it('leaves the vote as it is when a check cannot be made, and says why once', async (t) => {
		const findings = { next: UP };
		const { health, told, words } = start(t, [A], { findings });
		health.probe();
		await advance(1500);
		const cannotRun: CheckResult = { isUp: undefined, reason: 'cannot run: no sockets' };
		findings.next = cannotRun;
		await advance(5000);
		assert.equal(words(), 'up');
		const [{ own, judgement } = assert.fail()] = health.list();
		assert.equal(own?.vote.reason, cannotRun.reason);
		assert.equal(judgement.isFrozen, true);
		findings.next = UP;
		await advance(1500);
		findings.next = cannotRun;
		await advance(3000);
		const cannot = 'warn: target cannot be probed from here';
		assert.deepEqual(told(), ['info: target is up', cannot, cannot]);
		assert.equal(health.checks.counts.get('tcp')?.none, 8);
	});

	it('tells of a certificate that is about to expire, once', async (t) => {
		const tls = { protocol: 'TLSv1.3', certificateExpiresAt: '2026-12-01T00:00:00.000Z', certificateDaysLeft: 9 };
		const findings = { next: { ...UP, tls, warning: 'certificate expires in 9 days' } };
		const { health, lines, told } = start(t, [A], { findings });
		health.probe();
		await advance(4000);
		assert.deepEqual(told(), ['warn: target will fail soon', 'info: target is up']);
		assert.equal(lines[0]?.fields['warning'], 'certificate expires in 9 days');
		assert.equal(health.list()[0]?.own?.vote.last?.tls, tls);
	});

	it('turns nothing while most of its anchors fail', async (t) => {
		const anchors = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];
		const { health, failing, told, words } = start(t, [A, B], { anchors });
		health.probe();
		await advance(3000);
		assert.equal(words(), 'up up');
		// Most of the world is gone, and one target is not.
		for (const address of [...anchors.slice(1), B.address]) failing.add(address);
		await advance(10_000);
		assert.equal(words(), 'up up');
		assert(told().includes('warn: most anchors fail: this prober is cut off, and its votes do not count'));
		assert.deepEqual(
			health.list().map(({ judgement }) => judgement.isFrozen),
			[true, true],
		);
		for (const address of anchors) failing.delete(address);
		await advance(3000);
		assert.equal(words(), 'up down');
		assert(told().includes('info: anchors are there again: the votes of this prober count'));
	});

	it('says what has fewer votes than it needs, and leaves it unknown', async (t) => {
		const consensus = { mode: 'majority', k: undefined, minProbers: 2 } as const;
		const { health, failing, words } = start(t, [targetOf('203.0.113.1', { ...MONITOR, consensus })]);
		failing.add('203.0.113.1');
		health.probe();
		await advance(4000);
		assert.equal(words(), 'unknown');
		assert.equal(health.summary().short, 1);
	});

	it('counts checks by kind and result, and how long they took', async (t) => {
		const { health, failing } = start(t, [A, B]);
		failing.add(B.address);
		health.probe();
		await advance(1100);
		const { up = 0, down = 0, none } = health.checks.counts.get('tcp') ?? {};
		assert.ok(up > 0 && down > 0 && none === 0);
		const [sample] = health.checks.durations.samples();
		assert.equal(sample?.count, up + down);
		assert.deepEqual(sample?.labels, { kind: 'tcp' });
	});
});

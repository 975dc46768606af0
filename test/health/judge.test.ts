/** Verdicts over a fleet: the sentences of the design as rows, then as properties. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Judgement, judge, type Verdict } from '../../src/health/judge.ts';
import type { ProberReport } from '../../src/health/published.ts';
import type { Consensus } from '../../src/model/monitor-voting.ts';
import { fleetOf, INTERVAL_MS, NOW_MS, type Said, SILENT } from './fleet.ts';

interface Monitor {
	readonly regional?: true;
	readonly mode?: Consensus['mode'];
	readonly k?: number;
	readonly minProbers?: number;
	readonly from?: readonly string[];
}

function judged(reports: readonly ProberReport[], targets: number, monitor: Monitor = {}, before = '', nowMs = NOW_MS) {
	const { mode = 'majority', k, minProbers, from } = monitor;
	const settings = { intervalMs: INTERVAL_MS, from, consensus: { mode, k, minProbers } };
	const asked = Array.from({ length: targets }, (_, i) => ({ key: `t${i}`, monitor: settings }));
	return judge({ targets: asked, reports, before: verdictsOf(before), nowMs });
}

const VERDICTS: Readonly<Record<string, Verdict>> = { u: 'up', d: 'down' };

/** `u` up, `d` down, `.` unknown, in the order of the targets. */
function verdictsOf(text: string): ReadonlyMap<string, Verdict> {
	return new Map([...text].map((letter, i) => [`t${i}`, VERDICTS[letter] ?? 'unknown']));
}

function lettersOf(byKey: ReadonlyMap<string, Judgement>): string {
	return [...byKey.values()].map(({ verdict }) => (verdict === 'unknown' ? '.' : verdict.charAt(0))).join('');
}

interface Row {
	readonly name: string;
	readonly fleet: Readonly<Record<string, Said | string>>;
	readonly monitor?: Monitor;
	readonly before?: string;
	/** The verdict on the one target, and its marks. */
	readonly is: string;
}

/** `up`, `down frozen`, `up frozen stale` ... */
function wordsOf(judgement: Judgement | undefined): string {
	const { verdict, isFrozen, isStale, isGuarded } = judgement ?? assert.fail();
	return [verdict, isFrozen && 'frozen', isStale && 'stale', isGuarded && 'guarded'].filter(Boolean).join(' ');
}

const STALE = { checkedAgoMs: 300_001, isAlive: false } as const;

const SENTENCES: Readonly<Record<string, readonly Row[]>> = {
	'a prober that most anchors fail has no vote': [
		{ name: 'others decide', fleet: { eu: { votes: 'd', cutOffAgoMs: 5000 }, us: 'u', ap: 'u' }, is: 'up' },
		{
			name: 'two of three change nothing when they are cut off',
			fleet: { eu: { votes: 'd', cutOffAgoMs: 5000 }, us: { votes: 'd', cutOffAgoMs: 5000 }, ap: 'u' },
			before: 'u',
			is: 'up frozen',
		},
		{
			name: 'what it said before stands, though it is the only one',
			fleet: { eu: { votes: 'd', cutOffAgoMs: 5000 } },
			before: 'u',
			is: 'up frozen',
		},
		{
			name: 'and is stale when it has been cut off for long',
			fleet: { eu: { votes: 'd', cutOffAgoMs: 300_001 } },
			before: 'u',
			is: 'up frozen stale',
		},
		{ name: 'unknown stays unknown', fleet: { eu: { votes: 'd', cutOffAgoMs: 5000 } }, is: 'unknown' },
	],
	'a region says down when more than half of its votes are down': [
		{ name: 'half is up', fleet: { 'p@eu': 'u', 'q@eu': 'd' }, is: 'up' },
		{ name: 'two of three is down', fleet: { 'p@eu': 'u', 'q@eu': 'd', 'r@eu': 'd' }, is: 'down' },
		{
			name: 'many probers of one region are one voice',
			fleet: { 'p@eu': 'd', 'q@eu': 'd', 'r@us': 'u', 's@ap': 'u' },
			is: 'up',
		},
	],
	'a region without votes has no voice': [
		{
			name: 'it is as if it were not there',
			fleet: { eu: 'd', us: '.', ap: '.' },
			monitor: { minProbers: 1 },
			is: 'down',
		},
		{ name: 'it does not make a tie', fleet: { eu: 'd', us: 'd', ap: 'u', sa: '.', af: '.' }, is: 'down' },
	],
	'a tie is up': [
		{ name: 'of two regions', fleet: { eu: 'u', us: 'd' }, is: 'up' },
		{ name: 'of four', fleet: { eu: 'u', us: 'd', ap: 'd', sa: 'u' }, is: 'up' },
	],
	modes: [
		{ name: 'majority takes most', fleet: { eu: 'u', us: 'd', ap: 'd' }, is: 'down' },
		{
			name: 'any-up wants all for a down',
			fleet: { eu: 'u', us: 'd', ap: 'd' },
			monitor: { mode: 'any-up' },
			is: 'up',
		},
		{ name: 'all-up wants one', fleet: { eu: 'u', us: 'u', ap: 'd' }, monitor: { mode: 'all-up' }, is: 'down' },
		{
			name: 'at-least 2 of three is up with two',
			fleet: { eu: 'u', us: 'u', ap: 'd' },
			monitor: { mode: 'at-least', k: 2 },
			is: 'up',
		},
		{
			name: 'at-least 2 of three is down with one',
			fleet: { eu: 'u', us: 'd', ap: 'd' },
			monitor: { mode: 'at-least', k: 2 },
			is: 'down',
		},
		{
			name: 'at-least asks for no more voices than there are',
			fleet: { eu: 'u' },
			monitor: { mode: 'at-least', k: 2 },
			is: 'up',
		},
	],
	'`from` says which regions may vote': [
		{ name: 'the others are not heard', fleet: { eu: 'd', us: 'u', ap: 'u' }, monitor: { from: ['eu'] }, is: 'down' },
		{
			name: 'one region that may vote can have its say in a large fleet',
			fleet: { eu: 'd', us: '.', ap: '.' },
			monitor: { from: ['eu'] },
			is: 'down',
		},
	],
	'minProbers counts fresh votes; with fewer, what was stands': [
		{
			name: 'one vote of three probers turns nothing',
			fleet: { eu: 'd', us: '.', ap: '.' },
			before: 'u',
			is: 'up frozen',
		},
		{ name: 'one prober alone needs no other', fleet: { eu: 'd' }, before: 'u', is: 'down' },
		{ name: 'two do not wait for a third', fleet: { eu: 'd', us: 'd' }, before: 'u', is: 'down' },
		{
			name: 'a monitor may ask for more',
			fleet: { eu: 'd', us: 'd' },
			monitor: { minProbers: 3 },
			before: 'u',
			is: 'up frozen',
		},
		{
			name: 'a vote that is no longer fresh does not count',
			fleet: { eu: 'd', us: { votes: 'd', ...SILENT }, ap: { votes: 'u', ...SILENT } },
			before: 'u',
			is: 'up frozen',
		},
		{
			name: 'a target turns up no more than down',
			fleet: { eu: 'u', us: { votes: 'u', ...SILENT }, ap: { votes: 'd', ...SILENT } },
			before: 'd',
			is: 'down frozen',
		},
		{
			name: 'who starts late takes the last votes of a quorum that was',
			fleet: { eu: 'd', us: { votes: 'd', ...SILENT }, ap: { votes: 'u', ...SILENT } },
			is: 'down frozen',
		},
		{ name: 'what has never had a quorum is unknown', fleet: { eu: 'd', us: '.', ap: '.' }, is: 'unknown frozen' },
	],
	'when a prober falls silent its last vote stands': [
		{ name: 'one of one', fleet: { eu: { votes: 'd', ...SILENT } }, before: 'd', is: 'down frozen' },
		{ name: 'one of two, which makes a tie', fleet: { eu: 'd', us: { votes: 'u', ...SILENT } }, before: 'u', is: 'up' },
		{ name: 'one of three', fleet: { eu: 'd', us: 'u', ap: { votes: 'd', ...SILENT } }, before: 'd', is: 'down' },
		{
			name: 'but makes no tie with one who has seen it die since',
			fleet: { eu: { votes: 'd', sinceAgoMs: 20_000 }, us: { votes: 'u', ...SILENT } },
			before: 'u',
			is: 'down',
		},
		{
			name: 'nor when one of those who have seen it die falls silent too',
			fleet: {
				'p@eu': { votes: 'd', sinceAgoMs: 20_000, isAlive: false },
				'q@eu': { votes: 'd', sinceAgoMs: 20_000, isAlive: false },
				'r@eu': 'u',
				us: { votes: 'u', ...SILENT },
			},
			monitor: { minProbers: 1 },
			before: 'd',
			is: 'down',
		},
		{
			name: 'nor do two of them',
			fleet: {
				eu: { votes: 'd', sinceAgoMs: 20_000 },
				us: { votes: 'd', sinceAgoMs: 25_000 },
				ap: { votes: 'u', ...SILENT },
				sa: { votes: 'u', ...SILENT },
			},
			before: 'u',
			is: 'down',
		},
		{
			name: 'while another who sees it up still speaks it is a tie',
			fleet: {
				eu: { votes: 'd', sinceAgoMs: 20_000 },
				us: { votes: 'd', sinceAgoMs: 25_000 },
				ap: { votes: 'u', ...SILENT },
				sa: 'u',
			},
			before: 'u',
			is: 'up',
		},
		{
			name: 'any-up holds to its last word',
			fleet: { eu: { votes: 'd', sinceAgoMs: 20_000 }, us: { votes: 'u', ...SILENT } },
			monitor: { mode: 'any-up' },
			before: 'u',
			is: 'up',
		},
		{
			name: 'also when the lease lives and the checks do not',
			fleet: { eu: { votes: 'd', checkedAgoMs: 31_000 } },
			before: 'd',
			is: 'down frozen',
		},
		{
			name: 'also when the checks are young and the lease is gone',
			fleet: { eu: { votes: 'd', isAlive: false } },
			before: 'u',
			is: 'up frozen',
		},
		{
			name: 'at most three intervals old is fresh',
			fleet: { eu: { votes: 'd', checkedAgoMs: 30_000 } },
			before: 'u',
			is: 'down',
		},
	],
	'past maxStale it is marked, never turned': [
		{ name: 'a down', fleet: { eu: { votes: 'd', ...STALE } }, before: 'd', is: 'down frozen stale' },
		{ name: 'an up', fleet: { eu: { votes: 'u', ...STALE } }, before: 'u', is: 'up frozen stale' },
		{
			name: 'five minutes are not past',
			fleet: { eu: { votes: 'u', ...STALE, checkedAgoMs: 300_000 } },
			before: 'u',
			is: 'up frozen',
		},
		{
			name: 'one fresh vote is no quorum',
			fleet: { eu: 'd', us: { votes: 'u', ...STALE }, ap: { votes: 'u', ...STALE } },
			before: 'u',
			is: 'up frozen stale',
		},
		{
			name: 'a quorum is not stale for the one that is silent',
			fleet: { eu: 'u', us: 'u', ap: { votes: 'u', ...STALE } },
			before: 'u',
			is: 'up',
		},
	],
	'only a target nobody ever voted on is unknown': [
		{ name: 'without any prober', fleet: {}, is: 'unknown' },
		{ name: 'without a vote', fleet: { eu: '.' }, is: 'unknown' },
		{ name: 'votes that are gone leave the verdict', fleet: { eu: '.' }, before: 'd', is: 'down frozen stale' },
		{ name: 'one vote is enough', fleet: { eu: 'u' }, is: 'up' },
	],
};

describe('judge()', () => {
	for (const [sentence, rows] of Object.entries(SENTENCES)) {
		describe(sentence, () => {
			for (const { name, fleet, monitor, before, is } of rows) {
				it(name, () => {
					const { byKey } = judged(fleetOf(fleet), 1, monitor, before);
					assert.equal(wordsOf(byKey.get('t0')), is);
				});
			}
		});
	}
});

describe('judge() on a prober that is cut off', () => {
	for (const { name, fleet, monitor, before, are, isolated } of [
		{
			name: 'does not count its votes',
			fleet: { a: 'dddddd', b: 'uuuuuu', c: 'uuuuuu' },
			monitor: { mode: 'all-up' },
			before: 'uuuuuu',
			are: 'uuuuuu',
			isolated: ['a'],
		},
		{
			name: 'does not count them for a quorum either',
			fleet: { a: 'ddddddd', b: 'uuuuuud', c: 'uuuuuu.' },
			before: 'uuuuuuu',
			are: 'uuuuuuu',
			isolated: ['a'],
		},
		{
			name: 'counts those of one that sees little wrong',
			fleet: { a: 'ddduuu', b: 'uuuuuu', c: 'uuuuuu' },
			monitor: { mode: 'all-up' },
			before: 'uuuuuu',
			are: 'ddduuu',
			isolated: [],
		},
	] as const) {
		it(name, () => {
			const result = judged(fleetOf(fleet), before.length, monitor, before);
			assert.equal(lettersOf(result.byKey), are);
			assert.deepEqual([...result.isolated], isolated);
		});
	}
});

describe('judge() on a mass that would turn down', () => {
	const monitor = { mode: 'all-up' } as const;
	/** One region sees targets down of which another sees too few to be called to witness. */
	const fresh = { votes: 'dddd', sinceAgoMs: 1000 };
	for (const { name, fleet, before = 'uuuu', are, waits = [] } of [
		{
			name: 'waits on the votes of a single region',
			fleet: { eu: fresh, us: 'uuuu' },
			are: 'uuuu',
			waits: ['t0', 't1', 't2', 't3'],
		},
		{
			name: 'waits where others have no vote yet',
			fleet: { eu: fresh, us: '....' },
			are: 'uuuu',
			waits: ['t0', 't1', 't2', 't3'],
		},
		{
			name: 'waits where nothing was known before',
			fleet: { eu: fresh, us: '....' },
			before: '....',
			are: '....',
			waits: ['t0', 't1', 't2', 't3'],
		},
		{ name: 'turns when a second region agrees', fleet: { eu: fresh, us: 'dddd' }, are: 'dddd' },
		{
			name: 'turns what a second region agrees to',
			fleet: { eu: { votes: 'dddddd', sinceAgoMs: 1000 }, us: 'duuuud' },
			before: 'uuuuuu',
			are: 'duuuud',
			waits: ['t1', 't2', 't3', 't4'],
		},
		{ name: 'turns after `guardHold`', fleet: { eu: { votes: 'dddd', sinceAgoMs: 60_000 }, us: 'uuuu' }, are: 'dddd' },
		{ name: 'turns in a fleet of one region', fleet: { 'p@eu': fresh, 'q@eu': fresh }, are: 'dddd' },
		{
			name: 'turns half of the up targets',
			fleet: { eu: { votes: 'dddduuuu', sinceAgoMs: 1000 }, us: 'uuuuuuuu' },
			before: 'uuuuuuuu',
			are: 'dddduuuu',
		},
		{
			name: 'counts what comes up now among those that are up',
			fleet: { eu: { votes: 'dddduuuu', sinceAgoMs: 1000 }, us: 'uuuuuuuu' },
			before: 'uuuuuuud',
			are: 'dddduuuu',
		},
		{ name: 'does not turn up what is down already', fleet: { eu: fresh, us: 'uuuu' }, before: 'dddd', are: 'dddd' },
	]) {
		it(name, () => {
			const { byKey } = judged(fleetOf(fleet), before.length, monitor, before);
			assert.equal(lettersOf(byKey), are);
			const guarded = [...byKey].filter(([, { isGuarded }]) => isGuarded);
			assert.deepEqual(
				guarded.map(([key]) => key),
				waits,
			);
		});
	}

	it('stays held when the voter falls silent, also of what nothing was known before', () => {
		const eu = { votes: 'dddduuu', sinceAgoMs: 1000 };
		const us = { votes: 'uuuuuuu', checkedAgoMs: 31_000, isAlive: false };
		const before = judged(fleetOf({ eu, us }), 7, monitor, '.uuuuuu');
		assert.equal(lettersOf(before.byKey), '.uuuuuu');
		const after = judged(fleetOf({ eu: { ...eu, isAlive: false }, us }), 7, monitor, '.uuuuuu');
		assert.equal(lettersOf(after.byKey), '.uuuuuu');
	});

	it('counts from the vote that made the region say down', () => {
		const reports = fleetOf({
			'r@eu': { votes: 'dddd', sinceAgoMs: 1000, checkedAgoMs: 0 },
			'q@eu': { votes: 'dddd', sinceAgoMs: 30_000, checkedAgoMs: 0 },
			'p@eu': { votes: 'dddd', sinceAgoMs: 90_000, checkedAgoMs: 0 },
			us: { votes: 'uuuu', checkedAgoMs: 0 },
		});
		assert.equal(lettersOf(judged(reports, 4, monitor, 'uuuu', NOW_MS + 29_999).byKey), 'uuuu');
		assert.equal(lettersOf(judged(reports, 4, monitor, 'uuuu', NOW_MS + 30_000).byKey), 'dddd');
	});
});

// ---- properties -----------------------------------------------------------------------------------------------------

const TARGETS = 8;
const MODES: readonly Monitor[] = [
	{},
	{ mode: 'any-up' },
	{ mode: 'all-up' },
	{ mode: 'at-least', k: 2 },
	{ minProbers: 1 },
	{ mode: 'all-up', minProbers: 1 },
	{ from: ['r0', 'r1'] },
];

const monitors = fc.constantFrom(...MODES);
const saids = fc.record({
	votes: fc
		.array(fc.constantFrom('u', 'd', '.'), { minLength: TARGETS, maxLength: TARGETS })
		.map((all) => all.join('')),
	sinceAgoMs: fc.constantFrom(1000, 45_000, 60_000, 400_000),
	checkedAgoMs: fc.constantFrom(500, 31_000, 400_000),
	isAlive: fc.boolean(),
});
const fleets = fc
	.array(fc.tuple(saids, fc.integer({ min: 0, max: 3 })), { maxLength: 6 })
	.map((all) => fleetOf(Object.fromEntries(all.map(([said, region], i) => [`p${i}@r${region}`, said]))));
const befores = fc
	.array(fc.constantFrom('u', 'd', '.'), { minLength: TARGETS, maxLength: TARGETS })
	.map((all) => all.join(''));

/** Unknown counts as up: clients do not see the one become the other. */
function asAnswered(letters: string): string {
	return letters.replaceAll('.', 'u');
}

describe('judge() always', () => {
	it('gives the same whatever the order of reports', () => {
		fc.assert(
			fc.property(fleets, monitors, befores, fc.func(fc.nat()), (reports, monitor, before, order) => {
				const shuffled = reports.toSorted((a, b) => order(a.prober) - order(b.prober));
				const one = judged(reports, TARGETS, monitor, before);
				const other = judged(shuffled, TARGETS, monitor, before);
				assert.equal(lettersOf(one.byKey), lettersOf(other.byKey));
				assert.deepEqual([...one.byKey.values()].map(wordsOf), [...other.byKey.values()].map(wordsOf));
				assert.deepEqual(new Set(one.isolated), new Set(other.isolated));
			}),
		);
	});

	it('stays where it is when it is asked again', () => {
		fc.assert(
			fc.property(fleets, monitors, befores, (reports, monitor, before) => {
				const once = lettersOf(judged(reports, TARGETS, monitor, before).byKey);
				assert.equal(lettersOf(judged(reports, TARGETS, monitor, once).byKey), once);
			}),
		);
	});

	it('gives two instances one verdict that have seen different pasts, where there is a quorum and no guard', () => {
		fc.assert(
			fc.property(fleets, monitors, befores, befores, (reports, monitor, before, otherBefore) => {
				const one = judged(reports, TARGETS, monitor, before).byKey;
				const other = judged(reports, TARGETS, monitor, otherBefore).byKey;
				for (const [key, judgement] of one) {
					const { isGuarded, isFrozen, freshVotes, votesNeeded, verdict } = judgement;
					if (isGuarded || other.get(key)?.isGuarded || isFrozen || freshVotes < votesNeeded) continue;
					assert.equal(other.get(key)?.verdict, verdict);
				}
			}),
		);
	});

	it('turns nothing when voters are lost', () => {
		fc.assert(
			fc.property(fleets, monitors, befores, fc.nat(), fc.boolean(), (reports, monitor, before, who, hasLease) => {
				const settled = lettersOf(judged(reports, TARGETS, monitor, before).byKey);
				const lost = reports.map((report, i) =>
					i === who % reports.length ? { ...report, isAlive: report.isAlive && hasLease } : report,
				);
				assert.equal(asAnswered(lettersOf(judged(lost, TARGETS, monitor, settled).byKey)), asAnswered(settled));
			}),
		);
	});

	it('turns nothing when everybody falls silent, for however long; only marks change', () => {
		fc.assert(
			fc.property(fleets, monitors, befores, fc.integer({ min: 0, max: 1e9 }), (reports, monitor, before, laterMs) => {
				const settled = lettersOf(judged(reports, TARGETS, monitor, before).byKey);
				const silent = reports.map((report) => ({ ...report, isAlive: false }));
				const later = judged(silent, TARGETS, monitor, settled, NOW_MS + laterMs).byKey;
				for (const [i, letter] of [...settled].entries()) {
					const now = later.get(`t${i}`)?.verdict;
					if (letter !== '.') assert.equal(now, VERDICTS[letter]);
				}
			}),
		);
	});

	it('never turns a verdict from up to down because a vote went up', () => {
		fc.assert(
			fc.property(fleets, monitors, befores, fc.nat(), fc.nat(TARGETS - 1), (reports, monitor, before, who, target) => {
				const key = `t${target}`;
				const better = reports.map((report, i) => {
					const vote = report.votes.get(key);
					if (i !== who % reports.length || vote === undefined) return report;
					return { ...report, votes: new Map(report.votes).set(key, { ...vote, vote: 'up' as const }) };
				});
				const before1 = judged(reports, TARGETS, monitor, before);
				const after1 = judged(better, TARGETS, monitor, before);
				// Another prober may have lost its vote, or got it back, by the same turn.
				if ([...before1.isolated].join() !== [...after1.isolated].join()) return;
				const was = before1.byKey.get(key);
				// Nor is what the guard holds a verdict of the votes.
				if (was?.isGuarded || was?.verdict === 'down') return;
				assert.notEqual(after1.byKey.get(key)?.verdict, 'down');
			}),
		);
	});

	it('is not moved by one liar of three', () => {
		const votes = fc
			.array(fc.constantFrom('u', 'd'), { minLength: TARGETS, maxLength: TARGETS })
			.map((all) => all.join(''));
		fc.assert(
			fc.property(
				votes,
				votes,
				befores,
				fc.constantFrom(0, 1, 2),
				fc.boolean(),
				(truth, lie, before, who, isOneRegion) => {
					const said = [truth, truth, truth].map((honest, i) => (i === who ? lie : honest));
					const places = isOneRegion ? ['p@eu', 'q@eu', 'r@eu'] : ['p@eu', 'q@us', 'r@ap'];
					const fleet = (all: readonly string[]) =>
						fleetOf(Object.fromEntries(places.map((place, i) => [place, all[i] ?? ''])));
					const honest = lettersOf(judged(fleet([truth, truth, truth]), TARGETS, {}, before).byKey);
					assert.equal(lettersOf(judged(fleet(said), TARGETS, {}, before).byKey), honest);
					assert.equal(honest, truth);
				},
			),
		);
	});
});

describe('judge() of a target whose pools start it slowly', () => {
	const upForMs = (fleet: Readonly<Record<string, Said | string>>, before: string, rampUpMs: number) => {
		const monitor = {
			intervalMs: INTERVAL_MS,
			from: undefined,
			consensus: { mode: 'majority', k: undefined, minProbers: undefined },
		} as const;
		const target = { key: 't0', monitor, ...(rampUpMs === 0 ? {} : { rampUpMs }) };
		const asked = { targets: [target], reports: fleetOf(fleet), before: verdictsOf(before), nowMs: NOW_MS };
		return judge(asked).byKey.get('t0')?.upForMs;
	};
	const since = (votes: string, sinceAgoMs: number, more: object = {}): Said => ({ votes, sinceAgoMs, ...more });

	for (const { name, fleet, before = '', rampUpMs = 60_000, is } of [
		{ name: 'tells how long it has been up', fleet: { eu: since('u', 20_000) }, is: 20_000 },
		{ name: 'tells it from its first vote on', fleet: { eu: since('u', 0) }, is: 0 },
		{ name: 'tells it no longer than that', fleet: { eu: since('u', 60_000) }, is: undefined },
		{ name: 'tells it of nothing that is down', fleet: { eu: since('d', 20_000) }, is: undefined },
		{ name: 'tells it of no other target', fleet: { eu: since('u', 20_000) }, rampUpMs: 0, is: undefined },
		{
			name: 'counts from when the majority was there',
			fleet: { eu: since('u', 50_000), us: since('u', 30_000), ap: since('u', 10_000) },
			is: 30_000,
		},
		{
			name: 'is not set back by one of three that comes to say what the others said',
			fleet: { eu: since('u', 900_000), us: since('u', 900_000), ap: since('u', 10_000) },
			is: undefined,
		},
		{
			name: 'goes on while votes are frozen',
			fleet: { eu: since('u', 40_000, SILENT) },
			before: 'u',
			is: 40_000,
		},
		{
			name: 'tells it of nothing whose verdict stands against the votes',
			fleet: { eu: since('d', 40_000, SILENT) },
			before: 'u',
			is: undefined,
		},
	]) {
		it(name, () => assert.equal(upForMs(fleet, before, rampUpMs), is));
	}
});

const IS_REGIONAL: Monitor = { regional: true };

const REGIONAL: readonly (Row & { readonly own: string })[] = [
	{
		name: 'gives each region what it says itself',
		fleet: { eu: 'u', us: 'd', ap: 'u' },
		is: 'up',
		own: 'eu up, us down, ap up',
	},
	{
		name: 'gives none without the key',
		fleet: { eu: 'u', us: 'd', ap: 'u' },
		monitor: {},
		is: 'up',
		own: '',
	},
	{
		name: 'takes more than half of the votes of the region',
		fleet: { 'p@eu': 'd', 'q@eu': 'u', 'r@us': 'd', 's@us': 'd', 't@us': 'u' },
		is: 'up',
		own: 'eu up, us down',
	},
	{
		name: 'does not ask mode and minProbers',
		fleet: { eu: 'u', us: 'd', ap: 'u' },
		monitor: { regional: true, mode: 'all-up', minProbers: 3 },
		is: 'down',
		own: 'eu up, us down, ap up',
	},
	{
		name: 'gives none to a region that has not voted, or may not',
		fleet: { eu: 'u', us: '.', ap: 'd', sa: 'd' },
		monitor: { regional: true, from: ['eu', 'us', 'ap'] },
		is: 'up',
		own: 'eu up, ap down',
	},
	{
		name: 'leaves a region that has fallen silent to the others',
		fleet: { eu: { votes: 'u', ...SILENT }, us: 'd', ap: 'd' },
		is: 'down',
		own: 'us down, ap down',
	},
	{
		name: 'counts a silent prober beside one of its region that lives',
		fleet: { 'p@eu': { votes: 'u', ...SILENT }, 'q@eu': 'd', us: 'd', ap: 'd' },
		is: 'down',
		own: 'eu up, us down, ap down',
	},
	{
		name: 'keeps what regions said last when all is frozen',
		fleet: { eu: { votes: 'u', ...SILENT }, us: { votes: 'd', ...SILENT }, ap: { votes: 'u', ...SILENT } },
		before: 'u',
		is: 'up frozen',
		own: 'eu up, us down, ap up',
	},
	{
		name: 'marks it stale when it is',
		fleet: { eu: { votes: 'u', ...STALE }, us: { votes: 'd', ...STALE }, ap: 'u' },
		monitor: { regional: true, minProbers: 2 },
		before: 'u',
		is: 'up frozen stale',
		own: 'eu up stale, us down stale, ap up',
	},
	{
		name: 'counts a slow start from when the region came to say up',
		fleet: { eu: { votes: 'u', sinceAgoMs: 5000 }, us: { votes: 'u', sinceAgoMs: 90_000 } },
		is: 'up',
		own: 'eu up 5000, us up',
	},
];

describe('judge() of a regional monitor', () => {
	const judge1 = (fleet: Readonly<Record<string, Said | string>>, monitor: Monitor, before = '') => {
		const { mode = 'majority', k, minProbers, from, regional } = monitor;
		const settings = { intervalMs: INTERVAL_MS, from, consensus: { mode, k, minProbers } };
		const targets = [
			{ key: 't0', monitor: regional === true ? { ...settings, regional } : settings, rampUpMs: 60_000 },
		];
		const asked = { targets, reports: fleetOf(fleet), before: verdictsOf(before), nowMs: NOW_MS };
		return judge(asked).byKey.get('t0') ?? assert.fail();
	};

	for (const { name, fleet, monitor = IS_REGIONAL, before, is, own } of REGIONAL) {
		it(name, () => {
			const judgement = judge1(fleet, monitor, before);
			assert.equal(wordsOf(judgement), is);
			const words = [...judgement.regional].map(([region, { verdict, isStale, upForMs }]) =>
				[region, verdict, isStale && 'stale', upForMs !== undefined && upForMs < 60_000 && upForMs].filter(Boolean),
			);
			assert.equal(words.map((one) => one.join(' ')).join(', '), own);
		});
	}

	it('has none of a prober that has lost its vote, and is not held by the guard', () => {
		const monitor = {
			intervalMs: INTERVAL_MS,
			from: undefined,
			regional: true,
			consensus: { mode: 'any-up', k: undefined, minProbers: 1 },
		} as const;
		const ask = (fleet: Readonly<Record<string, Said | string>>, before: string) => {
			const targets = [...before].map((_, i) => ({ key: `t${i}`, monitor }));
			return judge({ targets, reports: fleetOf(fleet), before: verdictsOf(before), nowMs: NOW_MS });
		};
		const { isolated, byKey } = ask({ eu: 'uuuuu', us: 'uuuuu', ap: 'ddddd' }, 'uuuuu');
		assert.deepEqual([...isolated], ['ap']);
		assert.deepEqual([...(byKey.get('t0')?.regional.keys() ?? [])], ['eu', 'us']);
		const held = ask({ eu: { votes: 'dddd', sinceAgoMs: 1000 }, us: '....' }, 'uuuu').byKey.get('t0');
		assert.equal(wordsOf(held), 'up guarded');
		assert.equal(held?.regional.get('eu')?.verdict, 'down');
	});
});

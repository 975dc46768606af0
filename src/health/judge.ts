/**
 * Verdicts: merges what probers have published by a pure function, so that instances agree without talking.
 *
 *     reports -> isolation -> votes by region -> quorum -> mode -> mass-down guard -> verdict and marks
 *
 * | votes on a target                            | verdict                                              | mark   |
 * |----------------------------------------------|------------------------------------------------------|--------|
 * | none, and it has never had a verdict         | unknown, which counts as up                          |        |
 * | `minProbers` of them fresh                   | the mode's, over the last vote of every prober       |        |
 * | fewer fresh, and it has a verdict            | stands                                               | frozen |
 * | fewer fresh, no verdict, enough in all       | the mode's, over the last vote of every prober       | frozen |
 * | fewer in all, no verdict                     | unknown: there has never been a quorum               | frozen |
 * | frozen, the quorum older than `maxStale`     | stands                                               | stale  |
 * | would turn down, held by the guard           | stands                                               | guarded |
 *
 * The last vote of a prober that has fallen silent stands beside the fresh ones: losing a voter turns nothing. Only a
 * tie it does not hold against those who have seen more since (tie.ts).
 */

import type { Monitor } from '../model/monitor.ts';
import type { Consensus } from '../model/monitor-voting.ts';
import { isVotedDown, type RegionVotes, saysDown, votesNeeded } from './consensus.ts';
import { isolatedProbers } from './isolation.ts';
import { heldTurns, type Turn } from './mass-down.ts';
import { isFresh, type ProberReport } from './published.ts';
import type { Vote } from './target.ts';
import { isTieDown, type PolledVote } from './tie.ts';

/** What the instance makes of all votes; the same words as a vote. */
export type Verdict = Vote;

export interface Judgement {
	readonly verdict: Verdict;
	/** Fewer fresh votes than a turn needs: what was stands. */
	readonly isFrozen: boolean;
	/** Frozen for so long that somebody should look. */
	readonly isStale: boolean;
	/** The votes say down, and the mass-down guard waits. */
	readonly isGuarded: boolean;
	readonly freshVotes: number;
	readonly votesNeeded: number;
	/** Votes of the regions with a voice, by region. */
	readonly regions: ReadonlyMap<string, RegionVotes>;
}

export interface Judged {
	readonly byKey: ReadonlyMap<string, Judgement>;
	/** Probers that have lost their vote. */
	readonly isolated: ReadonlySet<string>;
}

interface JudgedTarget {
	readonly key: string;
	readonly monitor: Pick<Monitor, 'intervalMs' | 'from' | 'consensus'>;
}

interface Question {
	readonly targets: readonly JudgedTarget[];
	/** The last report of every prober of the fleet, alive or not. */
	readonly reports: readonly ProberReport[];
	/** Verdicts so far; a target without one is unknown. */
	readonly before: ReadonlyMap<string, Verdict>;
	readonly nowMs: number;
	readonly maxStaleMs?: number;
	readonly guardHoldMs?: number;
}

const MAX_STALE_MS = 5 * 60_000;
const GUARD_HOLD_MS = 60_000;

export function judge(question: Question): Judged {
	const { targets, reports, before, nowMs, guardHoldMs = GUARD_HOLD_MS } = question;
	const intervals = new Map(targets.map(({ key, monitor }) => [key, monitor.intervalMs]));
	const isolated = isolatedProbers(reports, intervals, nowMs);
	const judged = new Map<string, Judgement>();
	const turns: Turn[] = [];
	let upCount = 0;
	for (const target of targets) {
		const poll = pollOf(target, reports, isolated, nowMs);
		const last = before.get(target.key) ?? 'unknown';
		const judgement = judgeOne(target, poll, last, question);
		judged.set(target.key, judgement);
		const turn = judgement.verdict === 'down' ? { ...turnOf(target.key, poll), isTurned: last === 'down' } : undefined;
		// What went down a moment ago belongs to the mass that follows it: checks do not all fail at the same time.
		if (last === 'down' && (turn?.region === undefined || nowMs - turn.sinceMs >= guardHoldMs)) continue;
		upCount++;
		if (turn !== undefined) turns.push(turn);
	}
	const fleetRegions = new Set(reports.map(({ region }) => region));
	for (const key of heldTurns(turns, upCount, fleetRegions, { guardHoldMs, nowMs })) {
		const judgement = judged.get(key);
		const verdict = before.get(key) ?? 'unknown';
		if (judgement !== undefined) judged.set(key, { ...judgement, verdict, isGuarded: true });
	}
	return { byKey: judged, isolated };
}

/** The votes on one target that count. */
interface Poll {
	readonly votes: readonly PolledVote[];
	readonly regions: ReadonlyMap<string, RegionVotes>;
	readonly freshVotes: number;
	readonly votesNeeded: number;
}

function pollOf(
	{ key, monitor }: JudgedTarget,
	reports: readonly ProberReport[],
	isolated: ReadonlySet<string>,
	nowMs: number,
): Poll {
	const { from, intervalMs, consensus } = monitor;
	const votes: PolledVote[] = [];
	const regions = new Map<string, RegionVotes>();
	let allowed = 0;
	let freshVotes = 0;
	for (const report of reports) {
		const { region, prober } = report;
		if (from !== undefined && !from.includes(region)) continue;
		allowed++;
		const vote = report.votes.get(key);
		if (vote === undefined || isolated.has(prober)) continue;
		const isFreshVote = isFresh(report, vote, intervalMs, nowMs);
		votes.push({ region, vote, isFresh: isFreshVote });
		if (isFreshVote) freshVotes++;
		const counts = regions.get(region) ?? { up: 0, down: 0 };
		counts[vote.vote]++;
		regions.set(region, counts);
	}
	return { votes, regions, freshVotes, votesNeeded: votesNeeded(consensus, reports.length, allowed) };
}

function judgeOne(
	{ monitor }: JudgedTarget,
	poll: Poll,
	last: Verdict,
	{ nowMs, maxStaleMs = MAX_STALE_MS }: Question,
): Judgement {
	const { votes, regions, freshVotes, votesNeeded: needed } = poll;
	const isFrozen = freshVotes < needed && (votes.length > 0 || last !== 'unknown');
	const isFreeToTurn = freshVotes >= needed || (last === 'unknown' && votes.length >= needed);
	const verdict = isFreeToTurn ? verdictOf(poll, monitor.consensus) : last;
	const checkedMs = votes.map(({ vote }) => vote.checkedMs).sort((a, b) => b - a);
	// When there last was a quorum, or as much of one as there ever was.
	const quorumMs = checkedMs[Math.min(needed, votes.length) - 1] ?? Number.NEGATIVE_INFINITY;
	const isStale = isFrozen && verdict !== 'unknown' && nowMs - quorumMs > maxStaleMs;
	return { verdict, isFrozen, isStale, isGuarded: false, freshVotes, votesNeeded: needed, regions };
}

function verdictOf({ votes, regions }: Poll, consensus: Consensus): Verdict {
	if (isVotedDown(regions.values(), consensus)) return 'down';
	return consensus.mode === 'majority' && isTieDown(votes, regions) ? 'down' : 'up';
}

function turnOf(key: string, { votes, regions }: Poll): Omit<Turn, 'isTurned'> {
	const downRegions = [...regions].filter(([, counts]) => saysDown(counts)).map(([region]) => region);
	const [region] = downRegions;
	if (region === undefined || downRegions.length > 1) return { key, region: undefined, sinceMs: 0 };
	const own = votes.filter((entry) => entry.region === region);
	const downsMs = own.filter(({ vote }) => vote.vote === 'down').map(({ vote }) => vote.sinceMs);
	// With this one the downs became more than half of the region's votes.
	const sinceMs = downsMs.sort((a, b) => a - b)[Math.floor(own.length / 2)] ?? 0;
	return { key, region, sinceMs };
}

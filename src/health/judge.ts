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
 * With `regional` a region has a verdict of its own beside it, by its votes alone: not by mode and `minProbers`, and
 * not held by the guard.
 *
 * | the votes of the region       | the verdict on the target | the region                    |
 * |-------------------------------|---------------------------|-------------------------------|
 * | one of them is fresh          | any                       | says down when more than half of them do, else up |
 * | none is fresh                 | stands, frozen            | says what it said last        |
 * | none is fresh, or there is none | else                    | follows it: what others see beats what one saw |
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
import { type RegionVote, upSinceMs } from './up-since.ts';

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
	/** How long it has been up, while some pool starts it slowly; undefined afterwards, and where none does. */
	readonly upForMs: number | undefined;
	readonly freshVotes: number;
	readonly votesNeeded: number;
	/** Votes of the regions with a voice, by region. */
	readonly regions: ReadonlyMap<string, RegionVotes>;
	/** What regions say for the clients near them; empty unless the monitor is regional. */
	readonly regional: ReadonlyMap<string, RegionalVerdict>;
}

export interface RegionalVerdict extends Pick<Judgement, 'isStale' | 'upForMs'> {
	readonly verdict: 'up' | 'down';
}

export interface Judged {
	readonly byKey: ReadonlyMap<string, Judgement>;
	/** Probers that have lost their vote. */
	readonly isolated: ReadonlySet<string>;
}

interface JudgedTarget {
	readonly key: string;
	readonly monitor: Pick<Monitor, 'intervalMs' | 'from' | 'consensus' | 'regional'>;
	readonly rampUpMs?: number;
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
		const isDown = isDownToVotes(poll, target.monitor.consensus);
		const judgement = judgeOne(target, poll, isDown, last, question);
		judged.set(target.key, judgement);
		// Frozen or not, what the votes say belongs to the mass: it must not look smaller when the voter falls silent.
		if (judgement.verdict !== 'down' && !isDown) {
			// What comes up now is among those that are up: asked again, the guard must say the same.
			upCount++;
			continue;
		}
		const turn = { ...turnOf(target.key, poll), isWaiting: judgement.verdict === 'down' && last !== 'down' };
		// What went down a moment ago belongs to the mass that follows it: checks do not all fail at the same time.
		if (last === 'down' && (turn.region === undefined || nowMs - turn.sinceMs >= guardHoldMs)) continue;
		upCount++;
		turns.push(turn);
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
	/** When those who vote, or did until they were cut off, last checked the target. */
	readonly checkedMs: readonly number[];
	readonly regions: ReadonlyMap<string, RegionVotes>;
	readonly freshRegions: ReadonlySet<string>;
	readonly freshVotes: number;
	readonly votesNeeded: number;
}

const NO_REGIONS: ReadonlyMap<string, RegionalVerdict> = new Map();
/** A region is no fleet: more than half of its votes decide, and a tie is up. */
const IN_REGION: Consensus = { mode: 'majority', k: undefined, minProbers: undefined };

function pollOf(
	{ key, monitor }: JudgedTarget,
	reports: readonly ProberReport[],
	isolated: ReadonlySet<string>,
	nowMs: number,
): Poll {
	const { from, intervalMs, consensus } = monitor;
	const votes: PolledVote[] = [];
	const regions = new Map<string, RegionVotes>();
	const checkedMs: number[] = [];
	const freshRegions = new Set<string>();
	let allowed = 0;
	let freshVotes = 0;
	for (const report of reports) {
		const { region, prober, cutOffMs } = report;
		if (from !== undefined && !from.includes(region)) continue;
		allowed++;
		const vote = report.votes.get(key);
		if (vote === undefined) continue;
		if (cutOffMs !== undefined) checkedMs.push(Math.min(vote.checkedMs, cutOffMs));
		if (isolated.has(prober)) continue;
		checkedMs.push(vote.checkedMs);
		const isFreshVote = isFresh(report, vote, intervalMs, nowMs);
		votes.push({ region, vote, isFresh: isFreshVote });
		if (isFreshVote) {
			freshVotes++;
			freshRegions.add(region);
		}
		const counts = regions.get(region) ?? { up: 0, down: 0 };
		counts[vote.vote]++;
		regions.set(region, counts);
	}
	const needed = votesNeeded(consensus, reports.length, allowed);
	return { votes, checkedMs, regions, freshRegions, freshVotes, votesNeeded: needed };
}

function judgeOne(
	{ monitor, rampUpMs = 0 }: JudgedTarget,
	poll: Poll,
	isDown: boolean,
	last: Verdict,
	{ nowMs, maxStaleMs = MAX_STALE_MS }: Question,
): Judgement {
	const { votes, regions, freshVotes, votesNeeded: needed } = poll;
	const isFrozen = freshVotes < needed && (votes.length > 0 || last !== 'unknown');
	const isFreeToTurn = freshVotes >= needed || (last === 'unknown' && votes.length >= needed);
	const voted: Verdict = isDown ? 'down' : 'up';
	const verdict = isFreeToTurn ? voted : last;
	const latestMs = poll.checkedMs.toSorted((a, b) => b - a);
	// When there last was a quorum, or as much of one as there ever was.
	const quorumMs = latestMs[Math.min(needed, latestMs.length) - 1] ?? Number.NEGATIVE_INFINITY;
	const isStale = isFrozen && verdict !== 'unknown' && nowMs - quorumMs > maxStaleMs;
	const upForMs = verdict === 'up' && rampUpMs > 0 ? rampedMs(votes, monitor.consensus, rampUpMs, nowMs) : undefined;
	const regional =
		monitor.regional === true ? regionalVerdicts(poll, { isFrozen, isStale }, rampUpMs, nowMs) : NO_REGIONS;
	return { verdict, isFrozen, isStale, isGuarded: false, upForMs, freshVotes, votesNeeded: needed, regions, regional };
}

function regionalVerdicts(
	{ votes, regions, freshRegions }: Poll,
	{ isFrozen, isStale }: Pick<Judgement, 'isFrozen' | 'isStale'>,
	rampUpMs: number,
	nowMs: number,
): ReadonlyMap<string, RegionalVerdict> {
	const verdicts = new Map<string, RegionalVerdict>();
	for (const [region, counts] of regions) {
		const isFreshRegion = freshRegions.has(region);
		if (!isFreshRegion && !isFrozen) continue;
		const verdict = saysDown(counts) ? 'down' : 'up';
		const own = votes.filter((one) => one.region === region);
		const upForMs = verdict === 'up' && rampUpMs > 0 ? rampedMs(own, IN_REGION, rampUpMs, nowMs) : undefined;
		verdicts.set(region, { verdict, isStale: isStale && !isFreshRegion, upForMs });
	}
	return verdicts;
}

/** How long the votes have said up; undefined from `rampUpMs` on. */
function rampedMs(
	votes: readonly RegionVote[],
	consensus: Consensus,
	rampUpMs: number,
	nowMs: number,
): number | undefined {
	// Nothing has turned since: no need to look at all of it.
	if (votes.every(({ vote }) => nowMs - vote.sinceMs >= rampUpMs)) return undefined;
	const sinceMs = upSinceMs(votes, consensus);
	return sinceMs === undefined || nowMs - sinceMs >= rampUpMs ? undefined : Math.max(0, nowMs - sinceMs);
}

function isDownToVotes({ votes, regions }: Poll, consensus: Consensus): boolean {
	if (votes.length === 0) return false;
	return isVotedDown(regions.values(), consensus) || (consensus.mode === 'majority' && isTieDown(votes, regions));
}

function turnOf(key: string, { votes, regions }: Poll): Omit<Turn, 'isWaiting'> {
	const downRegions = [...regions].filter(([, counts]) => saysDown(counts)).map(([region]) => region);
	const [region] = downRegions;
	if (region === undefined || downRegions.length > 1) return { key, region: undefined, sinceMs: 0 };
	const own = votes.filter((entry) => entry.region === region);
	const downsMs = own.filter(({ vote }) => vote.vote === 'down').map(({ vote }) => vote.sinceMs);
	// With this one the downs became more than half of the region's votes.
	const sinceMs = downsMs.sort((a, b) => a - b)[Math.floor(own.length / 2)] ?? 0;
	return { key, region, sinceMs };
}

/**
 * Which probers are cut off. One that says so itself, for most of its anchors fail, has no vote and witnesses against
 * nobody. Of the others a prober that fails more than half of at least 5 targets which the majority of the others sees
 * up loses its vote. Each is judged by the votes of all others as they were published, so the order is irrelevant and
 * every instance reckons the same.
 *
 * A prober that has fallen silent contradicts only what was said while it still spoke: its last votes must not make a
 * liar of one that sees what happened since, and its silence must not set one free whom it contradicted before.
 */

import { isFresh, type ProberReport, type PublishedVote } from './published.ts';

const TARGETS_LEAST = 5;

/** Votes on one target. */
interface Ballots {
	freshUp: number;
	freshDown: number;
	/** Last words of those who are silent. */
	readonly silent: PublishedVote[];
}

/** @returns names of probers */
export function isolatedProbers(
	reports: readonly ProberReport[],
	intervals: ReadonlyMap<string, number>,
	nowMs: number,
): ReadonlySet<string> {
	const isolated = new Set(reports.filter(isCutOff).map(({ prober }) => prober));
	const heard = isolated.size === 0 ? reports : reports.filter((report) => !isCutOff(report));
	if (heard.length < 2) return isolated;
	const isFreshVote: IsFreshVote = (report, key, vote) => isFresh(report, vote, intervals.get(key) ?? 0, nowMs);
	const ballots = count(heard, isFreshVote);
	for (const report of heard) if (isContradicted(report, ballots, isFreshVote)) isolated.add(report.prober);
	return isolated;
}

function isCutOff({ cutOffMs }: ProberReport): boolean {
	return cutOffMs !== undefined;
}

type IsFreshVote = (report: ProberReport, key: string, vote: PublishedVote) => boolean;

function count(reports: readonly ProberReport[], isFreshVote: IsFreshVote): ReadonlyMap<string, Ballots> {
	const ballots = new Map<string, Ballots>();
	for (const report of reports) {
		for (const [key, vote] of report.votes) {
			const ballot = ballots.get(key) ?? { freshUp: 0, freshDown: 0, silent: [] };
			ballots.set(key, ballot);
			if (!isFreshVote(report, key, vote)) ballot.silent.push(vote);
			else if (vote.vote === 'up') ballot.freshUp++;
			else ballot.freshDown++;
		}
	}
	return ballots;
}

function isContradicted(
	report: ProberReport,
	ballots: ReadonlyMap<string, Ballots>,
	isFreshVote: IsFreshVote,
): boolean {
	let seenUp = 0;
	let failed = 0;
	for (const [key, vote] of report.votes) {
		const ballot = ballots.get(key);
		if (ballot === undefined || !isUpToOthers(ballot, vote, isFreshVote(report, key, vote))) continue;
		seenUp++;
		if (vote.vote === 'down') failed++;
	}
	return seenUp >= TARGETS_LEAST && 2 * failed > seenUp;
}

/** Whether more than half of the votes beside `own` are up. */
function isUpToOthers({ freshUp, freshDown, silent }: Ballots, own: PublishedVote, isOwnFresh: boolean): boolean {
	let up = freshUp;
	let down = freshDown;
	if (isOwnFresh && own.vote === 'up') up--;
	if (isOwnFresh && own.vote === 'down') down--;
	for (const other of silent) {
		if (other === own || other.checkedMs < own.sinceMs) continue;
		if (other.vote === 'up') up++;
		else down++;
	}
	return up > down;
}

/**
 * Health as the admin surface tells it.
 */

import type { FactsReport, OwnReport, OwnTargetReport, TargetReport } from '../admin/reports.ts';
import { reasonOf } from '../health/vote-book.ts';
import type { CheckFacts } from '../probe/check-result.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { counted } from './counted.ts';
import type { CastVote, OwnVote, TargetHealth } from './health.ts';

/** Names of pools, by the key of the target that they use. */
export type PoolsByTarget = ReadonlyMap<string, readonly string[]>;

/** Every target, with the pools that use it. */
export function targetReports(
	list: readonly TargetHealth[],
	pools: PoolsByTarget,
	nowMs: number,
): readonly TargetReport[] {
	return list.map((health) => targetReport(health, pools.get(health.target.key) ?? [], nowMs));
}

/** Every target of a prober that stands alone. */
export function ownTargetReports(
	list: readonly OwnVote[],
	pools: PoolsByTarget,
	nowMs: number,
): readonly OwnTargetReport[] {
	return list.map((own) => {
		const { key, address, port, monitor } = own.vote.target;
		return { pools: pools.get(key) ?? [], address, port, kind: monitor.kind, ...ownReport(own, nowMs) };
	});
}

/** By target key, what its verdict rests on now. */
export function voteNotes(targets: readonly TargetHealth[], nowMs: number): (key: string) => string | undefined {
	const votes = new Map(targets.map((one) => [one.target.key, one]));
	return (key) => {
		const vote = votes.get(key);
		return vote === undefined ? undefined : voteNote(vote, nowMs);
	};
}

/** What a verdict rests on, in one line: `for 12 s (status 200)`, `2 of 3 votes down, frozen`. */
function voteNote({ own, votes, judgement }: TargetHealth, nowMs: number): string {
	const marks = [
		...(judgement.isGuarded ? ['guarded'] : []),
		...(judgement.isStale ? ['stale'] : judgement.isFrozen ? ['frozen'] : []),
	];
	if (own === undefined) return [votesNote(votes), ...marks].join(', ');
	const { vote } = own;
	const { state } = vote;
	const differs = state.vote === judgement.verdict ? [] : [`the vote is ${state.vote}`];
	const others = votes.length > 1 ? [votesNote(votes)] : [];
	const reason = reasonOf(vote, nowMs);
	const since = `for ${wholeSeconds(nowMs - state.sinceMs)} s`;
	return [since, ...differs, ...others, ...marks, ...(reason === undefined ? [] : [reason])].join(', ');
}

function votesNote(votes: readonly CastVote[]): string {
	const down = votes.filter(({ vote }) => vote.vote === 'down').length;
	return votes.length === 0 ? 'no votes' : `${down} of ${counted(votes.length, 'vote')} down`;
}

function targetReport(
	{ target, own, votes, judgement }: TargetHealth,
	pools: readonly string[],
	nowMs: number,
): TargetReport {
	const { verdict, isFrozen, isStale, isGuarded, freshVotes, votesNeeded } = judgement;
	return {
		pools,
		address: target.address,
		port: target.port,
		kind: target.monitor.kind,
		verdict,
		...(own === undefined ? NO_OWN_VOTE : ownReport(own, nowMs)),
		votes: votes.map(({ prober, region, vote, isFresh, isIsolated }) => ({
			...{ prober, region, vote: vote.vote, fresh: isFresh, isolated: isIsolated },
			sinceSec: wholeSeconds(nowMs - vote.sinceMs),
			checkedSecAgo: Math.round((nowMs - vote.checkedMs) / 100) / 10,
		})),
		frozen: isFrozen,
		stale: isStale,
		guarded: isGuarded,
		freshVotes,
		votesNeeded,
	};
}

function ownReport({ vote, isHeld }: OwnVote, nowMs: number): OwnReport {
	const { state, checkedMs, last, history } = vote;
	return {
		vote: state.vote,
		run: state.steady.run,
		sinceSec: wholeSeconds(nowMs - state.sinceMs),
		checkedSecAgo: checkedMs === undefined ? undefined : Math.round((nowMs - checkedMs) / 100) / 10,
		reason: reasonOf(vote, nowMs),
		...factsOf(last ?? {}),
		flapping: { held: isHeld, heldSec: isHeld ? wholeSeconds((state.heldUntilMs ?? nowMs) - nowMs) : undefined },
		history: history.map(({ atMs, vote: to, reason }) => ({ secAgo: wholeSeconds(nowMs - atMs), vote: to, reason })),
	};
}

/** Of a target that this process does not probe. */
const NO_OWN_VOTE: OwnReport = {
	...{ vote: 'unknown', run: undefined, sinceSec: undefined, checkedSecAgo: undefined, reason: undefined },
	...factsOf({}),
	flapping: undefined,
	history: [],
};

function factsOf({ rttMs, tlsMs, firstByteMs, resolvedAddress, tls, warning }: CheckFacts): FactsReport {
	return {
		rttMs: thousandths(rttMs),
		tlsMs: thousandths(tlsMs),
		firstByteMs: thousandths(firstByteMs),
		resolvedAddress,
		tlsProtocol: tls?.protocol,
		certificateExpiresAt: tls?.certificateExpiresAt,
		certificateDaysLeft: tls?.certificateDaysLeft,
		warning,
	};
}

function wholeSeconds(ms: number): number {
	return Math.round(ms / 1000);
}

function thousandths(ms: number | undefined): number | undefined {
	return ms === undefined ? undefined : Math.round(ms * 1000) / 1000;
}

/** Pools by the key of what they probe. */
export function poolsByTarget({ steering, targets }: Snapshot): PoolsByTarget {
	const pools = new Map<string, Set<string>>();
	for (const node of steering.nodes) {
		if (node.kind !== 'pool') continue;
		const addresses = [node.ipv4, node.ipv6].flatMap(({ endpoints }) =>
			endpoints.flatMap((endpoint) => endpoint.addresses),
		);
		for (const target of addresses.flatMap((address) => address.targets)) {
			const key = targets[target]?.key ?? '';
			const names = pools.get(key) ?? new Set();
			names.add(node.name);
			pools.set(key, names);
		}
	}
	return new Map([...pools].map(([key, names]) => [key, [...names].sort()]));
}

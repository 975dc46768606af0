/**
 * Health as the admin surface tells it.
 */

import type { FactsReport, TargetReport } from '../admin/reports.ts';
import { reasonOf } from '../health/vote-book.ts';
import type { CheckFacts } from '../probe/check-result.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { TargetHealth } from './local-health.ts';

/** Names of pools, by the key of the target that they use. */
export type PoolsByTarget = ReadonlyMap<string, readonly string[]>;

/** Every target that is probed, with the pools that use it. */
export function targetReports(
	list: readonly TargetHealth[],
	pools: PoolsByTarget,
	nowMs: number,
): readonly TargetReport[] {
	return list.map((health) => targetReport(health, pools.get(health.vote.target.key) ?? [], nowMs));
}

/** The vote that a verdict rests on, in one line: `for 12 s (status 200)`. */
export function voteNote({ vote, judgement }: TargetHealth, nowMs: number): string {
	const { state } = vote;
	const marks = [
		...(state.vote === judgement.verdict ? [] : [`the vote is ${state.vote}`]),
		...(judgement.isGuarded ? ['guarded'] : []),
		...(judgement.isStale ? ['stale'] : judgement.isFrozen ? ['frozen'] : []),
	];
	const reason = reasonOf(vote, nowMs);
	return [`for ${wholeSeconds(nowMs - state.sinceMs)} s`, ...marks, ...(reason === undefined ? [] : [reason])].join(
		', ',
	);
}

function targetReport(
	{ vote, judgement, isHeld }: TargetHealth,
	pools: readonly string[],
	nowMs: number,
): TargetReport {
	const { target, state, checkedMs, last, history } = vote;
	const { verdict, isFrozen, isStale, isGuarded, freshVotes, votesNeeded } = judgement;
	return {
		pools,
		address: target.address,
		port: target.port,
		kind: target.monitor.kind,
		vote: state.vote,
		verdict,
		run: state.steady.run,
		sinceSec: wholeSeconds(nowMs - state.sinceMs),
		checkedSecAgo: checkedMs === undefined ? undefined : Math.round((nowMs - checkedMs) / 100) / 10,
		reason: reasonOf(vote, nowMs),
		...factsOf(last ?? {}),
		flapping: { held: isHeld, heldSec: isHeld ? wholeSeconds((state.heldUntilMs ?? nowMs) - nowMs) : undefined },
		frozen: isFrozen,
		stale: isStale,
		guarded: isGuarded,
		freshVotes,
		votesNeeded,
		history: history.map(({ atMs, vote: to, reason }) => ({ secAgo: wholeSeconds(nowMs - atMs), vote: to, reason })),
	};
}

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

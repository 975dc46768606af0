/**
 * The word that queries read for a target.
 *
 * | verdict | the target                                     | word    |
 * |---------|------------------------------------------------|---------|
 * | up      | any                                            | up      |
 * | down    | any                                            | down    |
 * | unknown | came beside others, less than `fall` intervals ago | waiting |
 * | unknown | else                                           | unknown, which counts as up |
 */

import type { Verdict } from './judge.ts';
import type { Target } from './target.ts';
import type { VERDICT_WORD } from './verdict-table.ts';

type VerdictName = keyof typeof VERDICT_WORD;

interface Newcomer {
	readonly target: Pick<Target, 'monitor'>;
	readonly addedMs: number;
	readonly isNew: boolean;
}

export function wordOf(verdict: Verdict, { target, addedMs, isNew }: Newcomer, nowMs: number): VerdictName {
	const { fall, intervalMs } = target.monitor;
	return verdict === 'unknown' && isNew && nowMs < addedMs + fall * intervalMs ? 'waiting' : verdict;
}

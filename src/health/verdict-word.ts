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

export function wordOf(verdict: Verdict, newcomer: Newcomer, nowMs: number): VerdictName {
	return verdict === 'unknown' && newcomer.isNew && nowMs < waitEndMs(newcomer) ? 'waiting' : verdict;
}

/** When a target that waits does so no longer, whatever has been found. */
export function waitEndMs({ target, addedMs }: Newcomer): number {
	return addedMs + target.monitor.fall * target.monitor.intervalMs;
}

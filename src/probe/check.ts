/**
 * One check of one target, whatever its kind, under one deadline: the monitor's timeout covers connecting, asking and
 * reading together. Knows no schedule and no vote.
 */

import type { Target } from '../health/target.ts';
import type { Clock } from '../lib/ports.ts';
import type { CheckResult, CheckRun } from './check-result.ts';
import { checkHttp } from './http.ts';
import { TIMER_MS_MAX } from './schedule.ts';
import { checkTcp } from './tcp.ts';

/** @param stop  ends the check early; the result then says so */
export type Check = (target: Target, stop: AbortSignal) => Promise<CheckResult>;

interface CheckParts {
	readonly clock: Clock;
	/** Of this program: stands in the User-Agent. */
	readonly version: string;
}

export function createCheck({ clock, version }: CheckParts): Check {
	const userAgent = `meridian-probe/${version}`;
	return async (target, stop) => {
		const timeoutMs = Math.min(target.monitor.timeoutMs, TIMER_MS_MAX);
		// By hand rather than AbortSignal.any(), which holds its sources weakly: a deadline may be collected unfired.
		const ending = new AbortController();
		const deadline = AbortSignal.timeout(timeoutMs);
		const onDeadline = () => ending.abort(new Error(`no answer within ${timeoutMs} ms`));
		const onStop = () => ending.abort(new Error('stopped'));
		deadline.addEventListener('abort', onDeadline);
		stop.addEventListener('abort', onStop);
		if (stop.aborted) onStop();
		try {
			return await checkByKind(target, { clock, userAgent, signal: ending.signal });
		} finally {
			deadline.removeEventListener('abort', onDeadline);
			stop.removeEventListener('abort', onStop);
		}
	};
}

function checkByKind(target: Target, run: CheckRun): Promise<CheckResult> {
	const { monitor } = target;
	switch (monitor.kind) {
		case 'http':
			return checkHttp(target, monitor, run);
		case 'tcp':
			return checkTcp(target, run);
	}
}

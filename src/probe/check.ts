/**
 * One check of one target, whatever its kind, under one deadline: the monitor's timeout covers resolving, connecting,
 * asking and reading together. Knows no schedule and no vote.
 */

import { networkInterfaces } from 'node:os';
import type { Target } from '../health/target.ts';
import type { Clock } from '../lib/ports.ts';
import {
	CannotRun,
	type CheckFacts,
	type CheckResult,
	type CheckRun,
	errorCode,
	resultOfError,
} from './check-result.ts';
import type { Place } from './connect.ts';
import { checkDns } from './dns.ts';
import { checkGrpc } from './grpc.ts';
import type { Guard } from './guard.ts';
import { checkHttp } from './http.ts';
import { checkIcmp, type EchoPort } from './icmp.ts';
import { missingFamily } from './missing-family.ts';
import { type Lookup, pinHost } from './pin-host.ts';
import { TIMER_MS_MAX } from './schedule.ts';
import { checkTcp } from './tcp.ts';
import { checkTls } from './tls.ts';

/** @param stop  ends the check early; the result then says so */
export type Check = (target: Target, stop: AbortSignal) => Promise<CheckResult>;

interface CheckParts {
	readonly clock: Clock;
	/** Says who asks, where a protocol has a place for it. */
	readonly userAgent: string;
	/** Holds for every address that is connected to, wherever it comes from. */
	readonly guard: Guard;
	readonly lookup: Lookup;
	/** undefined where there are no ICMP sockets. */
	readonly echo: EchoPort | undefined;
}

export function createCheck({ clock, userAgent, guard, lookup, echo }: CheckParts): Check {
	return async (target, stop) => {
		const timeoutMs = Math.min(target.monitor.timeoutMs, TIMER_MS_MAX);
		// By hand rather than AbortSignal.any(), which holds its sources weakly: a deadline may be collected unfired.
		const ending = new AbortController();
		const { signal } = ending;
		const end = (sentence: string) => ending.abort(new Error(sentence));
		const deadline = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs);
		const onStop = () => end('stopped');
		stop.addEventListener('abort', onStop);
		if (stop.aborted) onStop();
		const facts: CheckFacts = {};
		const pin = (host: string) => pinHost(host, { guard, lookup, signal });
		const run: CheckRun = { clock, userAgent, facts, signal, end, pin };
		const { address: host, port } = target;
		let address = host;
		try {
			address = await pin(host);
			if (address !== host) facts.resolvedAddress = address;
			const reason = await checkByKind(target, { host, address, port }, run, echo);
			return { isUp: true, reason, ...facts };
		} catch (error) {
			const missing = errorCode(error) === 'ENETUNREACH' ? missingFamily(address, networkInterfaces()) : undefined;
			return resultOfError(missing === undefined ? error : new CannotRun(missing), run);
		} finally {
			clearTimeout(deadline);
			stop.removeEventListener('abort', onStop);
		}
	};
}

/** @returns why the target is up. @throws why it is not */
function checkByKind({ monitor }: Target, place: Place, run: CheckRun, echo: EchoPort | undefined): Promise<string> {
	switch (monitor.kind) {
		case 'http':
		case 'https':
			return checkHttp(place, monitor, run);
		case 'tcp':
			return checkTcp(place, monitor, run);
		case 'tls':
			return checkTls(place, monitor, run);
		case 'icmp':
			return checkIcmp(place, run, echo);
		case 'grpc':
			return checkGrpc(place, monitor, run);
		case 'dns':
			return checkDns(place, monitor, run);
	}
}

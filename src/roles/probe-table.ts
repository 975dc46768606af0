/**
 * One round of checks, for people and for programs.
 */

import type { Target } from '../health/target.ts';
import type { CheckResult } from '../probe/check-result.ts';
import { counted } from './counted.ts';
import { tableLines } from './table-lines.ts';

/** Where a check is used. */
export interface CheckUse {
	/** As people name it: `example.org/eu`. */
	readonly pool: string;
	readonly endpoint: string;
	readonly target: Target;
}

export interface MadeCheck extends CheckUse {
	readonly result: CheckResult;
}

const HEADER = ['POOL', 'ENDPOINT', 'TARGET', 'KIND', 'RESULT', 'CONNECT', 'TLS', 'FIRST BYTE', 'REASON'] as const;

/** A table with a line for each check, and one that counts them. */
export function printChecks(checks: readonly MadeCheck[]): string {
	if (checks.length === 0) return 'Nothing to check: no pool here has a monitor and an endpoint that is switched on';
	return [...tableLines([HEADER, ...checks.map(rowOf)]), '', summaryOf(checks)].join('\n');
}

function rowOf({ pool, endpoint, target, result }: MadeCheck): readonly string[] {
	const { rttMs, tlsMs, firstByteMs, resolvedAddress, warning, reason } = result;
	const words = [reason, resolvedAddress && `(${resolvedAddress})`, warning && `warning: ${warning}`].filter(Boolean);
	return [
		pool,
		endpoint,
		placeOf(target),
		target.monitor.kind,
		wordOf(result),
		printMs(rttMs),
		printMs(tlsMs),
		printMs(firstByteMs),
		plain(words.join(' ')),
	];
}

function placeOf({ address, port }: Target): string {
	return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function wordOf({ isUp }: CheckResult): 'up' | 'down' | 'unchecked' {
	if (isUp === undefined) return 'unchecked';
	return isUp ? 'up' : 'down';
}

function printMs(ms: number | undefined): string {
	return ms === undefined ? '-' : `${ms.toFixed(1)} ms`;
}

/** What a peer has sent must not steer a terminal. */
function plain(text: string): string {
	return text.replaceAll(/\p{Cc}/gu, '?');
}

function summaryOf(checks: readonly MadeCheck[]): string {
	const { up, down, unchecked } = countsOf(checks);
	const parts = [`${up} up`, `${down} down`, ...(unchecked > 0 ? [`${unchecked} unchecked`] : [])];
	return `${counted(checks.length, 'check')}: ${parts.join(', ')}`;
}

function countsOf(checks: readonly MadeCheck[]): Readonly<Record<'up' | 'down' | 'unchecked', number>> {
	const counts = { up: 0, down: 0, unchecked: 0 };
	for (const { result } of checks) counts[wordOf(result)]++;
	return counts;
}

export function printChecksJson(checks: readonly MadeCheck[]): string {
	const rows = checks.map(({ pool, endpoint, target, result: { isUp, ...rest } }) => {
		const { address, port, monitor } = target;
		return { pool, endpoint, address, port, kind: monitor.kind, result: wordOf({ isUp, ...rest }), ...rest };
	});
	return JSON.stringify({ ...countsOf(checks), checks: rows }, undefined, 2);
}

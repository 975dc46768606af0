/**
 * What one check is handed and what it gives back, whatever its kind. A check never throws: that a target does not
 * answer is its finding, not an error.
 */

import type { Clock } from '../lib/ports.ts';

export interface CheckResult {
	readonly isUp: boolean;
	/** Short, for people: `status 503, expected 200-399`. */
	readonly reason: string;
	/** Milliseconds until TCP was connected; undefined when it never was. */
	readonly rttMs: number | undefined;
}

export interface CheckRun {
	readonly clock: Clock;
	readonly userAgent: string;
	/** Ends the check at its deadline; its reason is an Error whose message is the sentence to report. */
	readonly signal: AbortSignal;
}

const SENTENCES: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'connection refused',
	ECONNRESET: 'connection reset',
	EPIPE: 'connection reset',
	EHOSTUNREACH: 'host unreachable',
	ENETUNREACH: 'network unreachable',
	ETIMEDOUT: 'connection timed out',
};

/** The sentence for what a check caught. */
export function failureReason(error: unknown, { signal }: CheckRun): string {
	// First, because ending a connection half-way raises whatever error its layers like.
	if (signal.aborted) return messageOf(signal.reason);
	return SENTENCES[errorCode(error)] ?? messageOf(error);
}

/** The `code` of a system or library error; empty when it has none. */
export function errorCode(error: unknown): string {
	return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/**
 * What one check is handed and what it gives back, whatever its kind. A check that is made never throws: that a target
 * does not answer is its finding, not an error.
 */

import type { Clock } from '../lib/ports.ts';

/** What is learnt on the way, also by a check that fails in the end. Absent: it did not come to that. */
export interface CheckFacts {
	/** Milliseconds of one round trip: until TCP was connected, or a datagram was answered. */
	rttMs?: number;
	/** Milliseconds of the TLS handshake. */
	tlsMs?: number;
	/** Milliseconds from the request to the first octet of the answer. */
	firstByteMs?: number;
	/** Where the check went, when the target is a host name. */
	resolvedAddress?: string;
	tls?: TlsFacts;
	/** What will be a failure soon. */
	warning?: string;
}

export interface TlsFacts {
	/** As OpenSSL calls it: `TLSv1.3`. */
	readonly protocol: string;
	/** ISO 8601; undefined when the date in the certificate is none. */
	readonly certificateExpiresAt: string | undefined;
	/** Whole days, negative when it has expired. */
	readonly certificateDaysLeft: number | undefined;
}

export interface CheckResult extends Readonly<CheckFacts> {
	/** undefined when the check could not be made here, which says nothing about the target. */
	readonly isUp: boolean | undefined;
	/** Short, for people: `status 503, expected 200-399`. */
	readonly reason: string;
}

export interface CheckRun {
	readonly clock: Clock;
	readonly userAgent: string;
	/** Filled in as the check goes on. */
	readonly facts: CheckFacts;
	/** Ends the check at its deadline; its reason is an Error whose message is the sentence to report. */
	readonly signal: AbortSignal;
	/** Ends the check with a sentence to report, whatever its layers make of it. */
	readonly end: (sentence: string) => void;
	/**
	 * The address to connect to for an address or a host name, which may be probed.
	 * @throws CheckFailure, CannotRun
	 */
	readonly pin: (host: string) => Promise<string>;
}

/** The target is not as it should be; the message is the sentence to report. */
export class CheckFailure extends Error {}

/** The check cannot be made by this process; the message says why. */
export class CannotRun extends Error {}

const SENTENCES: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'connection refused',
	ECONNRESET: 'connection reset',
	EPIPE: 'connection reset',
	EHOSTUNREACH: 'host unreachable',
	ENETUNREACH: 'network unreachable',
	ETIMEDOUT: 'connection timed out',
};

/** Faults of this process or machine: no word on the target. */
const OWN_FAULTS: Readonly<Record<string, string>> = {
	EMFILE: 'this process has no file descriptors left',
	ENFILE: 'this machine has no file descriptors left',
	ENOBUFS: 'this machine has no buffers left',
	ENOMEM: 'this machine has no memory left',
	EADDRNOTAVAIL: 'this machine has no address or port left to connect from',
	EACCES: 'this machine forbids the connection',
	EPERM: 'this machine forbids the connection',
	EAFNOSUPPORT: 'this machine does not have the address family',
};

/** The result for what a check threw. */
export function resultOfError(error: unknown, { signal, facts }: Pick<CheckRun, 'signal' | 'facts'>): CheckResult {
	// First, because ending a connection half-way raises whatever error its layers like.
	if (signal.aborted) return { isUp: false, reason: messageOf(signal.reason), ...facts };
	const ownFault = error instanceof CannotRun ? error.message : OWN_FAULTS[errorCode(error)];
	if (ownFault !== undefined) return { isUp: undefined, reason: `cannot run: ${ownFault}`, ...facts };
	return { isUp: false, reason: SENTENCES[errorCode(error)] ?? messageOf(error), ...facts };
}

/** The `code` of a system or library error; empty when it has none. */
export function errorCode(error: unknown): string {
	return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

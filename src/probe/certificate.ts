/**
 * What is said of a server's certificate. Knows no socket and no clock.
 *
 *   minDaysLeft      expires in          the check
 *   ...........  <0  days: expired       fails, unless `verify` is off
 *   ...............  < minDaysLeft       fails
 *   ...............  < minDaysLeft + 14  is up, with a warning
 *
 * The 14 days shrink to a quarter of the lifetime: a certificate that lives for six days is not always about to expire.
 */

import type { X509Certificate } from 'node:crypto';
import type { TlsTerms } from '../model/monitor.ts';
import { errorCode, type TlsFacts } from './check-result.ts';

const DAY_MS = 86_400_000;
const WARNING_DAYS = 14;
const WARNING_SHARE = 1 / 4;
/** Certificates name a hundred hosts; a reason is one line. */
const NAMES_MAX = 3;

export function tlsFactsOf(protocol: string, certificate: X509Certificate | undefined, nowMs: number): TlsFacts {
	const expiresMs = certificate?.validToDate.getTime() ?? Number.NaN;
	if (Number.isNaN(expiresMs)) return { protocol, certificateExpiresAt: undefined, certificateDaysLeft: undefined };
	return {
		protocol,
		certificateExpiresAt: new Date(expiresMs).toISOString(),
		certificateDaysLeft: Math.floor((expiresMs - nowMs) / DAY_MS),
	};
}

interface Judged {
	/** Code of OpenSSL or Node when the certificate does not verify. */
	readonly error: string | undefined;
	readonly certificate: X509Certificate | undefined;
	readonly facts: TlsFacts;
	/** The name or address that was asked for. */
	readonly identity: string;
	readonly terms: TlsTerms;
}

/** @returns a sentence; undefined when the certificate is as the monitor wants it */
export function certificateWrong({ error, certificate, facts, identity, terms }: Judged): string | undefined {
	const { certificateDaysLeft: daysLeft, certificateExpiresAt: expiresAt } = facts;
	if (error !== undefined && terms.verify) return verifyFailure(error, certificate, facts, identity);
	if (terms.minDaysLeft === undefined || daysLeft === undefined || daysLeft >= terms.minDaysLeft) return undefined;
	return `${expiry(daysLeft, expiresAt)}, expected at least ${days(terms.minDaysLeft)} left`;
}

/** @returns a sentence when the certificate, still good, is about to expire */
export function certificateWarning(
	certificate: X509Certificate | undefined,
	{ certificateDaysLeft: daysLeft, certificateExpiresAt: expiresAt }: TlsFacts,
	minDaysLeft: number = 0,
): string | undefined {
	if (certificate === undefined || daysLeft === undefined) return undefined;
	const lifetimeDays = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / DAY_MS;
	const warningDays = Math.min(WARNING_DAYS, lifetimeDays * WARNING_SHARE);
	return daysLeft < minDaysLeft + warningDays ? expiry(daysLeft, expiresAt) : undefined;
}

/** The sentence for a handshake that did not come to an end. */
export function tlsFailure(error: unknown): string {
	const code = errorCode(error);
	switch (code) {
		case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
		case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
		case 'ERR_SSL_WRONG_SSL_VERSION':
			return 'server speaks no TLS 1.2 or 1.3';
		case 'ERR_SSL_WRONG_VERSION_NUMBER':
		case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
		case 'ERR_SSL_RECORD_LENGTH_MISMATCH':
		case 'ERR_SSL_HTTP_REQUEST':
			return 'answer is not TLS';
		case 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL':
			return 'server speaks none of the protocols that were offered (ALPN)';
		case 'ECONNRESET':
		case 'EPIPE':
			return 'connection closed in the TLS handshake';
		default:
			return `TLS handshake failed: ${tlsAlert(error)}`;
	}
}

/** OpenSSL's own reason in words; its messages are lines of source positions. */
function tlsAlert(error: unknown): string {
	if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') return error.reason;
	return errorCode(error) || String(error);
}

function verifyFailure(
	error: string,
	certificate: X509Certificate | undefined,
	{ certificateDaysLeft: daysLeft = 0, certificateExpiresAt: expiresAt }: TlsFacts,
	identity: string,
): string {
	switch (error) {
		case 'CERT_HAS_EXPIRED':
			// Also said of a certificate further up the chain.
			return daysLeft < 0 ? expiry(daysLeft, expiresAt) : 'a certificate of the chain has expired';
		case 'CERT_NOT_YET_VALID':
			return 'certificate is not valid yet';
		case 'DEPTH_ZERO_SELF_SIGNED_CERT':
			return 'certificate is self-signed';
		case 'SELF_SIGNED_CERT_IN_CHAIN':
		case 'UNABLE_TO_GET_ISSUER_CERT':
		case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
		case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
			return 'certificate is signed by nobody trusted here';
		case 'ERR_TLS_CERT_ALTNAME_INVALID':
			return `certificate is for ${namesOf(certificate)}, not for ${identity}`;
		default:
			return `certificate does not verify: ${error}`;
	}
}

function namesOf(certificate: X509Certificate | undefined): string {
	const names = (certificate?.subjectAltName ?? '')
		.split(', ')
		.filter((name) => name !== '')
		.map((name) => name.replace(/^(?:DNS|IP Address):/, ''));
	if (names.length === 0) return 'no name';
	return names.length > NAMES_MAX ? `${names.slice(0, NAMES_MAX).join(', ')} ...` : names.join(', ');
}

function expiry(daysLeft: number, expiresAt: string | undefined): string {
	return daysLeft < 0 ? `certificate has expired on ${dateOf(expiresAt)}` : `certificate expires in ${days(daysLeft)}`;
}

function days(count: number): string {
	return count === 1 ? '1 day' : `${count} days`;
}

function dateOf(iso: string | undefined): string {
	return iso?.slice(0, 10) ?? 'an unknown day';
}

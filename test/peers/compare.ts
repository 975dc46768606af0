/**
 * Two replies to one question, compared as a resolver would see them.
 *
 * Left out: the order of records and their repetition, the authority section of a positive answer, and additional records that are no
 * glue: servers may add what they like there.
 */

import { type Message, type MessageRecord, printRecord, readMessage } from '../../src/dns/message-text.ts';

/** What of a reply counts, as text, so that equal replies are equal texts. */
export function essence(reply: Uint8Array): string {
	const message = readMessage(reply);
	if (typeof message === 'string') return `unreadable: ${message}`;
	const isAuthoritative = message.flags.includes('aa');
	const parts = [`${message.rcode}${isAuthoritative ? ' aa' : ''}${message.flags.includes('tc') ? ' tc' : ''}`];
	parts.push(...section('answer', message.answer));
	const isReferral = isReferralOf(message);
	if (message.answer.length === 0 || isReferral) parts.push(...section('authority', message.authority));
	if (isReferral) parts.push(...section('glue', glueOf(message)));
	return parts.join('\n');
}

/** NS records that are no ornament of a positive answer: nothing was answered but aliases that led there. */
function isReferralOf({ question, answer, authority }: Message): boolean {
	const asked = question[0]?.type;
	const isOpen = answer.every(({ type }) => (type === 'CNAME' || type === 'DNAME') && type !== asked);
	return isOpen && authority.some(({ type }) => type === 'NS') && !authority.some(({ type }) => type === 'SOA');
}

/** Addresses of the name servers that lie at or below the cut: only these are needed (RFC 9471 §2.1). */
function glueOf({ authority, additional }: Message): readonly MessageRecord[] {
	const servers = new Set(
		authority
			.filter(({ type, name, rdataText }) => type === 'NS' && `.${lower(rdataText)}`.endsWith(`.${lower(name)}`))
			.map(({ rdataText }) => lower(rdataText)),
	);
	return additional.filter(({ name }) => servers.has(lower(name)));
}

function section(title: string, records: readonly MessageRecord[]): string[] {
	return [...new Set(records.map((record) => `${title}: ${lower(printRecord(record))}`))].sort();
}

function lower(text: string): string {
	return text.toLowerCase();
}

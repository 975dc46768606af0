/** Why somebody does something, as the history and the audit log keep it: the header Meridian-Reason. */

import type { FastifyRequest } from 'fastify';

const REASON_MAX = 1000;

/** @returns undefined when there is none */
export function reasonOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
	const given = headers['meridian-reason'];
	if (typeof given !== 'string') return undefined;
	// Headers are octets; what people write into them is UTF-8.
	const reason = Buffer.from(given, 'latin1').toString('utf8').trim().slice(0, REASON_MAX);
	return reason === '' ? undefined : reason;
}

/** Why somebody does something, as the history and the audit log keep it: the header Meridian-Reason. */

import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';

const REASON_MAX = 1000;

/** @returns undefined when there is none */
export function reasonOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
	const given = headers['meridian-reason'];
	if (typeof given !== 'string') return undefined;
	// Headers are octets: what people write into them is UTF-8, and what some programs do is Latin 1.
	const octets = Buffer.from(given, 'latin1');
	const reason = (isUtf8(octets) ? octets.toString('utf8') : given).trim().slice(0, REASON_MAX);
	return reason === '' ? undefined : reason;
}

/**
 * What holds for the reply to any message whatsoever.
 *
 * | rule                                                              | source                |
 * |-------------------------------------------------------------------|-----------------------|
 * | silence only for less than a header, and for responses            | RFC 8906 §3           |
 * | the reply can be read to its last octet                           | RFC 1035 §4           |
 * | id, opcode and RD come back, QR is set, RA, Z, AD and CD are not  | RFC 1035 §4.1.1       |
 * | a question that comes back is the octets of the one that was sent | RFC 4343 §4           |
 * | an OPT record only when the query has additional records          | RFC 6891 §7           |
 * | no more octets than the transport and the sender take             | RFC 6891 §6.2.5       |
 * | AA is not in an error, TC only over UDP                           | RFC 1035, RFC 2181 §9 |
 */

import assert from 'node:assert/strict';
import { type Message, readMessage } from '../../src/dns/message-text.ts';
import type { Transport } from '../../src/serve/respond.ts';

const RCODES: ReadonlySet<string> = new Set([
	'NOERROR',
	'FORMERR',
	'NXDOMAIN',
	'NOTIMP',
	'REFUSED',
	'YXDOMAIN',
	'BADVERS',
	'BADCOOKIE',
]);

/** @returns the reply; undefined for silence */
export function checkReply(request: Uint8Array, reply: Uint8Array, transport: Transport): Message | undefined {
	const isSilent = request.length < 12 || ((request[2] ?? 0) & 0x80) !== 0;
	if (isSilent && reply.length === 0) return undefined;
	const message = readMessage(reply);
	const wrong =
		typeof message === 'string'
			? message
			: isSilent
				? 'an answer where silence is due'
				: (wrongHeader(request, reply, message, transport) ??
					wrongQuestion(request, reply, message) ??
					wrongOpt(request, reply, message, transport) ??
					wrongSections(message));
	// The text is made only when something is wrong: there are many messages.
	if (wrong !== undefined || typeof message === 'string')
		assert.fail(`${wrong}\nrequest ${hex(request)}\nreply ${hex(reply)}`);
	return message;
}

function wrongHeader(
	request: Uint8Array,
	reply: Uint8Array,
	message: Message,
	transport: Transport,
): string | undefined {
	if (reply[0] !== request[0] || reply[1] !== request[1]) return 'another id';
	if (((reply[2] ?? 0) & 0xf9) !== ((request[2] ?? 0) & 0x79) + 0x80) return 'QR, opcode or RD';
	if (((reply[3] ?? 0) & 0xf0) !== 0) return 'RA, Z, AD or CD';
	if (!RCODES.has(message.rcode)) return `RCODE ${message.rcode}`;
	if (message.flags.includes('tc') && transport === 'tcp') return 'TC over TCP';
	const isAnswer = ['NOERROR', 'NXDOMAIN', 'YXDOMAIN'].includes(message.rcode);
	return message.flags.includes('aa') && !isAnswer ? 'AA in an error' : undefined;
}

function wrongQuestion(request: Uint8Array, reply: Uint8Array, message: Message): string | undefined {
	if (message.question.length > 1) return 'more than one question';
	if (message.question.length === 1) return hasSameQuestion(request, reply) ? undefined : 'another question';
	// A cookie may be all that was asked for (RFC 7873 §5.4).
	const isAboutCookie = ['NOERROR', 'BADCOOKIE', 'BADVERS'].includes(message.rcode) && message.opt !== undefined;
	return isAboutCookie || ['FORMERR', 'NOTIMP'].includes(message.rcode) ? undefined : 'no question';
}

function wrongOpt(request: Uint8Array, reply: Uint8Array, message: Message, transport: Transport): string | undefined {
	if (message.optCount > 1) return 'more than one OPT';
	const additional = ((request[10] ?? 0) << 8) + (request[11] ?? 0);
	if (message.opt !== undefined && additional === 0) return 'an OPT that nobody sent';
	if (message.opt !== undefined && message.opt.version !== 0) return 'an EDNS version that is not ours';
	const limit = transport === 'tcp' ? 65535 : message.opt === undefined ? 512 : 1232;
	return reply.length > limit ? `${reply.length} octets, the limit is ${limit}` : undefined;
}

function wrongSections(message: Message): string | undefined {
	for (const section of [message.answer, message.authority, message.additional]) {
		const seen = new Set(section.map(({ name, type, rdataText }) => `${name.toLowerCase()} ${type} ${rdataText}`));
		if (seen.size !== section.length) return 'a record twice';
	}
	return undefined;
}

function hasSameQuestion(request: Uint8Array, reply: Uint8Array): boolean {
	let end = 12;
	while ((reply[end] ?? 0) !== 0) end += (reply[end] ?? 0) + 1;
	for (let i = 12; i < end + 5; i++) if (reply[i] !== request[i]) return false;
	return true;
}

function hex(octets: Uint8Array): string {
	return Buffer.from(octets).toString('hex');
}

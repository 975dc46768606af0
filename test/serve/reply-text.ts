/**
 * A reply as text that a test can hold against what it expects.
 *
 *     NOERROR aa                                flags but `qr`, which every reply has
 *     opt 1232 subnet 192.0.2.0/24/16           version and flags only when they are not 0
 *     opt 1232 error 20 not a zone of ours      an extended error, its text behind its code
 *     answer
 *     www.example.org. 300 A 192.0.2.1          the class only when it is not IN
 */

import type { Message, MessageOpt, MessageRecord } from '../../src/dns/message-text.ts';
import { EDNS_OPTION } from '../../src/dns/protocol.ts';

export function replyText(message: Message): string {
	return replyLines(message).join('\n');
}

export function replyLines(message: Message): string[] {
	const opcode = message.opcode === 'QUERY' ? [] : [message.opcode];
	const flags = message.flags.filter((flag) => flag !== 'qr');
	const lines = [[...opcode, message.rcode, ...flags].join(' ')];
	if (message.opt !== undefined) lines.push(optText(message.opt));
	for (const section of ['answer', 'authority', 'additional'] as const) {
		if (message[section].length > 0) lines.push(section, ...message[section].map(recordText));
	}
	return lines;
}

function recordText({ name, ttlSec, class: className, type, rdataText }: MessageRecord): string {
	return `${name} ${ttlSec} ${className === 'IN' ? '' : `${className} `}${type} ${rdataText}`;
}

function optText({ payloadOctets, version, isDnssecOk, otherFlags, options, subnet }: MessageOpt): string {
	const words = [`opt ${payloadOctets}`];
	if (version !== 0) words.push(`version ${version}`);
	if (isDnssecOk) words.push('do');
	if (otherFlags !== 0) words.push(`flags ${otherFlags}`);
	if (subnet !== undefined)
		words.push(`subnet ${subnet.address === '' ? '-' : subnet.address}/${subnet.source}/${subnet.scope}`);
	for (const { code, hex } of options) {
		if (code === EDNS_OPTION.extendedError) words.push(errorText(hex));
		else if (code !== EDNS_OPTION.clientSubnet || subnet === undefined) words.push(`option ${code}:${hex}`);
	}
	return words.join(' ');
}

function errorText(hex: string): string {
	const octets = Buffer.from(hex, 'hex');
	return `error ${octets.readUInt16BE(0)} ${octets.subarray(2).toString('utf8')}`.trimEnd();
}

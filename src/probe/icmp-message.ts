/**
 * ICMP echo messages (RFC 792, RFC 4443 §4): building a request, knowing its reply. Knows no socket and no chance.
 *
 *   octet 0      1      2 3        4 5          6 7        8 ...
 *         type   code   checksum   identifier   sequence   token, padding
 *
 * | family | request | reply | checksum                                               |
 * | IPv4   | 8       | 0     | here                                                   |
 * | IPv6   | 128     | 129   | by the kernel: it covers the addresses (RFC 4443 §2.3) |
 *
 * An unprivileged socket overwrites the identifier with its own and is handed the replies to it, so the token, which
 * nobody can guess, tells whose reply it is.
 */

import type { Family } from '../lib/address.ts';

export const TOKEN_OCTETS = 16;

const HEADER_OCTETS = 8;
/** As much as ping sends. */
const DATA_OCTETS = 56;
const TYPES = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;

interface EchoRequest {
	readonly family: Family;
	/** 0..65535 */
	readonly sequence: number;
	/** TOKEN_OCTETS */
	readonly token: Uint8Array;
}

export function echoRequest({ family, sequence, token }: EchoRequest): Uint8Array {
	const message = new Uint8Array(HEADER_OCTETS + DATA_OCTETS);
	const view = new DataView(message.buffer);
	view.setUint8(0, TYPES[family].request);
	view.setUint16(6, sequence);
	message.set(token, HEADER_OCTETS);
	if (family === 4) view.setUint16(2, internetChecksum(message));
	return message;
}

/** @returns the sequence number of the request that is answered; undefined for any other message */
export function readEchoReply(message: Uint8Array, family: Family, token: Uint8Array): number | undefined {
	if (message.length < HEADER_OCTETS + token.length) return undefined;
	if (message[0] !== TYPES[family].reply || message[1] !== 0) return undefined;
	if (!token.every((octet, i) => message[HEADER_OCTETS + i] === octet)) return undefined;
	return (message[6] ?? 0) * 256 + (message[7] ?? 0);
}

/** One's complement of the one's complement sum of 16-bit words (RFC 1071); 0 over a message that holds its checksum. */
export function internetChecksum(octets: Uint8Array): number {
	let sum = 0;
	for (let i = 0; i < octets.length; i += 2) sum += (octets[i] ?? 0) * 256 + (octets[i + 1] ?? 0);
	while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
	return ~sum & 0xffff;
}

/**
 * The question of a DNS check and the reading of its answer. Knows no socket. The only file that imports dns2.
 *
 * dns2 writes the question and reads records. Its known faults are kept away: the header and the echoed question are
 * read here, octet by octet, since dns2 joins labels unescaped and so cannot tell `a.b` from `a` below `b`; and it is
 * handed ANSWERS_MAX records, since it follows a chain of compression pointers anew for each.
 */

import { Packet } from 'dns2';
import { parseAddress, printAddress } from '../lib/address.ts';
import type { DnsMonitor } from '../model/monitor.ts';

export interface DnsQuestion {
	readonly id: number;
	/** The whole query. */
	readonly octets: Buffer;
}

/** What a message says to a question. */
export type DnsReply =
	/** It is no answer to this question. */
	| { readonly kind: 'stray' }
	/** It wants to be asked for over TCP. */
	| { readonly kind: 'truncated' }
	| { readonly kind: 'answer'; readonly mismatch: string | undefined };

/** Records that are searched. */
const ANSWERS_MAX = 64;
const HEADER_OCTETS = 12;
/** QR and OPCODE. */
const KIND_MASK = 0xf8;
const RESPONSE = 0x80;
const TRUNCATED = 0x02;

const RCODES: readonly string[] = [
	...['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'],
	...['YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH', 'NOTZONE'],
];

export function writeQuestion({ query }: DnsMonitor): DnsQuestion {
	const id = Packet.uuid();
	const packet = new Packet();
	packet.header.id = id;
	packet.header.rd = 1;
	packet.questions.push(new Packet.Question(query.name, Packet.TYPE[query.type], Packet.CLASS.IN));
	return { id, octets: packet.toBuffer() };
}

export function readReply(message: Buffer, question: DnsQuestion, monitor: DnsMonitor): DnsReply {
	if (!isReplyTo(message, question)) return { kind: 'stray' };
	if (((message[2] ?? 0) & TRUNCATED) !== 0) return { kind: 'truncated' };
	return { kind: 'answer', mismatch: mismatchOf(message, monitor) };
}

function isReplyTo(message: Buffer, { id, octets }: DnsQuestion): boolean {
	if (message.length < HEADER_OCTETS || message.readUInt16BE(0) !== id) return false;
	if (((message[2] ?? 0) & KIND_MASK) !== RESPONSE) return false;
	const count = message.readUInt16BE(4);
	// A server that could not read the question, or would not, may leave it out.
	if (count === 0) return rcodeOf(message) !== 0;
	if (count !== 1) return false;
	const asked = octets.subarray(HEADER_OCTETS);
	const echoed = message.subarray(HEADER_OCTETS, octets.length);
	// Case is folded over all octets: of the others, only label lengths and types lie there, and those are equal too.
	return echoed.length === asked.length && echoed.every((octet, i) => lower(octet) === lower(asked[i] ?? 0));
}

function mismatchOf(message: Buffer, { rcode, contains, query }: DnsMonitor): string | undefined {
	const found = RCODES[rcodeOf(message)] ?? `RCODE ${rcodeOf(message)}`;
	if (found !== rcode) return `${found}, expected ${rcode}`;
	if (contains === undefined) return undefined;
	const answers = answersOf(message);
	if (typeof answers === 'string') return answers;
	if (answers.some((record) => holds(record, contains))) return undefined;
	return `${answers.length === 0 ? 'no' : `none of ${answers.length}`} answers to ${query.name} ${query.type} hold "${contains}"`;
}

/** @returns a sentence when they cannot be read */
function answersOf(message: Buffer): Packet['answers'] | string {
	const copy = Buffer.from(message);
	copy.writeUInt16BE(Math.min(copy.readUInt16BE(6), ANSWERS_MAX), 6);
	copy.writeUInt32BE(0, 8); // neither authority nor additional records
	const { answers, errors } = Packet.parse(copy);
	return errors.length === 0 ? answers : 'answer is malformed';
}

/**
 * | type    | holds the text when                                                          |
 * | A, AAAA | it is the address, however written                                           |
 * | TXT     | the strings of the record, joined, contain it                                |
 * | others  | the record as in a master file contains it; case and a final dot do not matter |
 */
function holds(record: Packet['answers'][number], text: string): boolean {
	const { type } = record;
	if (type === Packet.TYPE.A || type === Packet.TYPE.AAAA) return canonical(record.address ?? '') === canonical(text);
	if (type === Packet.TYPE.TXT) return [record.data ?? []].flat().join('').includes(text);
	return rdataText(record).toLowerCase().includes(text.toLowerCase().replace(/\.$/, ''));
}

function canonical(text: string): string {
	const address = parseAddress(text);
	return address === undefined ? text : printAddress(address);
}

function rdataText(record: Packet['answers'][number]): string {
	const { TYPE } = Packet;
	switch (record.type) {
		case TYPE.NS:
			return record.ns ?? '';
		case TYPE.CNAME:
		case TYPE.PTR:
			return record.domain ?? '';
		case TYPE.MX:
			return `${record.priority} ${record.exchange}`;
		case TYPE.SRV:
			return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
		case TYPE.SOA:
			return [
				...[record.primary, record.admin, record.serial, record.refresh],
				...[record.retry, record.expiration, record.minimum],
			].join(' ');
		case TYPE.CAA:
			return `${record.flags} ${record.tag} "${record.value}"`;
		case TYPE.DNSKEY:
			return `${record.flags} ${record.protocol} ${record.algorithm} ${record.key}`;
		default:
			return '';
	}
}

function rcodeOf(message: Buffer): number {
	return (message[3] ?? 0) & 0x0f;
}

function lower(octet: number): number {
	return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}

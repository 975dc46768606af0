/**
 * Reading a query: header, one question, and the OPT record with client subnet.
 * Everything lands in one reused object; nothing is allocated for a query.
 *
 *     header gate -> question -> additional section (OPT) -> a verdict by name
 */

import type { Family } from '../lib/address.ts';
import type { AskedNames } from './asked-names.ts';
import { CLIENT_COOKIE_OCTETS } from './cookie.ts';
import { Name, octet, readName } from './name.ts';
import { EDNS_OPTION, FLAG, HEADER_OCTETS, OPCODE, PLAIN_UDP_OCTETS, TYPE } from './protocol.ts';

/**
 * | verdict    | what the sender gets                                                        |
 * |------------|-----------------------------------------------------------------------------|
 * | ignore     | nothing: too short for a header, or itself a response                       |
 * | notimp     | NOTIMP: an opcode that is not served                                        |
 * | formerr    | FORMERR: cannot be read                                                     |
 * | badvers    | BADVERS: an EDNS version above 0 (RFC 6891 §6.1.3)                          |
 * | refused    | REFUSED: NOTIFY or UPDATE, which are understood and not served               |
 * | query      | an answer                                                                   |
 * | cookie     | a cookie and no more: no question was asked (RFC 7873 §5.4)                 |
 */
export const VERDICT = { ignore: 0, notimp: 1, formerr: 2, badvers: 3, refused: 4, query: 5, cookie: 6 } as const;

/** The client subnet option of a query (RFC 7871 §6). */
class ClientSubnet {
	isPresent = false;
	/** As received: 1 is IPv4, 2 is IPv6, 0 only with a source of /0. */
	familyCode = 0;
	sourceLength = 0;
	/** Zero padded to a whole address. */
	readonly words = new Uint32Array(4);

	get family(): Family {
		return this.familyCode === 2 ? 6 : 4;
	}
}

export class Query {
	id = 0;
	/** The second header word as received. */
	flags = 0;
	opcode = 0;
	/** Whether a question was read: responses repeat it only then. */
	hasQuestion = false;
	/** Holds with a question only; another object for another name. */
	name = new Name();
	type = 0;
	class = 0;
	/** Offset behind the question. */
	questionEnd = HEADER_OCTETS;
	hasEdns = false;
	/** The sender's own limit for UDP, at least 512 (RFC 6891 §6.2.5). */
	payloadOctets = PLAIN_UDP_OCTETS;
	isDnssecOk = false;
	readonly subnet = new ClientSubnet();
	hasCookie = false;
	/** Octets behind the client cookie. */
	serverCookieOctets = 0;
	/** Client cookie, and server cookie behind it; holds with `hasCookie` only. */
	readonly cookie = new Uint8Array(CLIENT_COOKIE_OCTETS + SERVER_COOKIE_OCTETS_MAX);
	wantsNsid = false;
	/** The sender would like the connection kept (RFC 7828). */
	wantsKeepalive = false;
}

/** An OPT record and TSIG or SIG(0) are all that a query's additional section may sensibly hold; some slack is left. */
const ADDITIONAL_RECORDS_MAX = 8;
const RR_FIXED_OCTETS = 10;
const QUESTION_FIXED_OCTETS = 4;
const SERVER_COOKIE_OCTETS_MAX = 32;

/** @returns one of VERDICT; fields of `query` that were not reached hold their resting values */
export function readQuery(packet: Uint8Array, length: number, query: Query, names: AskedNames): number {
	query.id = 0;
	query.flags = 0;
	query.opcode = 0;
	query.hasQuestion = false;
	query.type = 0;
	query.class = 0;
	query.questionEnd = HEADER_OCTETS;
	query.hasEdns = false;
	query.payloadOctets = PLAIN_UDP_OCTETS;
	query.isDnssecOk = false;
	query.subnet.isPresent = false;
	query.hasCookie = false;
	query.serverCookieOctets = 0;
	query.wantsNsid = false;
	query.wantsKeepalive = false;
	if (length < HEADER_OCTETS) return VERDICT.ignore;
	query.id = word(packet, 0);
	query.flags = word(packet, 2);
	// Answering a response could start two servers talking to each other for ever.
	if ((query.flags & FLAG.qr) !== 0) return VERDICT.ignore;
	query.opcode = (query.flags >>> 11) & 15;
	const isQuery = query.opcode === OPCODE.query;
	if (!isQuery && query.opcode !== OPCODE.notify && query.opcode !== OPCODE.update) return VERDICT.notimp;
	const questions = word(packet, 4);
	if (questions === 0 && isQuery) {
		const verdict = readSections(packet, length, query, names.scratch);
		if (verdict !== VERDICT.query) return verdict;
		return query.hasCookie ? VERDICT.cookie : VERDICT.formerr;
	}
	// RFC 9619 §4: QDCOUNT above 1 is a format error.
	if (questions !== 1 || (isQuery && word(packet, 6) !== 0)) return VERDICT.formerr;
	const next = names.read(packet, HEADER_OCTETS, length);
	if (query.name !== names.name) query.name = names.name;
	// A pointer in the question could aim into the header only, and would not be echoed as it came.
	if (next !== HEADER_OCTETS + query.name.length || next + QUESTION_FIXED_OCTETS > length) return VERDICT.formerr;
	query.type = word(packet, next);
	query.class = word(packet, next + 2);
	query.questionEnd = next + QUESTION_FIXED_OCTETS;
	query.hasQuestion = true;
	if (query.type === TYPE.opt) return VERDICT.formerr;
	const verdict = readSections(packet, length, query, names.scratch);
	return verdict === VERDICT.query && !isQuery ? VERDICT.refused : verdict;
}

/** Walk the records behind the question; only IXFR brings one in the authority section (RFC 1995 §3). */
function readSections(packet: Uint8Array, length: number, query: Query, scratch: Name): number {
	const isQuery = query.opcode === OPCODE.query;
	// NOTIFY and UPDATE bring records of their own; they are passed over.
	const before = word(packet, 6) + word(packet, 8);
	const additional = word(packet, 10);
	if (isQuery && (before > (query.type === TYPE.ixfr ? 1 : 0) || additional > ADDITIONAL_RECORDS_MAX))
		return VERDICT.formerr;
	let at = query.questionEnd;
	let version = 0;
	for (let i = 0; i < before + additional; i++) {
		const owner = at;
		// The root, which OPT has, is the one name that nothing is read of.
		at = at < length && octet(packet, at) === 0 ? at + 1 : readName(packet, at, length, scratch);
		if (at < 0 || at + RR_FIXED_OCTETS > length) return VERDICT.formerr;
		const type = word(packet, at);
		const end = at + RR_FIXED_OCTETS + word(packet, at + 8);
		if (end > length) return VERDICT.formerr;
		if (type === TYPE.opt) {
			// RFC 6891 §6.1.1: the owner is the root, and more than one OPT is a format error.
			if (query.hasEdns || i < before || octet(packet, owner) !== 0) return VERDICT.formerr;
			query.hasEdns = true;
			query.payloadOctets = Math.max(word(packet, at + 2), PLAIN_UDP_OCTETS);
			version = octet(packet, at + 5);
			query.isDnssecOk = (octet(packet, at + 6) & 0x80) !== 0;
			// Options of a version that we do not know may mean anything.
			if (version === 0 && !readOptions(packet, at + RR_FIXED_OCTETS, end, query)) return VERDICT.formerr;
		}
		at = end;
	}
	return version === 0 ? VERDICT.query : VERDICT.badvers;
}

/** Unknown options are passed over (RFC 6891 §6.1.2). False when the options do not fill the record. */
function readOptions(packet: Uint8Array, offset: number, end: number, query: Query): boolean {
	let at = offset;
	while (at < end) {
		if (at + 4 > end) return false;
		const code = word(packet, at);
		const next = at + 4 + word(packet, at + 2);
		if (next > end) return false;
		if (code === EDNS_OPTION.clientSubnet && !readSubnet(packet, at + 4, next, query.subnet)) return false;
		if (code === EDNS_OPTION.cookie && !readCookie(packet, at + 4, next, query)) return false;
		if (code === EDNS_OPTION.nsid) query.wantsNsid = true;
		if (code === EDNS_OPTION.keepalive) query.wantsKeepalive = true;
		at = next;
	}
	return true;
}

/** RFC 7873 §5.2.2: a client cookie alone, or with a server cookie of 8 to 32 octets. */
function readCookie(packet: Uint8Array, offset: number, end: number, query: Query): boolean {
	const server = end - offset - CLIENT_COOKIE_OCTETS;
	if (server !== 0 && (server < 8 || server > SERVER_COOKIE_OCTETS_MAX)) return false;
	query.hasCookie = true;
	query.serverCookieOctets = server;
	for (let i = 0; offset + i < end; i++) query.cookie[i] = octet(packet, offset + i);
	return true;
}

/** RFC 7871 §6 and §7.1.2: anything that breaks the form is a format error. */
function readSubnet(packet: Uint8Array, offset: number, end: number, subnet: ClientSubnet): boolean {
	if (subnet.isPresent || end - offset < 4) return false;
	const family = word(packet, offset);
	const source = octet(packet, offset + 2);
	const scope = octet(packet, offset + 3);
	const bits = family === 1 ? 32 : family === 2 ? 128 : 0;
	const octets = (source + 7) >>> 3;
	if (family > 2 || scope !== 0 || source > bits || end - offset - 4 !== octets) return false;
	const spare = 8 * octets - source;
	if (octets > 0 && (octet(packet, end - 1) & ((1 << spare) - 1)) !== 0) return false;
	const { words } = subnet;
	words[0] = paddedWord(packet, offset + 4, end);
	words[1] = 0;
	words[2] = 0;
	words[3] = 0;
	for (let i = 1; 4 * i < octets; i++) words[i] = paddedWord(packet, offset + 4 + 4 * i, end);
	subnet.isPresent = true;
	subnet.familyCode = family;
	subnet.sourceLength = source;
	return true;
}

/** 32 bits, octets from `end` on counting as zero. */
function paddedWord(bytes: Uint8Array, at: number, end: number): number {
	let value = 0;
	for (let i = 0; i < 4; i++) value = (value << 8) | (at + i < end ? octet(bytes, at + i) : 0);
	return value;
}

function word(bytes: Uint8Array, at: number): number {
	return (octet(bytes, at) << 8) | octet(bytes, at + 1);
}

/**
 * The OPT record of a response (RFC 6891 §6.1.2) and its options: decided before the records are written, so that
 * its room is kept free, and written behind them.
 *
 * | option          | when                                                                    |
 * |-----------------|-------------------------------------------------------------------------|
 * | client subnet   | the query had it: as it came, with the scope (RFC 7871 §7.2.1)           |
 * | cookie          | the query had one: the client's, and ours (RFC 7873 §5.2)                |
 * | NSID            | the query asked and we have an identity (RFC 5001)                       |
 * | keepalive       | the query asked, over TCP (RFC 7828 §3.3.2)                              |
 * | extended error  | there is something to explain (RFC 8914)                                 |
 */

import { CLIENT_COOKIE_OCTETS, type CookieJar, SERVER_COOKIE_OCTETS } from '../dns/cookie.ts';
import { octet } from '../dns/name.ts';
import { EDNS_OPTION, UDP_PAYLOAD_OCTETS_MAX } from '../dns/protocol.ts';
import type { Query } from '../dns/query.ts';
import type { MessageWriter } from '../dns/writer.ts';
import type { Address } from '../lib/address.ts';

/** An extended error, its text ready to be sent. */
export interface ExtendedError {
	readonly infoCode: number;
	readonly text: Uint8Array;
}

export interface OptSettings {
	/** Absent: cookies are neither made nor checked. */
	readonly cookies: CookieJar | undefined;
	/** Empty: no NSID. */
	readonly identity: Uint8Array;
	/** How long a TCP connection may be idle. */
	readonly idleMs: number;
}

const FIXED_OCTETS = 11;
const OPTION_HEADER_OCTETS = 4;
const SUBNET_FIXED_OCTETS = 4;
const DNSSEC_OK = 0x8000;
/** RFC 7828 §3.1 counts in tenths of a second. */
const KEEPALIVE_UNIT_MS = 100;

export class OptReply {
	/** Octets of the record; 0 for a query without one. */
	octets = 0;
	/** What explains the answer; undefined for nothing. */
	error: ExtendedError | undefined;
	/** The server cookie of the query is good for a while yet, and goes back as it came (RFC 9018 §4.3). */
	keepsCookie = false;
	readonly #settings: OptSettings;
	readonly #cookie = new Uint8Array(CLIENT_COOKIE_OCTETS + SERVER_COOKIE_OCTETS);
	#hasCookie = false;
	#hasKeepalive = false;
	#hasNsid = false;

	constructor(settings: OptSettings) {
		this.#settings = settings;
	}

	/** Decide what the record will hold. */
	plan(query: Query, sender: Address, isTcp: boolean, nowSec: number): void {
		this.octets = 0;
		if (!query.hasEdns) return;
		const { cookies, identity } = this.#settings;
		let octets = FIXED_OCTETS;
		if (query.subnet.isPresent) octets += OPTION_HEADER_OCTETS + SUBNET_FIXED_OCTETS + subnetOctets(query);
		this.#hasCookie = query.hasCookie && cookies !== undefined;
		if (this.#hasCookie) {
			octets += OPTION_HEADER_OCTETS + this.#cookie.length;
			const kept = this.keepsCookie ? this.#cookie.length : CLIENT_COOKIE_OCTETS;
			for (let i = 0; i < kept; i++) this.#cookie[i] = octet(query.cookie, i);
			if (!this.keepsCookie) cookies?.write(query.cookie, 0, sender, nowSec, this.#cookie, CLIENT_COOKIE_OCTETS);
		}
		this.#hasNsid = query.wantsNsid && identity.length > 0;
		if (this.#hasNsid) octets += OPTION_HEADER_OCTETS + identity.length;
		this.#hasKeepalive = query.wantsKeepalive && isTcp;
		if (this.#hasKeepalive) octets += OPTION_HEADER_OCTETS + 2;
		if (this.error !== undefined) octets += OPTION_HEADER_OCTETS + 2 + this.error.text.length;
		this.octets = octets;
	}

	/** Write the record; there is room for it. */
	write(writer: MessageWriter, query: Query, rcode: number, scope: number): void {
		const { identity, idleMs } = this.#settings;
		const flags = query.isDnssecOk ? DNSSEC_OK : 0;
		writer.optHead(UDP_PAYLOAD_OCTETS_MAX, rcode >>> 4, flags, this.octets - FIXED_OCTETS);
		if (query.subnet.isPresent) {
			const { familyCode, sourceLength, words } = query.subnet;
			writer.subnet(familyCode, sourceLength, scope, words);
		}
		if (this.#hasCookie) {
			writer.u16(EDNS_OPTION.cookie);
			writer.u16(this.#cookie.length);
			writer.octets(this.#cookie, 0, this.#cookie.length);
		}
		if (this.#hasNsid) {
			writer.u16(EDNS_OPTION.nsid);
			writer.u16(identity.length);
			writer.octets(identity, 0, identity.length);
		}
		if (this.#hasKeepalive) {
			writer.u16(EDNS_OPTION.keepalive);
			writer.u16(2);
			writer.u16(Math.floor(idleMs / KEEPALIVE_UNIT_MS));
		}
		if (this.error !== undefined) {
			writer.u16(EDNS_OPTION.extendedError);
			writer.u16(2 + this.error.text.length);
			writer.u16(this.error.infoCode);
			writer.octets(this.error.text, 0, this.error.text.length);
		}
	}
}

function subnetOctets({ subnet }: Query): number {
	return (subnet.sourceLength + 7) >>> 3;
}

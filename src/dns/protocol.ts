/**
 * Numbers of the protocol (RFC 1035 §4, RFC 6891, RFC 6895), by their registered names.
 */

export const HEADER_OCTETS = 12;

/** Second 16-bit word of the header, RFC 1035 §4.1.1. */
export const FLAG = { qr: 0x8000, aa: 0x0400, tc: 0x0200, rd: 0x0100, ra: 0x0080, ad: 0x0020, cd: 0x0010 } as const;

export const OPCODE = { query: 0, notify: 4, update: 5 } as const;

export const RCODE = {
	noerror: 0,
	formerr: 1,
	servfail: 2,
	nxdomain: 3,
	notimp: 4,
	refused: 5,
	/** A DNAME would make a name that is too long (RFC 6672 §2.2). */
	yxdomain: 6,
	/** Upper bits travel in the OPT record (RFC 6891 §6.1.3). */
	badvers: 16,
	/** RFC 7873 §8. */
	badcookie: 23,
} as const;

export const CLASS = { in: 1, chaos: 3 } as const;

/** Types that the code itself must know; every other type is a row of `rr-type.ts` or plain RFC 3597. */
export const TYPE = {
	a: 1,
	ns: 2,
	cname: 5,
	soa: 6,
	mx: 15,
	txt: 16,
	aaaa: 28,
	srv: 33,
	dname: 39,
	opt: 41,
	ds: 43,
	nsec: 47,
	rrsig: 46,
	ixfr: 251,
	axfr: 252,
	mailb: 253,
	maila: 254,
	any: 255,
} as const;

export const EDNS_OPTION = { nsid: 3, clientSubnet: 8, cookie: 10, keepalive: 11, extendedError: 15 } as const;

/** INFO-CODE of an extended error (RFC 8914 §4). */
export const EXTENDED_ERROR = { other: 0, prohibited: 18, notAuthoritative: 20 } as const;

/** What a response over UDP may hold without EDNS (RFC 1035 §4.2.1). */
export const PLAIN_UDP_OCTETS = 512;

/** The most we send in one datagram and tell others to send us: no fragments on any path (RFC 9715 §3.1). */
export const UDP_PAYLOAD_OCTETS_MAX = 1232;

export const TCP_MESSAGE_OCTETS_MAX = 65535;

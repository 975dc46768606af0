/**
 * From a request to a response, synchronously: what every transport calls.
 *
 *     bytes -> read -> rate limit -> gate -> answer() -> write -> bytes
 *
 * No query can end the process: a fault in one is SERVFAIL for that one, and a counter.
 */

import { AskedNames } from '../dns/asked-names.ts';
import { COOKIE, type CookieJar } from '../dns/cookie.ts';
import { type Name, octet } from '../dns/name.ts';
import {
	CLASS,
	EXTENDED_ERROR,
	PLAIN_UDP_OCTETS,
	RCODE,
	TCP_MESSAGE_OCTETS_MAX,
	TYPE,
	UDP_PAYLOAD_OCTETS_MAX,
} from '../dns/protocol.ts';
import { Query, readQuery, VERDICT } from '../dns/query.ts';
import type { Address } from '../lib/address.ts';
import { Answer, Asker, answer, type World } from '../snapshot/answer.ts';
import type { AnswerColumns } from '../snapshot/decisions.ts';
import type { Holder } from '../snapshot/snapshot.ts';
import { COUNT, type Counters, count, countDecisions, countType } from './counters.ts';
import { type ExtendedError, OptReply } from './opt-reply.ts';
import { LoggedQuery, type QueryRing } from './query-ring.ts';
import type { QuerySampler } from './query-sampler.ts';
import { LIMIT, type RateLimiter } from './rate-limit.ts';
import { ResponseWriter } from './response-writer.ts';

export type Transport = 'udp' | 'tcp';

/** Both clocks; read only where an answer depends on them. */
export interface ResponderClock {
	/** Monotonic milliseconds. */
	nowMs(): number;
	/** Seconds since 1970. */
	nowSec(): number;
	/** Milliseconds since 1970. */
	wallMs(): number;
}

/** What answers come from: replaced as a whole. */
export interface Served {
	readonly world: World;
	/** Where what is decided in it is counted. */
	readonly columns: AnswerColumns;
	/** Its number. */
	readonly generation: number;
}

/** Which queries are told to the main thread, and how. */
export interface QueryLogging {
	readonly sampler: QuerySampler;
	readonly ring: QueryRing;
}

export interface ResponderSettings {
	readonly served: Holder<Served>;
	readonly counters: Counters;
	readonly clock: ResponderClock;
	/** Whether the client subnet option of a sender is believed (`dns.ecs.trust`). */
	readonly isSubnetTrusted: (sender: Address) => boolean;
	/** Absent: cookies are neither made nor checked. */
	readonly cookies: CookieJar | undefined;
	/** Absent: nothing is limited. */
	readonly limiter: RateLimiter | undefined;
	/** Absent: nothing is logged. */
	readonly logging: QueryLogging | undefined;
	/** What NSID and `id.server CH TXT` tell, at most 255 octets; empty for nothing. */
	readonly identity: Uint8Array;
	/** How long a TCP connection may be idle. */
	readonly idleMs: number;
	/** Told of a fault in a query. */
	readonly onFault: (error: unknown) => void;
}

/** What an address that nobody has proven may be sent for its question, when it learns nothing but "no". */
const UNPROVEN_FACTOR = 3;

const CHAOS_NAMES = ['\x02id\x06server\x00', '\x08hostname\x04bind\x00'].map(octetsOf);

const EXPLAINED = {
	notOurs: { infoCode: EXTENDED_ERROR.notAuthoritative, text: octetsOf('not a zone of this server') },
	transfer: { infoCode: EXTENDED_ERROR.prohibited, text: octetsOf('transfers are not offered') },
	change: { infoCode: EXTENDED_ERROR.prohibited, text: octetsOf('NOTIFY and UPDATE are not taken here') },
	fault: { infoCode: EXTENDED_ERROR.other, text: octetsOf('internal fault') },
	nobodyUp: { infoCode: EXTENDED_ERROR.other, text: octetsOf('no endpoint is up') },
	// Not "Stale Answer" (RFC 8914 §4.4), which is a resolver's word on data past its TTL.
	stale: { infoCode: EXTENDED_ERROR.other, text: octetsOf('no fresh health checks: the last known state decides') },
} as const satisfies Record<string, ExtendedError>;

/** One for each worker; its room is taken once. */
export class Responder {
	readonly #settings: ResponderSettings;
	readonly #query = new Query();
	readonly #names = new AskedNames();
	readonly #answer = new Answer();
	readonly #asker = new Asker();
	readonly #opt: OptReply;
	readonly #writer: ResponseWriter;
	/** Read once for each query: one query, one world. */
	#served: Served;
	/** It could be read as a query, and what became of it at the rate limits. */
	#isQuery = false;
	#limited: number = LIMIT.pass;
	readonly #logged = new LoggedQuery();

	constructor(settings: ResponderSettings) {
		this.#settings = settings;
		this.#served = settings.served.read();
		this.#opt = new OptReply(settings);
		this.#writer = new ResponseWriter(this.#query, this.#answer, this.#opt);
	}

	/**
	 * Answer one request.
	 *
	 * @param request  the message, `length` octets of it
	 * @param sender   where it came from
	 * @param out      room for the response: UDP_PAYLOAD_OCTETS_MAX for UDP, TCP_MESSAGE_OCTETS_MAX for TCP; may be `request`,
	 *                 which is read to its end before anything is written
	 * @returns octets of the response; 0 for silence
	 */
	respond(request: Uint8Array, length: number, sender: Address, transport: Transport, out: Uint8Array): number {
		const { logging } = this.#settings;
		const isTcp = transport === 'tcp';
		const octets = this.#respond(request, length, sender, isTcp, out);
		if (logging !== undefined && this.#isQuery && logging.sampler.isDue())
			this.#log(octets > 0 ? out : request, octets, sender, isTcp, logging.ring);
		return octets;
	}

	#respond(request: Uint8Array, length: number, sender: Address, isTcp: boolean, out: Uint8Array): number {
		const { counters, served, onFault } = this.#settings;
		count(counters, (isTcp ? COUNT.queriesTcpIpv4 : COUNT.queriesUdpIpv4) + (sender.family === 4 ? 0 : 1));
		this.#opt.error = undefined;
		this.#opt.keepsCookie = false;
		const now = served.read();
		// Storing a reference can cost a call of the collector's: one that is there already is not stored again.
		if (this.#served !== now) this.#served = now;
		this.#limited = LIMIT.pass;
		this.#isQuery = true;
		try {
			const verdict = readQuery(request, length, this.#query, this.#names);
			this.#isQuery = verdict !== VERDICT.ignore;
			if (!this.#isQuery) {
				count(counters, COUNT.ignored);
				return 0;
			}
			if (this.#query.hasQuestion) countType(counters, this.#query.type);
			const isProven = isTcp || this.#hasGoodCookie(sender);
			if (!isProven) {
				const limited = this.#limitRate(request, sender, out);
				if (limited >= 0) return limited;
			}
			return this.#respondTo(verdict, request, length, sender, isTcp, isProven, out);
		} catch (error) {
			count(counters, COUNT.faults);
			onFault(error);
			this.#refuse(RCODE.servfail, EXPLAINED.fault);
			return this.#write(request, length, sender, isTcp, true, out);
		}
	}

	/** The sender can receive what is sent to its address (RFC 7873 §5.2.5). */
	#hasGoodCookie(sender: Address): boolean {
		const { cookies, clock, counters } = this.#settings;
		const { hasCookie, cookie, serverCookieOctets } = this.#query;
		if (cookies === undefined) return false;
		if (serverCookieOctets === 0) {
			count(counters, hasCookie ? COUNT.cookiesFirst : COUNT.cookiesNone);
			return false;
		}
		const outcome = cookies.check(cookie, 0, serverCookieOctets, sender, clock.nowSec());
		const isGood = outcome !== COOKIE.none;
		this.#opt.keepsCookie = outcome === COOKIE.good;
		count(counters, isGood ? COUNT.cookiesGood : COUNT.cookiesBad);
		return isGood;
	}

	/** RFC 7873 §5.4: of a query for a cookie alone; one over TCP may bring a bad one too. */
	#cookieRcode(sender: Address): number {
		const { cookies, clock } = this.#settings;
		const { cookie, serverCookieOctets } = this.#query;
		if (cookies === undefined) return RCODE.formerr;
		if (serverCookieOctets === 0) return RCODE.noerror;
		const outcome = cookies.check(cookie, 0, serverCookieOctets, sender, clock.nowSec());
		return outcome === COOKIE.none ? RCODE.badcookie : RCODE.noerror;
	}

	/** @returns octets of a truncated response, 0 for silence, -1 when the sender is within its limits */
	#limitRate(request: Uint8Array, sender: Address, out: Uint8Array): number {
		const { limiter, clock, counters } = this.#settings;
		if (limiter === undefined) return -1;
		this.#limited = limiter.take(sender, clock.nowMs());
		if (this.#limited === LIMIT.pass) {
			count(counters, COUNT.ratePassed);
			return -1;
		}
		// Nothing of the query before is to be told of this one.
		this.#answer.decisions.clear();
		if (this.#limited === LIMIT.drop) {
			count(counters, COUNT.rateDropped);
			return 0;
		}
		count(counters, COUNT.rateSlipped);
		this.#refuse(RCODE.noerror, undefined);
		this.#opt.plan(this.#query, sender, false, clock.nowSec());
		return this.#writer.writeTruncated(request, PLAIN_UDP_OCTETS, out);
	}

	#respondTo(
		verdict: number,
		request: Uint8Array,
		length: number,
		sender: Address,
		isTcp: boolean,
		isProven: boolean,
		out: Uint8Array,
	): number {
		const query = this.#query;
		const { identity } = this.#settings;
		if (verdict === VERDICT.cookie) {
			this.#refuse(this.#cookieRcode(sender), undefined);
		} else if (verdict !== VERDICT.query) {
			this.#refuse(rcodeOf(verdict), verdict === VERDICT.refused ? EXPLAINED.change : undefined);
		} else if (
			query.class === CLASS.chaos &&
			query.type === TYPE.txt &&
			identity.length > 0 &&
			isChaosName(query.name)
		) {
			this.#refuse(RCODE.noerror, undefined);
			this.#opt.plan(query, sender, isTcp, this.#settings.clock.nowSec());
			return this.#writer.writeChaos(request, identity, this.#limit(isTcp), out);
		} else if (query.class !== CLASS.in) {
			this.#refuse(RCODE.refused, EXPLAINED.notOurs);
		} else if (query.type === TYPE.axfr || query.type === TYPE.ixfr) {
			this.#refuse(RCODE.refused, EXPLAINED.transfer);
		} else {
			this.#choose(sender);
		}
		return this.#write(request, length, sender, isTcp, isProven, out);
	}

	/** Ask the zones and policies. */
	#choose(sender: Address): void {
		const query = this.#query;
		const chosen = this.#answer;
		this.#setAsker(sender);
		answer(this.#served.world, query.name, query.type, this.#asker, chosen);
		if (chosen.isSteered) count(this.#settings.counters, COUNT.steered);
		else if (chosen.rcode !== RCODE.refused) count(this.#settings.counters, COUNT.unsteered);
		if (chosen.rcode === RCODE.refused) this.#opt.error = EXPLAINED.notOurs;
		else if (chosen.rcode === RCODE.servfail) this.#opt.error = EXPLAINED.nobodyUp;
		else if (chosen.isStale) this.#opt.error = EXPLAINED.stale;
	}

	/** The client is whom a trusted sender names, else the sender (DESIGN: "What an answer means"). */
	#setAsker(sender: Address): void {
		const { subnet } = this.#query;
		const asker = this.#asker;
		asker.resolverFamily = sender.family;
		if (asker.resolverWords !== sender.words) asker.resolverWords = sender.words;
		asker.isNamed = subnet.isPresent && subnet.sourceLength > 0 && this.#settings.isSubnetTrusted(sender);
		asker.family = asker.isNamed ? subnet.family : sender.family;
		const words = asker.isNamed ? subnet.words : sender.words;
		if (asker.words !== words) asker.words = words;
	}

	/** An answer without records. */
	#refuse(rcode: number, error: ExtendedError | undefined): void {
		const chosen = this.#answer;
		chosen.rcode = rcode;
		chosen.isAuthoritative = false;
		chosen.isReferral = false;
		chosen.decisions.clear();
		chosen.scope = 0;
		chosen.answer.count = 0;
		chosen.authority.count = 0;
		chosen.additional.count = 0;
		this.#opt.error = error;
	}

	#write(
		request: Uint8Array,
		length: number,
		sender: Address,
		isTcp: boolean,
		isProven: boolean,
		out: Uint8Array,
	): number {
		const query = this.#query;
		const opt = this.#opt;
		const { rcode, answer: records, decisions } = this.#answer;
		const { counters, cookies, clock } = this.#settings;
		const makesCookie = query.hasCookie && cookies !== undefined && !opt.keepsCookie;
		const nowSec = makesCookie ? clock.nowSec() : 0;
		opt.plan(query, sender, isTcp, nowSec);
		let limit = this.#limit(isTcp);
		// An alias that leads to nothing tells something, like any other answer.
		const isBareNo = rcode === RCODE.refused || (rcode === RCODE.nxdomain && records.count === 0);
		if (isBareNo && !isProven && limit > UNPROVEN_FACTOR * length) limit = UNPROVEN_FACTOR * length;
		if (opt.error !== undefined && query.questionEnd + opt.octets > limit) {
			// An explanation is worth less than the answer.
			opt.error = undefined;
			opt.plan(query, sender, isTcp, nowSec);
		}
		if (query.wantsNsid && query.questionEnd + opt.octets > limit) {
			// So is our name, which may be long.
			query.wantsNsid = false;
			opt.plan(query, sender, isTcp, nowSec);
		}
		const octets = this.#writer.write(request, this.#served.world, limit, out);
		const { isTruncated } = this.#writer;
		if (isTruncated) count(counters, COUNT.truncated);
		count(counters, COUNT.rcodes + rcode);
		if (decisions.count > 0)
			countDecisions(counters, this.#served.columns, decisions, !isTruncated && records.count > 0);
		return octets;
	}

	#log(message: Uint8Array, octets: number, sender: Address, isTcp: boolean, ring: QueryRing): void {
		const { counters, clock } = this.#settings;
		const logged = this.#logged;
		logged.message = message;
		logged.octets = octets;
		logged.questionEnd = this.#query.questionEnd;
		logged.hasQuestion = this.#query.hasQuestion;
		logged.sender = sender;
		logged.isTcp = isTcp;
		logged.limited = this.#limited === LIMIT.pass ? 'no' : this.#limited === LIMIT.slip ? 'slipped' : 'dropped';
		logged.generation = this.#served.generation;
		logged.timeMs = clock.wallMs();
		logged.decisions = this.#answer.decisions;
		if (!ring.write(logged)) count(counters, COUNT.logDropped);
	}

	#limit(isTcp: boolean): number {
		if (isTcp) return TCP_MESSAGE_OCTETS_MAX;
		const query = this.#query;
		if (!query.hasEdns) return PLAIN_UDP_OCTETS;
		return query.payloadOctets < UDP_PAYLOAD_OCTETS_MAX ? query.payloadOctets : UDP_PAYLOAD_OCTETS_MAX;
	}
}

function rcodeOf(verdict: number): number {
	switch (verdict) {
		case VERDICT.notimp:
			return RCODE.notimp;
		case VERDICT.badvers:
			return RCODE.badvers;
		case VERDICT.refused:
			return RCODE.refused;
		default:
			return RCODE.formerr;
	}
}

/** The names that ask a server who it is (RFC 4892 §2). */
function isChaosName({ wire, length }: Name): boolean {
	for (let i = 0; i < CHAOS_NAMES.length; i++) {
		const known = CHAOS_NAMES[i];
		if (known === undefined || known.length !== length) continue;
		let at = 0;
		while (at < length && octet(wire, at) === octet(known, at)) at++;
		if (at === length) return true;
	}
	return false;
}

function octetsOf(text: string): Uint8Array {
	return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

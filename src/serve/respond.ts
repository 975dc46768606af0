/**
 * From a request to a response, synchronously: what every transport calls.
 *
 *     bytes -> read -> gate -> answer() -> write -> bytes
 *
 * No query can end the process: a fault in one is SERVFAIL for that one, and a counter.
 */

import { Name, nameLength, octet } from '../dns/name.ts';
import {
	CLASS,
	EDNS_OPTION,
	FLAG,
	HEADER_OCTETS,
	PLAIN_UDP_OCTETS,
	RCODE,
	TCP_MESSAGE_OCTETS_MAX,
	TYPE,
	UDP_PAYLOAD_OCTETS_MAX,
} from '../dns/protocol.ts';
import { Query, readQuery, VERDICT } from '../dns/query.ts';
import { MessageWriter } from '../dns/writer.ts';
import type { Address } from '../lib/address.ts';
import { Answer, Asker, answer, type Section, SOURCE, type World } from '../snapshot/answer.ts';
import type { Holder } from '../snapshot/snapshot.ts';
import { COUNT, type Counters, count } from './counters.ts';

export type Transport = 'udp' | 'tcp';

export interface ResponderSettings {
	readonly worlds: Holder<World>;
	readonly counters: Counters;
	/** Whether the client subnet option of a sender is believed (`dns.ecs.trust`). */
	readonly isSubnetTrusted: (sender: Address) => boolean;
	/** Told of a fault in a query, at most as often as the logger sees fit. */
	readonly onFault: (error: unknown) => void;
}

const OPCODE_BITS = 0x7800;
const DNSSEC_OK = 0x8000;
/** The owner that stands for the name asked for. */
const QNAME = -1;
const ROOT = new Uint8Array(1);

/** How much of an answer fitted. */
const WHOLE = 0;
const RECORDS_MISSING = 1;
const GLUE_MISSING = 2;

const OPT_FIXED_OCTETS = 11;
const OPTION_HEADER_OCTETS = 4;
const SUBNET_FIXED_OCTETS = 4;

/** One for each worker; its room is taken once. */
export class Responder {
	readonly #settings: ResponderSettings;
	readonly #query = new Query();
	readonly #scratch = new Name();
	readonly #answer = new Answer();
	readonly #asker = new Asker();
	readonly #writer = new MessageWriter();
	#hasNotedQuestion = false;
	/** The client is whom the option names, and not the sender itself. */
	#isNamed = false;
	/** The last section left an RRset out. */
	#isCut = false;
	/** Records written. */
	#answers = 0;
	#authorities = 0;
	#additionals = 0;

	constructor(settings: ResponderSettings) {
		this.#settings = settings;
	}

	/**
	 * Answer one request.
	 *
	 * @param request  the message, `length` octets of it
	 * @param sender   where it came from
	 * @param out      room for the response: UDP_PAYLOAD_OCTETS_MAX for UDP, TCP_MESSAGE_OCTETS_MAX for TCP; not `request`
	 * @returns octets of the response; 0 for silence
	 */
	respond(request: Uint8Array, length: number, sender: Address, transport: Transport, out: Uint8Array): number {
		const { counters, onFault } = this.#settings;
		count(counters, transport === 'udp' ? COUNT.queriesUdp : COUNT.queriesTcp);
		try {
			const verdict = readQuery(request, length, this.#query, this.#scratch);
			if (verdict === VERDICT.ignore) {
				count(counters, COUNT.ignored);
				return 0;
			}
			if (verdict === VERDICT.query) return this.#respondTo(request, sender, transport, out);
			return this.#refuse(request, rcodeOf(verdict), transport, out);
		} catch (error) {
			count(counters, COUNT.faults);
			onFault(error);
			return this.#refuse(request, RCODE.servfail, transport, out);
		}
	}

	#respondTo(request: Uint8Array, sender: Address, transport: Transport, out: Uint8Array): number {
		const query = this.#query;
		// Transfers are not served (yet), and classes other than IN hold nothing here (RFC 6895, RFC 8906 §3.1.4).
		if (query.class !== CLASS.in || query.type === TYPE.axfr || query.type === TYPE.ixfr) {
			return this.#refuse(request, RCODE.refused, transport, out);
		}
		this.#setAsker(sender);
		const chosen = this.#answer;
		const world = this.#settings.worlds.read();
		answer(world, query.name, query.type, this.#asker, chosen);
		if (chosen.isSteered) count(this.#settings.counters, COUNT.steered);
		return this.#write(request, world, transport, out);
	}

	/** The client is whom a trusted sender names, else the sender (DESIGN: "What an answer means"). */
	#setAsker(sender: Address): void {
		const { subnet } = this.#query;
		const asker = this.#asker;
		asker.resolverFamily = sender.family;
		asker.resolverWords = sender.words;
		const isNamed = subnet.isPresent && subnet.sourceLength > 0 && this.#settings.isSubnetTrusted(sender);
		asker.family = isNamed ? subnet.family : sender.family;
		asker.words = isNamed ? subnet.words : sender.words;
		this.#isNamed = isNamed;
	}

	/** A response without records. */
	#refuse(request: Uint8Array, rcode: number, transport: Transport, out: Uint8Array): number {
		const chosen = this.#answer;
		chosen.rcode = rcode;
		chosen.isAuthoritative = false;
		chosen.isReferral = false;
		chosen.scope = 0;
		chosen.answer.count = 0;
		chosen.authority.count = 0;
		chosen.additional.count = 0;
		return this.#write(request, this.#settings.worlds.read(), transport, out);
	}

	#write(request: Uint8Array, world: World, transport: Transport, out: Uint8Array): number {
		const query = this.#query;
		const writer = this.#writer;
		const { rcode } = this.#answer;
		const limit = this.#limit(transport);
		writer.begin(out, query.hasEdns ? limit - this.#optOctets() : limit);
		this.#hasNotedQuestion = false;
		writer.octets(request, HEADER_OCTETS, query.questionEnd - HEADER_OCTETS);
		let flags = FLAG.qr | (query.flags & (FLAG.rd | OPCODE_BITS)) | (rcode & 15);
		if (this.#answer.isAuthoritative) flags |= FLAG.aa;
		const part = this.#writeSections(world);
		if (part !== WHOLE) {
			count(this.#settings.counters, COUNT.truncated);
			flags |= FLAG.tc;
			// What the client will ask for again over TCP is not worth sending in part (RFC 2181 §9).
			if (part === RECORDS_MISSING) this.#dropRecords();
		}
		writer.limit = limit;
		if (query.hasEdns) this.#writeOpt();
		writer.patch16(0, query.id);
		writer.patch16(2, flags);
		writer.patch16(4, query.hasQuestion ? 1 : 0);
		writer.patch16(6, this.#answers);
		writer.patch16(8, this.#authorities);
		writer.patch16(10, this.#additionals + (query.hasEdns ? 1 : 0));
		count(this.#settings.counters, COUNT.rcodes + rcode);
		return writer.length;
	}

	#limit(transport: Transport): number {
		if (transport === 'tcp') return TCP_MESSAGE_OCTETS_MAX;
		const query = this.#query;
		if (!query.hasEdns) return PLAIN_UDP_OCTETS;
		return query.payloadOctets < UDP_PAYLOAD_OCTETS_MAX ? query.payloadOctets : UDP_PAYLOAD_OCTETS_MAX;
	}

	/** @returns whether all of it fitted, and if not, what did not */
	#writeSections(world: World): number {
		const { answer: answers, authority, additional, isReferral } = this.#answer;
		this.#authorities = 0;
		this.#additionals = 0;
		this.#answers = this.#writeSection(world, answers);
		if (this.#isCut) return RECORDS_MISSING;
		this.#authorities = this.#writeSection(world, authority);
		if (this.#isCut) return RECORDS_MISSING;
		this.#additionals = this.#writeSection(world, additional);
		// Additional records may stay out silently, but a referral without all its glue may not (RFC 9471 §2.1).
		return this.#isCut && isReferral ? GLUE_MISSING : WHOLE;
	}

	#dropRecords(): void {
		this.#writer.rewind(this.#query.questionEnd);
		this.#answers = 0;
		this.#authorities = 0;
		this.#additionals = 0;
	}

	/** Write whole RRsets until one does not fit, which sets `#isCut`; how many records were written. */
	#writeSection(world: World, section: Section): number {
		const writer = this.#writer;
		this.#isCut = false;
		let records = 0;
		for (let i = 0; i < section.count; i++) {
			const before = writer.length;
			this.#writeRrset(world, section, i);
			if (writer.isFull) {
				writer.rewind(before);
				this.#isCut = true;
				break;
			}
			records += section.records[i] ?? 0;
		}
		return records;
	}

	#writeRrset(world: World, section: Section, i: number): void {
		const source = section.sources[i];
		if (source === SOURCE.picked) this.#writePicked(world, section, i);
		else if (source === SOURCE.synthesized) this.#writeSynthesized(world, section, i);
		else this.#writeStored(world, section, i);
	}

	#writeStored(world: World, section: Section, i: number): void {
		const writer = this.#writer;
		const { bytes } = world.snapshot.zones;
		const records = section.records[i] ?? 0;
		const nameCount = section.nameCounts[i] ?? 0;
		let at = section.dataAt[i] ?? 0;
		for (let record = 0; record < records && !writer.isFull; record++) {
			const length = (octet(bytes, at) << 8) | octet(bytes, at + 1);
			this.#writeFixed(world, section, i);
			if (nameCount === 0) {
				writer.u16(length);
				writer.octets(bytes, at + 2, length);
			} else {
				this.#writeCompressed(bytes, at + 2, length, section.nameSkips[i] ?? 0, nameCount);
			}
			at += 2 + length;
		}
	}

	/** RDATA whose names may be compressed: its length is known only afterwards. */
	#writeCompressed(bytes: Uint8Array, offset: number, length: number, skip: number, names: number): void {
		const writer = this.#writer;
		this.#noteQuestion();
		const lengthAt = writer.length;
		writer.u16(0);
		writer.octets(bytes, offset, skip);
		let at = offset + skip;
		for (let i = 0; i < names; i++) {
			writer.name(bytes, at);
			at += nameLength(bytes, at);
		}
		writer.octets(bytes, at, offset + length - at);
		if (!writer.isFull) writer.patch16(lengthAt, writer.length - lengthAt - 2);
	}

	/** Addresses that a policy picked. */
	#writePicked(world: World, section: Section, i: number): void {
		const writer = this.#writer;
		const { picked } = this.#answer;
		const records = section.records[i] ?? 0;
		const octets = section.types[i] === TYPE.a ? 4 : 16;
		for (let record = 0; record < records; record++) {
			this.#writeFixed(world, section, i);
			writer.u16(octets);
			writer.octets(world.snapshot.steering.addressOctets, picked[record] ?? 0, octets);
		}
	}

	/** The CNAME that a DNAME makes: from one link of the chain to the next. */
	#writeSynthesized(world: World, section: Section, i: number): void {
		const writer = this.#writer;
		this.#writeFixed(world, section, i);
		this.#noteQuestion();
		const lengthAt = writer.length;
		writer.u16(0);
		// Link n is the owner -1 - n, and the name behind it is link n + 1.
		writer.name(this.#answer.chain[-(section.owners[i] ?? 0)]?.wire ?? ROOT, 0);
		if (!writer.isFull) writer.patch16(lengthAt, writer.length - lengthAt - 2);
	}

	/** Owner, type, class and TTL. */
	#writeFixed(world: World, section: Section, i: number): void {
		const writer = this.#writer;
		const owner = section.owners[i] ?? 0;
		// A pointer to a root label would be longer than the label.
		if (owner === QNAME && this.#query.name.labelCount > 0) {
			writer.pointer(HEADER_OCTETS);
		} else {
			this.#noteQuestion();
			if (owner >= 0) writer.name(world.snapshot.zones.bytes, owner);
			else writer.name(owner === QNAME ? ROOT : (this.#answer.chain[-1 - owner]?.wire ?? ROOT), 0);
		}
		writer.u16(section.types[i] ?? 0);
		writer.u16(CLASS.in);
		writer.u32(section.ttlSec[i] ?? 0);
	}

	/** Most answers need no name but QNAME, so its suffixes are noted when the first one does. */
	#noteQuestion(): void {
		if (this.#hasNotedQuestion) return;
		this.#hasNotedQuestion = true;
		this.#writer.noteName(HEADER_OCTETS);
	}

	#optOctets(): number {
		const { subnet } = this.#query;
		if (!subnet.isPresent) return OPT_FIXED_OCTETS;
		return OPT_FIXED_OCTETS + OPTION_HEADER_OCTETS + SUBNET_FIXED_OCTETS + ((subnet.sourceLength + 7) >>> 3);
	}

	/** RFC 6891 §6.1.2; the client subnet comes back as it was, with the scope (RFC 7871 §7.2.1). */
	#writeOpt(): void {
		const writer = this.#writer;
		const { subnet, isDnssecOk } = this.#query;
		const { rcode, scope } = this.#answer;
		writer.u8(0);
		writer.u16(TYPE.opt);
		writer.u16(UDP_PAYLOAD_OCTETS_MAX);
		writer.u8(rcode >>> 4);
		writer.u8(0);
		writer.u16(isDnssecOk ? DNSSEC_OK : 0);
		writer.u16(this.#optOctets() - OPT_FIXED_OCTETS);
		if (!subnet.isPresent) return;
		const octets = (subnet.sourceLength + 7) >>> 3;
		writer.u16(EDNS_OPTION.clientSubnet);
		writer.u16(SUBNET_FIXED_OCTETS + octets);
		writer.u16(subnet.familyCode);
		writer.u8(subnet.sourceLength);
		writer.u8(this.#isNamed ? scope : 0);
		for (let i = 0; i < octets; i++) writer.u8((subnet.words[i >>> 2] ?? 0) >>> (24 - 8 * (i & 3)));
	}
}

function rcodeOf(verdict: number): number {
	switch (verdict) {
		case VERDICT.notimp:
			return RCODE.notimp;
		case VERDICT.badvers:
			return RCODE.badvers;
		default:
			return RCODE.formerr;
	}
}

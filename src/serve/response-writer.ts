/**
 * A chosen answer to bytes: question, sections, OPT, header; cut at a limit.
 *
 * | what does not fit         | the response                                                          |
 * |---------------------------|-----------------------------------------------------------------------|
 * | an answer, its SOA or NS  | TC and no records: the client will ask again over TCP (RFC 2181 §9)   |
 * | glue of a referral        | TC and what fits (RFC 9471 §2.1)                                      |
 * | other additional records  | left out                                                              |
 */

import { nameLength, octet } from '../dns/name.ts';
import { CLASS, FLAG, HEADER_OCTETS, TYPE } from '../dns/protocol.ts';
import type { Query } from '../dns/query.ts';
import { MessageWriter } from '../dns/writer.ts';
import { type Answer, type Section, type SectionEntry, SOURCE, type World } from '../snapshot/answer.ts';
import type { OptReply } from './opt-reply.ts';

const OPCODE_BITS = 0x7800;
/** The owner that stands for the name asked for. */
const QNAME = -1;
const ROOT = new Uint8Array(1);
const LENGTH_OCTETS = 2;
const POINTER_OCTETS = 2;
/** Serial and four periods. */
const SOA_FIXED_OCTETS = 20;

/** How much of an answer fitted. */
const WHOLE = 0;
const RECORDS_MISSING = 1;
const GLUE_MISSING = 2;

/** Writes one response at a time; its room is taken once. */
export class ResponseWriter {
	/** The last response was truncated. */
	isTruncated = false;
	readonly #query: Query;
	readonly #answer: Answer;
	readonly #opt: OptReply;
	readonly #writer = new MessageWriter();
	#hasNotedQuestion = false;
	/** The last section left an RRset out. */
	#isCut = false;
	/** Records written. */
	#answers = 0;
	#authorities = 0;
	#additionals = 0;

	constructor(query: Query, answer: Answer, opt: OptReply) {
		this.#query = query;
		this.#answer = answer;
		this.#opt = opt;
	}

	/**
	 * Write the response to `request`, which the query was read from.
	 *
	 * @param limit  octets that it may have; room for the question and the OPT record at least
	 * @param out    may be `request` itself, whose question then stays where it is
	 * @returns octets written
	 */
	write(request: Uint8Array, world: World, limit: number, out: Uint8Array): number {
		this.#begin(request, limit, out);
		const fitted = this.#writeSections(world);
		this.isTruncated = fitted !== WHOLE;
		if (fitted === RECORDS_MISSING) this.#dropRecords();
		return this.#finish(limit);
	}

	/** A response that says no more than that TCP is the way. */
	writeTruncated(request: Uint8Array, limit: number, out: Uint8Array): number {
		this.#begin(request, limit, out);
		this.isTruncated = true;
		this.#dropRecords();
		return this.#finish(limit);
	}

	/** One TXT record of class CHAOS that holds `text`, at most 255 octets. */
	writeChaos(request: Uint8Array, text: Uint8Array, limit: number, out: Uint8Array): number {
		const writer = this.#writer;
		this.#begin(request, limit, out);
		this.isTruncated = false;
		this.#dropRecords();
		writer.pointer(HEADER_OCTETS);
		writer.u16(TYPE.txt);
		writer.u16(CLASS.chaos);
		writer.u32(0);
		writer.u16(text.length + 1);
		writer.u8(text.length);
		writer.octets(text, 0, text.length);
		this.#answers = 1;
		return this.#finish(limit);
	}

	#begin(request: Uint8Array, limit: number, out: Uint8Array): void {
		const query = this.#query;
		this.#writer.begin(out, limit - this.#opt.octets);
		this.#hasNotedQuestion = false;
		const questionOctets = query.questionEnd - HEADER_OCTETS;
		if (out === request) this.#writer.keep(questionOctets);
		else this.#writer.octets(request, HEADER_OCTETS, questionOctets);
	}

	#finish(limit: number): number {
		const query = this.#query;
		const writer = this.#writer;
		const { rcode, isAuthoritative, scope } = this.#answer;
		writer.limit = limit;
		if (this.#opt.octets > 0) this.#opt.write(writer, query, rcode, scope);
		let flags = FLAG.qr | (query.flags & (FLAG.rd | OPCODE_BITS)) | (rcode & 15);
		if (isAuthoritative) flags |= FLAG.aa;
		if (this.isTruncated) flags |= FLAG.tc;
		writer.patch16(0, query.id);
		writer.patch16(2, flags);
		writer.patch16(4, query.hasQuestion ? 1 : 0);
		writer.patch16(6, this.#answers);
		writer.patch16(8, this.#authorities);
		writer.patch16(10, this.#additionals + (this.#opt.octets > 0 ? 1 : 0));
		return writer.length;
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
			const entry = section.entries[i];
			if (entry === undefined) break;
			const before = writer.length;
			this.#writeRrset(world, entry);
			if (writer.isFull) {
				writer.rewind(before);
				this.#isCut = true;
				break;
			}
			records += entry.records;
		}
		return records;
	}

	#writeRrset(world: World, entry: SectionEntry): void {
		const source = entry.source;
		if (source === SOURCE.picked) this.#writePicked(world, entry);
		else if (source === SOURCE.synthesized) this.#writeSynthesized(world, entry);
		else if (source === SOURCE.soa) this.#writeSoa(world, entry);
		else if (source === SOURCE.alias) this.#writeAlias(world, entry, world.snapshot.steering.rdata, entry.dataAt);
		else this.#writeStored(world, entry);
	}

	#writeStored(world: World, entry: SectionEntry): void {
		const writer = this.#writer;
		const { bytes } = world.snapshot.zones;
		const records = entry.records;
		const nameCount = entry.nameCount;
		let at = entry.dataAt;
		for (let record = 0; record < records && !writer.isFull; record++) {
			const length = (octet(bytes, at) << 8) | octet(bytes, at + 1);
			this.#writeFixed(world, entry);
			if (nameCount === 0) {
				writer.rdata(bytes, at + 2, length);
			} else {
				this.#writeCompressed(bytes, at + 2, length, entry.nameSkip, nameCount);
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
	#writePicked(world: World, entry: SectionEntry): void {
		const writer = this.#writer;
		const { picked } = this.#answer;
		const records = entry.records;
		const octets = entry.type === TYPE.a ? 4 : 16;
		for (let record = 0; record < records; record++) {
			this.#writeFixed(world, entry);
			writer.rdata(world.snapshot.steering.rdata, picked[record] ?? 0, octets);
		}
	}

	/** The SOA of a negative answer: its owner and both its names end in a suffix of QNAME, so no name is looked at. */
	#writeSoa(world: World, entry: SectionEntry): void {
		const writer = this.#writer;
		const { bytes } = world.snapshot.zones;
		const { name } = this.#query;
		const start = name.starts[entry.owner] ?? 0;
		const apexAt = HEADER_OCTETS + start;
		const apexOctets = name.length - start;
		const mname = entry.nameSkip;
		const rname = entry.nameCount;
		const mnameAt = entry.dataAt + LENGTH_OCTETS;
		const rnameAt = mnameAt + mname + apexOctets;
		writer.recordHead(apexAt, TYPE.soa, entry.ttlSec);
		writer.u16(mname + rname + 2 * POINTER_OCTETS + SOA_FIXED_OCTETS);
		writer.octets(bytes, mnameAt, mname);
		writer.pointer(apexAt);
		writer.octets(bytes, rnameAt, rname);
		writer.pointer(apexAt);
		writer.octets(bytes, rnameAt + rname + apexOctets, SOA_FIXED_OCTETS);
	}

	/** The CNAME that a DNAME makes: from one link of the chain to the next. */
	#writeSynthesized(world: World, entry: SectionEntry): void {
		// Link n is the owner -1 - n, and the name behind it is link n + 1.
		this.#writeAlias(world, entry, this.#answer.chain[-entry.owner]?.wire ?? ROOT, 0);
	}

	#writeAlias(world: World, entry: SectionEntry, target: Uint8Array, at: number): void {
		const writer = this.#writer;
		this.#writeFixed(world, entry);
		this.#noteQuestion();
		const lengthAt = writer.length;
		writer.u16(0);
		writer.name(target, at);
		if (!writer.isFull) writer.patch16(lengthAt, writer.length - lengthAt - 2);
	}

	/** Owner, type, class and TTL. */
	#writeFixed(world: World, entry: SectionEntry): void {
		const writer = this.#writer;
		const owner = entry.owner;
		// A pointer to a root label would be longer than the label.
		if (owner === QNAME && this.#query.name.labelCount > 0) {
			writer.recordHead(HEADER_OCTETS, entry.type, entry.ttlSec);
			return;
		}
		this.#noteQuestion();
		if (owner >= 0) writer.name(world.snapshot.zones.bytes, owner);
		else writer.name(owner === QNAME ? ROOT : (this.#answer.chain[-1 - owner]?.wire ?? ROOT), 0);
		writer.u16(entry.type);
		writer.u16(CLASS.in);
		writer.u32(entry.ttlSec);
	}

	/** Most answers need no name but QNAME, so its suffixes are noted when the first one does. */
	#noteQuestion(): void {
		if (this.#hasNotedQuestion) return;
		this.#hasNotedQuestion = true;
		this.#writer.noteName(this.#query.name, HEADER_OCTETS);
	}
}

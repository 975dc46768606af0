/**
 * The gist of a message that we wrote ourselves: a few microseconds rather than the dozen of `readMessage`, for whoever
 * tells of thousands of them a second. What is malformed or cut off ends the walk; nothing is read past the end.
 */

import { type Address, addressFromOctets, printAddress } from '../lib/address.ts';
import { Name, octet, printName } from './name.ts';
import { EDNS_OPTION, FLAG, HEADER_OCTETS, TYPE } from './protocol.ts';
import { printRdata, readRdata } from './rdata.ts';
import { typeText } from './rr-type.ts';

export interface MessageSummary {
	readonly opcode: number;
	/** The OPT record's upper bits are part of it. */
	readonly rcode: number;
	readonly isAuthoritative: boolean;
	readonly isTruncated: boolean;
	/** Undefined without a question. */
	readonly question: { readonly name: string; readonly type: string; readonly class: number } | undefined;
	/** Records of the answer, each as its type and its RDATA; the first ones of `answerCount`. */
	readonly answers: readonly string[];
	readonly answerCount: number;
	/** The least one of the answer, without an answer of the authority section. */
	readonly ttlSec: number | undefined;
	readonly subnet: { readonly address: Address; readonly source: number; readonly scope: number } | undefined;
}

const RR_FIXED_OCTETS = 10;
const QUESTION_FIXED_OCTETS = 4;

/** Its room is taken once. */
export class SummaryReader {
	readonly #answersMax: number;
	readonly #scratch = new Name();

	/** @param answersMax  most records that are told in text */
	constructor(answersMax: number) {
		this.#answersMax = answersMax;
	}

	read(packet: Uint8Array): MessageSummary {
		const flags = word(packet, 2);
		const hasQuestion = word(packet, 4) > 0;
		const nameEnd = hasQuestion ? nameEndAt(packet, HEADER_OCTETS) : HEADER_OCTETS;
		const question = hasQuestion
			? {
					name: printName(packet, HEADER_OCTETS),
					type: typeText(word(packet, nameEnd)),
					class: word(packet, nameEnd + 2),
				}
			: undefined;
		const answerCount = word(packet, 6);
		const authorityEnd = answerCount + word(packet, 8);
		const recordCount = authorityEnd + word(packet, 10);
		const answers: string[] = [];
		let ttlSec: number | undefined;
		let upperRcode = 0;
		let subnet: MessageSummary['subnet'];
		let at = hasQuestion ? nameEnd + QUESTION_FIXED_OCTETS : HEADER_OCTETS;
		for (let i = 0; i < recordCount && at < packet.length; i++) {
			const fixedAt = nameEndAt(packet, at);
			const type = word(packet, fixedAt);
			const dataAt = fixedAt + RR_FIXED_OCTETS;
			const length = word(packet, fixedAt + 8);
			at = dataAt + length;
			if (at > packet.length) break;
			if (i < answerCount || (i < authorityEnd && answerCount === 0)) {
				const own = word(packet, fixedAt + 4) * 65536 + word(packet, fixedAt + 6);
				ttlSec = ttlSec === undefined ? own : Math.min(ttlSec, own);
			}
			if (i < answerCount && i < this.#answersMax) {
				answers.push(`${typeText(type)} ${this.#rdataText(packet, type, dataAt, length)}`);
			} else if (i >= authorityEnd && type === TYPE.opt) {
				upperRcode = octet(packet, fixedAt + 4);
				subnet = subnetOf(packet, dataAt, at);
			}
		}
		return {
			opcode: (flags >>> 11) & 15,
			rcode: (upperRcode << 4) | (flags & 15),
			isAuthoritative: (flags & FLAG.aa) !== 0,
			isTruncated: (flags & FLAG.tc) !== 0,
			question,
			answers,
			answerCount,
			ttlSec,
			subnet,
		};
	}

	#rdataText(packet: Uint8Array, type: number, dataAt: number, length: number): string {
		if (type === TYPE.a && length === 4) {
			return `${packet[dataAt]}.${packet[dataAt + 1]}.${packet[dataAt + 2]}.${packet[dataAt + 3]}`;
		}
		if (type === TYPE.aaaa && length === 16) return printAddress(addressFromOctets(packet, dataAt, 6));
		const rdata = readRdata(type, packet, dataAt, length, this.#scratch) ?? packet.subarray(dataAt, dataAt + length);
		return printRdata(type, rdata);
	}
}

/** The first client subnet among the options that stand in [at, end). */
function subnetOf(packet: Uint8Array, at: number, end: number): MessageSummary['subnet'] {
	for (let option = at; option + 4 <= end; option += 4 + word(packet, option + 2)) {
		if (word(packet, option) !== EDNS_OPTION.clientSubnet) continue;
		const familyCode = word(packet, option + 4);
		if (familyCode !== 1 && familyCode !== 2) return undefined;
		const words = new Uint32Array(4);
		const octets = Math.min(word(packet, option + 2) - 4, 16);
		for (let i = 0; i < octets; i++) {
			words[i >>> 2] = (words[i >>> 2] ?? 0) | (octet(packet, option + 8 + i) << (24 - 8 * (i & 3)));
		}
		const address: Address = { family: familyCode === 1 ? 4 : 6, words };
		return { address, source: octet(packet, option + 6), scope: octet(packet, option + 7) };
	}
	return undefined;
}

/** Behind a name as it stands there: a pointer ends it. */
function nameEndAt(packet: Uint8Array, offset: number): number {
	let at = offset;
	for (;;) {
		const size = octet(packet, at);
		if (size === 0) return at + 1;
		if (size >= 0xc0) return at + 2;
		at += size + 1;
	}
}

function word(packet: Uint8Array, at: number): number {
	return (octet(packet, at) << 8) | octet(packet, at + 1);
}

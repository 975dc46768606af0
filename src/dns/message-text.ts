/**
 * Any DNS message as a plain structure and as text, for people and tests: nothing here is fast, and no query is
 * answered from it.
 *
 *     octets --readMessage--> Message --printMessage--> text
 */

import { addressFromOctets, type Family, printAddress } from '../lib/address.ts';
import { expandName, Name, octet, printName, readName } from './name.ts';
import { EDNS_OPTION, FLAG, HEADER_OCTETS, TYPE } from './protocol.ts';
import { printRdata, readRdata } from './rdata.ts';
import { typeText } from './rr-type.ts';

export interface Message {
	readonly id: number;
	/** Names of the flags that are set, in header order: `qr aa tc rd ra z ad cd`. */
	readonly flags: readonly string[];
	/** A registered name, or `OPCODE` and its number. */
	readonly opcode: string;
	/** A registered name, or `RCODE` and its number; the OPT record's upper bits are part of it. */
	readonly rcode: string;
	readonly question: readonly MessageQuestion[];
	readonly answer: readonly MessageRecord[];
	readonly authority: readonly MessageRecord[];
	/** Without the OPT record. */
	readonly additional: readonly MessageRecord[];
	/** The first OPT record of the additional section. */
	readonly opt: MessageOpt | undefined;
	/** OPT records in all sections; a good message has at most one. */
	readonly optCount: number;
}

export interface MessageQuestion {
	/** Absolute, in its own case. */
	readonly name: string;
	readonly type: string;
	readonly class: string;
}

export interface MessageRecord extends MessageQuestion {
	readonly ttlSec: number;
	/** Master-file text; the form of RFC 3597 for what has no form of its own or breaks it. */
	readonly rdataText: string;
}

export interface MessageOpt {
	readonly payloadOctets: number;
	readonly version: number;
	readonly isDnssecOk: boolean;
	/** The 16 flag bits but DO (RFC 6891 §6.1.4); 0 unless somebody uses what is reserved. */
	readonly otherFlags: number;
	/** All options, the client subnet too, in the order of the message. */
	readonly options: readonly MessageOption[];
	/** The first client subnet option (RFC 7871 §6) that can be read. */
	readonly subnet: MessageSubnet | undefined;
}

export interface MessageOption {
	readonly code: number;
	readonly hex: string;
}

export interface MessageSubnet {
	/** As in the message: 1 is IPv4, 2 is IPv6, 0 has no address. */
	readonly family: number;
	readonly source: number;
	readonly scope: number;
	/** Zero padded to a whole address; empty for family 0. */
	readonly address: string;
}

const FLAG_NAMES = [
	[FLAG.qr, 'qr'],
	[FLAG.aa, 'aa'],
	[FLAG.tc, 'tc'],
	[FLAG.rd, 'rd'],
	[FLAG.ra, 'ra'],
	[0x0040, 'z'],
	[FLAG.ad, 'ad'],
	[FLAG.cd, 'cd'],
] as const;

const OPCODE_NAMES: Readonly<Record<number, string>> = {
	0: 'QUERY',
	1: 'IQUERY',
	2: 'STATUS',
	4: 'NOTIFY',
	5: 'UPDATE',
	6: 'DSO',
};

const RCODE_NAMES: Readonly<Record<number, string>> = {
	0: 'NOERROR',
	1: 'FORMERR',
	2: 'SERVFAIL',
	3: 'NXDOMAIN',
	4: 'NOTIMP',
	5: 'REFUSED',
	6: 'YXDOMAIN',
	7: 'YXRRSET',
	8: 'NXRRSET',
	9: 'NOTAUTH',
	10: 'NOTZONE',
	16: 'BADVERS',
	17: 'BADKEY',
	18: 'BADTIME',
	22: 'BADTRUNC',
	23: 'BADCOOKIE',
};

const CLASS_NAMES: Readonly<Record<number, string>> = { 1: 'IN', 3: 'CH', 4: 'HS', 254: 'NONE', 255: 'ANY' };

/** The registered name of an RCODE, or `RCODE` and its number. */
export function rcodeText(rcode: number): string {
	return RCODE_NAMES[rcode] ?? `RCODE${rcode}`;
}

/** A registered name, or `OPCODE` and its number. */
export function opcodeText(opcode: number): string {
	return OPCODE_NAMES[opcode] ?? `OPCODE${opcode}`;
}

/** @returns the message, or a sentence that says where it cannot be read: cut off, malformed, octets behind its end */
export function readMessage(packet: Uint8Array): Message | string {
	if (packet.length < HEADER_OCTETS) {
		return `Cannot read a message of ${packet.length} octets: expected a header of ${HEADER_OCTETS}`;
	}
	const reader = new Reader(packet);
	const flags = reader.word(2);
	const question = reader.questions(reader.word(4));
	const answer = reader.records('answer', reader.word(6));
	const authority = reader.records('authority', reader.word(8));
	const additional = reader.records('additional', reader.word(10));
	if (reader.problem !== undefined) return reader.problem;
	if (reader.at !== packet.length) {
		return `Cannot read the message: expected its end at octet ${reader.at}, found ${packet.length} octets`;
	}
	const opcode = (flags >>> 11) & 15;
	const rcode = (reader.rcodeUpper << 4) | (flags & 15);
	return {
		id: reader.word(0),
		flags: FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name),
		opcode: opcodeText(opcode),
		rcode: rcodeText(rcode),
		question,
		answer,
		authority,
		additional,
		opt: reader.opt,
		optCount: reader.optCount,
	};
}

/** Walks a message once; the first problem stops it, and everything behind reads as empty. */
class Reader {
	at = HEADER_OCTETS;
	problem: string | undefined;
	opt: MessageOpt | undefined;
	optCount = 0;
	/** Upper eight bits of the RCODE. */
	rcodeUpper = 0;
	readonly #packet: Uint8Array;
	readonly #scratch = new Name();

	constructor(packet: Uint8Array) {
		this.#packet = packet;
	}

	word(at: number): number {
		return (octet(this.#packet, at) << 8) | octet(this.#packet, at + 1);
	}

	questions(count: number): MessageQuestion[] {
		const questions: MessageQuestion[] = [];
		for (let i = 0; i < count && this.problem === undefined; i++) {
			const name = this.#name('question', i, 4);
			if (name === undefined) break;
			questions.push({
				name: printName(name),
				type: typeText(this.word(this.at)),
				class: classText(this.word(this.at + 2)),
			});
			this.at += 4;
		}
		return questions;
	}

	records(section: string, count: number): MessageRecord[] {
		const records: MessageRecord[] = [];
		for (let i = 0; i < count && this.problem === undefined; i++) {
			const name = this.#name(section, i, 10);
			if (name === undefined) break;
			const fixedAt = this.at;
			const type = this.word(fixedAt);
			const length = this.word(fixedAt + 8);
			if (fixedAt + 10 + length > this.#packet.length) {
				this.#fail(section, i);
				break;
			}
			this.at = fixedAt + 10 + length;
			if (type === TYPE.opt) this.#opt(section, fixedAt, length);
			else records.push(this.#record(name, type, fixedAt, length));
		}
		return records;
	}

	#record(name: Uint8Array, type: number, fixedAt: number, length: number): MessageRecord {
		const dataAt = fixedAt + 10;
		// UPDATE and NOTIFY messages hold records without RDATA; like anything malformed they print as plain octets.
		const rdata =
			readRdata(type, this.#packet, dataAt, length, this.#scratch) ?? this.#packet.subarray(dataAt, dataAt + length);
		return {
			name: printName(name),
			type: typeText(type),
			class: classText(this.word(fixedAt + 2)),
			ttlSec: this.word(fixedAt + 4) * 65536 + this.word(fixedAt + 6),
			rdataText: printRdata(type, rdata),
		};
	}

	/** The name at the present place, with `fixedOctets` behind it; moves to its end. */
	#name(section: string, index: number, fixedOctets: number): Uint8Array | undefined {
		const next = readName(this.#packet, this.at, this.#packet.length, this.#scratch);
		if (next < 0 || next + fixedOctets > this.#packet.length) {
			this.#fail(section, index);
			return undefined;
		}
		const name = expandName(this.#packet, this.at);
		this.at = next;
		return name;
	}

	#fail(section: string, index: number): void {
		this.problem = `Cannot read ${section}[${index}] behind octet ${this.at}: it is malformed or cut off`;
	}

	#opt(section: string, fixedAt: number, length: number): void {
		this.optCount++;
		if (section !== 'additional' || this.opt !== undefined) return;
		this.rcodeUpper = octet(this.#packet, fixedAt + 4);
		const flags = this.word(fixedAt + 6);
		const options: MessageOption[] = [];
		let subnet: MessageSubnet | undefined;
		const end = fixedAt + 10 + length;
		for (let at = fixedAt + 10; at < end; ) {
			const size = at + 4 <= end ? this.word(at + 2) : end;
			if (at + 4 + size > end) {
				this.problem = `Cannot read the OPT record: its options do not end at octet ${end}`;
				return;
			}
			const data = this.#packet.subarray(at + 4, at + 4 + size);
			const code = this.word(at);
			options.push({ code, hex: hexOf(data) });
			if (code === EDNS_OPTION.clientSubnet) subnet ??= readSubnet(data);
			at += 4 + size;
		}
		this.opt = {
			payloadOctets: this.word(fixedAt + 2),
			version: octet(this.#packet, fixedAt + 5),
			isDnssecOk: (flags & 0x8000) !== 0,
			otherFlags: flags & 0x7fff,
			options,
			subnet,
		};
	}
}

function readSubnet(data: Uint8Array): MessageSubnet | undefined {
	const familyCode = (octet(data, 0) << 8) | octet(data, 1);
	if (data.length < 4 || familyCode > 2) return undefined;
	const head = { family: familyCode, source: octet(data, 2), scope: octet(data, 3) };
	if (familyCode === 0) return { ...head, address: '' };
	const family: Family = familyCode === 1 ? 4 : 6;
	const padded = new Uint8Array(16);
	if (data.length - 4 > (family === 4 ? 4 : 16)) return undefined;
	padded.set(data.subarray(4));
	return { ...head, address: printAddress(addressFromOctets(padded, 0, family)) };
}

/** `IN`, another registered name, or `CLASS` and its number (RFC 3597 §5). */
export function classText(code: number): string {
	return CLASS_NAMES[code] ?? `CLASS${code}`;
}

/**
 * Text in the manner of dig: comments for what is no record, one line for each record; sections that are empty are left out.
 *
 *     ;; QUERY NOERROR, id 1, flags: qr aa
 *     ;; OPT: version 0, payload 1232, do, subnet 192.0.2.0/24/16
 *     ;; QUESTION
 *     ; www.example.org. IN A
 *     ;; ANSWER
 *     www.example.org. 60 IN A 192.0.2.1
 */
export function printMessage(message: Message): string {
	const flags = message.flags.length === 0 ? '' : `, flags: ${message.flags.join(' ')}`;
	const lines = [`;; ${message.opcode} ${message.rcode}, id ${message.id}${flags}`];
	if (message.opt !== undefined) lines.push(`;; OPT: ${printOpt(message.opt)}`);
	if (message.question.length > 0) lines.push(';; QUESTION');
	for (const question of message.question) lines.push(`; ${question.name} ${question.class} ${question.type}`);
	for (const section of ['answer', 'authority', 'additional'] as const) {
		if (message[section].length > 0) lines.push(`;; ${section.toUpperCase()}`);
		for (const record of message[section]) lines.push(printRecord(record));
	}
	return `${lines.join('\n')}\n`;
}

export function printRecord({ name, ttlSec, class: className, type, rdataText }: MessageRecord): string {
	return `${name} ${ttlSec} ${className} ${type} ${rdataText}`;
}

function printOpt({ version, payloadOctets, isDnssecOk, otherFlags, options, subnet }: MessageOpt): string {
	const words = [`version ${version}`, `payload ${payloadOctets}`];
	if (isDnssecOk) words.push('do');
	if (otherFlags !== 0) words.push(`flags 0x${otherFlags.toString(16)}`);
	if (subnet !== undefined) {
		words.push(`subnet ${subnet.address === '' ? 'none' : subnet.address}/${subnet.source}/${subnet.scope}`);
	}
	for (const { code, hex } of options) {
		if (code !== EDNS_OPTION.clientSubnet || subnet === undefined) words.push(`option ${code} ${hex}`.trimEnd());
	}
	return words.join(', ');
}

function hexOf(octets: Uint8Array): string {
	return Array.from(octets, (value) => value.toString(16).padStart(2, '0')).join('');
}

/**
 * Records of queries on their way from one worker to the main thread: a ring of slots in shared memory with one writer
 * and one reader, who never wait for each other. When the reader is slow the ring is full, and what comes is not taken.
 *
 *     written - read slots are full; the writer alone moves `written`, the reader alone `read`
 *
 *            read                written
 *              v                    v
 *     | free | full | full | full | free | free |
 *
 * A slot holds words that say who asked and what policies decided, and the response as it was sent.
 */

import { HEADER_OCTETS } from '../dns/protocol.ts';
import type { Address } from '../lib/address.ts';
import type { Decisions } from '../snapshot/decisions.ts';

/** A power of two. At 1 MB and a half for each worker, some 100 ms of 10,000 records a second. */
const SLOTS = 1024;
const SLOT_OCTETS = 1408;
/** Decisions and endpoints of one record; a chain that has more is told as far as that. */
const DECISIONS_MAX = 4;
const ENDPOINTS_MAX = 16;

/** Words of a slot. */
const WORD = {
	flags: 0,
	sender: 1,
	generation: 5,
	/** Milliseconds since 1970, a double. */
	time: 6,
	messageOctets: 8,
	responseOctets: 9,
	decisions: 10,
	endpoints: 11,
	/** DECISIONS_MAX rows of name, pick, state and the end of its endpoints. */
	decisionRows: 12,
	endpointRows: 28,
	message: 44,
} as const;
const DECISION_WORDS = 4;
const MESSAGE_AT = 4 * WORD.message;
const MESSAGE_OCTETS_MAX = SLOT_OCTETS - MESSAGE_AT;

const FLAG = { isTcp: 1, isIpv6: 2, isCut: 4, isSlipped: 8, isDropped: 16 } as const;

const NO_DECISIONS: readonly DecisionRecord[] = [];

const CONTROL = { written: 0, read: 1 } as const;
const CONTROL_OCTETS = 64;

/** What became of a query at the rate limits. */
export type Limited = 'no' | 'slipped' | 'dropped';

/** What a worker tells; one object that it fills anew for each record. */
export class LoggedQuery {
	/** The response, or the request where there is none. */
	message: Uint8Array = new Uint8Array(0);
	/** Of the response; 0 where there is none. */
	octets = 0;
	/** Octets of header and question. */
	questionEnd = HEADER_OCTETS;
	hasQuestion = false;
	sender: Address = { family: 4, words: new Uint32Array(4) };
	isTcp = false;
	limited: Limited = 'no';
	generation = 0;
	timeMs = 0;
	decisions: Decisions | undefined;
}

/** What the main thread reads. */
export interface QueryRecord {
	readonly timeMs: number;
	readonly isTcp: boolean;
	readonly sender: Address;
	readonly limited: Limited;
	readonly generation: number;
	/** The response; of the request, or of a response that found no room, the header and the question alone. */
	readonly message: Uint8Array;
	/** Its records were left out. */
	readonly isCut: boolean;
	readonly responseOctets: number;
	readonly decisions: readonly DecisionRecord[];
}

export interface DecisionRecord {
	/** Index into the steering table's names. */
	readonly name: number;
	/** Index into its nodes; -1 for none. */
	readonly pick: number;
	/** One of STATE (steering/walk.ts). */
	readonly state: number;
	/** Indexes into its endpoints. */
	readonly endpoints: readonly number[];
}

export function createRingMemory(): SharedArrayBuffer {
	return new SharedArrayBuffer(CONTROL_OCTETS + SLOTS * SLOT_OCTETS);
}

/** The ring as one of its two ends sees it. */
export class QueryRing {
	readonly #control: Int32Array;
	readonly #words: Int32Array;
	readonly #doubles: Float64Array;
	readonly #octets: Uint8Array;

	constructor(memory: SharedArrayBuffer) {
		this.#control = new Int32Array(memory, 0, CONTROL_OCTETS / 4);
		this.#words = new Int32Array(memory, CONTROL_OCTETS);
		this.#doubles = new Float64Array(memory, CONTROL_OCTETS);
		this.#octets = new Uint8Array(memory, CONTROL_OCTETS);
	}

	/** @returns whether there was room */
	write(query: LoggedQuery): boolean {
		const written = Atomics.load(this.#control, CONTROL.written);
		if (((written - Atomics.load(this.#control, CONTROL.read)) | 0) >= SLOTS) return false;
		const slot = written & (SLOTS - 1);
		this.#writeWords(query, (slot * SLOT_OCTETS) >>> 2);
		this.#writeMessage(query, slot * SLOT_OCTETS);
		// Only now may the reader see it.
		Atomics.store(this.#control, CONTROL.written, (written + 1) | 0);
		return true;
	}

	#writeWords(query: LoggedQuery, at: number): void {
		const words = this.#words;
		const { sender, decisions } = query;
		let flags = 0;
		if (query.isTcp) flags |= FLAG.isTcp;
		if (sender.family === 6) flags |= FLAG.isIpv6;
		if (query.limited === 'slipped') flags |= FLAG.isSlipped;
		if (query.limited === 'dropped') flags |= FLAG.isDropped;
		words[at + WORD.flags] = flags;
		for (let i = 0; i < 4; i++) words[at + WORD.sender + i] = sender.words[i] ?? 0;
		words[at + WORD.generation] = query.generation;
		this.#doubles[(at + WORD.time) >>> 1] = query.timeMs;
		words[at + WORD.responseOctets] = query.octets;
		if (decisions === undefined) {
			words[at + WORD.decisions] = 0;
			words[at + WORD.endpoints] = 0;
			return;
		}
		const count = decisions.count < DECISIONS_MAX ? decisions.count : DECISIONS_MAX;
		words[at + WORD.decisions] = count;
		for (let i = 0; i < count; i++) {
			const row = at + WORD.decisionRows + i * DECISION_WORDS;
			const decision = decisions.rows[i];
			if (decision === undefined) continue;
			words[row] = decision.name;
			words[row + 1] = decision.pick;
			words[row + 2] = decision.state;
			words[row + 3] = decision.end;
		}
		const endpoints = decisions.endpointCount < ENDPOINTS_MAX ? decisions.endpointCount : ENDPOINTS_MAX;
		words[at + WORD.endpoints] = endpoints;
		for (let i = 0; i < endpoints; i++) words[at + WORD.endpointRows + i] = decisions.endpoints[i] ?? 0;
	}

	#writeMessage(query: LoggedQuery, slotAt: number): void {
		const octets = this.#octets;
		const { message } = query;
		const to = slotAt + MESSAGE_AT;
		const isWhole = query.octets > 0 && query.octets <= MESSAGE_OCTETS_MAX;
		// Header and question always fit: a name has at most 255 octets.
		const length = isWhole ? query.octets : query.questionEnd;
		for (let i = 0; i < length; i++) octets[to + i] = message[i] ?? 0;
		this.#words[(slotAt >>> 2) + WORD.messageOctets] = length;
		if (isWhole) return;
		this.#words[(slotAt >>> 2) + WORD.flags] = (this.#words[(slotAt >>> 2) + WORD.flags] ?? 0) | FLAG.isCut;
		for (let i = 4; i < HEADER_OCTETS; i++) octets[to + i] = 0;
		octets[to + 5] = query.hasQuestion ? 1 : 0;
	}

	/** The oldest record that was not yet read, as a copy; undefined when there is none. */
	read(): QueryRecord | undefined {
		const read = Atomics.load(this.#control, CONTROL.read);
		if (read === Atomics.load(this.#control, CONTROL.written)) return undefined;
		const record = this.#readSlot((read & (SLOTS - 1)) * SLOT_OCTETS);
		// Only now may the writer use the slot again.
		Atomics.store(this.#control, CONTROL.read, (read + 1) | 0);
		return record;
	}

	#readSlot(slotAt: number): QueryRecord {
		const at = slotAt >>> 2;
		const word = (i: number) => this.#words[at + i] ?? 0;
		const flags = word(WORD.flags);
		const messageAt = slotAt + MESSAGE_AT;
		return {
			timeMs: this.#doubles[(at + WORD.time) >>> 1] ?? 0,
			isTcp: (flags & FLAG.isTcp) !== 0,
			sender: { family: (flags & FLAG.isIpv6) !== 0 ? 6 : 4, words: this.#readSender(at) },
			limited: (flags & FLAG.isDropped) !== 0 ? 'dropped' : (flags & FLAG.isSlipped) !== 0 ? 'slipped' : 'no',
			generation: word(WORD.generation),
			message: this.#octets.slice(messageAt, messageAt + word(WORD.messageOctets)),
			isCut: (flags & FLAG.isCut) !== 0,
			responseOctets: word(WORD.responseOctets),
			decisions: word(WORD.decisions) === 0 ? NO_DECISIONS : this.#readDecisions(word),
		};
	}

	#readSender(at: number): Uint32Array {
		const words = new Uint32Array(4);
		for (let i = 0; i < 4; i++) words[i] = this.#words[at + WORD.sender + i] ?? 0;
		return words;
	}

	#readDecisions(word: (i: number) => number): readonly DecisionRecord[] {
		const decisions: DecisionRecord[] = [];
		let from = 0;
		for (let i = 0; i < word(WORD.decisions); i++) {
			const row = WORD.decisionRows + i * DECISION_WORDS;
			const end = Math.min(word(row + 3), word(WORD.endpoints));
			const endpoints: number[] = [];
			for (; from < end; from++) endpoints.push(word(WORD.endpointRows + from));
			decisions.push({ name: word(row), pick: word(row + 1), state: word(row + 2), endpoints });
		}
		return decisions;
	}
}

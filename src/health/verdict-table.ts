/**
 * Verdicts and round-trip times in memory that all workers share: one word per target, and one time per target and
 * vantage, which is a region that has had a prober.
 *
 *     prober -> set() -> one atomic store -> `changes` -> the next query reads the words again, each once
 *
 *     rttUs: | slots of vantage 0 | slots of vantage 1 | ...
 *
 * The main thread owns the table and gives out the slots; workers see only the words. A slot that a
 * generation no longer uses is given out again one generation later, when no worker can still read it
 * as the old target.
 */

import { smoothed } from './round-trips.ts';

/** `waiting` is unknown too, and counts as up; but answers pass it over while another endpoint of its pool is known to be up. */
export const VERDICT_WORD = { unknown: 0, up: 1, down: 2, waiting: 3 } as const;

/**
 * What a word holds. `upFor` is 0 for a target that nothing starts slowly, else one more than the tenths of a second
 * that it has been up.
 *
 *     | 31 .. 4 | 3        | 2     | 1 0          |
 *     | upFor   | regional | stale | VERDICT_WORD |
 *
 * `regional`: vantages may have a word of their own, which is 0 where one has none.
 */
export const WORD = { verdict: 3, stale: 4, regional: 8, upForShift: 4 } as const;

const UP_FOR_UNIT_MS = 100;
const UP_FOR_MAX = 0x7ffffff;

/** What a word says beside its verdict. */
export interface WordMarks {
	/** It rests on votes that are too old. */
	readonly isStale: boolean;
	/** While it is started slowly: how long it has been up. */
	readonly upForMs: number | undefined;
}

/** What there is to be written beside a verdict. */
interface VerdictMarks extends WordMarks {
	/** Words of regions that have one of their own; empty for a target that is the same for all clients. */
	readonly regional: ReadonlyMap<string, WordMarks & { readonly verdict: 'up' | 'down' }>;
}

const NO_REGIONS: VerdictMarks['regional'] = new Map();

export function wordWith(name: keyof typeof VERDICT_WORD, { isStale, upForMs }: Partial<WordMarks>): number {
	const upFor = upForMs === undefined ? 0 : Math.min(1 + Math.floor(upForMs / UP_FOR_UNIT_MS), UP_FOR_MAX);
	return VERDICT_WORD[name] | (isStale === true ? WORD.stale : 0) | (upFor << WORD.upForShift);
}

/** Targets of one instance; a row of words for all of them takes 1 MB. */
export const TARGETS_MAX = 262_144;

/** Regions that have had a prober. Rows that nobody writes to take no memory. */
const VANTAGES_MAX = 64;

/** What workers read. */
export interface HealthWords {
	/** WORD of each slot. */
	readonly verdicts: Int32Array;
	/** By vantage, then by slot: WORD of a regional target. */
	readonly regional: Int32Array;
	/** By vantage, then by slot: smoothed round-trip time in microseconds; 0 is unknown. */
	readonly rttUs: Int32Array;
	/** One word that is another one after each change of `verdicts` and `regional`: until then what follows from them holds. */
	readonly changes: Int32Array;
}

export function createHealthWords(slotsMax: number = TARGETS_MAX, vantagesMax: number = VANTAGES_MAX): HealthWords {
	return {
		verdicts: new Int32Array(new SharedArrayBuffer(4 * slotsMax)),
		regional: new Int32Array(new SharedArrayBuffer(4 * slotsMax * vantagesMax)),
		rttUs: new Int32Array(new SharedArrayBuffer(4 * slotsMax * vantagesMax)),
		changes: new Int32Array(new SharedArrayBuffer(4)),
	};
}

/** Tell readers that `verdicts` or `regional` have changed: behind the last store, so that whoever hears of it sees them all. */
export function noteChange({ changes }: HealthWords): void {
	Atomics.add(changes, 0, 1);
}

/** What a word holds. */
const RTT_US_MAX = 0x7fffffff;

export class VerdictTable {
	readonly words: HealthWords;
	readonly #slots = new Map<string, number>();
	/** Regions with their numbers, in the order of these. */
	readonly #vantages = new Map<string, number>();
	#free: number[] = [];
	/** Given up by the last generation; free after the next one. */
	#retired: number[] = [];
	#next = 0;

	constructor(words: HealthWords) {
		this.words = words;
	}

	/**
	 * Give every key of a new generation a slot, keeping those that have one, and retire the others.
	 * @returns the slots in the order of `keys`; undefined when there are more targets than slots
	 */
	assign(keys: readonly string[]): Int32Array | undefined {
		const wanted = new Set(keys);
		const added = keys.filter((key) => !this.#slots.has(key));
		const slotsLeft = this.#free.length + this.#retired.length + this.words.verdicts.length - this.#next;
		if (new Set(added).size > slotsLeft) return undefined;
		this.#free.push(...this.#retired);
		this.#retired = [];
		for (const [key, slot] of this.#slots) {
			if (wanted.has(key)) continue;
			this.#slots.delete(key);
			this.#retired.push(slot);
		}
		return Int32Array.from(keys, (key) => this.#slotFor(key));
	}

	/** @param marks  a judgement has them all */
	set(key: string, name: keyof typeof VERDICT_WORD, marks: Partial<VerdictMarks> = {}): void {
		const slot = this.#slots.get(key);
		if (slot === undefined) return;
		const { verdicts, regional } = this.words;
		const owns = marks.regional ?? NO_REGIONS;
		let hasChanged = false;
		// Before the word that leads there. What an earlier target of this slot left is written over with it.
		for (const [region, vantage] of owns.size > 0 ? this.#vantages : []) {
			const own = owns.get(region);
			const word = own === undefined ? 0 : wordWith(own.verdict, own);
			if (Atomics.exchange(regional, vantage * verdicts.length + slot, word) !== word) hasChanged = true;
		}
		const word = wordWith(name, marks) | (owns.size > 0 ? WORD.regional : 0);
		if (Atomics.exchange(verdicts, slot, word) !== word) hasChanged = true;
		if (hasChanged) noteChange(this.words);
	}

	/**
	 * Regions that have had a prober, each at its number; what builds are to know. A region keeps its number while the
	 * process lives, so that a generation built before another one came reads right.
	 */
	get vantages(): readonly string[] {
		return [...this.#vantages.keys()];
	}

	/** @returns whether it is new, so that a build has to be told; past VANTAGES_MAX a region is none */
	addVantage(region: string): boolean {
		const rows = Math.floor(this.words.rttUs.length / Math.max(1, this.words.verdicts.length));
		if (this.#vantages.has(region) || this.#vantages.size >= rows) return false;
		this.#vantages.set(region, this.#vantages.size);
		return true;
	}

	/** Write down what is known of a target in a region that is a vantage. */
	setRtt(region: string, key: string, rttMs: number): void {
		const at = this.#rttAt(region, key);
		if (at >= 0) Atomics.store(this.words.rttUs, at, Math.min(Math.max(1, Math.round(rttMs * 1000)), RTT_US_MAX));
	}

	/** Count a sample of this process's own prober in. */
	addRtt(region: string, key: string, sampleMs: number): void {
		this.setRtt(region, key, smoothed(this.rttMs(region, key), sampleMs));
	}

	/** Smoothed; undefined while it is unknown. */
	rttMs(region: string, key: string): number | undefined {
		const at = this.#rttAt(region, key);
		const rttUs = at < 0 ? 0 : Atomics.load(this.words.rttUs, at);
		return rttUs === 0 ? undefined : rttUs / 1000;
	}

	#rttAt(region: string, key: string): number {
		const slot = this.#slots.get(key);
		const vantage = this.#vantages.get(region);
		return slot === undefined || vantage === undefined ? -1 : vantage * this.words.verdicts.length + slot;
	}

	#slotFor(key: string): number {
		const before = this.#slots.get(key);
		if (before !== undefined) return before;
		const slot = this.#free.pop() ?? this.#next++;
		this.#slots.set(key, slot);
		Atomics.store(this.words.verdicts, slot, VERDICT_WORD.unknown);
		noteChange(this.words);
		for (const vantage of this.#vantages.values())
			Atomics.store(this.words.rttUs, vantage * this.words.verdicts.length + slot, 0);
		return slot;
	}
}

/**
 * Verdicts and round-trip times in memory that all workers share: one word each per target.
 *
 *     prober -> set() -> one atomic store -> a word that a query reads once
 *
 * The main thread owns the table and gives out the slots; workers see only the words. A slot that a
 * generation no longer uses is given out again one generation later, when no worker can still read it
 * as the old target.
 */

/** `waiting` is unknown too, and counts as up; but answers pass it over while another endpoint of its pool is known to be up. */
export const VERDICT_WORD = { unknown: 0, up: 1, down: 2, waiting: 3 } as const;

/** Targets of one instance; the words of all of them take 2 MB. */
export const TARGETS_MAX = 262_144;

/** What workers read. */
export interface HealthWords {
	/** VERDICT_WORD of each slot. */
	readonly verdicts: Int32Array;
	/** Smoothed round-trip time of each slot in microseconds; 0 is unknown. */
	readonly rttUs: Int32Array;
}

export function createHealthWords(slotsMax: number = TARGETS_MAX): HealthWords {
	return {
		verdicts: new Int32Array(new SharedArrayBuffer(4 * slotsMax)),
		rttUs: new Int32Array(new SharedArrayBuffer(4 * slotsMax)),
	};
}

/** A new sample weighs an eighth, as TCP's own smoothed time does (RFC 6298 §2). */
const RTT_SHARE = 8;
/** What a word holds. */
const RTT_US_MAX = 0x7fffffff;

export class VerdictTable {
	readonly words: HealthWords;
	readonly #slots = new Map<string, number>();
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

	set(key: string, name: keyof typeof VERDICT_WORD): void {
		const slot = this.#slots.get(key);
		if (slot !== undefined) Atomics.store(this.words.verdicts, slot, VERDICT_WORD[name]);
	}

	addRtt(key: string, rttMs: number): void {
		const slot = this.#slots.get(key);
		if (slot === undefined) return;
		const sampleUs = Math.min(Math.max(1, Math.round(rttMs * 1000)), RTT_US_MAX);
		const before = Atomics.load(this.words.rttUs, slot);
		const smoothedUs = before === 0 ? sampleUs : Math.round(before + (sampleUs - before) / RTT_SHARE);
		Atomics.store(this.words.rttUs, slot, smoothedUs);
	}

	/** Smoothed; undefined while it is unknown. */
	rttMs(key: string): number | undefined {
		const slot = this.#slots.get(key);
		const rttUs = slot === undefined ? 0 : Atomics.load(this.words.rttUs, slot);
		return rttUs === 0 ? undefined : rttUs / 1000;
	}

	#slotFor(key: string): number {
		const before = this.#slots.get(key);
		if (before !== undefined) return before;
		const slot = this.#free.pop() ?? this.#next++;
		this.#slots.set(key, slot);
		Atomics.store(this.words.verdicts, slot, VERDICT_WORD.unknown);
		Atomics.store(this.words.rttUs, slot, 0);
		return slot;
	}
}

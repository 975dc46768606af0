/**
 * Response rate limiting after Knot's model: token buckets for the client's address and for the prefixes around it.
 *
 * A bucket holds `burst` answers and refills at `rate` a second, both times the multiplier of its prefix length: many
 * clients may share a prefix, and a flood with forged addresses from one network still meets a limit.
 *
 * | IPv4 | multiplier |   | IPv6 | multiplier |
 * |------|------------|---|------|------------|
 * | /32  | 1          |   | /128 | 1          |
 * | /24  | 32         |   | /64  | 2          |
 * | /20  | 256        |   | /56  | 3          |
 * | /18  | 768        |   | /48  | 4          |
 * |      |            |   | /32  | 64         |
 *
 * The table is of fixed size and shared by all workers, which write it without locks: a lost update lets one answer
 * more through. A full set of the table gives up its longest unused bucket, so forged addresses push out each
 * other, not memory.
 */

import type { Address } from '../lib/address.ts';
import type { Prefix } from '../lib/prefix.ts';
import { prefixHolds } from '../lib/prefix.ts';

export interface RateLimitSettings {
	/** Answers a second for one address; 0 is no limit. */
	readonly rate: number;
	/** Every n-th answer over the limit is sent truncated, so that real clients come over TCP; the others are dropped. 0 drops all. */
	readonly slip: number;
	/** Never limited. */
	readonly exempt: readonly Prefix[];
}

export const LIMIT = { pass: 0, slip: 1, drop: 2 } as const;

/** Knot's ratio of its default burst (125) to its rate (50). */
const BURST_SEC = 2.5;
const LEVELS_IPV4 = [32, 1, 24, 32, 20, 256, 18, 768] as const;
const LEVELS_IPV6 = [128, 1, 64, 2, 56, 3, 48, 4, 32, 64] as const;

const WAYS = 4;
const SETS = 1 << 16;
/** Fingerprint, tokens in 1/256 answers, time of the last refill in milliseconds. */
const COLUMNS = 3;
const TOKEN = 256;
/** So long since its last use, a bucket of any level is full again. */
const IDLE_MS_MAX = 0x3fffffff;
/** Another worker, which took its time a moment later, may have written first. */
const AHEAD_MS_MAX = 1000;

export type RateLimitTable = Int32Array;

/** 3 MB, whatever happens. */
export function createRateLimitTable(): RateLimitTable {
	return new Int32Array(new SharedArrayBuffer(4 * COLUMNS * WAYS * SETS));
}

export class RateLimiter {
	readonly #settings: RateLimitSettings;
	readonly #table: RateLimitTable;
	readonly #key: number;
	/** Rows of the buckets of one client. */
	readonly #rows = new Int32Array(LEVELS_IPV6.length / 2);
	#overLimit = 0;

	/** @param key  a random number, so that nobody can aim at a set of the table; the same in all workers */
	constructor(settings: RateLimitSettings, table: RateLimitTable, key: number) {
		this.#settings = settings;
		this.#table = table;
		this.#key = key | 0;
	}

	/** Take an answer out of every bucket that the client belongs to; one of LIMIT. */
	take(client: Address, nowMs: number): number {
		const { rate, slip, exempt } = this.#settings;
		if (rate === 0) return LIMIT.pass;
		for (let i = 0; i < exempt.length; i++) {
			const prefix = exempt[i];
			if (prefix !== undefined && prefixHolds(prefix, client)) return LIMIT.pass;
		}
		const levels: readonly number[] = client.family === 4 ? LEVELS_IPV4 : LEVELS_IPV6;
		let isOver = false;
		for (let i = 0; i < levels.length; i += 2) {
			const row = this.#refilled(client, levels[i] ?? 0, levels[i + 1] ?? 1, nowMs | 0);
			this.#rows[i >>> 1] = row;
			if ((this.#table[row + 1] ?? 0) < TOKEN) isOver = true;
		}
		if (!isOver) {
			// An answer that is not given is taken out of no bucket, so one loud client leaves its neighbours their share.
			for (let i = 0; i < levels.length; i += 2) {
				const tokens = (this.#rows[i >>> 1] ?? 0) + 1;
				this.#table[tokens] = (this.#table[tokens] ?? 0) - TOKEN;
			}
			return LIMIT.pass;
		}
		this.#overLimit = (this.#overLimit + 1) & 0x3fffffff;
		return slip > 0 && this.#overLimit % slip === 0 ? LIMIT.slip : LIMIT.drop;
	}

	/** The row of a prefix's bucket, with what the time since its last use has given it. */
	#refilled(client: Address, length: number, multiplier: number, nowMs: number): number {
		const table = this.#table;
		const hash = hashPrefix(client, length, this.#key);
		// The high bits choose the set; all of them tell buckets of one set apart. 0 marks an unused one.
		const fingerprint = hash | 1;
		const first = (hash >>> 16) * WAYS * COLUMNS;
		const fullTokens = Math.min(this.#settings.rate * multiplier * BURST_SEC * TOKEN, 0x3fffffff) | 0;
		let oldest = first;
		let oldestMs = -1;
		for (let way = 0; way < WAYS; way++) {
			const row = first + way * COLUMNS;
			if (table[row] === fingerprint) {
				const idleMs = idleSince(table[row + 2] ?? 0, nowMs);
				const refill = Math.min(idleMs * ((this.#settings.rate * multiplier * TOKEN) / 1000), fullTokens) | 0;
				// Time moves only by what gave tokens, so that many small steps refill as much as one large one.
				if (refill > 0) {
					table[row + 1] = Math.min((table[row + 1] ?? 0) + refill, fullTokens);
					table[row + 2] = nowMs;
				}
				return row;
			}
			const idleMs = table[row] === 0 ? IDLE_MS_MAX : idleSince(table[row + 2] ?? 0, nowMs);
			if (idleMs > oldestMs) {
				oldestMs = idleMs;
				oldest = row;
			}
		}
		table[oldest] = fingerprint;
		table[oldest + 1] = fullTokens;
		table[oldest + 2] = nowMs;
		return oldest;
	}
}

/** Times are the low 32 bits of a clock; what seems to be far ahead is so long ago that they have come round. */
function idleSince(usedMs: number, nowMs: number): number {
	const idleMs = (nowMs - usedMs) | 0;
	if (idleMs >= 0) return Math.min(idleMs, IDLE_MS_MAX);
	return idleMs > -AHEAD_MS_MAX ? 0 : IDLE_MS_MAX;
}

function hashPrefix({ family, words }: Address, length: number, key: number): number {
	let hash = key ^ Math.imul(length + (family === 4 ? 0 : 256), 0x9e3779b1);
	for (let i = 0; 32 * i < length; i++) {
		const bits = length - 32 * i;
		const word = (words[i] ?? 0) & (bits >= 32 ? -1 : ~(0xffffffff >>> bits));
		hash = Math.imul(hash ^ word, 0x85ebca6b);
		hash ^= hash >>> 13;
		hash = Math.imul(hash, 0xc2b2ae35);
		hash ^= hash >>> 16;
	}
	return hash;
}

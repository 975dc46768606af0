/**
 * Interoperable DNS server cookies (RFC 9018): every instance with the same secret makes and takes the same ones.
 *
 *     client cookie 8 | version 1 | reserved 3 | time 4 | hash 8
 *                       '--------- server cookie, 16 -----------'
 *
 *     hash = SipHash-2-4(client cookie | version | reserved | time | client address, secret)
 *
 * 64-bit words are two 32-bit halves, so that nothing is allocated for a query.
 */

import type { Address } from '../lib/address.ts';
import { octet } from './name.ts';

export const CLIENT_COOKIE_OCTETS = 8;
export const SERVER_COOKIE_OCTETS = 16;

const VERSION = 1;
/** RFC 9018 §4.3: accepted for an hour, and up to five minutes from a clock that is ahead. */
const AGE_SEC_MAX = 3600;
const AHEAD_SEC_MAX = 300;
/** Older than that, a good cookie is answered with a new one. */
const RENEW_SEC = 1800;

/** Rounds of SipHash-2-4 for a block, and at the end. */
const BLOCK_ROUNDS = 2;
const FINAL_ROUNDS = 4;

/**
 * | state  | meaning                                                       |
 * |--------|---------------------------------------------------------------|
 * | none   | no server cookie, or not one of ours: the address is unproven |
 * | good   | ours and fresh                                                |
 * | renew  | ours, but it is time for a new one                            |
 */
export const COOKIE = { none: 0, good: 1, renew: 2 } as const;

/** Makes and checks cookies; one for each worker. */
export class CookieJar {
	#secrets: readonly Uint8Array[];
	readonly #input = new Uint8Array(CLIENT_COOKIE_OCTETS + 8 + 16);
	readonly #hash = new SipHash();

	/** @param secrets  of 16 octets each: the first one makes cookies, all are accepted (RFC 9018 §5) */
	constructor(secrets: readonly Uint8Array[]) {
		this.#secrets = secrets;
	}

	/** Roll over to other secrets. */
	setSecrets(secrets: readonly Uint8Array[]): void {
		this.#secrets = secrets;
	}

	/** Write the server cookie for a client cookie at `clientAt` of `from` to `out` at `at`. */
	write(from: Uint8Array, clientAt: number, client: Address, nowSec: number, out: Uint8Array, at: number): void {
		const length = this.#fill(from, clientAt, VERSION, nowSec >>> 0, client);
		for (let i = 0; i < 8; i++) out[at + i] = octet(this.#input, CLIENT_COOKIE_OCTETS + i);
		const secret = this.#secrets[0];
		if (secret === undefined) return;
		this.#hash.run(this.#input, length, secret);
		this.#hash.write(out, at + 8);
	}

	/** Judge a server cookie of `length` octets behind the client cookie at `clientAt`; one of COOKIE. */
	check(from: Uint8Array, clientAt: number, length: number, client: Address, nowSec: number): number {
		const at = clientAt + CLIENT_COOKIE_OCTETS;
		if (length !== SERVER_COOKIE_OCTETS || octet(from, at) !== VERSION) return COOKIE.none;
		const time =
			((octet(from, at + 4) << 24) | (octet(from, at + 5) << 16) | (octet(from, at + 6) << 8) | octet(from, at + 7)) >>>
			0;
		// Serial arithmetic: the clock of cookies wraps in 2106 (RFC 9018 §4.3).
		const ageSec = (nowSec - time) | 0;
		if (ageSec > AGE_SEC_MAX || ageSec < -AHEAD_SEC_MAX) return COOKIE.none;
		const inputLength = this.#fill(from, clientAt, VERSION, time, client);
		for (let i = 1; i < 4; i++) this.#input[CLIENT_COOKIE_OCTETS + i] = octet(from, at + i);
		for (let i = 0; i < this.#secrets.length; i++) {
			const secret = this.#secrets[i];
			if (secret === undefined) continue;
			this.#hash.run(this.#input, inputLength, secret);
			// One that an old secret made is good, and to be replaced by one of the new secret.
			if (this.#hash.equals(from, at + 8)) return ageSec > RENEW_SEC || i > 0 ? COOKIE.renew : COOKIE.good;
		}
		return COOKIE.none;
	}

	#fill(from: Uint8Array, clientAt: number, version: number, time: number, client: Address): number {
		const input = this.#input;
		for (let i = 0; i < CLIENT_COOKIE_OCTETS; i++) input[i] = octet(from, clientAt + i);
		input[8] = version;
		input[9] = 0;
		input[10] = 0;
		input[11] = 0;
		input[12] = time >>> 24;
		input[13] = time >>> 16;
		input[14] = time >>> 8;
		input[15] = time;
		const words = client.family === 4 ? 1 : 4;
		for (let i = 0; i < 4 * words; i++) input[16 + i] = (client.words[i >>> 2] ?? 0) >>> (24 - 8 * (i & 3));
		return 16 + 4 * words;
	}
}

/** SipHash-2-4 (Aumasson and Bernstein), 64 bits of output. Words are two halves, low and high. */
export class SipHash {
	#low = 0;
	#high = 0;

	/** The state stands in variables, two for each word, and the round once: kept in an array it costs three times as much. */
	run(input: Uint8Array, length: number, key: Uint8Array): void {
		const k0l = littleEndian(key, 0);
		const k0h = littleEndian(key, 4);
		const k1l = littleEndian(key, 8);
		const k1h = littleEndian(key, 12);
		let v0l = k0l ^ 0x70736575;
		let v0h = k0h ^ 0x736f6d65;
		let v1l = k1l ^ 0x6e646f6d;
		let v1h = k1h ^ 0x646f7261;
		let v2l = k0l ^ 0x6e657261;
		let v2h = k0h ^ 0x6c796765;
		let v3l = k1l ^ 0x79746573;
		let v3h = k1h ^ 0x74656462;
		const blocks = length >>> 3;
		// The blocks, the rest with the length, and a last step of twice the rounds that takes no octets.
		for (let block = 0; block <= blocks + 1; block++) {
			const isLast = block > blocks;
			const ml = isLast ? 0 : block < blocks ? littleEndian(input, 8 * block) : tail(input, length, 0);
			const mh = isLast ? 0 : block < blocks ? littleEndian(input, 8 * block + 4) : tail(input, length, 4);
			v3l ^= ml;
			v3h ^= mh;
			if (isLast) v2l ^= 0xff;
			for (let round = isLast ? FINAL_ROUNDS : BLOCK_ROUNDS; round > 0; round--) {
				// v0 += v1, v1 <<<= 13, v1 ^= v0, v0 <<<= 32
				let sum = (v0l + v1l) | 0;
				let high = (v0h + v1h + carry(sum, v0l)) | 0;
				let turned = (v1l << 13) | (v1h >>> 19);
				v1h = ((v1h << 13) | (v1l >>> 19)) ^ high;
				v1l = turned ^ sum;
				v0l = high;
				v0h = sum;
				// v2 += v3, v3 <<<= 16, v3 ^= v2
				sum = (v2l + v3l) | 0;
				v2h = (v2h + v3h + carry(sum, v2l)) | 0;
				v2l = sum;
				turned = (v3l << 16) | (v3h >>> 16);
				v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
				v3l = turned ^ v2l;
				// v0 += v3, v3 <<<= 21, v3 ^= v0
				sum = (v0l + v3l) | 0;
				v0h = (v0h + v3h + carry(sum, v0l)) | 0;
				v0l = sum;
				turned = (v3l << 21) | (v3h >>> 11);
				v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
				v3l = turned ^ v0l;
				// v2 += v1, v1 <<<= 17, v1 ^= v2, v2 <<<= 32
				sum = (v2l + v1l) | 0;
				high = (v2h + v1h + carry(sum, v2l)) | 0;
				turned = (v1l << 17) | (v1h >>> 15);
				v1h = ((v1h << 17) | (v1l >>> 15)) ^ high;
				v1l = turned ^ sum;
				v2l = high;
				v2h = sum;
			}
			v0l ^= ml;
			v0h ^= mh;
		}
		this.#low = v0l ^ v1l ^ v2l ^ v3l;
		this.#high = v0h ^ v1h ^ v2h ^ v3h;
	}

	/** The hash, least significant octet first. */
	write(out: Uint8Array, at: number): void {
		for (let i = 0; i < 8; i++) out[at + i] = this.#octet(i);
	}

	/** Whether the hash stands at `at`; takes the same time whatever differs. */
	equals(from: Uint8Array, at: number): boolean {
		let difference = 0;
		for (let i = 0; i < 8; i++) difference |= this.#octet(i) ^ octet(from, at + i);
		return difference === 0;
	}

	#octet(i: number): number {
		return ((i < 4 ? this.#low : this.#high) >>> (8 * (i & 3))) & 255;
	}
}

/** Out of the low half of a sum, of which `before` was one part. */
function carry(sum: number, before: number): number {
	return sum >>> 0 < before >>> 0 ? 1 : 0;
}

/** Half of the last block: the octets that are left over, and in its last octet the length. */
function tail(input: Uint8Array, length: number, from: number): number {
	let word = from === 4 ? length << 24 : 0;
	const start = length - (length & 7) + from;
	for (let i = 0; i < 4 && start + i < length; i++) word |= octet(input, start + i) << (8 * i);
	return word;
}

function littleEndian(bytes: Uint8Array, at: number): number {
	return octet(bytes, at) | (octet(bytes, at + 1) << 8) | (octet(bytes, at + 2) << 16) | (octet(bytes, at + 3) << 24);
}

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

/** SipHash-2-4 (Aumasson and Bernstein), 64 bits of output. State words are pairs: low half, high half. */
export class SipHash {
	readonly #v = new Int32Array(8);

	run(input: Uint8Array, length: number, key: Uint8Array): void {
		const v = this.#v;
		const k0l = littleEndian(key, 0);
		const k0h = littleEndian(key, 4);
		const k1l = littleEndian(key, 8);
		const k1h = littleEndian(key, 12);
		v[0] = k0l ^ 0x70736575;
		v[1] = k0h ^ 0x736f6d65;
		v[2] = k1l ^ 0x6e646f6d;
		v[3] = k1h ^ 0x646f7261;
		v[4] = k0l ^ 0x6e657261;
		v[5] = k0h ^ 0x6c796765;
		v[6] = k1l ^ 0x79746573;
		v[7] = k1h ^ 0x74656462;
		const whole = length - (length % 8);
		for (let at = 0; at < whole; at += 8) this.#absorb(littleEndian(input, at), littleEndian(input, at + 4));
		let low = 0;
		let high = length << 24;
		for (let i = whole; i < length; i++) {
			const shift = 8 * (i - whole);
			if (shift < 32) low |= octet(input, i) << shift;
			else high |= octet(input, i) << (shift - 32);
		}
		this.#absorb(low, high);
		v[4] = (v[4] ?? 0) ^ 0xff;
		for (let i = 0; i < 4; i++) this.#round();
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
		const v = this.#v;
		const half = i < 4 ? 0 : 1;
		const word = (v[half] ?? 0) ^ (v[2 + half] ?? 0) ^ (v[4 + half] ?? 0) ^ (v[6 + half] ?? 0);
		return (word >>> (8 * (i & 3))) & 255;
	}

	#absorb(low: number, high: number): void {
		const v = this.#v;
		v[6] = (v[6] ?? 0) ^ low;
		v[7] = (v[7] ?? 0) ^ high;
		this.#round();
		this.#round();
		v[0] = (v[0] ?? 0) ^ low;
		v[1] = (v[1] ?? 0) ^ high;
	}

	#round(): void {
		this.#add(0, 2);
		this.#rotate(2, 13);
		this.#mix(2, 0);
		this.#swap(0);
		this.#add(4, 6);
		this.#rotate(6, 16);
		this.#mix(6, 4);
		this.#add(0, 6);
		this.#rotate(6, 21);
		this.#mix(6, 0);
		this.#add(4, 2);
		this.#rotate(2, 17);
		this.#mix(2, 4);
		this.#swap(4);
	}

	/** v[a] += v[b], 64 bits. */
	#add(a: number, b: number): void {
		const v = this.#v;
		const before = (v[a] ?? 0) >>> 0;
		const low = (before + ((v[b] ?? 0) >>> 0)) | 0;
		const carry = low >>> 0 < before ? 1 : 0;
		v[a] = low;
		v[a + 1] = ((v[a + 1] ?? 0) + (v[b + 1] ?? 0) + carry) | 0;
	}

	/** Rotate v[a] left by fewer than 32 bits. */
	#rotate(a: number, bits: number): void {
		const v = this.#v;
		const low = v[a] ?? 0;
		const high = v[a + 1] ?? 0;
		v[a] = (low << bits) | (high >>> (32 - bits));
		v[a + 1] = (high << bits) | (low >>> (32 - bits));
	}

	/** v[a] ^= v[b]. */
	#mix(a: number, b: number): void {
		const v = this.#v;
		v[a] = (v[a] ?? 0) ^ (v[b] ?? 0);
		v[a + 1] = (v[a + 1] ?? 0) ^ (v[b + 1] ?? 0);
	}

	/** Rotate v[a] by 32 bits. */
	#swap(a: number): void {
		const v = this.#v;
		const low = v[a] ?? 0;
		v[a] = v[a + 1] ?? 0;
		v[a + 1] = low;
	}
}

function littleEndian(bytes: Uint8Array, at: number): number {
	return octet(bytes, at) | (octet(bytes, at + 1) << 8) | (octet(bytes, at + 2) << 16) | (octet(bytes, at + 3) << 24);
}

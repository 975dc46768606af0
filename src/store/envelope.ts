/**
 * Values as they stand in Redis: `meridian/1 MAC JSON`. The MAC is HMAC-SHA-256 by `fleet.key` over the key that the
 * value stands at and its JSON, so a value can be neither made, nor changed, nor put elsewhere by who lacks the fleet's
 * key; what is old and signed is told by the numbers within.
 *
 * | value                                                | is        |
 * |------------------------------------------------------|-----------|
 * | longer than it may be                                | oversized |
 * | without this beginning, or with JSON that is none    | malformed |
 * | of another version                                   | schema    |
 * | with a MAC that none of the keys makes, or with none | forged    |
 *
 * Without a key nothing is signed, and every MAC is believed.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Refusal } from './ports.ts';
import { type JsonValue, readUntrustedJson } from './untrusted-json.ts';

const SCHEMA = 1;
const UNSIGNED = '-';
/** Version and MAC, each followed by a blank. */
const HEAD_OCTETS_MAX = 128;

export type Opened = { readonly value: JsonValue } | { readonly refusal: Refusal };

export class Seal {
	readonly #keys: readonly string[];

	/** @param keys  the first one signs, all are believed; empty for none */
	constructor(keys: readonly string[]) {
		this.#keys = keys;
	}

	close(key: string, value: JsonValue): string {
		const body = JSON.stringify(value);
		const [first] = this.#keys;
		const mac = first === undefined ? UNSIGNED : macOf(first, key, Buffer.from(body)).toString('hex');
		return `meridian/${SCHEMA} ${mac} ${body}`;
	}

	open(key: string, octets: Uint8Array, octetsMax: number): Opened {
		if (octets.length > octetsMax) return { refusal: 'oversized' };
		const start = Buffer.from(octets.subarray(0, HEAD_OCTETS_MAX)).toString('latin1');
		const match = /^meridian\/(\d{1,9}) ([0-9a-f]{64}|-) /.exec(start);
		if (match === null) return { refusal: /^meridian\/(?!1 )\d{1,9} /.test(start) ? 'schema' : 'malformed' };
		const [whole, version, mac = ''] = match;
		if (Number(version) !== SCHEMA) return { refusal: 'schema' };
		const body = octets.subarray(whole.length);
		if (!this.#isBelieved(mac, key, body)) return { refusal: 'forged' };
		const value = readUntrustedJson(body);
		return value === undefined ? { refusal: 'malformed' } : { value };
	}

	#isBelieved(mac: string, key: string, body: Uint8Array): boolean {
		if (this.#keys.length === 0) return true;
		const given = Buffer.from(mac, 'hex');
		return this.#keys.some((one) => {
			const expected = macOf(one, key, body);
			return given.length === expected.length && timingSafeEqual(given, expected);
		});
	}
}

function macOf(secret: string, key: string, body: Uint8Array): Buffer {
	return createHmac('sha256', secret).update(`${SCHEMA}\0${key}\0`).update(body).digest();
}

/**
 * A line of a master file that holds one A record and nothing else, as nearly all lines of a large zone do:
 *
 *     [owner] [TTL] [IN] A address
 *
 * Read without taking it apart into words. Whatever is unusual, and whatever is wrong, is left to the way that all
 * lines can go.
 */

import { isDigit } from './name.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const DOT = 0x2e;
const LETTER_A = 0x41;
const LETTER_I = 0x49;
const LETTER_N = 0x4e;
/** Nine digits are below 2^31. */
const TTL_DIGITS_MAX = 9;

export class AddressLine {
	/** Empty: that of the record before. */
	ownerText = '';
	ttlSec: number | undefined;
	/** Four octets, written over by the next line. */
	readonly address = new Uint8Array(4);
	#at = 0;

	/**
	 * @param start  where a line begins
	 * @returns the place behind its end; -1 when it is not such a line
	 */
	read(text: string, start: number): number {
		this.#at = start;
		this.ttlSec = undefined;
		if (!this.#takeOwner(text)) return -1;
		this.#skipBlanks(text);
		let hasClass = false;
		for (;;) {
			const code = text.charCodeAt(this.#at);
			if (isDigit(code) && this.ttlSec === undefined) {
				if (!this.#takeTtl(text)) return -1;
			} else if (code === LETTER_I && text.charCodeAt(this.#at + 1) === LETTER_N && !hasClass) {
				hasClass = true;
				this.#at += 2;
			} else if (code === LETTER_A) {
				this.#at++;
				break;
			} else return -1;
			if (!this.#skipBlanks(text)) return -1;
		}
		return this.#skipBlanks(text) && this.#takeAddress(text) ? this.#endOfLine(text) : -1;
	}

	#takeOwner(text: string): boolean {
		const start = this.#at;
		let code = text.charCodeAt(start);
		for (; isPlain(code); code = text.charCodeAt(++this.#at));
		if (code !== SPACE && code !== TAB) return false;
		this.ownerText = text.slice(start, this.#at);
		return true;
	}

	/** @returns false when there are none */
	#skipBlanks(text: string): boolean {
		const start = this.#at;
		for (let code = text.charCodeAt(start); code === SPACE || code === TAB; code = text.charCodeAt(++this.#at));
		return this.#at > start;
	}

	#takeTtl(text: string): boolean {
		const start = this.#at;
		let value = 0;
		for (let code = text.charCodeAt(start); isDigit(code); code = text.charCodeAt(++this.#at))
			value = 10 * value + code - 0x30;
		this.ttlSec = value;
		return this.#at - start <= TTL_DIGITS_MAX;
	}

	/** Strict dotted decimal, as parseAddress() has it. */
	#takeAddress(text: string): boolean {
		for (let i = 0; i < 4; i++) {
			if (i > 0 && text.charCodeAt(this.#at++) !== DOT) return false;
			const start = this.#at;
			let value = 0;
			for (let code = text.charCodeAt(start); isDigit(code); code = text.charCodeAt(++this.#at))
				value = 10 * value + code - 0x30;
			const digits = this.#at - start;
			if (digits === 0 || digits > 3 || value > 255 || (digits > 1 && text.charCodeAt(start) === 0x30)) return false;
			this.address[i] = value;
		}
		return true;
	}

	#endOfLine(text: string): number {
		this.#skipBlanks(text);
		if (text.charCodeAt(this.#at) === RETURN) this.#at++;
		return text.charCodeAt(this.#at) === NEWLINE ? this.#at + 1 : -1;
	}
}

/** Letters, digits, hyphens, underscores, dots, and the star: what no word needs an escape, a quote or a comment for. */
function isPlain(code: number): boolean {
	const letter = code | 0x20;
	if (letter >= 0x61 && letter <= 0x7a) return true;
	return isDigit(code) || code === 0x2d || code === 0x5f || code === DOT || code === 0x2a;
}

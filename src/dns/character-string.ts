/**
 * Character strings in master-file text (RFC 1035 §5.1): octets with `\X` and `\DDD` escapes, in quotes when printed.
 */

import { escapedOctet, isDigit } from './name.ts';

/** The octets of a string, escapes resolved; undefined for an escape that is neither `\X` nor `\DDD` up to 255. */
export function scanCharacterString(text: string): number[] | undefined {
	const out: number[] = [];
	for (let i = 0; i < text.length; i++) {
		let value = text.charCodeAt(i);
		if (value === 0x5c) {
			value = escapedOctet(text, i + 1);
			i += isDigit(text.charCodeAt(i + 1)) ? 3 : 1;
		}
		if (!(value <= 255)) return undefined;
		out.push(value);
	}
	return out;
}

/** In quotes, so that every octet but `"`, `\` and what is not printable ASCII stands for itself. */
export function printCharacterString(octets: Iterable<number>): string {
	let text = '"';
	for (const value of octets) {
		if (value === 0x22 || value === 0x5c) text += `\\${String.fromCharCode(value)}`;
		else if (value < 0x20 || value > 0x7e) text += `\\${String(value).padStart(3, '0')}`;
		else text += String.fromCharCode(value);
	}
	return `${text}"`;
}

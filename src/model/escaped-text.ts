/**
 * Text in which a backslash writes what a YAML scalar cannot, or only in double quotes:
 *
 * | written          | stands for                                   |
 * | `\r` `\n` `\t`   | carriage return, line feed, tab              |
 * | `\\`             | one backslash                                |
 * | `\xNN`           | the octet with that value, two hex digits    |
 *
 * All else stands for itself, in UTF-8. Any other backslash is a mistake.
 */

const LETTERS: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };

/** @returns the octets, or the escape that is none */
export function octetsOfEscapedText(text: string): Uint8Array | { readonly wrong: string } {
	const encoder = new TextEncoder();
	const octets: number[] = [];
	let at = 0;
	while (at < text.length) {
		const backslash = text.indexOf('\\', at);
		const end = backslash < 0 ? text.length : backslash;
		octets.push(...encoder.encode(text.slice(at, end)));
		if (backslash < 0) break;
		const hex = /^x([0-9a-fA-F]{2})/.exec(text.slice(backslash + 1, backslash + 4));
		const letter = LETTERS[text.charAt(backslash + 1)];
		if (hex !== null) octets.push(Number.parseInt(hex[1] ?? '', 16));
		else if (letter !== undefined) octets.push(...encoder.encode(letter));
		else return { wrong: text.slice(backslash, backslash + 2) };
		at = backslash + (hex === null ? 2 : 4);
	}
	return Uint8Array.from(octets);
}

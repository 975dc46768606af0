/**
 * What a field of RDATA is: how it is scanned from words, measured on the wire and printed.
 * `rr-type.ts` lists the fields of each type by their kinds, `fields.ts` has the codec of each kind.
 */

export interface Token {
	/** The text as it stands in the file, escapes untouched, quotes removed. */
	readonly text: string;
	readonly isQuoted: boolean;
	readonly line: number;
	readonly column: number;
}

/** What is wrong, and with which token; a token index past the last means that something is missing. */
export interface RdataFault {
	readonly token: number;
	readonly message: string;
}

/** The words of one record; `at` moves as fields take theirs. */
export interface RdataWords {
	readonly tokens: readonly Token[];
	at: number;
	/** Wire name that relative names end in. */
	readonly origin: Uint8Array;
}

export interface FieldCodec {
	/** What its text should be: completes "expected ..." and "where ... is due". */
	readonly phrase: string;
	/** Take this field's words and append its wire form to `out`, which holds the RDATA before it. */
	scan(words: RdataWords, out: number[]): RdataFault | undefined;
	/** Octets of the field at `at` in RDATA, or -1 when it is cut off or malformed. */
	size(rdata: Uint8Array, at: number): number;
	/** Text of a well-formed field; empty when its words are none. */
	print(wire: Uint8Array): string;
}

interface WordCodec {
	readonly phrase: string;
	/** RFC 1035 §5.1 quotes character strings and nothing else. */
	readonly quotes?: 'refused' | 'optional' | 'required';
	/** Append the wire form; false, or a sentence of its own, when the text is no such field. */
	scanWord(text: string, out: number[], origin: Uint8Array): boolean | string;
	size(rdata: Uint8Array, at: number): number;
	print(wire: Uint8Array): string;
}

/** A field of exactly one word. */
export function wordField(codec: WordCodec): FieldCodec {
	const { phrase, quotes = 'refused' } = codec;
	return {
		phrase,
		scan(words, out) {
			const token = words.tokens[words.at];
			if (token === undefined) return missing(words, phrase);
			if (token.isQuoted ? quotes === 'refused' : quotes === 'required') {
				const how = token.isQuoted ? 'without quotes' : 'in quotes';
				return { token: words.at, message: `Cannot use "${token.text}": expected ${phrase} ${how}` };
			}
			const outcome = codec.scanWord(token.text, out, words.origin);
			if (outcome !== true) {
				return { token: words.at, message: outcome === false ? notA(token.text, phrase) : outcome };
			}
			words.at++;
			return undefined;
		},
		size: codec.size,
		print: codec.print,
	};
}

interface RestCodec {
	readonly phrase: string;
	/** Least octets on the wire. */
	readonly octetsMin: number;
	/** The octets of all words joined; undefined when the text is none. */
	scanText(text: string): readonly number[] | undefined;
	print(wire: Uint8Array): string;
}

/** All words to the end, taken as one text: keys, digests, signatures. */
export function restField({ phrase, octetsMin, scanText, print }: RestCodec): FieldCodec {
	return {
		phrase,
		scan(words, out) {
			const first = words.at;
			let text = '';
			for (; words.at < words.tokens.length; words.at++) {
				const token = words.tokens[words.at];
				if (token?.isQuoted === true) {
					return { token: words.at, message: `Cannot use "${token.text}": expected ${phrase} without quotes` };
				}
				text += token?.text ?? '';
			}
			if (first === words.at && octetsMin > 0) return missing(words, phrase);
			const octets = scanText(text);
			if (octets === undefined || octets.length < octetsMin) return { token: first, message: notA(text, phrase) };
			for (const value of octets) out.push(value);
			return undefined;
		},
		size: (rdata, at) => (rdata.length - at >= octetsMin ? rdata.length - at : -1),
		print,
	};
}

export function missing(words: RdataWords, phrase: string): RdataFault {
	return { token: words.at, message: `Cannot read the record: it ends where ${phrase} is due` };
}

const QUOTED_MAX = 200;

export function notA(text: string, phrase: string): string {
	const quoted = text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}...` : text;
	return `Cannot use "${quoted}": expected ${phrase}`;
}

/** The size function of a field that always has as many octets. */
export function fixedSize(octets: number): (rdata: Uint8Array, at: number) => number {
	return (rdata, at) => (rdata.length - at >= octets ? octets : -1);
}

/** The unsigned number, network order, that fills up to six octets. */
export function readNumber(wire: Uint8Array): number {
	return wire.reduce((value, next) => value * 256 + next, 0);
}

export function push16(value: number, out: number[]): void {
	out.push((value >>> 8) & 255, value & 255);
}

export function push32(value: number, out: number[]): void {
	out.push(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** The word that stands in the place of a gateway or relay where there is none (RFC 4025 §3.1, RFC 8777 §4.2.4). */
export function scanNoGateway(words: RdataWords): RdataFault | undefined {
	const token = words.tokens[words.at];
	if (token === undefined) return missing(words, '"."');
	if (token.text !== '.') return { token: words.at, message: notA(token.text, '"."') };
	words.at++;
	return undefined;
}

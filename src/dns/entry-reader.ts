/**
 * Master-file text to entries: logical lines, their parentheses joined, comments dropped (RFC 1035 §5.1).
 * Knows words, quotes and parentheses, and nothing of what the words mean.
 */

import type { AddressLine } from './address-line.ts';
import type { Token } from './field.ts';
import type { Position } from './record-list.ts';

/** A place in a file and what is wrong there. */
export interface TextProblem extends Position {
	readonly message: string;
}

export interface Entry extends Position {
	readonly tokens: readonly Token[];
	/** The line began with white space: the owner is that of the record before. */
	readonly startsBlank: boolean;
	readonly problem: TextProblem | undefined;
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

/** Cuts the text into entries. A parenthesis lets an entry run over line ends; quotes and escapes hide both. */
export class EntryReader {
	readonly #text: string;
	#at = 0;
	#line = 1;
	#lineStart = 0;
	/** Of the present entry: where its parenthesis opened, while it is open. */
	#open: Position | undefined;
	/** Of the present entry. */
	#problem: TextProblem | undefined;

	constructor(text: string) {
		this.#text = text;
	}

	next(): Entry | undefined {
		const text = this.#text;
		if (this.#at >= text.length) return undefined;
		const line = this.#line;
		const first = text.charCodeAt(this.#at);
		const startsBlank = first === SPACE || first === TAB;
		const tokens: Token[] = [];
		this.#open = undefined;
		this.#problem = undefined;
		while (this.#at < text.length) {
			const code = text.charCodeAt(this.#at);
			if (code === NEWLINE) {
				this.#endLine();
				if (this.#open === undefined) break;
			} else if (code === SPACE || code === TAB || code === RETURN) {
				this.#at++;
			} else if (code === SEMICOLON) {
				this.#skipComment();
			} else if (code === OPEN || code === CLOSE) {
				this.#parenthesis(code);
			} else {
				const token = code === QUOTE ? this.#quoted(this.#position()) : this.#word();
				if (token !== undefined) tokens.push(token);
			}
		}
		// Only the end of the text leaves a parenthesis open.
		if (this.#open !== undefined) this.#report(this.#open, 'Cannot find the ")" for this "("');
		return { tokens, startsBlank, problem: this.#problem, line, column: 1 };
	}

	/**
	 * Take the next line, when it is a plain one.
	 * @param add  is given the number of the line; false leaves it to `next`
	 */
	takeLine(line: AddressLine, add: (lineNumber: number) => boolean): boolean {
		const end = line.read(this.#text, this.#at);
		if (end < 0 || !add(this.#line)) return false;
		this.#at = end;
		this.#line++;
		this.#lineStart = end;
		return true;
	}

	/** The first problem of an entry is the one that counts: those behind it mostly follow from it. */
	#report({ line, column }: Position, message: string): void {
		this.#problem ??= { line, column, message };
	}

	#parenthesis(code: number): void {
		const position = this.#position();
		if (code === OPEN) {
			if (this.#open !== undefined) this.#report(position, 'Cannot nest "(" inside "("');
			this.#open = position;
		} else {
			if (this.#open === undefined) this.#report(position, 'Cannot find the "(" for this ")"');
			this.#open = undefined;
		}
		this.#at++;
	}

	#skipComment(): void {
		const end = this.#text.indexOf('\n', this.#at);
		this.#at = end < 0 ? this.#text.length : end;
	}

	#position(): Position {
		return { line: this.#line, column: this.#at - this.#lineStart + 1 };
	}

	#endLine(): void {
		this.#at++;
		this.#line++;
		this.#lineStart = this.#at;
	}

	#word(): Token {
		const text = this.#text;
		const start = this.#at;
		for (; this.#at < text.length; this.#at++) {
			const code = text.charCodeAt(this.#at);
			// An escape hides the octet behind it, but a line end stays one.
			if (code === BACKSLASH && text.charCodeAt(this.#at + 1) !== NEWLINE) this.#at++;
			else if (code <= SPACE && (code === SPACE || code === TAB || code === NEWLINE || code === RETURN)) break;
			else if (code === SEMICOLON || code === OPEN || code === CLOSE || code === QUOTE) break;
		}
		// A backslash as the last octet of the file points past the end.
		this.#at = Math.min(this.#at, text.length);
		return {
			text: text.slice(start, this.#at),
			isQuoted: false,
			line: this.#line,
			column: start - this.#lineStart + 1,
		};
	}

	/** A string may not run over a line end: a forgotten quote would swallow the rest of the file. */
	#quoted(position: Position): Token | undefined {
		const text = this.#text;
		const start = this.#at + 1;
		for (let at = start; at < text.length; at++) {
			const code = text.charCodeAt(at);
			if (code === BACKSLASH && text.charCodeAt(at + 1) !== NEWLINE) at++;
			else if (code === QUOTE) {
				this.#at = at + 1;
				return { text: text.slice(start, at), isQuoted: true, ...position };
			} else if (code === NEWLINE) {
				this.#at = at;
				break;
			}
		}
		// A loop that came to the end of the text left the place at the quote itself.
		if (this.#at < start) this.#at = text.length;
		this.#report(position, 'Cannot find the quote that ends this string');
		return undefined;
	}
}

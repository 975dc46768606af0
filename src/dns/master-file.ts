/**
 * Master files (RFC 1035 §5, RFC 2308 §4) to records.
 *
 *     text -> entries (logical lines: parentheses joined, comments dropped) -> records
 *
 * Every problem is reported with its line and column; a bad entry is skipped and the scan goes on,
 * so that one run shows all mistakes.
 */

import { isDigit, scanName } from './name.ts';
import { CLASS, TYPE } from './protocol.ts';
import { type RdataFault, scanPeriod, scanRdata, type Token } from './rdata.ts';
import { type Position, RecordList } from './record-list.ts';
import { isDataType, typeCode, typeText } from './rr-type.ts';

export interface MasterFileProblem extends Position {
	readonly message: string;
}

export interface MasterFile {
	readonly records: RecordList;
	/** Empty when the file is good; at most `PROBLEMS_MAX`, the last one then says that there are more. */
	readonly problems: readonly MasterFileProblem[];
}

const PROBLEMS_MAX = 100;

/**
 * @param text    the file, one character for each octet (latin1), so that any octet may stand in a name or string
 * @param origin  wire name to start with as $ORIGIN: the apex
 */
export function scanMasterFile(text: string, origin: Uint8Array): MasterFile {
	const scan = new Scan(text, origin);
	scan.run();
	return { records: scan.records, problems: scan.problems };
}

class Scan {
	readonly records = new RecordList();
	readonly problems: MasterFileProblem[] = [];
	readonly #entries: EntryReader;
	#origin: Uint8Array;
	#owner: Uint8Array | undefined;
	#ownerText = '';
	#defaultTtlSec: number | undefined;
	#lastTtlSec: number | undefined;

	constructor(text: string, origin: Uint8Array) {
		this.#entries = new EntryReader(text);
		this.#origin = origin;
	}

	run(): void {
		for (;;) {
			const entry = this.#entries.next();
			if (entry === undefined) return;
			const first = entry.tokens[0];
			if (entry.problem !== undefined) this.#report(entry.problem);
			else if (first === undefined) continue;
			else if (!entry.startsBlank && !first.isQuoted && first.text.startsWith('$'))
				this.#directive(entry.tokens, first);
			else {
				const fault = this.#record(entry);
				if (fault !== undefined) this.#report({ ...positionOf(entry, fault.token), message: fault.message });
			}
			if (this.problems.length >= PROBLEMS_MAX) {
				this.#report({
					line: entry.line,
					column: 1,
					message: 'Cannot list more problems of this file: fix these first',
				});
				return;
			}
		}
	}

	#report(problem: MasterFileProblem): void {
		this.problems.push(problem);
	}

	#directive(tokens: readonly Token[], first: Token): void {
		const argument = tokens[1];
		const complain = (token: Token, message: string) =>
			this.#report({ line: token.line, column: token.column, message });
		const name = first.text.toUpperCase();
		if (name !== '$ORIGIN' && name !== '$TTL') {
			const isLater = name === '$INCLUDE' || name === '$GENERATE';
			complain(first, `Cannot use ${first.text}: ${isLater ? 'not yet' : 'expected $ORIGIN or $TTL'}`);
			return;
		}
		if (argument === undefined || tokens.length > 2) {
			complain(tokens[2] ?? first, `Cannot read ${first.text}: expected one value behind it`);
			return;
		}
		if (name === '$ORIGIN') {
			const origin = scanName(argument.text, this.#origin);
			if (typeof origin === 'string') complain(argument, origin);
			else this.#origin = origin;
			// A blank owner repeats the last owner as it was, so its text must not be taken for a relative name again.
			this.#ownerText = '';
			return;
		}
		const ttlSec = scanPeriod(argument.text);
		if (ttlSec === undefined)
			complain(argument, `Cannot use TTL "${argument.text}": expected seconds or units, below 2^31`);
		else this.#defaultTtlSec = ttlSec;
	}

	/** [owner] [TTL] [class] type RDATA, TTL and class in either order. */
	#record(entry: Entry): RdataFault | undefined {
		const { tokens } = entry;
		let at = 0;
		if (!entry.startsBlank) {
			const problem = this.#setOwner(tokens[at]?.text ?? '');
			if (problem !== undefined) return { token: at, message: problem };
			at++;
		}
		const owner = this.#owner;
		if (owner === undefined) return { token: at, message: 'Cannot use a blank owner name: no record stands before it' };
		const prefix = scanPrefix(tokens, at);
		if ('message' in prefix) return prefix;
		at = prefix.next;
		const typeToken = tokens[at]?.text;
		if (typeToken === undefined) return { token: at, message: 'Cannot read the record: it ends where a type is due' };
		const type = typeCode(typeToken);
		if (type === undefined) return { token: at, message: unknownType(typeToken) };
		if (!isDataType(type))
			return { token: at, message: `Cannot hold type ${typeText(type)} in a zone: it exists in queries only` };
		const rdata = scanRdata(type, tokens, at + 1, this.#origin);
		if (!(rdata instanceof Uint8Array)) return rdata;
		const effectiveTtlSec = prefix.ttlSec ?? this.#defaultTtlSec ?? this.#lastTtlSec ?? soaMinimumSec(type, rdata);
		if (effectiveTtlSec === undefined) {
			return {
				token: at,
				message: 'Cannot tell the TTL: expected one in this record, in one before it, or a $TTL line',
			};
		}
		this.#lastTtlSec = effectiveTtlSec;
		this.records.add(owner, type, effectiveTtlSec, rdata, entry.line);
		return undefined;
	}

	#setOwner(text: string): string | undefined {
		if (this.#owner !== undefined && text === this.#ownerText && text !== '') return undefined;
		const owner = scanName(text, this.#origin);
		if (typeof owner === 'string') return owner;
		this.#owner = owner;
		this.#ownerText = text;
		return undefined;
	}
}

function positionOf(entry: Entry, token: number): Position {
	const { line, column } = entry.tokens[token] ?? entry.tokens.at(-1) ?? entry;
	return { line, column };
}

interface RecordPrefix {
	readonly ttlSec: number | undefined;
	/** Index of the token behind: the type's place. */
	readonly next: number;
}

/** TTL and class, each at most once, in either order. */
function scanPrefix(tokens: readonly Token[], from: number): RecordPrefix | RdataFault {
	let ttlSec: number | undefined;
	let hasClass = false;
	let at = from;
	for (; at < tokens.length; at++) {
		const text = tokens[at]?.text ?? '';
		const period = ttlSec === undefined && isDigit(text.charCodeAt(0)) ? scanPeriod(text) : undefined;
		const classCode = hasClass ? undefined : classOf(text);
		if (period !== undefined) ttlSec = period;
		else if (classCode === undefined) break;
		else if (classCode === CLASS.in) hasClass = true;
		else return { token: at, message: `Cannot serve class ${text}: expected IN` };
	}
	return { ttlSec, next: at };
}

function classOf(text: string): number | undefined {
	switch (text.toUpperCase()) {
		case 'IN':
			return CLASS.in;
		case 'CH':
			return 3;
		case 'HS':
			return 4;
		default: {
			// Nearly every word that comes here is a type: one look at its length spares the expression.
			const digits = text.length < 6 ? undefined : /^CLASS(\d{1,5})$/i.exec(text)?.[1];
			return digits === undefined ? undefined : Number(digits);
		}
	}
}

function unknownType(text: string): string {
	if (/^\d/.test(text)) return `Cannot use "${text}": expected a TTL below 2^31, a class or a type`;
	return `Cannot use "${text}": expected a type such as A or TXT, or TYPE and its number (RFC 3597)`;
}

/** RFC 1035 had no $TTL: a first SOA without a TTL takes its own MINIMUM, as named does. */
function soaMinimumSec(type: number, rdata: Uint8Array): number | undefined {
	if (type !== TYPE.soa) return undefined;
	const minimumSec = new DataView(rdata.buffer, rdata.byteOffset, rdata.byteLength).getUint32(rdata.length - 4);
	// Through `\# hex` it may have the top bit set, which no TTL may (RFC 2181 §8).
	return Math.min(minimumSec, 0x7fffffff);
}

interface Entry extends Position {
	readonly tokens: readonly Token[];
	/** The line began with white space: the owner is that of the record before. */
	readonly startsBlank: boolean;
	readonly problem: MasterFileProblem | undefined;
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
class EntryReader {
	readonly #text: string;
	#at = 0;
	#line = 1;
	#lineStart = 0;
	/** Of the present entry: where its parenthesis opened, while it is open. */
	#open: Position | undefined;
	/** Of the present entry. */
	#problem: MasterFileProblem | undefined;

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

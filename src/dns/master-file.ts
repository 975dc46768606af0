/**
 * Master files (RFC 1035 §5, RFC 2308 §4) to records.
 *
 *     text -> entries (logical lines: parentheses joined, comments dropped) -> records
 *       ^                                                       |
 *       '------ $INCLUDE, through a reader that is passed in ---'-> $GENERATE -> records
 *
 * Every problem is reported with its file, line and column; a bad entry is skipped and the scan goes on,
 * so that one run shows all mistakes.
 */

import { AddressLine } from './address-line.ts';
import { type Entry, EntryReader, type TextProblem } from './entry-reader.ts';
import type { RdataFault, Token } from './field.ts';
import { expandTemplate, STEPS_MAX, scanRange, unquote } from './generate.ts';
import { isDigit, scanName } from './name.ts';
import { scanPeriod } from './period.ts';
import { CLASS, TYPE } from './protocol.ts';
import { scanRdata } from './rdata.ts';
import { type Position, RecordList } from './record-list.ts';
import { isDataType, typeCode, typeText } from './rr-type.ts';

export interface MasterFileProblem extends TextProblem {
	/** The path that $INCLUDE gave; absent for the file that the scan began with. */
	readonly file?: string;
}

export interface MasterFileOptions {
	/**
	 * Fetch what $INCLUDE names; without it $INCLUDE is refused.
	 * @param path  as it stands behind $INCLUDE
	 * @param from  the path of the file that includes it; undefined for the file that the scan began with
	 */
	readonly readInclude?: (path: string, from: string | undefined) => IncludedText;
}

/** Latin1 text, or a sentence that says why there is none. */
export type IncludedText = { readonly text: string } | { readonly problem: string };

export interface MasterFile {
	readonly records: RecordList;
	/** Empty when the file is good; at most `PROBLEMS_MAX`, the last one then says that there are more. */
	readonly problems: readonly MasterFileProblem[];
}

const PROBLEMS_MAX = 100;
const INCLUDE_DEPTH_MAX = 10;
/** Depth alone bounds nothing: a file that includes itself ten times would be read 10^10 times. */
const INCLUDES_MAX = 1000;

/**
 * @param text    the file, one character for each octet (latin1), so that any octet may stand in a name or string
 * @param origin  wire name to start with as $ORIGIN: the apex
 */
export function scanMasterFile(text: string, origin: Uint8Array, options: MasterFileOptions = {}): MasterFile {
	const scan = new Scan(origin, text.length, options);
	scan.run(text);
	scan.records.trim();
	return { records: scan.records, problems: scan.problems };
}

/** U+FEFF in UTF-8, each octet one character. */
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

class Scan {
	readonly records: RecordList;
	readonly problems: MasterFileProblem[] = [];
	readonly #readInclude: MasterFileOptions['readInclude'];
	#origin: Uint8Array;
	#owner: Uint8Array | undefined;
	/** As it was written, while the same text would still mean the same name. */
	#ownerText = '';
	readonly #line = new AddressLine();
	#typeText = '';
	#type: number | undefined;
	#defaultTtlSec: number | undefined;
	#lastTtlSec: number | undefined;
	#file: string | undefined;
	#depth = 0;
	#includes = 0;
	#steps = 0;

	constructor(origin: Uint8Array, textOctets: number, { readInclude }: MasterFileOptions) {
		this.records = new RecordList(textOctets);
		this.#origin = origin;
		this.#readInclude = readInclude;
	}

	run(text: string): void {
		const entries = new EntryReader(this.#withoutMark(text));
		const add = (lineNumber: number) => this.#addAddress(lineNumber);
		for (;;) {
			if (entries.takeLine(this.#line, add)) continue;
			const entry = entries.next();
			if (entry === undefined) return;
			const first = entry.tokens[0];
			if (entry.problem !== undefined) this.#report(entry.problem);
			else if (first === undefined) continue;
			else {
				const isDirective = !entry.startsBlank && !first.isQuoted && first.text.startsWith('$');
				const fault = isDirective ? this.#directive(entry, first) : this.#record(entry);
				if (fault !== undefined) this.#report({ ...positionOf(entry, fault.token), message: fault.message });
			}
			if (this.problems.length > PROBLEMS_MAX) return;
			if (this.problems.length === PROBLEMS_MAX) {
				const message = 'Cannot list more problems of this file: fix these first';
				this.#report({ line: entry.line, column: 1, message });
				return;
			}
		}
	}

	/** Some editors begin a file with a mark that a master file knows nothing of: it would become part of the first word. */
	#withoutMark(text: string): string {
		if (!text.startsWith(BYTE_ORDER_MARK)) return text;
		this.#report({ line: 1, column: 1, message: 'Cannot use a byte order mark: save the file without one' });
		return text.slice(BYTE_ORDER_MARK.length);
	}

	#report({ line, column, message }: TextProblem): void {
		const place = this.#file === undefined ? {} : { file: this.#file };
		this.problems.push({ ...place, line, column, message });
	}

	#directive(entry: Entry, first: Token): RdataFault | undefined {
		const { tokens } = entry;
		const [, argument, second] = tokens;
		const name = first.text.toUpperCase();
		const most = VALUES_MAX[name];
		if (most === undefined) {
			return { token: 0, message: `Cannot use ${first.text}: expected $ORIGIN, $TTL, $INCLUDE or $GENERATE` };
		}
		if (argument === undefined || tokens.length > most + 1) {
			const token = argument === undefined ? 0 : most + 1;
			return { token, message: `Cannot read ${first.text}: expected ${VALUES_PHRASE[name]} behind it` };
		}
		if (argument.isQuoted && name !== '$INCLUDE') {
			return { token: 1, message: `Cannot use "${argument.text}": expected it without quotes` };
		}
		if (name === '$INCLUDE') return this.#include(argument, second);
		if (name === '$GENERATE') return this.#generate(entry);
		if (name === '$ORIGIN') {
			const origin = scanName(argument.text, this.#origin);
			if (typeof origin === 'string') return { token: 1, message: origin };
			this.#setOrigin(origin);
			return undefined;
		}
		const ttlSec = scanPeriod(argument.text);
		if (ttlSec === undefined) {
			return { token: 1, message: `Cannot use TTL "${argument.text}": expected seconds or units, below 2^31` };
		}
		this.#defaultTtlSec = ttlSec;
		return undefined;
	}

	#setOrigin(origin: Uint8Array): void {
		this.#origin = origin;
		// A blank owner repeats the last owner as it was, so its text must not be taken for a relative name again.
		this.#ownerText = '';
	}

	/** The included file starts with our owner and origin, or its own; what it makes of them ends with it (RFC 1035 §5.1). */
	#include(path: Token, originToken: Token | undefined): RdataFault | undefined {
		const refuse = (why: string): RdataFault => ({ token: 1, message: `Cannot include "${path.text}": ${why}` });
		if (this.#readInclude === undefined)
			return refuse('files cannot be included here, expected one file with everything');
		if (this.#depth === INCLUDE_DEPTH_MAX)
			return refuse(`expected at most ${INCLUDE_DEPTH_MAX} files inside one another`);
		if (this.#includes === INCLUDES_MAX) return refuse(`expected at most ${INCLUDES_MAX} files in all`);
		const origin = originToken === undefined ? this.#origin : scanName(originToken.text, this.#origin);
		if (typeof origin === 'string') return { token: 2, message: origin };
		const included = this.#readInclude(path.text, this.#file);
		if ('problem' in included) return refuse(included.problem);

		const before = { origin: this.#origin, owner: this.#owner, file: this.#file };
		this.#includes++;
		this.#depth++;
		this.#file = path.text;
		this.#setOrigin(origin);
		this.run(included.text);
		this.#depth--;
		this.#file = before.file;
		this.#owner = before.owner;
		this.#setOrigin(before.origin);
		return undefined;
	}

	/** $GENERATE range owner [TTL] [class] type RDATA: the RDATA is one word, or in quotes several (as BIND has it). */
	#generate(entry: Entry): RdataFault | undefined {
		const { tokens } = entry;
		const [, rangeToken, ownerToken] = tokens;
		const range = scanRange(rangeToken?.text ?? '');
		if (typeof range === 'string') return { token: 1, message: range };
		this.#steps += range.steps;
		if (this.#steps > STEPS_MAX) {
			return {
				token: 1,
				message: `Cannot generate ${this.#steps} records: expected at most ${STEPS_MAX} in all files`,
			};
		}
		if (ownerToken === undefined) return { token: 2, message: 'Cannot read $GENERATE: it ends where an owner is due' };
		const head = this.#head(tokens, 3);
		if ('message' in head) return head;
		const rdataToken = tokens[head.next];
		if (rdataToken === undefined)
			return { token: head.next, message: 'Cannot read $GENERATE: it ends where RDATA is due' };
		if (head.next + 1 < tokens.length) {
			return { token: head.next + 1, message: 'Cannot read $GENERATE: expected RDATA of several words in quotes' };
		}
		const template = rdataToken.isQuoted ? unquote(rdataToken.text) : rdataToken.text;
		for (let step = 0; step < range.steps; step++) {
			const value = range.start + step * range.step;
			const ownerText = expandTemplate(ownerToken.text, value);
			if (ownerText.problem !== undefined) return { token: 2, message: ownerText.problem };
			const owner = scanName(ownerText.text, this.#origin);
			if (typeof owner === 'string') return { token: 2, message: owner };
			const rdataText = expandTemplate(template, value);
			if (rdataText.problem !== undefined) return { token: head.next, message: rdataText.problem };
			const words = new EntryReader(rdataText.text).next();
			const rdata = words?.problem ?? scanRdata(head.type, words?.tokens ?? [], 0, this.#origin);
			if (!(rdata instanceof Uint8Array)) return { token: head.next, message: rdata.message };
			const fault = this.#add(owner, { head, rdata, line: entry.line });
			if (fault !== undefined) return { token: head.next - 1, message: fault };
		}
		return undefined;
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
		const head = this.#head(tokens, at);
		if ('message' in head) return head;
		const rdata = scanRdata(head.type, tokens, head.next, this.#origin);
		if (!(rdata instanceof Uint8Array)) return rdata;
		const fault = this.#add(owner, { head, rdata, line: entry.line });
		return fault === undefined ? undefined : { token: head.next - 1, message: fault };
	}

	/** [TTL] [class] type */
	#head(tokens: readonly Token[], from: number): RecordHead | RdataFault {
		const prefix = scanPrefix(tokens, from);
		if ('message' in prefix) return prefix;
		const at = prefix.next;
		const token = tokens[at];
		if (token === undefined) return { token: at, message: 'Cannot read the record: it ends where a type is due' };
		const type = token.isQuoted ? undefined : this.#typeCode(token.text);
		if (type === undefined) return { token: at, message: unknownType(token.text) };
		if (!isDataType(type))
			return { token: at, message: `Cannot hold type ${typeText(type)} in a zone: it exists in queries only` };
		return { ttlSec: prefix.ttlSec, type, next: at + 1 };
	}

	/** @returns false when something is wrong with it, which the way of all other records tells */
	#addAddress(lineNumber: number): boolean {
		const { ownerText, ttlSec, address } = this.#line;
		if (ownerText !== '' && this.#setOwner(ownerText) !== undefined) return false;
		if (this.#owner === undefined) return false;
		const head = { ttlSec, type: TYPE.a, next: 0 };
		return this.#add(this.#owner, { head, rdata: address, line: lineNumber }) === undefined;
	}

	/** Records that follow one another mostly have one type. */
	#typeCode(text: string): number | undefined {
		if (text !== this.#typeText) {
			this.#typeText = text;
			this.#type = typeCode(text);
		}
		return this.#type;
	}

	/** @returns undefined, or why the record cannot be held */
	#add(owner: Uint8Array, { head, rdata, line }: ScannedRecord): string | undefined {
		const ttlSec = head.ttlSec ?? this.#defaultTtlSec ?? this.#lastTtlSec ?? soaMinimumSec(head.type, rdata);
		if (ttlSec === undefined) {
			return 'Cannot tell the TTL: expected one in this record, in one before it, or a $TTL line';
		}
		this.#lastTtlSec = ttlSec;
		this.records.add(owner, head.type, ttlSec, rdata, line, this.#file);
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

const VALUES_MAX: Readonly<Record<string, number>> = {
	$ORIGIN: 1,
	$TTL: 1,
	$INCLUDE: 2,
	$GENERATE: Number.POSITIVE_INFINITY,
};

const VALUES_PHRASE: Readonly<Record<string, string>> = {
	$ORIGIN: 'one value',
	$TTL: 'one value',
	$INCLUDE: 'a file and perhaps an origin',
	$GENERATE: 'start-stop[/step] owner [TTL] [class] type RDATA',
};

interface RecordHead {
	readonly ttlSec: number | undefined;
	readonly type: number;
	/** Index of the token behind the type. */
	readonly next: number;
}

interface ScannedRecord {
	readonly head: RecordHead;
	readonly rdata: Uint8Array;
	readonly line: number;
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
		const token = tokens[at];
		if (token === undefined || token.isQuoted) break;
		const { text } = token;
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
	// Nearly every word that comes here is a type: one look at its length spares the rest.
	if (text.length !== 2 && text.length < 6) return undefined;
	switch (text.toUpperCase()) {
		case 'IN':
			return CLASS.in;
		case 'CH':
			return 3;
		case 'HS':
			return 4;
		default: {
			const digits = /^CLASS(\d{1,5})$/i.exec(text)?.[1];
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

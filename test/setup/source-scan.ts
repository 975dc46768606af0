/**
 * Reads TypeScript just well enough to name a file's imports and its words.
 * Must not know: which import is allowed where (test/architecture.test.ts does).
 *
 * TypeScript 7 has no JavaScript API, so this is a lexer of its own: comments fall away, strings and
 * regular expressions become single tokens, and whatever it cannot read for certain (an open string,
 * brackets that do not close) is an error, since a misread file would pass every rule unseen.
 */

export type TokenKind = 'word' | 'string' | 'template' | 'regex' | 'number' | 'sign';

export interface Token {
	readonly kind: TokenKind;
	/** Source text; of a string, and of a template without `${}`, what stands between the quotes. */
	readonly text: string;
	readonly line: number;
	/** Brackets open around the token: 0 at module level. */
	readonly depth: number;
}

export interface Import {
	/** undefined when it is computed and so cannot be followed. */
	readonly specifier: string | undefined;
	readonly line: number;
	/** `import type`, or every name marked `type`. */
	readonly isTypeOnly: boolean;
	readonly isReExport: boolean;
	/** Token positions [from, to) of a static statement; equal for an expression such as `import()`. */
	readonly from: number;
	readonly to: number;
}

const BLANK = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /#?[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
const NUMBER = /\.?\d[\w.]*/y;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const SIGN = /\+\+|--|=>|\.\.\.|\?\.|[^\s'"`]/y;
const PLAIN_TEMPLATE = /`(?:[^\\`$]|\\[\s\S]|\$(?!\{))*`/y;
const TEMPLATE_PART = /[`}](?:[^\\`$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y;

/** Words after which a `/` opens a regular expression; after any other word it divides. */
const BEFORE_REGEX = new Set('return typeof case in of delete void throw new else do await yield'.split(' '));

/** @throws Error with the line, when the text cannot be read for certain */
export function scanTokens(source: string): readonly Token[] {
	const tokens: Token[] = [];
	/** Brackets met and not yet closed; `${` stands for the hole of a template. */
	const open: string[] = [];
	let at = source.startsWith('#!') ? source.indexOf('\n') : 0;
	let line = 1;

	while (at < source.length) {
		if (take(BLANK, undefined) || takeTemplate(source[at] === '`')) continue;
		if (opensRegex(tokens.at(-1)) && take(REGEX, 'regex')) continue;
		if (take(WORD, 'word') || take(NUMBER, 'number') || take(STRING, 'string')) continue;
		if (!take(SIGN, 'sign')) throw new Error(`Cannot read line ${line}: the string does not end`);
		countBracket(tokens.at(-1)?.text ?? '');
	}
	if (open.length > 0) throw new Error(`Cannot read to the end: ${open.at(-1)} does not close`);
	return tokens;

	function take(pattern: RegExp, kind: TokenKind | undefined): boolean {
		pattern.lastIndex = at;
		const whole = pattern.exec(source)?.[0];
		if (whole === undefined) return false;
		if (kind !== undefined) {
			const text = kind === 'string' ? whole.slice(1, -1) : whole;
			tokens.push({ kind, text, line, depth: open.length });
		}
		at += whole.length;
		line += whole.split('\n').length - 1;
		return true;
	}

	/** A whole template, or its text up to the first hole, or from the end of a hole on. */
	function takeTemplate(isStart: boolean): boolean {
		const isHoleEnd = source[at] === '}' && open.at(-1) === '${';
		if (!isStart && !isHoleEnd) return false;
		if (isHoleEnd) open.pop();
		if (isStart && take(PLAIN_TEMPLATE, 'string')) return true;
		if (!take(TEMPLATE_PART, 'template')) throw new Error(`Cannot read line ${line}: the template does not end`);
		if (source[at - 1] === '{') open.push('${');
		return true;
	}

	function countBracket(sign: string): void {
		if (OPENERS.includes(sign)) open.push(sign);
		if (!CLOSERS.includes(sign)) return;
		const opener = open.pop() ?? 'nothing';
		if (opener !== OPENERS[CLOSERS.indexOf(sign)])
			throw new Error(`Cannot read line ${line}: ${sign} closes ${opener}`);
	}
}

const OPENERS = ['(', '[', '{'];
const CLOSERS = [')', ']', '}'];

function opensRegex(previous: Token | undefined): boolean {
	if (previous === undefined) return true;
	if (previous.kind === 'word') return BEFORE_REGEX.has(previous.text);
	return previous.kind === 'sign' && ![')', ']', '}', '++', '--'].includes(previous.text);
}

/**
 * Every way a file names another: `import`, `export from`, `import()`, `require()`,
 * `new URL(…, import.meta.url)` and `import.meta.resolve()` of a relative path.
 */
export function scanImports(tokens: readonly Token[]): readonly Import[] {
	const found: Import[] = [];
	for (let i = 0; i < tokens.length; i++) {
		const token = tokens[i];
		if (token?.kind !== 'word' || isSign(tokens[i - 1], '.') || isSign(tokens[i - 1], '?.')) continue;
		const statement = token.depth === 0 ? staticImport(tokens, i) : undefined;
		if (statement !== undefined) {
			found.push(statement);
			i = statement.to - 1;
			continue;
		}
		const expression = importExpression(tokens, i);
		if (expression !== undefined) found.push(expression);
	}
	return found;
}

/** `import … from 'x'`, `import 'x'`, `export … from 'x'`, at token `i`; undefined when it is none of them. */
function staticImport(tokens: readonly Token[], i: number): Import | undefined {
	const end = specifierIndex(tokens, i);
	if (end === undefined) return undefined;
	return {
		specifier: tokens[end]?.text,
		line: tokens[i]?.line ?? 0,
		isTypeOnly: isTypeOnlyClause(tokens.slice(i + 1, end)),
		isReExport: tokens[i]?.text === 'export',
		from: i,
		to: attributesEnd(tokens, end + 1),
	};
}

function specifierIndex(tokens: readonly Token[], i: number): number | undefined {
	let end = i + 1;
	if (tokens[i]?.text === 'import') {
		if (isSign(tokens[end], '(') || isSign(tokens[end], '.')) return undefined;
		while (end < tokens.length && tokens[end]?.kind !== 'string') end++;
		return end;
	}
	if (tokens[i]?.text !== 'export') return undefined;
	// Only `export {…} from` and `export * from`, each perhaps with `type`: other exports are declarations.
	if (tokens[end]?.text === 'type') end++;
	if (isSign(tokens[end], '{')) end = closeIndex(tokens, end);
	else if (!isSign(tokens[end], '*')) return undefined;
	else if (tokens[end + 1]?.text === 'as') end += 2;
	const isFrom = tokens[end + 1]?.text === 'from' && tokens[end + 2]?.kind === 'string';
	return isFrom ? end + 2 : undefined;
}

/** Of a list of names, which holds no other braces. */
function closeIndex(tokens: readonly Token[], i: number): number {
	let end = i;
	while (end < tokens.length && !isSign(tokens[end], '}')) end++;
	return end;
}

/** @param clause what stands between `import` or `export` and the specifier, `from` included */
function isTypeOnlyClause(clause: readonly Token[]): boolean {
	const [first, second] = clause;
	// `import type from 'x'` and `import type, { a } from 'x'` import a value that is called "type".
	if (first?.text === 'type' && !isSign(second, ',') && !(second?.text === 'from' && clause.length === 2)) return true;
	if (!isSign(first, '{')) return false;
	const close = clause.findIndex((token) => isSign(token, '}'));
	const names = splitAt(clause.slice(1, close), ',').filter((name) => name.length > 0);
	// `type A` and `type A as B` are types; `type` and `type as B` are values of that name.
	return names.length > 0 && names.every(([a, b]) => a?.text === 'type' && b !== undefined && b.text !== 'as');
}

function splitAt(tokens: readonly Token[], sign: string): readonly (readonly Token[])[] {
	const parts: Token[][] = [[]];
	for (const token of tokens) {
		if (isSign(token, sign)) parts.push([]);
		else parts.at(-1)?.push(token);
	}
	return parts;
}

/** Past `with { type: 'json' }`, where it is there. */
function attributesEnd(tokens: readonly Token[], i: number): number {
	const hasAttributes = tokens[i]?.text === 'with' && isSign(tokens[i + 1], '{');
	return hasAttributes ? closeIndex(tokens, i + 1) + 1 : i;
}

function importExpression(tokens: readonly Token[], i: number): Import | undefined {
	const head = (...texts: string[]): boolean => texts.every((text, k) => tokens[i + k]?.text === text);
	const relativeAt = (k: number): string | undefined => {
		const token = tokens[i + k];
		return token?.kind === 'string' && /^\.{1,2}\//.test(token.text) ? token.text : undefined;
	};
	const made = (specifier: string | undefined): Import => {
		return { specifier, line: tokens[i]?.line ?? 0, isTypeOnly: false, isReExport: false, from: i, to: i };
	};
	if (head('import', '(') || head('require', '(')) {
		const name = tokens[i + 2];
		const isWhole = isSign(tokens[i + 3], ')') || isSign(tokens[i + 3], ',');
		return made(name?.kind === 'string' && isWhole ? name.text : undefined);
	}
	let specifier: string | undefined;
	if (head('new', 'URL', '(') && tokens[i + 5]?.text === 'import' && tokens[i + 9]?.text === 'url')
		specifier = relativeAt(3);
	if (head('import', '.', 'meta', '.', 'resolve', '(')) specifier = relativeAt(6);
	return specifier === undefined ? undefined : made(specifier);
}

export function isSign(token: Token | undefined, text: string): boolean {
	return token?.kind === 'sign' && token.text === text;
}

/**
 * Service parameters of SVCB and HTTPS (RFC 9460 §2.1, §2.2): how keys and values stand together.
 *
 *     text   alpn="h2,h3" port=443         in any order
 *     wire   key, length, value ...        16-bit keys, strictly ascending
 */

import { type FieldCodec, notA, push16, type RdataWords, type Token } from './field.ts';
import { octet } from './name.ts';
import { isValue, KEY, KEY_INVALID, keyCode, keyText, printParam, scanValue } from './svc-values.ts';

interface Param {
	readonly key: number;
	readonly value: readonly number[];
}

export const svcParamsField: FieldCodec = {
	phrase: 'service parameters',
	scan(words, out) {
		const first = words.at;
		const params: Param[] = [];
		const keys = new Set<number>();
		while (words.at < words.tokens.length) {
			const token = words.at;
			const param = scanParam(words);
			if (typeof param === 'string') return { token, message: param };
			if (keys.has(param.key)) {
				return { token, message: `Cannot use ${keyText(param.key)} twice: a record has each key once` };
			}
			params.push(param);
			keys.add(param.key);
		}
		params.sort((a, b) => a.key - b.key);
		const clash = isAlias(out) ? undefined : inconsistency(params);
		if (clash !== undefined) return { token: first, message: clash };
		for (const { key, value } of params) {
			push16(key, out);
			push16(value.length, out);
			for (const next of value) out.push(next);
		}
		return undefined;
	},
	size(rdata, from) {
		const params = readParams(rdata, from);
		if (params === undefined) return -1;
		return isAlias(rdata) || inconsistency(params) === undefined ? rdata.length - from : -1;
	},
	print(wire) {
		const params = readParams(wire, 0) ?? [];
		return params.map(({ key, value }) => printParam(key, Uint8Array.from(value))).join(' ');
	},
};

/** SvcPriority 0: receivers ignore the parameters, so they need not fit one another (§2.4.2). */
function isAlias(rdata: ArrayLike<number>): boolean {
	return rdata[0] === 0 && rdata[1] === 0;
}

/** The parameter at the present word, or what is wrong with it. */
function scanParam(words: RdataWords): Param | string {
	const word = words.tokens[words.at++];
	if (word === undefined || word.isQuoted) return expectedKey(word?.text ?? '');
	const equals = word.text.indexOf('=');
	const name = equals < 0 ? word.text : word.text.slice(0, equals);
	let text = equals < 0 ? '' : word.text.slice(equals + 1);
	const next = words.tokens[words.at];
	// Straight behind `key=` a quote belongs to it; with a blank between it is a word of its own.
	if (word.text.endsWith('=') && text === '' && next?.isQuoted === true && isGlued(word, next)) {
		text = next.text;
		words.at++;
	}
	const key = keyCode(name);
	if (key === undefined) return expectedKey(name);
	const value = scanValue(key, name, text);
	if (typeof value !== 'string') return { key, value };
	return equals < 0 ? `Cannot use ${name} without a value: expected ${value}` : notA(`${name}=${text}`, value);
}

function expectedKey(text: string): string {
	return `Cannot use "${text}": expected a key of RFC 9460 such as alpn, or keyNNNNN`;
}

function isGlued(word: Token, next: Token): boolean {
	return next.line === word.line && next.column === word.column + word.text.length;
}

/** What §2.4.3 calls self-consistent: mandatory keys are there, and no-default-alpn goes with alpn (§7.1.1). */
function inconsistency(params: readonly Param[]): string | undefined {
	const keys = new Set(params.map(({ key }) => key));
	if (keys.has(KEY.noDefaultAlpn) && !keys.has(KEY.alpn)) return 'Cannot use no-default-alpn: expected alpn beside it';
	const mandatory = params[0]?.key === KEY.mandatory ? params[0].value : [];
	for (let at = 0; at < mandatory.length; at += 2) {
		const key = ((mandatory[at] ?? 0) << 8) | (mandatory[at + 1] ?? 0);
		if (!keys.has(key)) return `Cannot use mandatory with ${keyText(key)}: the record has no ${keyText(key)}`;
	}
	return undefined;
}

function readParams(rdata: Uint8Array, from: number): Param[] | undefined {
	const params: Param[] = [];
	let last = -1;
	let at = from;
	while (at < rdata.length) {
		const key = (octet(rdata, at) << 8) | octet(rdata, at + 1);
		const end = at + 4 + ((octet(rdata, at + 2) << 8) | octet(rdata, at + 3));
		if (end > rdata.length || key <= last || key === KEY_INVALID) return undefined;
		const value = Array.from(rdata.subarray(at + 4, end));
		if (!isValue(key, value)) return undefined;
		params.push({ key, value });
		last = key;
		at = end;
	}
	return params;
}

/**
 * YAML text to plain data, with the way back from a path in the data to a line and column.
 */

import { type Document, isAlias, isMap, isNode, isScalar, parseDocument, stringify, visit, type YAMLMap } from 'yaml';
import type { Path } from '../lib/result.ts';

export interface TextPosition {
	readonly line: number;
	readonly column: number;
}

export interface YamlProblem extends TextPosition {
	readonly message: string;
}

export interface YamlText {
	/** Plain data; undefined when the text is empty or has problems. */
	readonly value: unknown;
	readonly problems: readonly YamlProblem[];
	/** Where a path stands: its value, else its key, else the nearest place around it. */
	positionOf(path: Path): TextPosition;
}

const ALIASES_MAX = 100;

export interface YamlOptions {
	/** Numbers are read as the text that stands there, which they lose otherwise: 1.10, 007, 0x10. */
	readonly hasNumbersAsText?: boolean;
}

export function readYaml(text: string, { hasNumbersAsText = false }: YamlOptions = {}): YamlText {
	const at = positions(text);
	const problems: YamlProblem[] = [];
	const complain = (offset: number, message: string) =>
		problems.push({ ...at(offset), message: `Cannot read YAML: ${message}` });
	let document: Document | undefined;
	let value: unknown;
	try {
		// The package's own check for unique keys compares each key with each other one: seconds for a large zone.
		const options = { prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
		document = parseDocument(text, options);
		for (const { pos, code, message } of document.errors)
			complain(pos[0], code === 'MULTIPLE_DOCS' ? 'a second document begins here, and a file holds one' : message);
		keepText(document, hasNumbersAsText);
		for (const { offset, message } of mistakesOf(document)) complain(offset, message);
		if (problems.length === 0) value = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? undefined;
	} catch (error) {
		complain(0, (error as Error).message);
	}
	return { value, problems, positionOf: (path) => at(offsetOf(document?.contents, path)) };
}

/** Plain data as text that reads back as the same. */
export function printYaml(value: unknown): string {
	return stringify(value, { lineWidth: 120, aliasDuplicateObjects: false });
}

/** The package's own counter misses lines behind some mistakes. */
function positions(text: string): (offset: number) => TextPosition {
	let starts: number[] | undefined;
	return (offset) => {
		starts ??= lineStarts(text);
		let low = 0;
		let high = starts.length;
		while (high - low > 1) {
			const middle = (low + high) >>> 1;
			if ((starts[middle] ?? 0) <= offset) low = middle;
			else high = middle;
		}
		return { line: low + 1, column: Math.min(offset, text.length) - (starts[low] ?? 0) + 1 };
	};
}

function lineStarts(text: string): number[] {
	const starts = [0];
	for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
	return starts;
}

/** Keys are names, also those that look like numbers: 1.10 is not 1.1. */
function keepText(document: Document, hasNumbersAsText: boolean): void {
	visit(document, {
		Scalar: (at, node) => {
			if (typeof node.value === 'number' && node.source !== undefined && (at === 'key' || hasNumbersAsText))
				node.value = node.source;
		},
	});
}

/** What the package does not find, or finds without a place. */
function mistakesOf(document: Document): { readonly offset: number; readonly message: string }[] {
	const mistakes: { offset: number; message: string }[] = [];
	const anchors = new Set<string>();
	const complain = (node: unknown, message: string) => mistakes.push({ offset: startOf(node) ?? 0, message });
	visit(document, {
		Node: (_, node) => {
			if (isAlias(node)) {
				if (!anchors.has(node.source)) complain(node, `there is no anchor "${node.source}" before this alias`);
				return;
			}
			if (node.anchor !== undefined) anchors.add(node.anchor);
			if (!isMap(node)) return;
			const keys = new Set<string>();
			for (const { key } of node.items) {
				const text = keyText(key);
				if (keys.has(text)) complain(key, `the key "${text}" stands here twice`);
				keys.add(text);
			}
		},
	});
	return mistakes;
}

function offsetOf(root: unknown, path: Path): number {
	let node: unknown = root;
	let offset = startOf(root) ?? 0;
	for (const [i, step] of path.entries()) {
		const isLast = i === path.length - 1;
		if (isMap(node)) {
			const pair = pairOf(node, String(step));
			if (pair === undefined) return offset;
			// The key names the mistake better than its value does, when the value is a whole table.
			const keyOffset = startOf(pair.key) ?? offset;
			const isPlain = isScalar(pair.value);
			offset = isLast && isPlain ? (startOf(pair.value) ?? keyOffset) : keyOffset;
			node = pair.value;
		} else if (isNode(node) && 'items' in node && Array.isArray(node.items)) {
			node = node.items[Number(step)];
			offset = startOf(node) ?? offset;
		} else return offset;
	}
	return offset;
}

function pairOf(map: YAMLMap, key: string) {
	return map.items.find((pair) => keyText(pair.key) === key);
}

/** As it becomes the key of a plain object. */
function keyText(key: unknown): string {
	return String(isScalar(key) ? (key.value ?? '') : key);
}

function startOf(node: unknown): number | undefined {
	return isNode(node) ? node.range?.[0] : undefined;
}

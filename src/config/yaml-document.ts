/**
 * YAML text to plain data, with the way back from a path in the data to a line and column.
 */

import { isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
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

export function readYaml(text: string): YamlText {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
	const at = (offset: number): TextPosition => {
		const { line, col } = lines.linePos(offset);
		return { line: Math.max(1, line), column: Math.max(1, col) };
	};
	const problems = document.errors.map(({ pos, message }) => ({
		...at(pos[0]),
		message: `Cannot read YAML: ${message}`,
	}));
	let value: unknown;
	if (problems.length === 0) {
		try {
			value = document.toJS({ maxAliasCount: 100 }) ?? undefined;
		} catch (error) {
			problems.push({ line: 1, column: 1, message: `Cannot read YAML: ${(error as Error).message}` });
		}
	}
	return { value, problems, positionOf: (path) => at(offsetOf(document.contents, path)) };
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
	return map.items.find((pair) => String(isScalar(pair.key) ? pair.key.value : pair.key) === key);
}

function startOf(node: unknown): number | undefined {
	return isNode(node) ? node.range?.[0] : undefined;
}

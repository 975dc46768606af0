/**
 * JSON bodies: read as they are, and refused where two readers could see two things in them, or nesting is all that
 * there is.
 */

import { pointerOf } from './pointer.ts';
import { ApiProblem, type ProblemError } from './problem.ts';

/** Far above what a steering document needs. */
const DEPTH_MAX = 64;
const ERRORS_MAX = 100;

/** @throws ApiProblem malformed */
export function readBody(text: string): unknown {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new ApiProblem('malformed', `Cannot read the body as JSON: ${(error as Error).message}`);
	}
	const errors = [...mistakesIn(text)].slice(0, ERRORS_MAX);
	if (errors.length > 0) throw new ApiProblem('malformed', errors[0]?.message ?? '', { errors });
	return value;
}

/** What JSON.parse passes over: keys that stand twice, the key that copies as another kind, depth. */
function* mistakesIn(text: string): Generator<ProblemError> {
	/** Keys of each object that is open, undefined for a list, with the step that is being read. */
	const open: { readonly keys: Set<string> | undefined; step: string | number }[] = [];
	const path = () => pointerOf(open.map(({ step }) => step));
	let isKey = false;
	for (let at = 0; at < text.length; at++) {
		const character = text[at];
		const top = open.at(-1);
		if (character === '{' || character === '[') {
			if (open.length === DEPTH_MAX) {
				yield { pointer: path(), message: `Cannot nest deeper than ${DEPTH_MAX}` };
				return;
			}
			open.push({ keys: character === '{' ? new Set() : undefined, step: character === '{' ? '' : 0 });
			isKey = character === '{';
		} else if (character === '}' || character === ']') {
			open.pop();
			isKey = false;
		} else if (character === ',') {
			if (top?.keys === undefined && top !== undefined) top.step = Number(top.step) + 1;
			isKey = top?.keys !== undefined;
		} else if (character === '"') {
			const start = at;
			for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
			if (!isKey || top?.keys === undefined) continue;
			const key = JSON.parse(text.slice(start, at + 1)) as string;
			top.step = key;
			isKey = false;
			if (top.keys.has(key)) yield { pointer: path(), message: `Cannot use the key "${key}" twice` };
			if (key === '__proto__') yield { pointer: path(), message: 'Cannot use the key "__proto__"' };
			top.keys.add(key);
		}
	}
}

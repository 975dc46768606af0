/**
 * JSON bodies: read as they are, and refused where two readers could see two things in them, or nesting is all that
 * there is.
 */

import { pointerOf } from './pointer.ts';
import { ApiProblem, type ProblemError } from './problem.ts';

/** Far above what a steering document needs. */
const DEPTH_MAX = 64;
const ERRORS_MAX = 100;

/**
 * @returns undefined for no text at all: many clients name the type of a body that they do not send
 * @throws ApiProblem malformed
 */
export function readBody(text: string): unknown {
	if (text === '') return undefined;
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

/** An object or a list that is open. */
interface Open {
	/** Of an object, the keys that it has so far. */
	readonly keys: Set<string> | undefined;
	/** The key or position that is being read. */
	step: string | number;
}

/** What JSON.parse passes over: keys that stand twice, the key that copies as another kind, depth. */
function* mistakesIn(text: string): Generator<ProblemError> {
	const open: Open[] = [];
	const path = () => pointerOf(open.map(({ step }) => step));
	let isKeyDue = false;
	for (let at = 0; at < text.length; at++) {
		const top = open.at(-1);
		switch (text[at]) {
			case '{':
			case '[':
				if (open.length === DEPTH_MAX) {
					yield { pointer: path(), message: `Cannot nest deeper than ${DEPTH_MAX}` };
					return;
				}
				isKeyDue = text[at] === '{';
				open.push(isKeyDue ? { keys: new Set(), step: '' } : { keys: undefined, step: 0 });
				break;
			case '}':
			case ']':
				open.pop();
				isKeyDue = false;
				break;
			case ',':
				if (typeof top?.step === 'number') top.step++;
				isKeyDue = top?.keys !== undefined;
				break;
			case '"': {
				const end = endOfString(text, at);
				if (isKeyDue && top?.keys !== undefined) {
					const message = takeKey(top, top.keys, JSON.parse(text.slice(at, end + 1)));
					if (message !== undefined) yield { pointer: path(), message };
				}
				isKeyDue = false;
				at = end;
			}
		}
	}
}

/** @returns what is wrong with the key */
function takeKey(open: Open, keys: Set<string>, key: string): string | undefined {
	open.step = key;
	if (key === '__proto__') return 'Cannot use the key "__proto__"';
	if (keys.has(key)) return `Cannot use the key "${key}" twice`;
	keys.add(key);
	return undefined;
}

/** The quote that ends the string that begins at `at`; the text is JSON, so there is one. */
function endOfString(text: string, at: number): number {
	let end = at + 1;
	while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
	return end;
}

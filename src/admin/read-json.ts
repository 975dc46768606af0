/**
 * JSON of a request: refused where it nests so deep that what works on it would have no end, or holds a key that means
 * something to objects. Where the key stands is told.
 */

import { pointerOf } from './pointer.ts';
import { ApiProblem } from './problem.ts';

/** Far above what a steering document needs: policies nest 16 deep. */
const DEPTH_MAX = 64;
const FORBIDDEN_KEY = '__proto__';

/** @throws ApiProblem */
export function readJson(text: string): unknown {
	const depth = depthOf(text);
	if (depth > DEPTH_MAX)
		throw new ApiProblem('malformed', `Cannot read the body: it nests more than ${DEPTH_MAX} deep`);
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new ApiProblem('malformed', `Cannot read the body as JSON: ${(error as Error).message}`);
	}
	// Most bodies do not even hold the word; it may be written with escapes.
	if (/__proto__|\\u00/i.test(text)) refuseForbidden(value, []);
	return value;
}

/** Brackets that are open at once, counted without building anything. */
function depthOf(text: string): number {
	let depth = 0;
	let deepest = 0;
	let isInText = false;
	for (let i = 0; i < text.length; i++) {
		const char = text[i];
		if (isInText) {
			if (char === '\\') i++;
			else if (char === '"') isInText = false;
		} else if (char === '"') isInText = true;
		else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth);
		else if (char === '}' || char === ']') depth--;
	}
	return deepest;
}

function refuseForbidden(value: unknown, path: readonly (string | number)[]): void {
	if (typeof value !== 'object' || value === null) return;
	for (const [key, entry] of Object.entries(value)) {
		const at = [...path, Array.isArray(value) ? Number(key) : key];
		if (key === FORBIDDEN_KEY) {
			const message = `Cannot use the key "${FORBIDDEN_KEY}"`;
			throw new ApiProblem('malformed', message, { errors: [{ pointer: pointerOf(at), message }] });
		}
		refuseForbidden(entry, at);
	}
}

/**
 * Shapes that occur in many places of a steering document.
 */

import Type from 'typebox';
import { valueAt } from './shape-walk.ts';

const DURATION_PATTERN = '^[0-9]{1,9}(ms|s|m|h|d)$';

export const duration = (fallback?: string) =>
	Type.String({
		pattern: DURATION_PATTERN,
		description: 'a duration such as 500ms, 10s, 5m or 1h',
		...(fallback === undefined ? {} : { default: fallback }),
	});

/** Whether a part of a shape is a duration. */
export function isDuration(schema: unknown): boolean {
	return valueAt(schema, ['pattern']) === DURATION_PATTERN;
}

export const port = Type.Integer({ minimum: 1, maximum: 65535, description: 'a port number 1..65535' });

export const nameList = (what: string) =>
	Type.Array(Type.String({ minLength: 1, description: what }), { minItems: 1, description: `a list of ${what}` });

export const exact = { additionalProperties: false } as const;

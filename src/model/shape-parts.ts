/**
 * Shapes that occur in many places of a steering document.
 */

import Type from 'typebox';

export const duration = (fallback?: string) =>
	Type.String({
		pattern: '^[0-9]{1,9}(ms|s|m|h|d)$',
		description: 'a duration such as 500ms, 10s, 5m or 1h',
		...(fallback === undefined ? {} : { default: fallback }),
	});

export const port = Type.Integer({ minimum: 1, maximum: 65535, description: 'a port number 1..65535' });

export const nameList = (what: string) =>
	Type.Array(Type.String({ minLength: 1, description: what }), { minItems: 1, description: `a list of ${what}` });

export const exact = { additionalProperties: false } as const;

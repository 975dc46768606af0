/**
 * What goes over the admin API beside steering documents: parameters, headers, bodies and replies of its operations.
 * A shape with a title becomes a component of the OpenAPI document.
 */

import Type, { type TSchema } from 'typebox';
import { exact } from './shape-parts.ts';

export type { TSchema };

const text = (description: string) => Type.String({ description });
const maybe = (description: string) => Type.Optional(text(description));

/** RFC 9457. */
export const ProblemShape = Type.Object(
	{
		type: text('urn:meridian:problem: and the code'),
		code: text('what went wrong, in a word that stays the same'),
		title: text('the same for people'),
		status: Type.Integer({ description: 'the HTTP status' }),
		detail: text('what could not be done, and what was expected'),
		requestId: text('as the log has it'),
		errors: Type.Optional(
			Type.Array(
				Type.Object({
					pointer: text('JSON pointer into the request; empty for all of it'),
					message: text('one mistake'),
					unit: maybe('the unit in which it lies, outside of what was sent'),
					path: maybe('the place in that unit'),
					line: Type.Optional(Type.Integer({ description: 'the line of the master file' })),
				}),
			),
		),
	},
	{ title: 'Problem' },
);

/** A reply that is described and not fixed. */
export const AnyObjectShape = Type.Object({}, { description: 'an object' });
export const TextShape = Type.String({ description: 'text' });

export const StrictQueryShape = Type.Object({ strict: maybe('take what is degraded for unready') });

export const ExplainQueryShape = Type.Object(
	{
		name: Type.String({ minLength: 1, description: 'a domain name' }),
		type: maybe('a type such as A'),
		client: maybe('an address or a prefix'),
		resolver: maybe('an address'),
	},
	exact,
);

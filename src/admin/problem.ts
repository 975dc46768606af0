/**
 * What the API answers when it does not do what was asked: RFC 9457 problems, each with a code that stays the same.
 * What each code means, and what to do about it: problems.md.
 */

export const PROBLEMS = {
	malformed: { status: 400, title: 'Bad request' },
	'reason-required': { status: 400, title: 'Reason required' },
	unauthenticated: { status: 401, title: 'Unauthenticated' },
	forbidden: { status: 403, title: 'Forbidden' },
	'not-found': { status: 404, title: 'Not found' },
	'method-not-allowed': { status: 405, title: 'Method not allowed' },
	guarded: { status: 409, title: 'Refused by a guard' },
	conflict: { status: 409, title: 'Conflict' },
	'precondition-failed': { status: 412, title: 'Precondition failed' },
	'too-large': { status: 413, title: 'Too large' },
	'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
	misdirected: { status: 421, title: 'Misdirected request' },
	invalid: { status: 422, title: 'Invalid' },
	'precondition-required': { status: 428, title: 'Precondition required' },
	'rate-limited': { status: 429, title: 'Too many requests' },
	internal: { status: 500, title: 'Internal error' },
	busy: { status: 503, title: 'Busy' },
	'store-unreachable': { status: 503, title: 'Store unreachable' },
	'store-uncertain': { status: 503, title: 'Store uncertain' },
	'store-lost': { status: 503, title: 'Store lost' },
	'store-refused': { status: 503, title: 'Store refused' },
	'audit-failed': { status: 507, title: 'Audit log failed' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One mistake. */
export interface ProblemError {
	/** JSON pointer into the request body (RFC 6901), or `/params/x`, `/query/x`, `/headers/x`; empty for all of it. */
	readonly pointer: string;
	readonly message: string;
	/** The unit and the place in it, where the mistake lies outside of what was sent. */
	readonly unit?: string;
	readonly path?: string;
	/** In a master file. */
	readonly line?: number;
}

interface ProblemExtras {
	readonly errors?: readonly ProblemError[];
	/** What goes along in the header. */
	readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by a route; what becomes of it is for app.ts to say. */
export class ApiProblem extends Error {
	readonly code: ProblemCode;
	readonly statusCode: number;
	readonly errors: readonly ProblemError[] | undefined;
	readonly headers: Readonly<Record<string, string>>;

	/** @param detail  what could not be done, the value quoted, what was expected */
	constructor(code: ProblemCode, detail: string, { errors, headers = {} }: ProblemExtras = {}) {
		super(detail);
		this.name = 'ApiProblem';
		this.code = code;
		this.statusCode = PROBLEMS[code].status;
		this.errors = errors;
		this.headers = headers;
	}
}

export interface ProblemBody {
	readonly type: string;
	readonly code: ProblemCode;
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	readonly requestId: string;
	readonly errors?: readonly ProblemError[];
}

export function problemBody({ code, message, errors }: ApiProblem, requestId: string): ProblemBody {
	const { status, title } = PROBLEMS[code];
	const body = { type: `urn:meridian:problem:${code}`, code, title, status, detail: message, requestId };
	return errors === undefined ? body : { ...body, errors };
}

/**
 * What the API answers when it does not do what was asked: RFC 9457 problems, each with a code that stays the same.
 *
 * | code                     | status | means                                                                        |
 * |--------------------------|--------|------------------------------------------------------------------------------|
 * | malformed                | 400    | the request is not of the form that the operation takes; `errors` says where |
 * | reason-required          | 400    | what was asked for wants a Meridian-Reason header                            |
 * | unauthenticated          | 401    | no token, or none that is known                                              |
 * | forbidden                | 403    | the token may not do this, or not to this zone                               |
 * | not-found                | 404    | there is no such resource, or no such path                                   |
 * | method-not-allowed       | 405    | the path is there and takes other methods                                    |
 * | guarded                  | 409    | a guard refused it; ?force=true does it all the same                         |
 * | conflict                 | 409    | it cannot be done as things are                                              |
 * | precondition-failed      | 412    | the resource is not what If-Match or If-None-Match says                      |
 * | too-large                | 413    | the body is larger than the operation takes                                  |
 * | unsupported-media-type   | 415    | the body is of another type than the operation takes                         |
 * | misdirected              | 421    | the Host header names another machine, and no token was shown                |
 * | invalid                  | 422    | what would come of it cannot be served; `errors` says why                    |
 * | precondition-required    | 428    | the operation wants If-Match or If-None-Match                                |
 * | rate-limited             | 429    | too many requests                                                            |
 * | internal                 | 500    | a fault of ours; the log has it, by the request's id                         |
 * | starting                 | 503    | the process does not serve yet                                               |
 * | busy                     | 503    | others went on writing, so that this did not come to its turn                |
 * | store-unreachable        | 503    | the store does not answer; nothing was changed                               |
 * | store-uncertain          | 503    | the store went away meanwhile: look whether it was changed                   |
 * | store-lost               | 503    | the store was emptied or set back: it takes nothing until it is restored     |
 * | store-refused            | 503    | the store could not write it                                                 |
 * | audit-failed             | 507    | the audit log cannot be written, so nothing else is                          |
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
	starting: { status: 503, title: 'Starting' },
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

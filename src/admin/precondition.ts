/**
 * Conditional requests (RFC 9110 §13): every write says which version of its resource it was made for.
 *
 * | header             | the resource must                     |
 * |--------------------|---------------------------------------|
 * | If-None-Match: *   | not exist                             |
 * | If-Match: "..."    | be of one of these ETags              |
 * | If-Match: *        | exist                                 |
 */

import { ApiProblem } from './problem.ts';

export type Precondition =
	| { readonly kind: 'absent' }
	| { readonly kind: 'present' }
	| { readonly kind: 'match'; readonly etags: readonly string[] };

/** @throws ApiProblem precondition-required, malformed */
export function readPrecondition(headers: Readonly<Record<string, unknown>>): Precondition {
	const { 'if-match': match, 'if-none-match': noneMatch } = headers;
	if (match !== undefined && noneMatch !== undefined)
		throw new ApiProblem('malformed', 'Cannot use If-Match and If-None-Match together');
	if (noneMatch !== undefined) {
		if (noneMatch === '*') return { kind: 'absent' };
		throw new ApiProblem('malformed', 'Cannot use this If-None-Match with a write: expected "*", without quotes');
	}
	if (typeof match !== 'string')
		throw new ApiProblem(
			'precondition-required',
			'Cannot write without a condition: expected If-Match with the ETag of the resource, or If-None-Match: * to create it',
		);
	if (match.trim() === '*') return { kind: 'present' };
	const etags = match.split(',').map((part) => /^\s*(?:W\/)?"([^"]*)"\s*$/.exec(part)?.[1]);
	if (etags.some((etag) => etag === undefined))
		throw new ApiProblem('malformed', `Cannot read If-Match ${match}: expected an ETag in quotes`);
	return { kind: 'match', etags: etags.filter((etag) => etag !== undefined) };
}

/**
 * @param etag  of the resource; undefined when there is none
 * @throws ApiProblem precondition-failed
 */
export function holdPrecondition(precondition: Precondition, etag: string | undefined, what: string): void {
	const fail = (why: string): never => {
		throw new ApiProblem('precondition-failed', `Cannot write ${what}: ${why}`, {
			headers: etag === undefined ? {} : { etag: `"${etag}"` },
		});
	};
	if (precondition.kind === 'absent') {
		if (etag !== undefined) fail('it exists already');
	} else if (etag === undefined) fail('it does not exist');
	else if (precondition.kind === 'match' && !precondition.etags.includes(etag))
		fail('it has changed since it was read; its ETag is now another');
}

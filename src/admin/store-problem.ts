/** What a store could not do, as a problem of the API. */

import type { StoreErrorCode } from '../store/store-error.ts';
import { ApiProblem, type ProblemCode } from './problem.ts';

const CODES: Readonly<Record<StoreErrorCode, ProblemCode>> = {
	STORE_UNREACHABLE: 'store-unreachable',
	STORE_UNCERTAIN: 'store-uncertain',
	STORE_LOST: 'store-lost',
	STORE_REFUSED: 'store-refused',
	STORE_CONTENT: 'conflict',
	STORE_INSTANCE_TAKEN: 'conflict',
	STORE_CLOSED: 'store-unreachable',
};

/** @returns the error itself where it is none of a store */
export function storeProblem(error: unknown): unknown {
	const { code, message } = (error ?? {}) as Partial<Record<'code' | 'message', string>>;
	if (code === undefined || !Object.hasOwn(CODES, code)) return error;
	return new ApiProblem(CODES[code as StoreErrorCode], message ?? code);
}

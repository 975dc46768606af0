/**
 * What a store cannot do, told by a code.
 *
 * | code                 | means                                                                     |
 * |----------------------|---------------------------------------------------------------------------|
 * | STORE_UNREACHABLE    | nobody answers; nothing was changed                                       |
 * | STORE_UNCERTAIN      | the connection went while a commit was under way: the next look at the head tells |
 * | STORE_LOST           | the store was emptied or set back: it takes nothing until it is restored  |
 * | STORE_REFUSED        | the store said no: out of memory, no permission, a disk that is full      |
 * | STORE_CONTENT        | what was to be written is none that a store takes                         |
 * | STORE_INSTANCE_TAKEN | another live prober goes by this name                                     |
 * | STORE_CLOSED         | this process has closed it                                                |
 */

export type StoreErrorCode =
	| 'STORE_UNREACHABLE'
	| 'STORE_UNCERTAIN'
	| 'STORE_LOST'
	| 'STORE_REFUSED'
	| 'STORE_CONTENT'
	| 'STORE_INSTANCE_TAKEN'
	| 'STORE_CLOSED';

export class StoreError extends Error {
	readonly code: StoreErrorCode;

	constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
		super(message, options);
		this.name = 'StoreError';
		this.code = code;
	}
}

export function instanceTaken(instance: string): StoreError {
	const name = JSON.stringify(instance);
	return new StoreError('STORE_INSTANCE_TAKEN', `Cannot join as ${name}: a live prober goes by this name`);
}

/** What a worker tells of its heap, in shared memory. */

export type HeapWords = Float64Array;

export const HEAP_WORDS = { majors: 0, usedOctets: 1, count: 2 } as const;

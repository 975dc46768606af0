/**
 * The thread that answers, with an eye on its heap: it counts collections of the whole heap, and tells how much is used.
 */

import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { getEnvironmentData, threadName } from 'node:worker_threads';
import { HEAP_WORDS, type HeapWords } from './heap-words.ts';

const LOOK_MS = 200;
const words = (getEnvironmentData('meridian-test-heaps') as Readonly<Record<string, HeapWords>>)[threadName ?? ''];
if (words !== undefined) {
	new PerformanceObserver((list) => {
		for (const { detail } of list.getEntries() as unknown as { readonly detail: { readonly kind: number } }[]) {
			if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR)
				words[HEAP_WORDS.majors] = (words[HEAP_WORDS.majors] ?? 0) + 1;
		}
	}).observe({ entryTypes: ['gc'] });
	const look = () => {
		words[HEAP_WORDS.usedOctets] = getHeapStatistics().used_heap_size;
	};
	look();
	setInterval(look, LOOK_MS).unref();
}

await import('../../src/roles/dns-worker.ts');

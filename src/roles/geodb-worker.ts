/**
 * A thread that reads the geo databases for a builder that starts, while that loads its own program, and ends. What it
 * cannot read it says nothing of: the builder tries too, and tells why.
 */

import { workerData } from 'node:worker_threads';
import type { GeodbOrder } from './builder-messages.ts';
import { readGeodb } from './geodb.ts';

const { paths, to } = workerData as GeodbOrder;
try {
	const files = readGeodb(paths);
	const columns = files.flatMap(({ ranges }) => [ranges.ipv4, ranges.ipv6].flatMap((one) => Object.values(one)));
	const buffers = columns.flatMap((column) => (ArrayBuffer.isView(column) ? [column.buffer as ArrayBuffer] : []));
	to.postMessage(files, buffers);
} catch {
	// Closed without a word.
}
to.close();

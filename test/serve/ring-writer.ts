/** A thread that writes records without a pause, each told by its number, and says how many found no room. */

import { parentPort, workerData } from 'node:worker_threads';
import { LoggedQuery, QueryRing } from '../../src/serve/query-ring.ts';

const { memory, records } = workerData as { memory: SharedArrayBuffer; records: number };
const ring = new QueryRing(memory);
const query = new LoggedQuery();
let dropped = 0;
for (let i = 0; i < records; i++) {
	query.generation = i;
	query.timeMs = i;
	query.octets = 100 + (i % 1000);
	query.message = new Uint8Array(query.octets).fill(i & 255);
	query.sender.words.fill(i);
	if (!ring.write(query)) dropped++;
}
parentPort?.postMessage(dropped);

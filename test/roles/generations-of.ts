/**
 * Generations without an instance around them, whose builder takes faults on demand.
 */

import type { TestContext } from 'node:test';
import { createHealthWords, VerdictTable } from '../../src/health/verdict-table.ts';
import { Builder } from '../../src/roles/builder.ts';
import { Generations } from '../../src/roles/generations.ts';
import type { Generation } from '../../src/roles/worker-messages.ts';
import type { WorkerPool } from '../../src/roles/worker-pool.ts';
import { outcomeOf } from '../zone/zone-of.ts';
import { scratch } from './scratch.ts';

const ENTRY = new URL('./faulty-builder.ts', import.meta.url);

/** Over a zones directory; closed when the test ends. */
export function generationsOf(t: TestContext, zonesDir: string, heapMb?: number) {
	const said: string[] = [];
	const take = (fields: Readonly<Record<string, unknown>>, message: string) =>
		said.push(`${message} ${JSON.stringify(fields)}`);
	const log = { info: take, warn: take, error: take };
	const verdicts = new VerdictTable(createHealthWords(16));
	const generations = new Generations({
		builder: new Builder({
			settings: { zonesDir, stateDir: scratch(t), source: 'directory', geodb: [], health: verdicts.words },
			log,
			entry: ENTRY,
			...(heapMb === undefined ? {} : { heapMb }),
		}),
		verdicts,
		clock: { nowMs: () => performance.now() },
		log,
	});
	t.after(() => generations.close());
	const swapped: Generation[] = [];
	/** Reads the newest generation alone. */
	const workers = {
		get generationsInUse() {
			return [generations.served.number];
		},
		swap: (generation: Generation) => swapped.push(generation),
	} as unknown as WorkerPool;
	const start = async () => {
		swapped.push(await generations.start(undefined, false));
		generations.serveTo({ workers, health: undefined });
	};
	const has = (name: string) => outcomeOf(generations.served.snapshot.zones, name, 'A').startsWith('answer');
	return { generations, said, swapped, start, has };
}

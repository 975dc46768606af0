/**
 * The query log of an instance: the rings of its workers, emptied now and then into a file.
 *
 *     workers -> rings -> lines -> file, pipe or standard output
 *
 * The reader stops where the file has no room; then the rings are full, and workers count what they let go.
 */

import { createRingMemory, QueryRing } from '../serve/query-ring.ts';
import { LineFile } from '../telemetry/line-file.ts';
import type { SteeringLabels } from './answer-columns.ts';
import { QueryLogLines } from './query-log-line.ts';

export interface QueryLogSettings {
	/** Of all queries, above 0 and at most 1. */
	readonly share: number;
	readonly file: string;
	readonly isAddressTold: boolean;
	/** Told why lines cannot be written, and with undefined that they can again. */
	readonly onChange: (problem: string | undefined) => void;
}

const DRAIN_MS = 100;
/** Records in a turn of the event loop, some milliseconds of work. */
const RECORDS_PER_TURN = 256;
/** Generations that are remembered for workers that are behind. */
const GENERATIONS_MAX = 4;
const CLOSE_MS_MAX = 500;

export class QueryLog {
	readonly share: number;
	/** One for each worker. */
	readonly memories: readonly SharedArrayBuffer[];
	/** Lines handed on. */
	lines = 0;
	readonly #lines: QueryLogLines;
	readonly #rings: readonly QueryRing[];
	readonly #file: LineFile;
	readonly #generations = new Map<number, SteeringLabels>();
	readonly #oldest: () => number;
	readonly #timer: NodeJS.Timeout;
	#next = 0;
	#isDraining = false;

	/** @param oldest  the oldest generation that some worker still answers from */
	constructor(settings: QueryLogSettings, workers: number, oldest: () => number) {
		this.#lines = new QueryLogLines(settings.isAddressTold);
		this.share = settings.share;
		this.memories = Array.from({ length: workers }, createRingMemory);
		this.#rings = this.memories.map((memory) => new QueryRing(memory));
		this.#file = new LineFile(settings.file, settings.onChange);
		this.#oldest = oldest;
		this.#timer = setInterval(() => this.#begin(), DRAIN_MS);
	}

	get isFailing(): boolean {
		return this.#file.isFailing;
	}

	/** Before a worker answers from it. */
	addGeneration(number: number, labels: SteeringLabels): void {
		this.#generations.set(number, labels);
		for (const known of this.#generations.keys()) {
			if (this.#generations.size <= GENERATIONS_MAX) break;
			this.#generations.delete(known);
		}
	}

	reopen(): void {
		this.#file.reopen();
	}

	/** Write what the workers, which have ended, have left. */
	async close(): Promise<void> {
		clearInterval(this.#timer);
		while (this.#drain() > 0);
		await this.#file.close(CLOSE_MS_MAX);
	}

	#begin(): void {
		if (!this.#isDraining) this.#turn();
	}

	readonly #turn = () => {
		const oldest = this.#oldest();
		const isMore = this.#drain() === RECORDS_PER_TURN;
		this.#isDraining = isMore;
		if (isMore) {
			setImmediate(this.#turn);
			return;
		}
		// Whoever answered from an older one had told of it before this turn, unless the file had no room.
		if (!this.#file.hasRoom) return;
		for (const known of this.#generations.keys()) if (known < oldest) this.#generations.delete(known);
	};

	/** @returns records taken, at most RECORDS_PER_TURN; fewer when there are no more or the file has no room */
	#drain(): number {
		let taken = 0;
		let empty = 0;
		let text = '';
		while (taken < RECORDS_PER_TURN && empty < this.#rings.length && this.#file.hasRoom) {
			// In turns, so that a busy worker does not keep the others from being read.
			const record = this.#rings[this.#next]?.read();
			this.#next = (this.#next + 1) % this.#rings.length;
			empty = record === undefined ? empty + 1 : 0;
			if (record === undefined) continue;
			text += this.#lines.lineOf(record, this.#generations.get(record.generation));
			taken++;
		}
		if (taken > 0) this.#file.add(text);
		this.lines += taken;
		return taken;
	}
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { createRingMemory, LoggedQuery, QueryRing } from '../../src/serve/query-ring.ts';
import { Decisions } from '../../src/snapshot/decisions.ts';

const CAPACITY = 1024;

/** The two ends of a ring, as two threads have them. */
function ends(): { readonly writer: QueryRing; readonly reader: QueryRing } {
	const memory = createRingMemory();
	return { writer: new QueryRing(memory), reader: new QueryRing(memory) };
}

function numbered(number: number): LoggedQuery {
	const query = new LoggedQuery();
	query.generation = number;
	query.message = Uint8Array.from({ length: 40 }, () => number & 255);
	query.octets = 40;
	return query;
}

describe('QueryRing', () => {
	it('gives what it was given', () => {
		const { writer, reader } = ends();
		const query = new LoggedQuery();
		query.message = Uint8Array.from({ length: 60 }, (_, i) => i);
		query.octets = 50;
		query.sender = { family: 6, words: Uint32Array.of(0x20010db8, 1, 2, 0xffffffff) };
		query.isTcp = true;
		query.limited = 'slipped';
		query.generation = 7;
		query.timeMs = 1_700_000_000_123;
		query.decisions = new Decisions(17);
		query.decisions.add(3, 9, 2);
		query.decisions.addEndpoints(Int32Array.of(5), 1);
		query.decisions.add(4, -1, 0);
		query.decisions.add(6, 8, 1);
		query.decisions.addEndpoints(Int32Array.of(1, 2), 2);
		assert.equal(writer.write(query), true);
		assert.deepEqual(reader.read(), {
			timeMs: 1_700_000_000_123,
			isTcp: true,
			sender: { family: 6, words: Uint32Array.of(0x20010db8, 1, 2, 0xffffffff) },
			limited: 'slipped',
			generation: 7,
			message: query.message.slice(0, 50),
			isCut: false,
			responseOctets: 50,
			decisions: [
				{ name: 3, pick: 9, state: 2, endpoints: [5] },
				{ name: 4, pick: -1, state: 0, endpoints: [] },
				{ name: 6, pick: 8, state: 1, endpoints: [1, 2] },
			],
		});
		assert.equal(reader.read(), undefined);
	});

	it('keeps the question alone of a message that is too long, and of one that was not answered', () => {
		const { writer, reader } = ends();
		const query = numbered(255);
		query.message = new Uint8Array(5000).fill(255);
		query.questionEnd = 30;
		query.hasQuestion = true;
		for (const octets of [5000, 0]) {
			query.octets = octets;
			writer.write(query);
			const record = reader.read();
			assert.equal(record?.isCut, true);
			assert.equal(record.responseOctets, octets);
			assert.equal(record.message.length, 30);
			assert.deepEqual([...record.message.subarray(0, 13)], [255, 255, 255, 255, 0, 1, 0, 0, 0, 0, 0, 0, 255]);
		}
	});

	it('tells as much of a long chain as there is room for', () => {
		const { writer, reader } = ends();
		const query = numbered(1);
		query.decisions = new Decisions(17);
		for (let i = 0; i < 17; i++) {
			query.decisions.add(i, i, 2);
			query.decisions.addEndpoints(Int32Array.of(i), 1);
		}
		query.decisions.addEndpoints(new Int32Array(8), 7);
		writer.write(query);
		assert.deepEqual(
			reader.read()?.decisions.map(({ name, endpoints }) => [name, endpoints]),
			[0, 1, 2, 3].map((i) => [i, [i]]),
		);
	});

	it('takes no more than it has room for, and goes on when it is read', () => {
		const { writer, reader } = ends();
		for (let i = 0; i < CAPACITY; i++) assert.equal(writer.write(numbered(i)), true);
		assert.equal(writer.write(numbered(CAPACITY)), false);
		assert.equal(reader.read()?.generation, 0);
		assert.equal(writer.write(numbered(CAPACITY + 1)), true);
		assert.equal(writer.write(numbered(CAPACITY + 2)), false);
	});

	it('goes on where the writer before has ended', () => {
		const memory = createRingMemory();
		new QueryRing(memory).write(numbered(1));
		new QueryRing(memory).write(numbered(2));
		const reader = new QueryRing(memory);
		assert.deepEqual([reader.read()?.generation, reader.read()?.generation], [1, 2]);
	});

	it('goes on when its counts come round', () => {
		const memory = createRingMemory();
		new Int32Array(memory, 0, 2).fill(0x7fffffff - 10);
		const { writer, reader } = { writer: new QueryRing(memory), reader: new QueryRing(memory) };
		for (let i = 0; i < CAPACITY; i++) assert.equal(writer.write(numbered(i)), true);
		assert.equal(writer.write(numbered(-1)), false);
		for (let i = 0; i < CAPACITY; i++) assert.equal(reader.read()?.generation, i);
		assert.equal(reader.read(), undefined);
	});

	it('is a queue of limited length, whatever the turns of its ends', () => {
		fc.assert(
			fc.property(
				fc.array(fc.record({ isWrite: fc.boolean(), times: fc.integer({ min: 1, max: 700 }) }), { maxLength: 12 }),
				(turns) => {
					const { writer, reader } = ends();
					const expected: number[] = [];
					let next = 0;
					for (const { isWrite, times } of turns) {
						for (let i = 0; i < times; i++) {
							if (!isWrite) {
								const record = reader.read();
								assert.equal(record?.generation, expected.shift());
								if (record !== undefined) assert.deepEqual(new Set(record.message), new Set([record.generation & 255]));
							} else {
								assert.equal(writer.write(numbered(next)), expected.length < CAPACITY);
								if (expected.length < CAPACITY) expected.push(next);
								next++;
							}
						}
					}
				},
			),
			{ numRuns: 30 },
		);
	});

	it('gives whole records in their order while another thread writes, and each of the others was said to be dropped', async () => {
		const memory = createRingMemory();
		const records = 200_000;
		const worker = new Worker(new URL('./ring-writer.ts', import.meta.url), { workerData: { memory, records } });
		const reader = new QueryRing(memory);
		let dropped: number | undefined;
		worker.once('message', (count: number) => {
			dropped = count;
		});
		const ended = once(worker, 'exit');
		let taken = 0;
		let last = -1;
		for (;;) {
			const isOver = dropped !== undefined;
			for (let record = reader.read(); record !== undefined; record = reader.read()) {
				const { generation, message, sender, timeMs, responseOctets } = record;
				assert.ok(generation > last, `${generation} behind ${last}`);
				assert.deepEqual(
					[timeMs, responseOctets, message.length, message[0], message.at(-1), sender.words[0], sender.words[3]],
					[
						generation,
						100 + (generation % 1000),
						responseOctets,
						generation & 255,
						generation & 255,
						generation,
						generation,
					],
				);
				last = generation;
				taken++;
			}
			if (isOver) break;
			await new Promise((resolve) => setImmediate(resolve));
		}
		assert.equal(taken + (dropped ?? 0), records);
		assert.ok(taken > CAPACITY, `${taken}`);
		await ended;
	});
});

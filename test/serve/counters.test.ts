import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
	COUNT,
	COUNTED_KINDS,
	COUNTED_TYPES,
	COUNTER_COLUMNS,
	type Counters,
	countTimes,
	countType,
	createCounters,
	ENDPOINT_COLUMNS,
	NAME_COLUMNS,
	POLICY_COLUMNS,
	RCODES,
	TIME_BOUNDS_US,
} from '../../src/serve/counters.ts';

const row = (): Counters => createCounters(1)[0] ?? new Float64Array(0);

describe('a row of counters', () => {
	it('has a place of its own for each column', () => {
		const widths: Readonly<Record<string, number>> = {
			rcodes: RCODES,
			types: COUNTED_TYPES.length + 1,
			times: TIME_BOUNDS_US.length + 1,
			kinds: COUNTED_KINDS.length,
			names: NAME_COLUMNS + 1,
			policies: POLICY_COLUMNS + 1,
			endpoints: ENDPOINT_COLUMNS + 1,
		};
		const taken = Object.entries(COUNT).flatMap(([name, column]) =>
			Array.from({ length: widths[name] ?? 1 }, (_, i) => column + i),
		);
		assert.equal(new Set(taken).size, taken.length);
		assert.equal(Math.max(...taken), COUNTER_COLUMNS - 1);
	});
});

describe('countType()', () => {
	for (const { type, counted } of [
		{ type: 1, counted: 'A' },
		{ type: 28, counted: 'AAAA' },
		{ type: 65, counted: 'HTTPS' },
		{ type: 251, counted: 'IXFR' },
		{ type: 252, counted: 'AXFR' },
		{ type: 255, counted: 'ANY' },
		{ type: 257, counted: 'CAA' },
		{ type: 0, counted: 'other' },
		{ type: 13, counted: 'other' },
		{ type: 258, counted: 'other' },
		{ type: 65535, counted: 'other' },
	]) {
		it(`counts type ${type} as ${counted}`, () => {
			const counters = row();
			countType(counters, type);
			const at = counters.findIndex((value) => value > 0) - COUNT.types;
			assert.equal([...COUNTED_TYPES, 'other'][at], counted);
			assert.equal(
				counters.reduce((sum, value) => sum + value),
				1,
			);
		});
	}
});

describe('countTimes()', () => {
	for (const { ms, le } of [
		{ ms: 0, le: 1 },
		{ ms: 0.001, le: 1 },
		{ ms: 0.0011, le: 1.5 },
		{ ms: 0.0016, le: 2 },
		{ ms: 0.05, le: 64 },
		{ ms: 0.096, le: 96 },
		{ ms: 1000, le: 1_048_576 },
		{ ms: 1049, le: Number.POSITIVE_INFINITY },
	]) {
		it(`counts ${ms} ms up to ${le} us, once for each message`, () => {
			const counters = row();
			countTimes(counters, ms, 3);
			const at = counters.findIndex((value, column) => value > 0 && column >= COUNT.times) - COUNT.times;
			assert.equal(TIME_BOUNDS_US[at] ?? Number.POSITIVE_INFINITY, le);
			assert.equal(counters[COUNT.times + at], 3);
			assert.ok(Math.abs((counters[COUNT.timesSumSec] ?? 0) - (3 * ms) / 1000) < 1e-9);
		});
	}
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedPool } from '../../src/lib/shared-pool.ts';

const NONE: ReadonlySet<number> = new Set();

describe('SharedPool', () => {
	it('gives a buffer again once nobody has it', () => {
		const pool = new SharedPool();
		const [first, second] = [pool.take(100_000), pool.take(100_000)];
		assert.notEqual(first.id, second.id);
		pool.sweep(new Set([second.id]));
		assert.equal(pool.take(90_000).buffer, first.buffer);
		assert.notEqual(pool.take(90_000).buffer, second.buffer);
	});

	it('takes turns for ever without growing', () => {
		const pool = new SharedPool();
		let before = pool.take(1_000_000);
		before = pool.take(1_000_000);
		const { octets } = pool;
		for (let i = 0; i < 1000; i++) {
			pool.sweep(new Set([before.id]));
			before = pool.take(1_000_000 + (i % 100) * 1000);
		}
		assert.equal(pool.octets, octets);
	});

	for (const { name, octets, wanted, isSame } of [
		{ name: 'gives room for what has grown a little', octets: 1_000_000, wanted: 1_200_000, isSame: true },
		{ name: 'makes room for what has grown much', octets: 1_000_000, wanted: 2_000_000, isSame: false },
		{ name: 'keeps a large buffer for who needs it', octets: 10_000_000, wanted: 100, isSame: false },
	])
		it(name, () => {
			const pool = new SharedPool();
			const { id } = pool.take(octets);
			pool.sweep(NONE);
			const next = pool.take(wanted);
			assert.equal(next.id === id, isSame);
			assert(next.buffer.byteLength >= wanted);
		});

	it('lets go of what nobody has wanted for long', () => {
		const pool = new SharedPool();
		const { id } = pool.take(1000);
		for (let i = 0; i < 8; i++) pool.sweep(NONE);
		assert.equal(pool.ids.includes(id), true);
		pool.sweep(NONE);
		assert.equal(pool.ids.includes(id), false);
		assert.equal(pool.octets, 0);
	});
});

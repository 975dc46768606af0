import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AnswerColumnBook, type OwnerCount } from '../../src/roles/answer-columns.ts';
import { COUNT, COUNTED_KINDS, COUNTER_COLUMNS, NAME_STRIDE } from '../../src/serve/counters.ts';
import { responderOf } from '../serve/responder-of.ts';

const SIZES = { names: 2, policies: 2, endpoints: 2 };

/** A zone whose names have a pool of one endpoint each. */
function steeringOf(...names: readonly string[]) {
	const pools = Object.fromEntries(
		names.map((name, i) => [`p-${name}`, { endpoints: [{ name: 'one', addresses: [`192.0.2.${i + 1}`] }] }]),
	);
	const steered = Object.fromEntries(names.map((name) => [name, { policy: `p-${name}` }]));
	const steering = { pools, names: steered };
	return responderOf({ zones: [{ apex: 'example.org.', text: 'a.b A 192.0.2.1', steering }] }).snapshot.steering;
}

/** A book over one row, in which a test counts. */
function bookOf(sizes = SIZES) {
	const row = new Float64Array(COUNTER_COLUMNS);
	const book = new AnswerColumnBook((column) => row[column] ?? 0, sizes);
	return {
		book,
		count: (column: number | undefined) => {
			row[column ?? -1] = (row[column ?? -1] ?? 0) + 1;
		},
	};
}

function texts(counts: readonly OwnerCount[]): readonly string[] {
	return counts.map(({ owner, value }) => `${owner?.name ?? 'other'} ${value}`);
}

describe('AnswerColumnBook', () => {
	it('gives names, policies, kinds and endpoints their columns', () => {
		const { book } = bookOf();
		const { names, endpoints } = book.assign(steeringOf('x', 'y'), 1, 0);
		const pool = COUNT.kinds + COUNTED_KINDS.indexOf('pool');
		assert.deepEqual([...names], [COUNT.names, COUNT.policies, pool, COUNT.names + 1, COUNT.policies + 1, pool]);
		assert.deepEqual([...endpoints], [COUNT.endpoints, COUNT.endpoints + 1]);
	});

	it('keeps the column and the count of what stays, however it is ordered', () => {
		const { book, count } = bookOf();
		count(book.assign(steeringOf('x', 'y'), 1, 0).names[0]);
		const { names } = book.assign(steeringOf('y', 'x'), 2, 1);
		count(names[NAME_STRIDE]);
		assert.deepEqual(texts(book.names()), ['x 2', 'y 0']);
	});

	it('counts what has no column left under other', () => {
		const { book, count } = bookOf();
		const { names } = book.assign(steeringOf('x', 'y', 'z', 'w'), 1, 0);
		for (let i = 0; i < 4; i++) count(names[NAME_STRIDE * i]);
		assert.deepEqual(texts(book.names()), ['x 1', 'y 1', 'other 2']);
	});

	it('keeps the count of what has left, and goes on with it when it comes back', () => {
		const { book, count } = bookOf();
		count(book.assign(steeringOf('x', 'y'), 1, 0).names[0]);
		book.assign(steeringOf('y'), 2, 1);
		assert.deepEqual(texts(book.names()), ['x 1', 'y 0']);
		count(book.assign(steeringOf('x'), 3, 2).names[0]);
		assert.deepEqual(texts(book.names()), ['x 2', 'y 0']);
	});

	it('gives the column of what has left to another, which begins at 0, once no worker can count for it', () => {
		const { book, count } = bookOf();
		const old = book.assign(steeringOf('x', 'y'), 1, 0).names[0];
		count(old);
		book.assign(steeringOf('y'), 2, 1);
		// A worker still answers from generation 1.
		const early = book.assign(steeringOf('y', 'z'), 3, 1);
		assert.equal(early.names[NAME_STRIDE], COUNT.names + SIZES.names);
		const late = book.assign(steeringOf('y', 'z'), 4, 2);
		assert.equal(late.names[NAME_STRIDE], old);
		assert.deepEqual(texts(book.names()), ['y 0', 'z 0']);
		count(late.names[NAME_STRIDE]);
		assert.deepEqual(texts(book.names()), ['y 0', 'z 1']);
	});
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergePatch, pathOfPlace, setSteering, steeringAt } from '../../src/config/edit-steering.ts';

describe('mergePatch()', () => {
	// RFC 7396, appendix A.
	for (const [target, patch, result] of [
		[{ a: 'b' }, { a: 'c' }, { a: 'c' }],
		[{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
		[{ a: 'b' }, { a: null }, {}],
		[{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
		[{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
		[{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
		[{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
		[{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
		[
			['a', 'b'],
			['c', 'd'],
			['c', 'd'],
		],
		[{ a: 'b' }, ['c'], ['c']],
		[{ a: 'foo' }, null, null],
		[{ a: 'foo' }, 'bar', 'bar'],
		[{ e: null }, { a: 1 }, { e: null, a: 1 }],
		[[1, 2], { a: 'b', c: null }, { a: 'b' }],
		[{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
	] as const) {
		it(`makes ${JSON.stringify(result)} of ${JSON.stringify(target)} and ${JSON.stringify(patch)}`, () => {
			assert.deepEqual(mergePatch(target, patch), result);
		});
	}

	it('keeps the kind of an object whatever its keys are called', () => {
		const patched = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as object;
		assert.deepEqual(Object.keys(patched), ['__proto__']);
		assert.equal((patched as { polluted?: boolean }).polluted, undefined);
		assert.equal(Object.getPrototypeOf(patched), Object.prototype);
	});
});

describe('setSteering()', () => {
	const document = { pools: { eu: { endpoints: [{ name: 'a' }, { name: 'b' }] }, us: {} }, names: { www: 1 } };
	const eu = { table: 'pools', name: 'eu' } as const;

	it('puts an entry in its place, and the others stay in theirs', () => {
		const after = setSteering(document, eu, { answers: 2 });
		assert.equal(JSON.stringify(after), '{"pools":{"eu":{"answers":2},"us":{}},"names":{"www":1}}');
		assert.deepEqual(document.pools.eu.endpoints.length, 2);
	});

	it('makes a table for a first entry, and removes it with the last one', () => {
		const after = setSteering({}, { table: 'names', name: '__proto__' }, 1);
		assert.deepEqual(Object.keys(after['names'] as object), ['__proto__']);
		assert.deepEqual(setSteering(document, { table: 'names', name: 'www' }, undefined), { pools: document.pools });
	});

	it('replaces, adds and removes an endpoint by its name', () => {
		const of = (endpoint: string) => ({ ...eu, endpoint });
		const listOf = (value: unknown, endpoint: string) =>
			(steeringAt(setSteering(document, of(endpoint), value), eu) as { endpoints: object[] }).endpoints;
		assert.deepEqual(listOf({ name: 'a', weight: 2 }, 'a'), [{ name: 'a', weight: 2 }, { name: 'b' }]);
		assert.deepEqual(listOf({ name: 'c' }, 'c'), [{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
		assert.deepEqual(listOf(undefined, 'a'), [{ name: 'b' }]);
		assert.deepEqual(pathOfPlace(document, of('b')), ['pools', 'eu', 'endpoints', 1]);
		assert.deepEqual(pathOfPlace(document, of('c')), ['pools', 'eu', 'endpoints', 2]);
		assert.equal(steeringAt(document, of('c')), undefined);
	});
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printPath } from '../../src/lib/result.ts';

describe('printPath()', () => {
	for (const { path, prints } of [
		{ path: [], prints: '' },
		{ path: ['pools'], prints: 'pools' },
		{ path: ['pools', 'eu', 'endpoints', 2, 'weight'], prints: 'pools.eu.endpoints[2].weight' },
		{ path: ['networks', 'office', 0], prints: 'networks.office[0]' },
		{ path: ['names', '@', 'policy'], prints: 'names["@"].policy' },
		{ path: ['names', '*.app'], prints: 'names["*.app"]' },
		{ path: ['names', 'a.b'], prints: 'names["a.b"]' },
		{ path: ['names', 'say "hi"'], prints: 'names["say \\"hi\\""]' },
		{ path: ['names', ''], prints: 'names[""]' },
		{ path: ['names', '7'], prints: 'names.7' },
		{ path: ['dns.listen'], prints: '["dns.listen"]' },
		{ path: [3, 'a'], prints: '[3].a' },
	]) {
		it(`prints ${JSON.stringify(path)} as ${prints === '' ? 'nothing' : prints}`, () =>
			assert.equal(printPath(path), prints));
	}
});

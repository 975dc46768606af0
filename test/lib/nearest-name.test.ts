import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nameHint } from '../../src/lib/nearest-name.ts';

describe('nameHint() says', () => {
	for (const { name, known, says } of [
		{ name: 'europ', known: ['america', 'europe'], says: 'did you mean "europe"?' },
		{ name: 'uss', known: ['eu', 'us'], says: 'did you mean "us"?' },
		{ name: 'ap', known: ['eu', 'us'], says: 'there are eu, us' },
		{ name: 'x', known: ['y'], says: 'there are y' },
		{ name: 'x', known: [], says: 'there are none' },
		{
			name: 'nobody',
			known: Array.from({ length: 21 }, (_, i) => `p${i}`),
			says: `there are ${Array.from({ length: 20 }, (_, i) => `p${i}`).join(', ')}, ...`,
		},
	])
		it(`${says} of ${name}`, () => assert.equal(nameHint(name, known), says));
});

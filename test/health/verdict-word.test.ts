import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wordOf } from '../../src/health/verdict-word.ts';
import type { Monitor } from '../../src/model/monitor.ts';

const target = { monitor: { fall: 3, intervalMs: 1000 } as Monitor };

describe('wordOf()', () => {
	for (const { name, verdict = 'unknown', isNew = true, nowMs = 5000, word } of [
		{ name: 'lets a new target wait', word: 'waiting' },
		{ name: 'lets it wait for at most `fall` intervals', nowMs: 7999, word: 'waiting' },
		{ name: 'lets it wait no longer', nowMs: 8000, word: 'unknown' },
		{ name: 'lets nobody wait at a first start', isNew: false, word: 'unknown' },
		{ name: 'lets one that is known up wait no more', verdict: 'up', word: 'up' },
		{ name: 'does not let one wait that is known down', verdict: 'down', word: 'down' },
	] as const) {
		it(name, () => assert.equal(wordOf(verdict, { target, addedMs: 5000, isNew }, nowMs), word));
	}
});

/**
 * Generations that change under load: nothing is lost, nothing is mixed, and memory comes back to where it was.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureSwaps } from '../bench/swap-scene.ts';

const PLAN = { records: 50_000, rate: 5000, zoneSwaps: 100, geoSwaps: 20 } as const;
/** What the heap of the main thread may differ by, for it is collected when it pleases. */
const GROWTH_OCTETS_MAX = 64 * 1024 * 1024;

test('100 swaps of 50,000 records and 20 of the geo database at 5,000 queries a second', {
	skip: process.platform !== 'linux',
}, async (t) => {
	const { swapping, before, after } = await measureSwaps(t, PLAN);
	const { lost, wrong, mixed, answered, ttls } = swapping;
	t.diagnostic(JSON.stringify({ ...swapping, before, after }));
	assert(answered > 10_000, `${answered} answered`);
	assert(ttls > PLAN.zoneSwaps / 2, `${ttls} generations seen`);
	assert.deepEqual({ lost, wrong, mixed }, { lost: 0, wrong: 0, mixed: 0 });
	// A thread that was late may have called for a third arena.
	assert(after.snapshots < 2 * before.snapshots, `snapshots went from ${before.snapshots} to ${after.snapshots}`);
	assert(after.rss - before.rss < GROWTH_OCTETS_MAX, `RSS went from ${before.rss} to ${after.rss}`);
});

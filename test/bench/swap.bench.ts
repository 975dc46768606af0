/**
 * What it does to answers when generations change under full load.
 */

import { measureSwaps } from './swap-scene.ts';

const closers: (() => unknown)[] = [];
const after = (close?: unknown) => void (typeof close === 'function' && closers.push(() => close()));
try {
	const plan = { records: 50_000, rate: 50_000, zoneSwaps: 100, geoSwaps: 20 };
	process.stdout.write(`${JSON.stringify(await measureSwaps({ after }, plan))}\n`);
} finally {
	for (const close of closers.reverse()) await close();
}

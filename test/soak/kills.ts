/**
 * 200 rounds of writes that end with SIGKILL, with each store: as many as were promised, however long that takes.
 */

import { killWrites } from '../roles/kill-writes.ts';
import { findProgram } from '../setup/tools.ts';
import { goFirst } from './go-first.ts';

const ROUNDS = 200;

export async function soakKills(): Promise<string> {
	const verdicts: string[] = [];
	for (const store of ['embedded', 'redis'] as const) {
		if (store === 'redis' && findProgram('redis-server') === undefined) continue;
		const closers: (() => unknown)[] = [];
		try {
			const after = (close?: unknown) => void (typeof close === 'function' && closers.unshift(() => close()));
			// A process that others keep from starting says nothing of the store.
			after(goFirst());
			const { acknowledged, untold } = await killWrites({ after }, store, ROUNDS);
			verdicts.push(
				`${store}: ${ROUNDS} kills, ${acknowledged} changes acknowledged and none lost, ${untold} more whole`,
			);
		} finally {
			for (const close of closers) await close();
		}
	}
	return verdicts.join('; ');
}

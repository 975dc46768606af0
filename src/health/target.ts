/**
 * What is probed. A check is the same check wherever it is used: address, port and content of the
 * monitor make its identity, so equal checks of fifty zones are made once.
 */

import type { Monitor } from '../model/monitor.ts';

export interface Target {
	/** Identity: the same text for the same check. */
	readonly key: string;
	/**
	 * Canonical text of the address that is connected to, or a host name, in lower case and without the final dot,
	 * that the prober resolves for each check.
	 */
	readonly address: string;
	/** 0 for a kind of check that has no ports. */
	readonly port: number;
	readonly monitor: Monitor;
	/** The longest slow start of the pools that use it; absent for none. */
	readonly rampUpMs?: number;
}

export function targetKey(address: string, port: number, monitor: Monitor): string {
	return JSON.stringify([address, port, monitor]);
}

/** A prober's debounced word on a target. */
export type Vote = 'unknown' | 'up' | 'down';

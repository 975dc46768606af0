/**
 * The anchors of a prober: addresses that it reaches as long as it reaches anything (health/anchors.ts says what their
 * failing means). Each is connected to every second.
 */

import { cutOffSinceMs } from '../health/anchors.ts';
import { type Target, targetKey } from '../health/target.ts';
import { type ListenAddress, printListenAddress } from '../lib/listen-address.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Monitor } from '../model/monitor.ts';
import type { Check } from '../probe/check.ts';
import type { Guard } from '../probe/guard.ts';
import { Prober } from '../probe/prober.ts';

const MONITOR: Monitor = {
	...{ kind: 'tcp', send: undefined, expect: undefined, intervalMs: 1000, timeoutMs: 800, fall: 1, rise: 1 },
	...{ from: undefined, maxFlips: 1, flapWindowMs: 1000 },
	consensus: { mode: 'majority', k: undefined, minProbers: undefined },
};

interface AnchorsParts {
	readonly addresses: readonly ListenAddress[];
	readonly clock: Clock;
	readonly log: Log;
	readonly guard: Guard;
	readonly check: Check;
	/** The prober is cut off now, or is not any more. */
	readonly onChange: () => void;
}

export class Anchors {
	readonly #parts: AnchorsParts;
	readonly #prober: Prober;
	/** Of each anchor's last check, by target key. */
	readonly #results = new Map<string, boolean | undefined>();
	#cutOffMs: number | undefined;

	constructor(parts: AnchorsParts) {
		this.#parts = parts;
		const { addresses, clock, guard, check, log } = parts;
		const names = new Map<string, string>();
		const targets = addresses.map((at): Target => {
			const key = targetKey(at.address, at.port, MONITOR);
			names.set(key, printListenAddress(at));
			return { key, address: at.address, port: at.port, monitor: MONITOR };
		});
		this.#prober = new Prober({
			...{ clock, guard, check },
			onObservation: ({ key, result }) => this.#take(key, result.isUp),
			onDenied: (key, reason) => log.warn({ anchor: names.get(key), reason }, 'an anchor is never probed'),
		});
		this.#prober.setTargets(targets);
	}

	/** Since when most of them fail; undefined while they do not. */
	get cutOffMs(): number | undefined {
		return this.#cutOffMs;
	}

	async close(): Promise<void> {
		await this.#prober.close();
	}

	#take(key: string, isUp: boolean | undefined): void {
		const { clock, log, onChange } = this.#parts;
		this.#results.set(key, isUp);
		const before = this.#cutOffMs;
		this.#cutOffMs = cutOffSinceMs(before, [...this.#results.values()], clock.nowMs());
		if ((before === undefined) === (this.#cutOffMs === undefined)) return;
		if (before === undefined) log.warn({}, 'most anchors fail: this prober is cut off, and its votes do not count');
		else log.info({}, 'anchors are there again: the votes of this prober count');
		onChange();
	}
}

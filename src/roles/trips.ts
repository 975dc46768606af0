/**
 * Watches what has manual failback. What goes down trips: here at once, and in the store as soon as that can be
 * written, so that it stays out of service everywhere until somebody clears it.
 *
 *     verdicts -> down? -> switched down here -> a trip in the store -> (cleared by an operator) -> may serve again
 */

import { tripName } from '../admin/trip-routes.ts';
import type { HealthWords } from '../health/verdict-table.ts';
import type { Log } from '../lib/ports.ts';
import type { Tripped } from '../store/item.ts';
import type { Store } from '../store/ports.ts';
import { isDown, type Manual, trippedMembers, type WordOf } from './manual-failback.ts';
import { type SwitchFeed, targetOfTrip } from './switches.ts';

const LOOK_MS = 200;
/** Between attempts to write what could not be written. */
const PAUSE_MS = 5000;
const REASON = 'all that it needs went down';

export interface TripWatchParts {
	readonly store: Store;
	readonly switches: Pick<SwitchFeed, 'setOwnTrips'>;
	readonly log: Log;
	/** Of the generation served, with the slots of its targets. */
	readonly watched: () => { readonly manual: readonly Manual[]; readonly slots: Int32Array };
	readonly words: HealthWords;
}

interface Own {
	readonly tripped: Tripped;
	readonly trippedMs: number;
}

export class TripWatch {
	readonly #parts: TripWatchParts;
	readonly #timer: NodeJS.Timeout;
	/** Those that the store does not have yet, by the name of their item. */
	readonly #own = new Map<string, Own>();
	#isWriting = false;
	#notBeforeMs = 0;

	constructor(parts: TripWatchParts) {
		this.#parts = parts;
		this.#timer = setInterval(() => this.#look(), LOOK_MS);
	}

	close(): void {
		clearInterval(this.#timer);
	}

	#look(): void {
		const { store, log, watched, words } = this.#parts;
		const { manual, slots } = watched();
		const wordOf = (target: number) => Atomics.load(words.verdicts, slots[target] ?? 0);
		let hasChanged = false;
		for (const tripped of manual.flatMap((one) => trippedOf(one, wordOf))) {
			const name = tripName(tripped);
			if (this.#own.has(name) || this.#isStored(name)) continue;
			this.#own.set(name, { tripped, trippedMs: store.nowMs() });
			log.warn({ ...tripped }, 'it has tripped: it stays out of service until it is cleared');
			hasChanged = true;
		}
		// Once the store has one, whoever clears it there clears it here.
		for (const name of this.#own.keys()) {
			if (!this.#isStored(name)) continue;
			this.#own.delete(name);
			hasChanged = true;
		}
		if (hasChanged) this.#tell();
		if (this.#own.size > 0) void this.#write();
	}

	#isStored(name: string): boolean {
		return this.#parts.store.configuration.items.has(`trip:${name}`);
	}

	#tell(): void {
		this.#parts.switches.setOwnTrips([...this.#own.values()].map(({ tripped }) => targetOfTrip(tripped)));
	}

	async #write(): Promise<void> {
		const { store, log } = this.#parts;
		if (this.#isWriting || performance.now() < this.#notBeforeMs || store.condition.kind !== 'ready') return;
		this.#isWriting = true;
		try {
			const changes = [...this.#own].map(([name, { tripped, trippedMs }]) => ({
				...{ kind: 'trip' as const, name },
				content: { ...tripped, trippedMs, reason: REASON },
			}));
			const expected = store.configuration.head;
			// A conflict is tried again at the next look.
			await store.commit({ expected, changes, author: 'meridian', reason: REASON });
		} catch (error) {
			this.#notBeforeMs = performance.now() + PAUSE_MS;
			log.warn(
				{ reason: (error as Error).message },
				'a trip could not be written to the store; it counts here all the same',
			);
		}
		this.#isWriting = false;
	}
}

function trippedOf(one: Manual, wordOf: WordOf): readonly Tripped[] {
	if (one.kind === 'pool') return isDown(one.families, wordOf) ? [{ unit: one.unit, pool: one.pool }] : [];
	const { unit, policy } = one;
	return trippedMembers(one, wordOf).map((member) => ({ unit, policy, member }));
}

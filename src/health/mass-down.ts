/**
 * The mass-down guard: when more than half of the targets that count as up, and at least 4, would turn down on the votes of a
 * single region while other regions belong to the fleet, the turn waits until a second region agrees or for
 * `guardHold`, whichever comes first. The hold is counted from when that region began to say down, so instances that
 * start at different times let go at the same time.
 *
 * Targets are checked one after the other, so a mass comes piece by piece: what has turned on the word of that region
 * within `guardHold` is counted with what would. So one region takes half of the targets at most before it is held.
 */

const TURNS_LEAST = 4;

/** A target whose votes say down. */
export interface Turn {
	readonly key: string;
	/** Its verdict does not say so yet, and would. */
	readonly isWaiting: boolean;
	/** The only region that says down; undefined when more than one does. */
	readonly region: string | undefined;
	/** When that region began to. */
	readonly sinceMs: number;
}

/**
 * @param turns    those that would turn or would if they were not frozen, and those that have within `guardHold`
 * @param upCount  targets that the votes leave or make up, and the turns
 * @param regions  regions of the fleet
 * @returns keys of the turns that wait
 */
export function heldTurns(
	turns: readonly Turn[],
	upCount: number,
	regions: ReadonlySet<string>,
	{ guardHoldMs, nowMs }: { readonly guardHoldMs: number; readonly nowMs: number },
): ReadonlySet<string> {
	const held = new Set<string>();
	if (regions.size < 2) return held;
	const young = turns.filter(({ region, sinceMs }) => region !== undefined && nowMs - sinceMs < guardHoldMs);
	// What has waited long enough is down by now, and no longer among those that could turn.
	const aged = turns.filter(({ region, sinceMs }) => region !== undefined && nowMs - sinceMs >= guardHoldMs);
	for (const region of regions) {
		const own = young.filter((turn) => turn.region === region);
		if (own.length < TURNS_LEAST || 2 * own.length <= upCount - aged.length) continue;
		for (const { key, isWaiting } of own) if (isWaiting) held.add(key);
	}
	return held;
}

/**
 * When a target is checked: arithmetic over times that are passed in, no timer and no clock.
 *
 *   first   slot    slot    slot          slots lie at phase, phase + period, phase + 2 periods ...
 *   |---|---|-------|-------|-->          of the monotonic clock, phase = hash of the target % period
 *   start
 *
 * A slot depends on nothing that happened before, so a slow check or a late timer causes no drift, and the checks of
 * many targets spread over the period. The first check comes within a second, so that a fresh start learns fast.
 */

/** The longest delay that timers take; a longer one would fire at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

const FIRST_CHECK_WITHIN_MS = 1000;

export interface Rhythm {
	readonly periodMs: number;
	readonly hash: number;
}

export function rhythmOf(key: string, intervalMs: number): Rhythm {
	return { periodMs: Math.min(intervalMs, TIMER_MS_MAX), hash: hashText(key) };
}

export function firstCheckDelayMs({ periodMs, hash }: Rhythm): number {
	return hash % Math.min(periodMs, FIRST_CHECK_WITHIN_MS);
}

/** The first slot later than `afterMs`. */
export function nextSlotMs({ periodMs, hash }: Rhythm, afterMs: number): number {
	const phaseMs = hash % periodMs;
	return phaseMs + periodMs * (Math.floor((afterMs - phaseMs) / periodMs) + 1);
}

/** Nothing but a pause of the whole process (suspended, stopped, starved) makes a timer this late. */
export function isAfterPause({ periodMs }: Rhythm, plannedMs: number, nowMs: number): boolean {
	return nowMs - plannedMs > 2 * periodMs;
}

/** FNV-1a, 32 bits, over UTF-16 units: the same on every run, which a restart of a prober must not change. */
function hashText(text: string): number {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	return hash >>> 0;
}

/** Durations as users write them: `500ms`, `10s`, `5m`, `1h`, `2d`. */

export const DURATION_MS_MIN = 100;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration that its shape has passed. */
export function durationMs(text: string): number {
	const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
	return Number(match?.[1] ?? Number.NaN) * (UNIT_MS[match?.[2] ?? ''] ?? Number.NaN);
}

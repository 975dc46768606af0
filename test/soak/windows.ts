/**
 * Windows of several kinds that take turns, so that what else the machine does comes upon all of them alike. It only adds
 * to a window: the lower quartiles are compared. One in which others left too little of the machine is not among them;
 * what too little is, each load says for itself.
 */

/** Of each kind. */
export const WINDOWS_MIN = 3;
/** Turns go on for windows that count up to so many times the length that was asked for. */
const LENGTHENED_MAX = 4;
const QUARTILE = 0.25;

/** A figure of each window that counts. */
export type Windows<Kind extends string> = Readonly<Record<Kind, number[]>>;

/** One turn after another for the length that was asked for, and longer while too few windows count. */
export async function takeTurns(lengthMs: number, windows: Windows<string>, turn: () => Promise<void>): Promise<void> {
	const startMs = performance.now();
	const goesOn = (ms: number) => ms < lengthMs || (!isEnough(windows) && ms < LENGTHENED_MAX * lengthMs);
	while (goesOn(performance.now() - startMs)) await turn();
}

/** Whether so many windows of each kind count that they may be compared. */
export function isEnough(windows: Windows<string>): boolean {
	return Object.values(windows).every((figures) => figures.length >= WINDOWS_MIN);
}

/** NaN when there are none. */
export function lowerQuartile(values: readonly number[]): number {
	return quantile(values, QUARTILE);
}

/** @param share  in [0, 1). @returns NaN when there are no values */
export function quantile(values: readonly number[], share: number): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

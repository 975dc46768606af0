/**
 * Anchors: addresses that a prober reaches as long as it reaches anything. While most of them fail it is cut off, and
 * what it finds of its targets is no word on them.
 *
 * They are judged by their last checks, without waiting for `fall` failures: a prober is to know that it is cut off
 * before the first of its targets has turned.
 */

/**
 * @param before   since when it has been cut off; undefined while it is not
 * @param results  of each anchor's last check; undefined before the first
 * @returns since when it is cut off; undefined when it is not, and without anchors
 */
export function cutOffSinceMs(
	before: number | undefined,
	results: readonly (boolean | undefined)[],
	nowMs: number,
): number | undefined {
	const known = results.filter((isUp) => isUp !== undefined);
	const failed = known.filter((isUp) => !isUp).length;
	if (2 * failed <= known.length) return undefined;
	return before ?? nowMs;
}

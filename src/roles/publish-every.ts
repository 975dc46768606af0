import type { Target } from '../health/target.ts';

/** Also without targets: that there are none is news to those who remember others. */
const PUBLISH_MS_MAX = 10_000;

/** As often as the target that is checked most often: a vote counts as fresh for three of its intervals. */
export function publishEveryMs(targets: readonly Target[]): number {
	return targets.reduce((leastMs, { monitor }) => Math.min(leastMs, monitor.intervalMs), PUBLISH_MS_MAX);
}

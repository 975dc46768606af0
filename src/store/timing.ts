/**
 * How often, and how long.
 */

export interface Timing {
	/** How long a prober counts as alive after it has renewed its lease. */
	readonly leaseMs: number;
	/** Between renewals of a lease, and between looks at head and leases. */
	readonly beatMs: number;
	/** Between looks at everything, whatever hints say. */
	readonly resyncMs: number;
	/** For the answer to a command; a connection that leaves one waiting so long is given up. */
	readonly commandTimeoutMs: number;
	/** From the first packet until commands are taken. */
	readonly connectTimeoutMs: number;
	/** Between attempts to connect, at most. */
	readonly retryMs: number;
}

export const TIMING: Timing = {
	leaseMs: 10_000,
	beatMs: 1000,
	resyncMs: 10_000,
	commandTimeoutMs: 3000,
	connectTimeoutMs: 4000,
	retryMs: 3000,
};

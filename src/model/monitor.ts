/**
 * A monitor with its durations in milliseconds: what a prober works from.
 */

import { durationMs } from './duration.ts';
import type { MonitorDocument } from './monitor-shapes.ts';

export interface StatusRange {
	readonly first: number;
	readonly last: number;
}

interface MonitorTiming {
	readonly intervalMs: number;
	readonly timeoutMs: number;
	/** Failures in a row until a prober votes down. */
	readonly fall: number;
	/** Successes in a row until it votes up again. */
	readonly rise: number;
	/** Regions whose probers vote; undefined for all. */
	readonly from: readonly string[] | undefined;
}

export interface HttpMonitor extends MonitorTiming {
	readonly kind: 'http';
	readonly path: string;
	/** Host header; undefined for the address itself. */
	readonly host: string | undefined;
	readonly statuses: readonly StatusRange[];
	/** Text that the body must contain. */
	readonly body: string | undefined;
}

export interface TcpMonitor extends MonitorTiming {
	readonly kind: 'tcp';
}

export type Monitor = HttpMonitor | TcpMonitor;

/** The port is not part of it: an endpoint may have its own. */
export function monitorOf(document: MonitorDocument): Monitor {
	const timing: MonitorTiming = {
		intervalMs: durationMs(document.interval),
		timeoutMs: durationMs(document.timeout),
		fall: document.fall,
		rise: document.rise,
		from: document.from,
	};
	if (document.kind === 'tcp') return { kind: 'tcp', ...timing };
	return {
		kind: 'http',
		...timing,
		path: document.path,
		host: document.host,
		statuses: document.expect.status.map((status) => {
			const [first, last] = String(status).split('-').map(Number);
			return { first: first ?? 0, last: last ?? first ?? 0 };
		}),
		body: document.expect.body,
	};
}

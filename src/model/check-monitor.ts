/**
 * What the shape of a monitor cannot say: how its keys go together.
 * Keys may be of any form here: what has failed its shape has been told of, and is passed over.
 */

import type { Path } from '../lib/result.ts';
import { DURATION_MS_MIN, durationMs } from './duration.ts';
import { octetsOfEscapedText } from './escaped-text.ts';
import { listAt, quote, valueAt } from './shape-walk.ts';

/** The mistakes found so far. */
export interface Findings {
	add(path: Path, message: string): void;
	/** Whether something at or below a place has failed its shape. */
	hasFailed(path: Path): boolean;
}

/** @param monitor  with its defaults */
export function checkMonitor(findings: Findings, monitor: Readonly<Record<string, unknown>>, path: Path): void {
	const { interval, timeout, consensus, expect } = monitor;
	const timeoutMs = readDuration(findings, timeout, [...path, 'timeout']);
	if (timeoutMs >= readDuration(findings, interval, [...path, 'interval'])) {
		findings.add([...path, 'timeout'], `Cannot use timeout ${timeout}: expected less than the interval ${interval}`);
	}
	if ('flapWindow' in monitor) readDuration(findings, monitor['flapWindow'], [...path, 'flapWindow']);
	if (valueAt(consensus, ['mode']) === 'at-least' && valueAt(consensus, ['k']) === undefined)
		findings.add([...path, 'consensus'], 'Cannot use at-least without "k": expected a number of regions');
	for (const [i, status] of listAt(expect, 'status').entries()) {
		const [first, last] = typeof status === 'string' ? status.split('-').map(Number) : [];
		if (first !== undefined && last !== undefined && first > last)
			findings.add([...path, 'expect', 'status', i], `Cannot use ${quote(status)}: expected the lower status first`);
	}
	if (monitor['kind'] === 'tcp') checkEscapes(findings, monitor, path);
	if (monitor['kind'] === 'grpc' && monitor['tls'] === false) checkNoTls(findings, monitor, path);
}

/** NaN for what has failed its shape. */
function readDuration(findings: Findings, text: unknown, path: Path): number {
	const ms = findings.hasFailed(path) ? Number.NaN : durationMs(String(text));
	if (ms < DURATION_MS_MIN) findings.add(path, `Cannot use ${text}: expected ${DURATION_MS_MIN}ms or more`);
	return ms;
}

function checkNoTls(findings: Findings, monitor: Readonly<Record<string, unknown>>, path: Path): void {
	const given = ['serverName', 'minDaysLeft'].filter((key) => key in monitor);
	if (monitor['verify'] === false) given.push('verify');
	for (const key of given) findings.add([...path, key], `Cannot use ${key} without TLS: expected tls: true beside it`);
}

function checkEscapes(findings: Findings, monitor: Readonly<Record<string, unknown>>, path: Path): void {
	for (const key of ['send', 'expect']) {
		const text = monitor[key];
		const octets = typeof text === 'string' ? octetsOfEscapedText(text) : undefined;
		if (octets === undefined || octets instanceof Uint8Array) continue;
		const message = `Cannot read "${octets.wrong}" in ${quote(text)}: expected \\r, \\n, \\t, \\xNN, or \\\\ for a backslash`;
		findings.add([...path, key], message);
	}
}

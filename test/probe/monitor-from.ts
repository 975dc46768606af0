/** Monitors and targets as steering files make them. */

import assert from 'node:assert/strict';
import { type Target, targetKey } from '../../src/health/target.ts';
import { readSteering } from '../../src/model/check-document.ts';
import { type Monitor, monitorOf } from '../../src/model/monitor.ts';

/** A monitor from what a user writes of it. */
export function monitorFrom(document: object): Monitor {
	const result = readSteering({ monitors: { m: document } }, 'common');
	if (!result.ok) assert.fail(result.problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
	return monitorOf(result.value.monitors.get('m') ?? assert.fail());
}

export function targetAt(port: number, monitor: Monitor, address = '127.0.0.1'): Target {
	return { key: targetKey(address, port, monitor), address, port, monitor };
}

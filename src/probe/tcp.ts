/**
 * A TCP check: the target is up when it accepts a connection. Says nothing to it.
 */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Target } from '../health/target.ts';
import { type CheckResult, type CheckRun, failureReason } from './check-result.ts';

export async function checkTcp({ address, port }: Target, run: CheckRun): Promise<CheckResult> {
	const startMs = run.clock.nowMs();
	const socket = connect({ host: address, port, signal: run.signal });
	try {
		await once(socket, 'connect');
		return { isUp: true, reason: 'connected', rttMs: run.clock.nowMs() - startMs };
	} catch (error) {
		return { isUp: false, reason: failureReason(error, run), rttMs: undefined };
	} finally {
		socket.destroy();
	}
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePrefix } from '../../src/lib/prefix.ts';
import type { Monitor } from '../../src/model/monitor.ts';
import { createGuard } from '../../src/probe/guard.ts';
import { type Observation, Prober } from '../../src/probe/prober.ts';
import { answer, startBackend } from './backend.ts';
import { checkLoopback } from './check-loopback.ts';
import { monitorFrom, targetAt } from './monitor-from.ts';

const MONITOR: Monitor = { ...monitorFrom({ kind: 'http', fall: 2, rise: 2 }), intervalMs: 25, timeoutMs: 20_000 };

const clock = { nowMs: () => performance.now() };

/** A prober allowed to probe loopback, and a wait for the first observation that fits. */
function startProber() {
	const loopback = parsePrefix('127.0.0.1/32');
	assert(typeof loopback !== 'string');
	const listeners = new Set<(observation: Observation) => void>();
	const prober = new Prober({
		clock,
		guard: createGuard({ deny: [], allow: [loopback] }),
		check: checkLoopback(),
		onObservation: (observation) => {
			for (const listener of listeners) listener(observation);
		},
		onDenied: (_, reason) => assert.fail(reason),
	});
	function observed(fits: (observation: Observation) => boolean): Promise<Observation> {
		return new Promise((resolve) => {
			const listener = (observation: Observation) => {
				if (!fits(observation)) return;
				listeners.delete(listener);
				resolve(observation);
			};
			listeners.add(listener);
		});
	}
	return { prober, observed };
}

describe('Prober with real checks', () => {
	it('follows a backend that fails and recovers', async () => {
		let status = '200 OK';
		const backend = await startBackend((socket) => answer(status)(socket));
		const { prober, observed } = startProber();
		prober.setTargets([targetAt(backend.port, MONITOR)]);
		const up = await observed(({ result }) => result.isUp === true);
		assert(up.result.rttMs !== undefined && up.tookMs > 0);
		status = '503 Service Unavailable';
		const down = await observed(({ result }) => !result.isUp);
		assert.equal(down.result.reason, 'status 503, expected 200-399');
		status = '200 OK';
		await observed(({ result }) => result.isUp === true);
		await prober.close();
		await backend.close();
	});

	it('closes the connections under way when it is closed', async () => {
		const asked = Promise.withResolvers<void>();
		const closed = Promise.withResolvers<void>();
		const backend = await startBackend((socket) => {
			socket.on('close', closed.resolve);
			asked.resolve();
		});
		const { prober } = startProber();
		prober.setTargets([targetAt(backend.port, MONITOR)]);
		await asked.promise;
		await prober.close();
		await closed.promise;
		await backend.close();
	});
});

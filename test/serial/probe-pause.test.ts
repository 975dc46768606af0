/** A process that is stopped and goes on, as a machine that was suspended does: nothing turns down by that. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { answer, startBackend } from '../probe/backend.ts';
import { startInstance, until } from '../roles/meridian-process.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';

/** Shorter than two periods, and longer. */
const PAUSES_MS = [900, 900, 900, 2500, 2500];

it('a pause of the process turns no target down', async (t) => {
	// Slow, so that a process which is stopped when it has asked is still without an answer.
	const backend = await startBackend((socket) => void setTimeout(() => answer('200 OK')(socket), 150));
	t.after(() => backend.close());
	const zonesDir = scratch(t, {
		'example.org.zone': GOOD_ZONE,
		'example.org.yaml': `
monitors: { web: { kind: http, port: ${backend.port}, interval: 1s, timeout: 600ms, fall: 1, rise: 1 } }
pools: { www: { monitor: web, endpoints: [{ name: a, addresses: [127.0.0.1] }] } }
names: { steered: { policy: www } }
`,
	});
	const instance = await startInstance(t, {
		zonesDir,
		stateDir: join(scratch(t), 'state'),
		more: ['--probe-allow', '127.0.0.1'],
	});
	const lines = (text: string) => instance.stderr.split(text).length - 1;
	await until('the target to be up', 5000, () => lines('target is up') === 1);
	for (const pauseMs of PAUSES_MS) {
		const asked = backend.requests.length;
		await until('a check to be under way', 5000, () => backend.requests.length > asked);
		instance.signal('SIGSTOP');
		await new Promise((resolve) => setTimeout(resolve, pauseMs));
		const before = backend.requests.length;
		instance.signal('SIGCONT');
		await until('the checks to go on', 5000, () => backend.requests.length >= before + 2);
	}
	assert.equal(lines('target is down'), 0);
	await backend.close();
	await until('the target to be down', 5000, () => lines('target is down') === 1);
});

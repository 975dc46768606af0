/** How a thread is scheduled: what is asked of a scripted kernel, and what this one has made of it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Libc, loadLibc } from '../../src/native/libc.ts';
import { SCHED_ATTR, SCHED_OTHER, SYSTEM_CALL } from '../../src/native/linux-abi.ts';
import { askForShortSlices } from '../../src/native/thread-slice.ts';

const SCHED_BATCH = 3;
const FLAGS_AT = 8;
const NICE_AT = 16;
const call = SYSTEM_CALL[process.arch === 'arm64' ? 'arm64' : 'x64'];

/** A kernel under which the thread runs by `policy` at nice value -7; `wished` is what it was told. */
function scripted(policy: number, { refuses = 0 } = {}) {
	let memory = new ArrayBuffer(0);
	const kernel = {
		wished: undefined as DataView | undefined,
		addressOf: (given: ArrayBuffer) => {
			memory = given;
			return 1n;
		},
		syscall: (number: number) => {
			if (number === refuses) return -1;
			const view = new DataView(memory);
			if (number === call.schedGetAttr) {
				view.setUint32(SCHED_ATTR.policy, policy, true);
				view.setInt32(NICE_AT, -7, true);
				view.setBigUint64(FLAGS_AT, 1n, true);
			} else kernel.wished = view;
			return 0;
		},
	};
	return kernel;
}

describe('askForShortSlices()', () => {
	it('asks for 0.1 ms and leaves the rest as it was', () => {
		const kernel = scripted(SCHED_OTHER);
		assert.equal(askForShortSlices(kernel), true);
		const { wished } = kernel;
		assert.equal(wished?.getUint32(SCHED_ATTR.size, true), SCHED_ATTR.octets);
		assert.equal(wished?.getUint32(SCHED_ATTR.policy, true), SCHED_OTHER);
		assert.equal(wished?.getBigUint64(SCHED_ATTR.runtime, true), 100_000n);
		assert.equal(wished?.getInt32(NICE_AT, true), -7);
		assert.equal(wished?.getBigUint64(FLAGS_AT, true), 1n);
	});

	it('leaves a thread alone that an operator runs by other rules', () => {
		const kernel = scripted(SCHED_BATCH);
		assert.equal(askForShortSlices(kernel), false);
		assert.equal(kernel.wished, undefined);
	});

	for (const [name, refuses] of Object.entries(call)) {
		it(`takes no for an answer to ${name}`, () =>
			assert.equal(askForShortSlices(scripted(SCHED_OTHER, { refuses })), false));
	}

	it('is taken by the kernel of this machine, where it can be asked', async (t) => {
		const libc = await loadLibc();
		if (!libc.ok) return t.skip(libc.problems.join());
		const before = schedulingOf(libc.value);
		if (before?.getUint32(SCHED_ATTR.policy, true) !== SCHED_OTHER) return t.skip('run by other rules');
		assert.equal(askForShortSlices(libc.value), true);
		const after = schedulingOf(libc.value);
		assert.equal(after?.getInt32(NICE_AT, true), before.getInt32(NICE_AT, true));
		// Kernels before 6.12 have no slices of threads.
		assert([0n, 100_000n].includes(after?.getBigUint64(SCHED_ATTR.runtime, true) ?? -1n));
	});
});

function schedulingOf(libc: Libc): DataView | undefined {
	const memory = new ArrayBuffer(SCHED_ATTR.octets);
	const result = libc.syscall(call.schedGetAttr, 0, libc.addressOf(memory), SCHED_ATTR.octets, 0);
	return result === 0 ? new DataView(memory) : undefined;
}
